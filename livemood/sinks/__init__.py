"""Where results go: a video file, a picture, a window, records."""
