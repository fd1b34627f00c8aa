"""Outputs: video and picture files, a window, records, subtitles, markers, network streams."""
