import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from livemood.core.errors import ImageUnreadable
from livemood.sources.image.decode import image_paths, read_image
from tests.support.builders import corners, quadrants


def encode(ending: str, image: Any) -> bytes:
    done, data = cv2.imencode(ending, image)
    assert done
    return bytes(data.tobytes())


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Put an EXIF segment with nothing but an orientation into a JPEG."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp", ".webp", ".tiff", ".gif", ".jp2", ".avif"])
def test_image_when_of_any_common_kind_then_is_bgr(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"photo{ending}"
    path.write_bytes(encode(ending, quadrants()))
    image = read_image(path)
    assert image.shape == (48, 64, 3)
    assert image.dtype == np.uint8
    assert corners(image) == "RGBW"


@pytest.mark.parametrize(
    ("orientation", "seen"),
    [(1, "RGBW"), (2, "GRWB"), (3, "WBGR"), (4, "BWRG"), (5, "RBGW"), (6, "BRWG"), (7, "WGBR"), (8, "GWRB")],
)
def test_image_when_the_camera_noted_an_orientation_then_is_upright(
    tmp_path: Path, orientation: int, seen: str
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_orientation(encode(".jpg", quadrants()), orientation))
    image = read_image(path)
    assert corners(image) == seen
    assert image.shape[:2] == ((48, 64) if orientation < 5 else (64, 48))


@pytest.mark.parametrize(("kind", "levels"), [(np.uint8, (0, 100, 255)), (np.uint16, (0, 100 * 257, 65535))])
@pytest.mark.parametrize("channels", [1, 3])
def test_image_when_grey_or_16_bit_then_keeps_its_levels(
    tmp_path: Path, kind: Any, levels: tuple[int, ...], channels: int
) -> None:
    raw = np.repeat(np.array(levels, kind), 4)[None].repeat(4, 0)
    path = tmp_path / "photo.png"
    path.write_bytes(encode(".png", raw if channels == 1 else np.dstack([raw] * 3)))
    image = read_image(path)
    assert image.shape == (4, 12, 3)
    assert image[0, ::4].tolist() == [[0] * 3, [100] * 3, [255] * 3]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_image_when_see_through_then_lies_on_white(tmp_path: Path, kind: Any) -> None:
    full = np.iinfo(kind).max
    raw = np.zeros((3, 1, 4), kind)
    raw[:, :, 2] = full
    raw[:, 0, 3] = 0, full // 2, full
    path = tmp_path / "logo.png"
    path.write_bytes(encode(".png", raw))
    assert read_image(path)[:, 0].tolist() == [[255, 255, 255], [128, 128, 255], [0, 0, 255]]


@pytest.mark.parametrize(("size", "ending"), [((1, 1), ".png"), ((1, 1), ".jpg"), ((6000, 8000), ".jpg")])
def test_image_when_tiny_or_huge_then_is_read_whole(tmp_path: Path, size: tuple[int, int], ending: str) -> None:
    path = tmp_path / f"photo{ending}"
    path.write_bytes(encode(ending, np.full(size, 200, np.uint8)))
    image = read_image(path)
    assert image.shape == (*size, 3)
    assert image[-1, -1].tolist() == [200, 200, 200]


def test_image_when_its_palette_is_see_through_then_lies_on_white(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    path = tmp_path / "logo.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 8, 3, 0, 0, 0))
        + chunk(b"PLTE", bytes([255, 0, 0, 0, 0, 255]))
        + chunk(b"tRNS", bytes([255, 0]))
        + chunk(b"IDAT", zlib.compress(bytes([0, 0, 1])))
        + chunk(b"IEND", b"")
    )
    assert read_image(path)[0].tolist() == [[0, 0, 255], [255, 255, 255]]


@pytest.mark.parametrize("name", ["größe 写真.jpg", "no ending", "wrong.txt"])
def test_image_when_the_name_is_unusual_then_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(encode(".jpg", quadrants()))
    assert corners(read_image(path)) == "RGBW"


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("missing.jpg", lambda path: None, "is not there; check the name"),
        ("folder.jpg", lambda path: path.mkdir(), "is a folder; name a picture in it"),
        ("empty.jpg", lambda path: path.touch(), "is empty"),
        ("text.jpg", lambda path: path.write_text("text"), "is not a picture that can be read, or is cut off"),
        *(
            (f"cut{ending}", ending, "is not a picture that can be read, or is cut off")
            for ending in (".jpg", ".png", ".webp", ".tiff", ".bmp")
        ),
    ],
)
def test_image_when_unreadable_then_says_why_in_one_line(
    tmp_path: Path, name: str, make: Any, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    if isinstance(make, str):
        whole = encode(make, np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8))
        path.write_bytes(whole[: len(whole) * 6 // 10])
    else:
        make(path)
    with pytest.raises(ImageUnreadable) as caught:
        read_image(path)
    assert str(caught.value) == f"{path} {message}"
    assert capfd.readouterr() == ("", "")


def test_paths_when_given_folders_then_are_their_pictures_in_order(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.jpg", "deeper/c.webp"):
        (tmp_path / "album" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "album" / name).touch()
    (tmp_path / "album" / "folder.jpg").mkdir()
    single = tmp_path / "z.heic"
    album = tmp_path / "album"
    found = image_paths([single, album, album / "a.png"])
    assert found == [single, album / "a.png", album / "b.JPG", album / "deeper" / "c.webp"]


def test_paths_when_a_folder_holds_no_picture_then_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImageUnreadable, match="holds no pictures"):
        image_paths([tmp_path])
