"""What threads share: stopping, and lines from one to another."""
