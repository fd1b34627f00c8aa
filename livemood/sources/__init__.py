"""Sources of frames: video files, cameras, streams, still images."""
