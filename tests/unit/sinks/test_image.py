from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageCms

from livemood.core.errors import SinkError
from livemood.sinks.image import keeps_profile, write_image
from tests.support.builders import corners, quadrants, read_still


@pytest.mark.parametrize(
    "name", ["photo.jpg", "photo.jfif", "photo.PNG", "photo.webp", "photo.tiff", "new/deeper/photo.png"]
)
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


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.webp"])
@pytest.mark.parametrize("length", [65_516, 65_520])
def test_image_when_its_metadata_are_longer_than_a_segment_of_a_jpeg_then_a_jpeg_is_written_without(
    tmp_path: Path, name: str, length: int
) -> None:
    exif = b"II*\0\x08".ljust(length, b"\0")
    icc = length.to_bytes(4, "big") + srgb()[4:].ljust(length - 4, b"\0")
    write_image(tmp_path / name, quadrants(), exif=exif, icc=icc)
    kept = length == 65_516 or not name.endswith(".jpg")
    with PillowImage.open(tmp_path / name) as written:
        assert written.info.get("icc_profile") == (icc if kept else None)
        assert written.info.get("exif", b"").removeprefix(b"Exif\0\0") == (exif if kept else b"")
    assert keeps_profile(tmp_path / name, icc) == kept


@pytest.mark.parametrize("name", ["photo.bmp", "photo.ppm"])
def test_image_when_its_format_holds_no_metadata_then_written_without(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / name, quadrants(), exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0", icc=srgb())
    assert corners(read_still(tmp_path / name)) == "RGBW"


def test_image_when_it_is_too_wide_for_its_format_then_another_one_is_advised(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"photo\.webp could not be encoded as \.webp; use \.png$"):
        write_image(tmp_path / "photo.webp", np.zeros((1, 16_384, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png", "photo.webp"])
def test_image_when_its_profile_is_longer_than_it_states_then_written_without(tmp_path: Path, name: str) -> None:
    write_image(tmp_path / name, quadrants(), icc=srgb() + bytes(4))
    with PillowImage.open(tmp_path / name) as written:
        assert "icc_profile" not in written.info


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


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
