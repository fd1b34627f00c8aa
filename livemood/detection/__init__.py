"""Frame -> Detection: face networks, how their detections are combined, and cheaper ways to follow a known face."""
