import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageCms

from livemood.core.errors import FullSizeNeeded, ImageUnreadable
from livemood.core.types import Image
from livemood.datasets.files import decode
from livemood.runtime.exif import orientation, upright_exif
from livemood.sources.image.decode import decode_photo, read_image, read_photo, read_reduced
from livemood.sources.image.scan import find_photos, photos_of_each
from livemood.sources.image.size_guard import size
from tests.support.builders import corners, quadrants, refuse


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
def test_image_when_it_has_alpha_then_it_is_composited_over_white(tmp_path: Path, kind: Any) -> None:
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


def test_image_when_its_palette_has_alpha_then_it_is_composited_over_white(tmp_path: Path) -> None:
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


def test_paths_when_given_folders_then_are_their_pictures_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.jpg", "deeper/c.webp"):
        (tmp_path / "album" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "album" / name).touch()
    (tmp_path / "album" / "folder.jpg").mkdir()
    single = tmp_path / "z.heic"
    album = tmp_path / "album"
    found = photos_of_each([single, album, album / "a.png", Path("album")]).photos
    assert found == [single, album / "a.png", album / "b.JPG", album / "deeper" / "c.webp"]


def test_paths_when_a_folder_holds_no_picture_then_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ImageUnreadable, match=r"contains no pictures \(1 x other file\)"):
        photos_of_each([tmp_path])


ORIENTATIONS = [(1, "RGBW"), (2, "GRWB"), (3, "WBGR"), (4, "BWRG"), (5, "RBGW"), (6, "BRWG"), (7, "WGBR"), (8, "GWRB")]


def save(path: Path, image: Any = None, **options: Any) -> Path:
    """Write a picture with Pillow, in the form that the ending names, or ``format``."""
    import pillow_heif
    import pillow_jxl  # noqa: F401  # registers itself

    pillow_heif.register_heif_opener()
    rgb = cv2.cvtColor(quadrants() if image is None else image, cv2.COLOR_BGR2RGB)
    PillowImage.fromarray(rgb).save(path, **options)
    return path


def exif_of(value: int) -> Any:
    exif = PillowImage.Exif()
    exif[0x0112] = value
    return exif


@pytest.mark.parametrize(("value", "found"), [(0, 1), (1, 1), (6, 6), (8, 8), (9, 1), (300, 1)])
def test_orientation_when_there_is_no_such_then_upright(value: int, found: int) -> None:
    assert orientation(exif_of(value).tobytes()) == found


@pytest.mark.parametrize("name", ["a.heic", "a.HEIF", "a.hif", "a.avif", "a.jxl", "a.jfif"])
def test_image_when_of_a_phone_or_a_new_kind_then_is_bgr(tmp_path: Path, name: str) -> None:
    kind = {"jfif": "JPEG", "jxl": "JXL", "avif": "AVIF"}.get(name.rpartition(".")[2], "HEIF")
    path = save(tmp_path / name, format=kind, quality=95)
    image = read_image(path)
    assert image.shape == (48, 64, 3)
    assert corners(image) == "RGBW"
    assert photos_of_each([tmp_path]).photos == [path]


@pytest.mark.parametrize("kind", ["AVIF", "HEIF", "JXL", "TIFF"])
@pytest.mark.parametrize("seed", range(6))
def test_image_when_its_pixels_are_damaged_then_is_a_picture_or_refused(tmp_path: Path, kind: str, seed: int) -> None:
    """Plugins raise kinds of their own for such data: AVIF a ``RuntimeError``."""
    path = save(tmp_path / f"a.{kind.lower()}", format=kind, image=quadrants(256, 192))
    chance, data = np.random.default_rng(seed), bytearray(path.read_bytes())
    for place in chance.integers(len(data) * 3 // 4, len(data), 40):
        data[place] ^= 0xFF
    path.write_bytes(data)
    if decode(bytes(data)) is not None:
        assert read_image(path).shape[2] == 3
        return
    with pytest.raises(ImageUnreadable) as refused:
        read_image(path)
    assert "please report" not in str(refused.value)


@pytest.mark.parametrize("error", [RuntimeError, SystemError, KeyError, struct.error, ZeroDivisionError])
def test_image_when_a_decoder_raises_anything_then_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    path = save(tmp_path / "a.avif")

    def broken(*_: Any, **__: Any) -> None:
        raise error("color planes")

    monkeypatch.setattr(PillowImage.Image, "convert", broken)
    assert decode(path.read_bytes()) is None
    with pytest.raises(ImageUnreadable, match="is not a picture that can be read"):
        read_image(path)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.mp4", "by its ending it is a video; livemood video reads it"),
        ("a.CR2", "by its ending it is a raw photo; export it as JPEG"),
        ("a.psd", "by its ending it is a drawing or layered picture; export it as JPEG or PNG"),
        ("a.jpg", "is cut off$"),
        ("a", "is cut off$"),
    ],
)
def test_image_when_it_is_no_picture_then_its_ending_says_what_to_do(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(b"no picture at all")
    with pytest.raises(ImageUnreadable, match=said):
        read_image(tmp_path / name)


@pytest.mark.parametrize("kind", ["avif", "heif", "jxl"])
def test_image_when_larger_than_the_limit_of_pillow_then_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = save(tmp_path / f"a.{kind}", format=kind.upper())
    monkeypatch.setattr(PillowImage, "MAX_IMAGE_PIXELS", 64 * 48 // 2 - 1)
    assert read_image(path).shape == (48, 64, 3)
    assert PillowImage.MAX_IMAGE_PIXELS == 64 * 48 // 2 - 1


@pytest.mark.parametrize(("value", "seen"), ORIENTATIONS)
@pytest.mark.parametrize("kind", ["webp", "png", "avif", "tiff"])
def test_image_when_any_kind_notes_an_orientation_then_is_upright(
    tmp_path: Path, kind: str, value: int, seen: str
) -> None:
    kinds: dict[str, dict[str, Any]] = {"webp": {"lossless": True}, "avif": {"quality": 95}}
    options = kinds.get(kind, {})
    photo = read_photo(save(tmp_path / f"a.{kind}", exif=exif_of(value), **options))
    assert corners(photo.image) == seen
    assert (photo.width, photo.height) == ((64, 48) if value < 5 else (48, 64))
    assert photo.orientation == (1 if kind == "avif" else value)


@pytest.mark.parametrize(("value", "seen"), ORIENTATIONS)
@pytest.mark.parametrize("mode", ["RGBA", "4 bits"])
def test_image_when_a_tiff_that_pillow_decodes_notes_an_orientation_then_is_upright(
    tmp_path: Path, mode: str, value: int, seen: str
) -> None:
    path = tmp_path / "a.tif"
    rgb = cv2.cvtColor(quadrants(), cv2.COLOR_BGR2RGB)
    if mode == "RGBA":
        PillowImage.fromarray(rgb).convert("RGBA").save(path, exif=exif_of(value))
        assert corners(read_image(path)) == seen
        return
    steps = np.zeros((48, 64), np.uint8)
    steps[:24, :32] = 15  # white at the top left only
    path.write_bytes(four_bit_tiff(steps, value))
    grey = read_image(path)[..., 0]
    assert grey.shape == ((48, 64) if value < 5 else (64, 48))
    bright = [grey[4, 4], grey[4, -5], grey[-5, 4], grey[-5, -5]]
    at = [ORIENTATIONS[value - 1][1].index("R")]
    assert [place for place, level in enumerate(bright) if level > 128] == at


def test_image_when_a_tiff_is_of_a_kind_that_no_decoder_takes_then_the_line_says_so(tmp_path: Path) -> None:
    data = four_bit_tiff(np.zeros((8, 8), np.uint8), 1)
    unknown = data.replace(struct.pack("<HHII", 259, 4, 1, 1), struct.pack("<HHII", 259, 4, 1, 31999))
    (tmp_path / "a.tif").write_bytes(unknown)
    with pytest.raises(ImageUnreadable, match="is a TIFF of a rare kind, or is cut off; export it as PNG"):
        read_image(tmp_path / "a.tif")


def four_bit_tiff(levels: Any, orientation: int) -> bytes:
    """Return a grey TIFF of 4 bits a pixel, uncompressed, in one strip."""
    height, width = levels.shape
    packed = (levels[:, ::2] << 4 | levels[:, 1::2]).astype(np.uint8).tobytes()
    entries = [(256, width), (257, height), (258, 4), (259, 1), (262, 1), (273, 8), (274, orientation), (277, 1),
               (278, height), (279, len(packed))]  # fmt: skip
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    return b"II*\0" + struct.pack("<I", 8 + len(packed)) + packed + struct.pack("<H", len(entries)) + table + b"\0" * 4


@pytest.mark.parametrize("mode", ["RGBA", "RGBa", "LA"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_image_when_a_tiff_has_alpha_then_is_composited_over_white_once(
    tmp_path: Path, mode: str, compression: str | None
) -> None:
    levels = np.full((8, 8, 4), (100, 60, 20, 128), np.uint8)
    picture = PillowImage.fromarray(levels, "RGBA").convert("LA" if mode == "LA" else "RGBA")
    path = tmp_path / "a.tif"
    picture.save(path, compression=compression)
    if mode == "RGBa":  # its colours are said to be multiplied by alpha already
        separate, multiplied = (struct.pack("<HHIHH", 338, 3, 1, kind, 0) for kind in (2, 1))
        assert separate in path.read_bytes()
        path.write_bytes(path.read_bytes().replace(separate, multiplied))
    over, share = ([66] * 3, 128 / 255) if mode == "LA" else ([20, 60, 100], 1 if mode == "RGBa" else 128 / 255)
    wanted = [level * share + 127 for level in over]
    assert read_image(path)[4, 4].tolist() == pytest.approx(wanted, abs=2)
    decoded = decode(path.read_bytes())
    assert decoded is not None
    assert decoded[4, 4].tolist() == pytest.approx(wanted, abs=2)


@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_image_when_webp_exif_has_a_prefix_or_none_then_is_upright(tmp_path: Path, prefix: bytes) -> None:
    path = save(tmp_path / "a.webp", exif=exif_of(6).tobytes(), lossless=True)
    data = path.read_bytes()
    at = data.index(b"EXIF")
    length = struct.unpack_from("<I", data, at + 4)[0]
    body = prefix + data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0")
    chunk = b"EXIF" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    data = data[:at] + chunk + data[at + 8 + length + length % 2 :]
    path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    assert corners(read_image(path)) == "BRWG"


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_image_when_a_heic_is_to_be_turned_then_is_upright(tmp_path: Path, turn: int) -> None:
    path = save(tmp_path / "a.heic", quality=95, image=quadrants(64, 64))
    data = path.read_bytes()
    changed = with_heif_turn(data, turn)
    path.write_bytes(changed)
    assert corners(read_image(path)) == {1: "GWRB", 2: "WBGR", 3: "BRWG"}[turn]


def with_heif_turn(data: bytes, quarters: int) -> bytes:
    """Put an ``irot`` property, counted anti-clockwise, in the place of a HEIC's ``pixi`` property."""
    at = data.index(b"pixi") - 4
    length = struct.unpack_from(">I", data, at)[0]
    turn = struct.pack(">I4sB", 9, b"irot", quarters)
    filler = struct.pack(">I4s", length - len(turn), b"free") if length - len(turn) >= 8 else b""
    if not filler:  # grow the box's own length to what it takes the place of
        turn = struct.pack(">I4sB", length, b"irot", quarters) + b"\0" * (length - 9)
    return data[:at] + turn + filler + data[at + length :]


def test_image_when_in_display_p3_then_colours_become_srgb(tmp_path: Path) -> None:
    # A profile with red and green primaries exchanged: stored red must be converted to green.
    profile = swapped_primaries()
    image = np.full((32, 32, 3), (0, 0, 255), np.uint8)
    photo = read_photo(save(tmp_path / "a.png", image, icc_profile=profile))
    assert photo.image[16, 16].argmax() == 1
    assert photo.own_colours[16, 16].tolist() == [0, 0, 255]
    assert photo.icc == profile


@pytest.mark.parametrize("profile", ["sRGB", "broken", "grey", "CMYK"])
def test_image_when_its_profile_is_srgb_or_does_not_fit_then_colours_stay(tmp_path: Path, profile: str) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    given = {"sRGB": srgb, "broken": swapped_primaries()[:200], "grey": linear_grey(), "CMYK": cyan_only()}[profile]
    photo = read_photo(save(tmp_path / "a.png", icc_profile=given))
    assert photo.image.tolist() == photo.own_colours.tolist() == quadrants().tolist()
    assert photo.icc == (srgb if profile == "sRGB" else None)


def test_image_when_its_profile_is_only_called_srgb_then_colours_become_srgb(tmp_path: Path) -> None:
    image = np.full((8, 8, 3), 64, np.uint8)
    photo = read_photo(save(tmp_path / "a.png", image, icc_profile=linear_srgb()))
    assert photo.image[0, 0].tolist() == pytest.approx([137] * 3, abs=1)
    assert photo.icc == linear_srgb()


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
@pytest.mark.parametrize(("mode", "stored", "seen"), [("L", 64, 137), ("CMYK", (0, 0, 0, 255), 255)])
def test_image_when_its_profile_is_of_grey_or_cmyk_then_colours_become_srgb_and_need_none(
    tmp_path: Path, form: str, mode: str, stored: Any, seen: int
) -> None:
    profile = linear_grey() if mode == "L" else cyan_only()
    PillowImage.new(mode, (32, 32), stored).save(tmp_path / "a", format=form, icc_profile=profile)
    photo = read_photo(tmp_path / "a")
    assert photo.image[16, 16].tolist() == pytest.approx([seen] * 3, abs=2)
    assert photo.own_colours.tolist() == photo.image.tolist()
    assert photo.icc is None
    whole = decode((tmp_path / "a").read_bytes())
    assert whole is not None
    assert whole.tolist() == photo.image.tolist()


def linear_grey() -> bytes:
    return icc_profile(b"GRAY", b"XYZ ", kTRC=b"curv" + bytes(8))


def linear_srgb() -> bytes:
    """Return a profile with the primaries of sRGB, but without its curve."""
    primaries = {"rXYZ": (0.4361, 0.2225, 0.0139), "gXYZ": (0.3851, 0.7169, 0.0971), "bXYZ": (0.1431, 0.0606, 0.7141)}
    curves = dict.fromkeys(("rTRC", "gTRC", "bTRC"), b"curv" + bytes(8))
    return icc_profile(b"RGB ", b"XYZ ", **{name: xyz(*axes) for name, axes in primaries.items()}, **curves)


def cyan_only() -> bytes:
    """Return a CMYK profile in which only cyan darkens."""
    same = bytes(range(256))
    corner = b"".join(bytes([255 * (1 - cyan), 128, 128]) * 8 for cyan in (0, 1))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *np.eye(3, dtype=int).ravel() << 16)
    return icc_profile(b"CMYK", b"Lab ", A2B0=table + same * 4 + corner + same * 3)


def xyz(*axes: float) -> bytes:
    return b"XYZ " + struct.pack(">4x3i", *(round(axis * 65536) for axis in axes))


def icc_profile(space: bytes, between: bytes, **tags: bytes) -> bytes:
    """Return an ICC profile called sRGB, from a colour space to one between profiles, XYZ or Lab."""
    name = b"sRGB\0"
    white = (0.9642, 1.0, 0.8249)
    tags |= {"wtpt": xyz(*white), "desc": b"desc" + struct.pack(">4xI", len(name)) + name + bytes(78)}
    directory, content = b"", b""
    for tag, data in tags.items():
        directory += tag.encode() + struct.pack(">II", 132 + 12 * len(tags) + len(content), len(data))
        content += data + bytes(-len(data) % 4)
    length = 132 + len(directory) + len(content)
    head = struct.pack(">I4xI4s4s4s", length, 0x02400000, b"scnr", space, between) + bytes(12) + b"acsp" + bytes(28)
    return (head + xyz(*white)[8:]).ljust(128, b"\0") + struct.pack(">I", len(tags)) + directory + content


def swapped_primaries() -> bytes:
    profile = bytearray(
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes().replace(b"s\0R\0G\0B", b"s\0W\0A\0P")
    )
    profile = bytearray(bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be")))
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize(
    ("bits", "white_is_zero"), [*((bits, zero) for bits in (1, 2, 4, 8) for zero in (False, True)), (12, False)]
)
def test_image_when_a_tiff_has_few_bits_then_keeps_its_levels(tmp_path: Path, bits: int, white_is_zero: bool) -> None:
    most = 2**bits - 1
    levels = np.repeat(np.linspace(0, most, min(most + 1, 4)).round().astype(int), 8)
    stored = most - levels if white_is_zero else levels
    row = int("".join(format(value, f"0{bits}b") for value in stored), 2).to_bytes(len(levels) * bits // 8, "big")
    (tmp_path / "a.tif").write_bytes(tiff(len(levels), 4, bits, row * 4, 0 if white_is_zero else 1))
    image = read_image(tmp_path / "a.tif")
    assert image.shape == (4, len(levels), 3)
    assert image[0, ::8, 0].tolist() == (levels[::8] * 255 / most).round().astype(int).tolist()


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.uint32])
@pytest.mark.parametrize("channels", [1, 3])
def test_image_when_the_white_of_a_tiff_is_not_known_then_refused(tmp_path: Path, kind: Any, channels: int) -> None:
    (tmp_path / "a.tif").write_bytes(encode(".tiff", np.full((8, 8, channels), 100, kind)))
    with pytest.raises(ImageUnreadable, match="is a TIFF of a rare kind, or is cut off; export it as PNG"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("white", [15, 100, 255, 256, 1023, 4095, 65535])
@pytest.mark.parametrize("magic", ["P2", "P3", "P5", "P6"])
def test_image_when_any_level_of_a_pnm_is_white_then_keeps_its_levels(tmp_path: Path, magic: str, white: int) -> None:
    levels = [0, white // 3, white]
    header = f"{magic}\n# white is 7\n{1 if magic in ('P3', 'P6') else 3} 1\n{white}\n"
    pixels = np.array(levels, ">u2" if white > 255 else np.uint8).tobytes()
    text = " ".join(map(str, levels)).encode()
    (tmp_path / "a.pnm").write_bytes(header.encode() + (pixels if magic in ("P5", "P6") else text))
    image = read_image(tmp_path / "a.pnm")
    seen = image[0, 0, ::-1] if image.shape[1] == 1 else image[0, :, 0]
    assert seen.tolist() == pytest.approx([255 * level / white for level in levels], abs=1)


def tiff(width: int, height: int, bits: int, data: bytes, photometric: int) -> bytes:
    entries = [
        *((256, 3, width), (257, 3, height), (258, 3, bits), (259, 3, 1), (262, 3, photometric)),
        *((273, 4, 8), (277, 3, 1), (278, 3, height), (279, 4, len(data))),
    ]
    table = b"".join(
        struct.pack("<HHI", tag, kind, 1) + struct.pack("<HH" if kind == 3 else "<I", *((value, 0)[: 5 - kind]))
        for tag, kind, value in entries
    )
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(entries)) + table + bytes(4)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("white", [1.0, 255.0, 1000.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_image_when_a_tiff_holds_floats_then_keeps_its_levels(
    tmp_path: Path, kind: Any, white: float, channels: int
) -> None:
    raw = np.repeat(np.array([0.0, 0.4, 1.0]) * white, 4).astype(kind)[None].repeat(4, 0)
    raw[0, 0] = np.nan
    (tmp_path / "a.tiff").write_bytes(encode(".tiff", raw if channels == 1 else np.dstack([raw] * 3)))
    assert read_image(tmp_path / "a.tiff")[1, ::4].tolist() == [[0] * 3, [102] * 3, [255] * 3]


def test_image_when_a_pnm_holds_floats_then_keeps_its_levels(tmp_path: Path) -> None:
    (tmp_path / "a.pfm").write_bytes(b"Pf\n3 1\n-1.0\n" + np.array([0.0, 0.4, 1.0], "<f4").tobytes())
    assert read_image(tmp_path / "a.pfm")[0].tolist() == [[0] * 3, [102] * 3, [255] * 3]


def test_image_when_a_tiff_has_a_profile_then_colours_become_srgb(tmp_path: Path) -> None:
    image = np.full((32, 32, 3), (0, 0, 255), np.uint8)
    photo = read_photo(save(tmp_path / "a.tiff", image, icc_profile=swapped_primaries()))
    assert photo.image[16, 16].argmax() == 1


@pytest.mark.parametrize(("least_side", "side"), [(None, 1600), (1600, 1600), (801, 1600), (800, 800), (100, 200)])
def test_photo_when_less_is_asked_for_then_a_jpeg_is_decoded_smaller(
    tmp_path: Path, least_side: int | None, side: int
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(with_orientation(encode(".jpg", quadrants(1600, 1201)), 6))
    photo = read_photo(path, least_side)
    assert photo.image.shape[0] == side
    assert (photo.width, photo.height) == (1201, 1600)
    assert photo.scale == pytest.approx(1600 / side, rel=0.01)
    assert corners(photo.image) == "BRWG"


@pytest.mark.parametrize(
    ("side", "small_faces", "sides"),
    [(1500, False, [1500]), (3300, False, [1650]), (3300, True, [1650, 3300]), (8000, True, [2000, 4000])],
)
def test_photo_when_read_reduced_then_decoded_again_only_for_small_faces(
    side: int, small_faces: bool, sides: list[int]
) -> None:
    data, seen = encode(".jpg", np.zeros((90, side, 3), np.uint8)), []

    def read(image: Image, reduced: bool) -> str:
        seen.append(image.shape[1])
        assert reduced == (seen == sides[:1] != [side])
        if reduced and small_faces:
            raise FullSizeNeeded("more detail is needed")
        return "moods"

    photo, found = read_reduced(lambda least_side: decode_photo(data, "a.jpg", least_side), read)
    assert (photo.image.shape[1], photo.width, found) == (sides[-1], side, "moods")
    assert seen == sides


def test_exif_when_made_upright_then_all_else_stays() -> None:
    exif = exif_of(6)
    exif[0x010F] = "Maker"
    data = exif.tobytes()
    changed = upright_exif(data)
    assert (orientation(data), orientation(changed), len(changed)) == (6, 1, len(data))
    assert sum(a != b for a, b in zip(data, changed, strict=True)) == 1
    for cut in range(len(data)):
        assert orientation(data[:cut]) in (1, 6)


def test_size_of_a_jpeg_xl_then_it_is_read_from_its_header(tmp_path: Path) -> None:
    for width, height in ((64, 48), (1000, 1), (640, 480), (333, 777)):
        data = save(tmp_path / "a.jxl", np.zeros((height, width, 3), np.uint8)).read_bytes()
        assert size(data) == (width, height)
    assert size(b"\xff\x0a\xfe\xff\xff\xff\xff\xff\xff\xff")[0] > 1 << 29


def test_scan_says_what_is_skipped_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.jpg", "b.CR3", "c.mov", "d.heic", ".e.jpg", "f.txt", "ours/g.jpg", "deep/h.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere")
    monkeypatch.setattr("livemood.sources.image.formats.find_spec", lambda _: None)
    found = find_photos([tmp_path], lambda path: path.name == "ours")
    assert [path.name for path in found.photos] == ["a.jpg", "h.png"]
    assert {one.path.name: one.kind for one in found.skipped} == {
        "b.CR3": "raw photo",
        "c.mov": "video",
        "d.heic": "HEIC photo",
        ".e.jpg": "hidden file",
        "f.txt": "other file",
        "ours": "made by livemood",
        "loop": "link to a folder",
        "gone.jpg": "broken link",
    }
    with pytest.raises(ImageUnreadable, match="pip install 'livemood\\[heif\\]'"):
        (tmp_path / "d.heic").write_bytes(
            b"\0\0\0\x18ftypheic" + bytes(12) + b"\0\0\0\x14ispe" + struct.pack(">III", 0, 9, 9)
        )
        read_image(tmp_path / "d.heic")


def test_scan_when_links_lead_nowhere_then_they_are_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.jpg", "locked.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "private.jpg").symlink_to("locked.jpg")
    refuse(monkeypatch, "stat", tmp_path / "locked.jpg", tmp_path / "private.jpg")
    found = find_photos([tmp_path])
    assert [path.name for path in found.photos] == ["a.jpg"]
    assert [(one.path.name, one.kind) for one in found.skipped] == [
        ("locked.jpg", "no file"),
        ("loop.jpg", "broken link"),
        ("private.jpg", "broken link"),
    ]
    named = [tmp_path / "loop.jpg", tmp_path / "private.jpg", tmp_path / f"{'a' * 300}.jpg"]
    assert find_photos(named).photos == named  # so that each is said to be unreadable
    for path in named:
        with pytest.raises(ImageUnreadable) as refused:
            read_image(path)
        assert str(path) in str(refused.value)
