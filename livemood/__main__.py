"""The ``livemood`` command, and ``python -m livemood``."""

import sys


def main() -> None:
    """Run the command line; its modules are imported here, so that worker processes do not import them."""
    try:
        from livemood.cli import main as run
    except ImportError as error:  # what every command needs is missing, such as numpy
        from livemood.runtime.native_output import debugging
        from livemood.runtime.optional_deps import import_failed

        failed = import_failed(error)
        if debugging() or failed is None:
            raise
        sys.exit(f"livemood: {failed}")
    run()


if __name__ == "__main__":
    main()
