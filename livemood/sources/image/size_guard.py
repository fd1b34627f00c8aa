"""The size that a picture's header states, read before anything is decoded.

A few hundred bytes can state billions of pixels, and decoders allocate them first. Every format that livemood accepts
is parsed here, so that no other decoder of OpenCV is run on an untrusted file.
"""

import re
import struct
from typing import Final

MAX_PIXELS: Final = 200_000_000
"""Largest picture that is read, px: that of the largest phone sensors. Decoded, it takes 0.6 GB."""

# JPEG: frame headers, all but DHT (C4), JPG (C8) and DAC (CC) of C0 to CF.
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
# PNG: where its first part begins, and the bytes of a part besides its content (length, kind, checksum).
_PNG_PARTS: Final = 8
_PNG_AROUND: Final = 12
# TIFF: how ``struct`` reads a number, by the type of its entry; and the tags of the sides.
_TIFF_NUMBERS: Final = {3: "H", 4: "I", 16: "Q"}
_TIFF_WIDTH: Final = 256
_TIFF_HEIGHT: Final = 257
_MOST_ENTRIES: Final = 4096
# JPEG XL: width to height by its code, and bits of a side by theirs.
_JXL_RATIOS: Final = ((0, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_JXL_WIDTHS: Final = (9, 13, 18, 30)


def pixels(data: bytes) -> int:
    """Return width times height by a picture's header, the largest of several; 0 where none is found."""
    width, height = size(data)
    return width * height


def size(data: bytes) -> tuple[int, int]:
    """Return width and height by a picture's header, the largest of several; zeros where none is found."""
    for magic, read in _READERS:
        if re.match(magic, data, re.DOTALL):
            try:
                return max(read(data), key=lambda sides: sides[0] * sides[1], default=(0, 0))
            except (struct.error, ValueError, OverflowError):  # truncated, or an offset beyond the file
                return 0, 0
    return 0, 0


_Sizes = list[tuple[int, int]]


def _png(data: bytes) -> _Sizes:
    """PNG: nothing if a part is longer than the rest of the file, because OpenCV gets memory for it first."""
    place = _PNG_PARTS
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        place += _PNG_AROUND + length
        if place > len(data):
            return []
        if kind == b"IEND":
            break
    return [struct.unpack_from(">II", data, 16)]


def _gif(data: bytes) -> _Sizes:
    return [struct.unpack_from("<HH", data, 6)]


def _bmp(data: bytes) -> _Sizes:
    if struct.unpack_from("<I", data, 14)[0] == 12:
        return [struct.unpack_from("<HH", data, 18)]
    width, height = struct.unpack_from("<ii", data, 18)
    return [(abs(width), abs(height))]


def _jpeg(data: bytes) -> _Sizes:
    found, place = _Sizes(), 2
    while (place := data.find(b"\xff", place)) >= 0 and place + 9 <= len(data):
        kind = data[place + 1]
        if kind == 0xFF:  # fill
            place += 1
            continue
        if kind in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, place + 5)
            found.append((width, height))
        if kind == 0 or kind in _JPEG_BARE:
            place += 2
        elif kind in (0xD9, 0xDA) and found:  # pixels begin
            break
        else:
            place += 2 + struct.unpack_from(">H", data, place + 2)[0]
    return found


def _webp(data: bytes) -> _Sizes:
    kind = data[12:16]
    if kind == b"VP8X":
        return [(1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little"))]
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return [(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))]
    width, height = struct.unpack_from("<HH", data, 26)
    return [(width & 0x3FFF, height & 0x3FFF)]


def _tiff(data: bytes) -> _Sizes:
    order = "<" if data[:1] == b"I" else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    place = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    count = struct.unpack_from(order + ("Q" if big else "H"), data, place)[0]
    place += 8 if big else 2
    sides: dict[int, int] = {}
    for _ in range(min(count, _MOST_ENTRIES)):
        tag, kind = struct.unpack_from(order + "HH", data, place)
        if tag in (_TIFF_WIDTH, _TIFF_HEIGHT) and kind in _TIFF_NUMBERS:
            sides[tag] = struct.unpack_from(order + _TIFF_NUMBERS[kind], data, place + (12 if big else 8))[0]
        place += 20 if big else 12
    return [(sides.get(_TIFF_WIDTH, 0), sides.get(_TIFF_HEIGHT, 0))]


def _boxes(data: bytes) -> _Sizes:
    """JPEG 2000 and AVIF store their size in a box; every box of that name counts."""
    head = data[: 1 << 20]
    found = _Sizes()
    for match in re.finditer(b"ihdr|ispe", head):
        at = match.end() + (4 if match.group() == b"ispe" else 0)
        found.append(struct.unpack_from(">II", data, at))
    return found + [_codestream(data, match.start()) for match in re.finditer(b"\xff\x4f\xff\x51", head)]


def _codestream(data: bytes, at: int) -> tuple[int, int]:
    right, bottom, left, top = struct.unpack_from(">IIII", data, at + 8)
    return max(right - left, 0), max(bottom - top, 0)


def _jxl(data: bytes) -> _Sizes:
    """JPEG XL: the size is in the first bits of the codestream, which may be in a box."""
    place = 0
    if not data.startswith(b"\xff\x0a"):
        box = re.search(rb"jxlc\xff\x0a|jxlp.{4}\xff\x0a", data[: 1 << 20], re.DOTALL)
        if box is None:
            return []
        place = box.end() - 2
    bits = _Bits(data[place + 2 : place + 16])
    small = bits.take(1)
    height = _jxl_side(bits, small)
    ratio = bits.take(3)
    width = height * _JXL_RATIOS[ratio][0] // _JXL_RATIOS[ratio][1] if ratio else _jxl_side(bits, small)
    return [(width, height)]


def _jxl_side(bits: "_Bits", small: int) -> int:
    return 8 * (bits.take(5) + 1) if small else bits.take(_JXL_WIDTHS[bits.take(2)]) + 1


class _Bits:
    """Reads bits, lowest first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("cut off")
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return value


def pnm_white(data: bytes) -> int:
    """Return the level of white that the header of a PNM file states; 0 where none is found."""
    return next(iter(_pnm_numbers(data)[2:]), 0)


def _pnm_numbers(data: bytes) -> list[int]:
    words = re.findall(rb"\d+", re.sub(rb"#[^\n]*", b"", data[2:4096]))
    return [int(word[:10]) for word in words[:3]]


def _pnm(data: bytes) -> _Sizes:
    numbers = _pnm_numbers(data)
    return [(numbers[0], numbers[1])] if len(numbers) > 1 else []


_READERS: Final = (
    (rb"\x89PNG\r\n\x1a\n", _png),
    (rb"GIF8[79]a", _gif),
    (rb"BM", _bmp),
    (rb"\xff\xd8", _jpeg),
    (rb"RIFF....WEBP", _webp),
    (rb"II[*+]\0|MM\0[*+]", _tiff),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", _jxl),
    (rb"....(ftyp|jP  )|\xff\x4f\xff\x51", _boxes),
    (rb"P[1-6f]", _pnm),
)
