"""The browser page: source (``src``), what is built of it (``static``), and what it is told of Python's settings."""
