"""Check a ``.tflite`` file before LiteRT opens it: a plain image classifier whose sizes are all static.

LiteRT runs a file in native code and trusts much of it. So the file is parsed here with every offset checked, its
operators must be on an allow list, and the shape of each result is computed and compared with the one that the file
states. Anything else is refused, even if LiteRT could run it.
"""

import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from livemood.bundles.verify.tflite_ops import (
    DEQUANTIZE,
    FLOAT16,
    FLOAT32,
    INT8,
    INT32,
    RESHAPE,
    RULES,
    Call,
    NotAllowed,
    Shape,
    Tensor,
    require,
)
from livemood.core.errors import ModelIncompatible

_MAX_PARTS: Final = 1 << 16
_MAX_ENTRIES: Final = 1 << 12
_MAX_NUMBERS: Final = 64
_MAX_RANK: Final = 5
_MAX_ELEMENTS: Final = 1 << 29
_MAX_PRODUCTS: Final = 1 << 34
_BYTES: Final = {FLOAT32: 4, FLOAT16: 2, INT32: 4, INT8: 1}
_NOTES: Final = (b"min_runtime_version", b"reduced_precision_support", b"CONVERSION_METADATA", b"TFLITE_METADATA")
_DAMAGED: Final = "a damaged LiteRT network"
_TOO_MANY: Final = "a LiteRT network of too many parts"

# A flatbuffer's table is {field number: (name, kind)}. A kind is the struct letter of a number, "bytes", "position",
# another table, or a list of one of these. Numbers are those of LiteRT's schema; other fields are refused.
_SCALING: Final = {2: ("scales", ["f"]), 3: ("zeros", ["q"]), 6: ("axis", "i")}
_NAMED: Final = {0: ("name", "bytes"), 1: ("tensor", "I")}
_TENSOR: Final = {
    0: ("shape", ["i"]),
    1: ("type", "b"),
    2: ("buffer", "I"),
    3: ("name", "bytes"),
    4: ("scaling", _SCALING),
    7: ("signature", ["i"]),
    8: ("has_rank", "b"),
}
_OPERATOR: Final = {
    0: ("code", "I"),
    1: ("inputs", ["i"]),
    2: ("outputs", ["i"]),
    3: ("kind", "B"),
    4: ("options", "position"),
    13: ("debug", "i"),
}
_GRAPH: Final = {
    0: ("tensors", [_TENSOR]),
    1: ("inputs", ["i"]),
    2: ("outputs", ["i"]),
    3: ("operators", [_OPERATOR]),
    4: ("name", "bytes"),
    5: ("debug", "i"),
}
_MODEL: Final = {
    0: ("version", "I"),
    1: ("codes", [{0: ("old", "b"), 2: ("version", "i"), 3: ("code", "i")}]),
    2: ("graphs", [_GRAPH]),
    3: ("description", "bytes"),
    4: ("buffers", [{0: ("data", "bytes")}]),
    6: ("notes", [{0: ("name", "bytes"), 1: ("buffer", "I")}]),
    7: ("signatures", [{0: ("inputs", [_NAMED]), 1: ("outputs", [_NAMED]), 2: ("key", "bytes"), 4: ("graph", "I")}]),
}


def check_tflite(file: Path, crop: Shape, heads: Mapping[str, int]) -> tuple[str, ...]:
    """Check that a LiteRT file is a plain classifier of a bounded size.

    Args:
        file: A ``.tflite`` file.
        crop: Shape (S, S, C) of the float32 crops that it takes, one at a time.
        heads: Number of classes K by head; each output is (1, K) float32. Several heads are identified by the names of
            the outputs in the file's signature; a single one may have any name.

    Returns:
        The head of each output, in the order of the file.

    Raises:
        ModelIncompatible: It is damaged, has another input or output, holds an operator that is not allowed, or is too
            large.
    """
    try:
        reader = _Reader(file.read_bytes())
        model = reader.model()
        _check_frame(model)
        return _Network(reader, model).check((1, *crop), heads)
    except (NotAllowed, struct.error, LookupError, ValueError, TypeError) as error:
        what = error if isinstance(error, NotAllowed) else _DAMAGED
        raise ModelIncompatible(
            f"{file} contains {what}; only plain networks are run", "make the bundle again"
        ) from error


class _Reader:
    """Reads a flatbuffer; offsets are checked against the file, and the amount read is bounded."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._parts = 0

    def model(self) -> dict[str, Any]:
        """Return the whole file except the operators' options."""
        if bytes(self._data[4:8]) != b"TFL3":
            raise NotAllowed("no LiteRT network")
        model: dict[str, Any] = self._read(_MODEL, 0)
        return model

    def table(self, fields: Mapping[int, tuple[str, Any]], at: int) -> dict[str, Any]:
        """Return a table's fields by name, without missing ones."""
        self._more(1)
        (back,) = self._numbers("i", at)
        (size,) = self._numbers("H", at - back)
        require(size >= 4, _DAMAGED)
        found = {}
        for number, offset in enumerate(self._numbers(f"{size // 2 - 2}H", at - back + 4)):
            require(not offset or number in fields, "a part that livemood does not know")
            if offset:
                name, kind = fields[number]
                found[name] = self._read(kind, at + offset)
        return found

    def _read(self, kind: Any, at: int) -> Any:
        """Return the value at an offset: a number, bytes, a tuple of numbers, a table, or a list of tables."""
        if isinstance(kind, str) and len(kind) == 1:
            return self._numbers(kind, at)[0]
        at += self._numbers("I", at)[0]
        if kind == "position":
            return at
        if isinstance(kind, Mapping):
            return self.table(kind, at)
        (count,) = self._numbers("I", at)
        at += 4
        if kind == "bytes":
            require(at + count <= len(self._data), _DAMAGED)
            return self._data[at : at + count]
        (inner,) = kind
        require(count <= (_MAX_NUMBERS if inner == "i" else _MAX_ENTRIES), _TOO_MANY)
        if isinstance(inner, str):
            self._more(count)
            return self._numbers(f"{count}{inner}", at)
        return [self._read(inner, at + 4 * number) for number in range(count)]

    def _more(self, parts: int) -> None:
        # Many parts of a file may refer to the same table.
        self._parts += parts
        require(self._parts <= _MAX_PARTS, _TOO_MANY)

    def _numbers(self, layout: str, at: int) -> tuple[Any, ...]:
        # struct counts negative offsets from the end.
        require(at >= 0, _DAMAGED)
        return struct.unpack_from("<" + layout, self._data, at)


def _check_frame(model: dict[str, Any]) -> None:
    """Check the file around the network: one network, and no metadata that changes how it is run."""
    graphs, buffers = model["graphs"], model["buffers"]
    require(len(graphs) == 1, f"{len(graphs)} networks in one")
    require(not buffers[0].get("data"), _DAMAGED)
    for note in model.get("notes", []):
        require(note["name"] in _NOTES and note.get("buffer", 0) < len(buffers), "notes that livemood does not know")
    for signature in model.get("signatures", []):
        named = [*signature.get("inputs", []), *signature.get("outputs", [])]
        require(not signature.get("graph"), _DAMAGED)
        require(all(part.get("tensor", 0) < len(graphs[0]["tensors"]) for part in named), _DAMAGED)


class _Network:
    """The graph: its tensors as declared, its operators in order."""

    def __init__(self, reader: _Reader, model: dict[str, Any]) -> None:
        (self._graph,) = model["graphs"]
        self._reader = reader
        self._signatures = model.get("signatures", [])
        # The newer field holds every code; like LiteRT, take the larger of the two.
        self._codes = [max(code.get("old", 0), code.get("code", 0)) for code in model["codes"]]
        self._tensors = [_tensor(tensor, model["buffers"]) for tensor in self._graph["tensors"]]
        self._products = self._elements = 0
        self._count(0, sum(tensor.size for tensor in self._tensors))

    def check(self, taken: Shape, heads: Mapping[str, int]) -> tuple[str, ...]:
        """Check that each tensor is written once and before it is read; return the heads of the outputs."""
        (inputs,) = map(self._tensor, self._graph["inputs"])
        require(inputs.shape == taken, f"a network that takes {inputs.shape}, where its manifest says {taken}")
        require(inputs.type == FLOAT32 and not inputs.fixed, "a network that takes no float32")
        inputs.ready = True
        for operator in self._graph["operators"]:
            self._run(operator)
        names = self._heads(heads)
        for name, number in zip(names, self._graph["outputs"], strict=True):
            result, returned = self._tensor(number), (1, heads[name])
            require(
                result.shape == returned, f"a network that returns {result.shape}, where its manifest says {returned}"
            )
            require(result.ready and not result.fixed and result is not inputs, "an output that is not computed")
        return names

    def _heads(self, heads: Mapping[str, int]) -> tuple[str, ...]:
        """Return the name of each output's head."""
        outputs = self._graph["outputs"]
        wrong = f"a network with {len(outputs)} outputs, where its manifest names {len(heads)}"
        require(len(outputs) == len(heads), wrong)
        if len(heads) == 1:
            return tuple(heads)
        signed = [part for signature in self._signatures for part in signature.get("outputs", [])]
        names = {part.get("tensor", 0): bytes(part["name"]).decode("utf-8", "replace") for part in signed}
        found = tuple(names.get(number, "") for number in outputs)
        require(set(found) == set(heads), f"a network whose outputs are not called {', '.join(heads)}")
        return found

    def _run(self, operator: dict[str, Any]) -> None:
        code = self._codes[operator.get("code", 0)]
        require(code in RULES, f"operator {code}")
        *first, last = operator["inputs"]
        inputs = [self._tensor(number) for number in ([*first, last] if last != -1 else first)]
        require(RULES[code].takes(inputs, missing=last == -1), f"operator {code} with inputs of a wrong kind")
        call = Call(inputs, self._options(code, operator))
        shape = RULES[code].result(call)
        (result,) = map(self._tensor, operator["outputs"])
        require(not result.ready and result.shape == shape)
        require(
            result.type == (FLOAT32 if call.values is None else INT32), f"operator {code} with a result of a wrong kind"
        )
        result.ready, result.values, result.fixed = True, call.values, code == DEQUANTIZE
        self._count(call.products, call.kept)

    def _tensor(self, number: int) -> Tensor:
        require(0 <= number < len(self._tensors), _DAMAGED)
        return self._tensors[number]

    def _options(self, code: int, operator: dict[str, Any]) -> dict[str, Any]:
        rule, kind = RULES[code], operator.get("kind", 0)
        if not kind and "options" not in operator and (not rule.options or code == RESHAPE):
            return {}
        require(kind == rule.kind and "options" in operator, f"operator {code} without its options")
        return self._reader.table(rule.options, operator["options"])

    def _count(self, products: int, elements: int) -> None:
        self._products += products
        self._elements += elements
        require(self._products <= _MAX_PRODUCTS and self._elements <= _MAX_ELEMENTS, "a network too large")


def _tensor(declared: dict[str, Any], buffers: list[dict[str, Any]]) -> Tensor:
    shape, kind = declared.get("shape", ()), declared.get("type", FLOAT32)
    require(kind in _BYTES, "numbers that are neither float32 nor float16 nor int8")
    require(len(shape) <= _MAX_RANK and all(1 <= side <= _MAX_ELEMENTS for side in shape), f"a tensor of shape {shape}")
    signature = declared.get("signature") or shape
    require(all(free in (-1, side) for free, side in zip(signature, shape, strict=True)), _DAMAGED)
    content = buffers[declared.get("buffer", 0)].get("data", b"")
    tensor = Tensor(shape, kind, fixed=len(content) > 0, ready=len(content) > 0)
    require(len(content) in (0, tensor.size * _BYTES[kind]), "constants of a wrong length")
    _check_scaling(declared.get("scaling", {}), tensor)
    if content and kind == INT32 and tensor.size <= _MAX_NUMBERS:
        tensor.values = struct.unpack(f"<{tensor.size}i", content)
    return tensor


def _check_scaling(scaling: dict[str, Any], tensor: Tensor) -> None:
    """Check that int8 weights have one scale per index of their first dimension, and nothing else has scales."""
    scales, zeros = scaling.get("scales", ()), scaling.get("zeros", ())
    count = tensor.shape[0] if tensor.type == INT8 and tensor.shape else 0
    require(len(scales) == len(zeros) == count and not scaling.get("axis"), "weights that are scaled in another way")
    require(not any(zeros) and all(0 < scale < math.inf for scale in scales), "weights whose scales are not numbers")
    require(tensor.type != INT8 or tensor.fixed, "int8 that is not a weight")
