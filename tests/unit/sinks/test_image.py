from pathlib import Path

import numpy as np
import pytest

from livemood.core.errors import SinkError
from livemood.sinks.image import write_image
from tests.support.builders import corners, quadrants, read_still


@pytest.mark.parametrize("name", ["photo.jpg", "photo.PNG", "photo.webp", "photo.tiff", "new/deeper/photo.png"])
def test_image_when_written_then_is_what_was_given(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / name, quadrants())
    image = read_still(tmp_path / name)
    assert image.shape == (48, 64, 3)
    assert corners(image) == "RGBW"
    assert [path.name for path in (tmp_path / name).parent.iterdir()] == [Path(name).name]


def test_image_when_the_name_is_not_ascii_then_is_written(tmp_path: Path) -> None:
    write_image(tmp_path / "größe 写真.png", quadrants())
    assert (tmp_path / "größe 写真.png").stat().st_size > 100


def test_image_when_one_is_there_then_replaces_it(tmp_path: Path) -> None:
    write_image(tmp_path / "photo.png", np.zeros((9, 9, 3), np.uint8))
    write_image(tmp_path / "photo.png", quadrants())
    assert read_still(tmp_path / "photo.png").shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("photo.heic", "does not end in a suffix of pictures"),
        ("photo", "does not end in a suffix of pictures"),
        ("file/photo.png", "could not be written"),
    ],
)
def test_image_when_it_cannot_be_written_then_says_why(
    tmp_path: Path, name: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match=message) as caught:
        write_image(tmp_path / name, quadrants())
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert capfd.readouterr() == ("", "")


def test_image_when_the_target_is_a_folder_then_says_so(tmp_path: Path) -> None:
    (tmp_path / "photo.png").mkdir()
    with pytest.raises(SinkError, match="is a folder"):
        write_image(tmp_path / "photo.png", quadrants())
