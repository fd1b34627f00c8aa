"""A labelled copy of a video that keeps the source's times, sound, subtitles and chapters."""
