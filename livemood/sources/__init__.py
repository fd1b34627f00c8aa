"""Where frames come from: a video file, a camera or stream, still images."""
