"""The ``livemood`` command, and ``python -m livemood``."""


def main() -> None:
    """Run the command line; its modules are imported here, so that worker processes do not import them."""
    from livemood.cli import main as run

    run()


if __name__ == "__main__":
    main()
