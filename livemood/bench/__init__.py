"""How fast livemood is on this machine: the live loop (``live``) and video files (``offline``)."""
