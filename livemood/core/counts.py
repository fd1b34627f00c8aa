"""Numbers with their nouns."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, such as ``1 face`` or ``2 faces``.

    Args:
        number: How many.
        one: The noun, singular.
        many: Its plural, where that is more than an added s.
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"
