"""Fix the batch size of a LiteRT network at 1.

The browser's runtime refuses a network whose batch size is dynamic. The declared shape already has a batch size of 1;
only the field that makes it dynamic (``shape_signature``) is removed. Weights and operators do not change, so outputs
do not either.
"""

import struct

from livemood.core.errors import ModelIncompatible

# Field numbers in LiteRT's schema.
_MODEL_GRAPHS, _GRAPH_TENSORS, _TENSOR_SIGNATURE = 2, 0, 7


def with_fixed_batch(network: bytes) -> bytes:
    """Return a ``.tflite`` file without the fields that make dimensions dynamic.

    Raises:
        ModelIncompatible: It is not a LiteRT file.
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
        raise ModelIncompatible("the emotion model's .tflite file is damaged", "make the bundle again") from error
    return bytes(data)


def _slot(data: bytearray, table: int, field: int) -> int | None:
    """Return the position in a table's vtable that holds the offset of a field; None if it has no such field."""
    layout = table - _number(data, "i", table)
    place = layout + 4 + 2 * field
    return place if place < layout + _number(data, "H", layout) else None


def _tables(data: bytearray, table: int, field: int) -> list[int]:
    """Return the positions of the tables in a field that is a vector of tables."""
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
