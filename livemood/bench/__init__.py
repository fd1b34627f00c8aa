"""Benchmarks of livemood on this machine: the live loop (``live``) and video files (``offline``)."""
