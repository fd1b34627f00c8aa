"""Decoding a video file: probing the container, timestamps and colour."""
