"""Tie a LiteRT network to one picture at a time.

The browser's runtime takes an input of the very shape that the file declares, and refuses one face where the number
of faces is open. The declared shape already says one; only the note that it may change (``shape_signature``) has to
go. Weights and operators stay what they are, so the answers do too.
"""

import struct

from livemood.core.errors import ModelIncompatible

# Places of fields in LiteRT's schema.
_MODEL_GRAPHS, _GRAPH_TENSORS, _TENSOR_SIGNATURE = 2, 0, 7


def with_fixed_batch(network: bytes) -> bytes:
    """Return a ``.tflite`` file without notes of open sides.

    Raises:
        ModelIncompatible: It is no LiteRT file.
    """
    data = bytearray(network)
    try:
        if data[4:8] != b"TFL3":
            raise ValueError
        for graph in _tables(data, _pointed(data, 0), _MODEL_GRAPHS):
            for tensor in _tables(data, graph, _GRAPH_TENSORS):
                place = _slot(data, tensor, _TENSOR_SIGNATURE)
                if place is not None:
                    data[place : place + 2] = b"\0\0"
    except (struct.error, ValueError) as error:
        raise ModelIncompatible("the emotion model's .tflite file is damaged; make the bundle again") from error
    return bytes(data)


def _slot(data: bytearray, table: int, field: int) -> int | None:
    """Return where a table's layout keeps the offset of a field; None where it has no such field."""
    layout = table - _number(data, "i", table)
    place = layout + 4 + 2 * field
    return place if place < layout + _number(data, "H", layout) else None


def _tables(data: bytearray, table: int, field: int) -> list[int]:
    """Return where the tables of a field that lists some begin."""
    place = _slot(data, table, field)
    offset = _number(data, "H", place) if place is not None else 0
    if not offset:
        return []
    start = _pointed(data, table + offset)
    return [_pointed(data, start + 4 + 4 * entry) for entry in range(_number(data, "I", start))]


def _pointed(data: bytearray, at: int) -> int:
    return at + _number(data, "I", at)


def _number(data: bytearray, kind: str, at: int) -> int:
    if at < 0:
        raise ValueError
    (number,) = struct.unpack_from("<" + kind, data, at)
    return int(number)
