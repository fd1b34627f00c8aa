"""Frame -> Detection: face networks, how their answers are combined, and cheaper ways to see a face again."""
