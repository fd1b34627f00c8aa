"""The browser page: source (``src``) and built files (``static``); ``livemood.apps.web`` serves it."""
