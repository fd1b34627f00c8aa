"""``python -m livemood``: the same as the ``livemood`` command."""

from livemood.cli import main

main()
