"""The browser page: source (``src``) and what is built of it (``static``); ``livemood.apps.web`` serves it."""
