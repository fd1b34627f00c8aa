"""Numbers that are added to names that are taken."""

from pathlib import Path

from livemood.runtime.numbered import NumberedPaths


def test_equal_names_then_numbered_past_those_that_are_taken_in_linear_time() -> None:
    taken = {Path("a-2.jpg"), Path("a-4.jpg")}
    asked = []

    def is_taken(path: Path) -> bool:
        asked.append(path)
        return path in taken

    places = NumberedPaths(is_taken)
    found = []
    for _ in range(100):
        found.append(places.free(Path("a.jpg")).name)
        taken.add(Path(found[-1]))
    assert found == ["a.jpg", "a-3.jpg", *(f"a-{number}.jpg" for number in range(5, 103))]
    assert len(asked) < 300
    assert places.free(Path("b.jpg")) == Path("b.jpg")
    assert places.free(Path("a-2.jpg")) == Path("a-2-2.jpg")
