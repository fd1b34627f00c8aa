"""The allowed operators of image classifiers: their inputs, and the shape of their results.

Codes, options and their defaults are those of LiteRT's schema; shapes are computed as in its kernels. Only float32 is
computed with; float16 and int8 are storage types of weights, and int32 holds sizes that are static.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Shape = tuple[int, ...]

FLOAT32, FLOAT16, INT32, INT8 = 0, 1, 2, 9
DEQUANTIZE, RESHAPE = 6, 22
_MAX_STEP: Final = 1 << 12


class NotAllowed(Exception):
    """A file contains something that is not allowed; the message names it in a few words."""


def require(holds: bool, otherwise: str = "an operator whose shapes do not fit") -> None:
    """Raise NotAllowed unless it holds."""
    if not holds:
        raise NotAllowed(otherwise)


@dataclass(slots=True)
class Tensor:
    """A tensor of the network being checked.

    Attributes:
        shape: Dimensions, 1 or more each.
        type: FLOAT32, FLOAT16, INT32 or INT8.
        fixed: Its content is in the file.
        ready: It is constant, is the input, or was computed.
        values: Integers that are known before the network runs.
    """

    shape: Shape
    type: int
    fixed: bool
    ready: bool
    values: Shape | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(slots=True)
class Call:
    """One use of an operator.

    Attributes:
        inputs: Its tensors.
        options: By name, those in the file.
        products: Number of multiplications, set by its rule.
        kept: Numbers that its kernel stores besides the result, set by its rule.
        values: Integers of its result, set by its rule.
    """

    inputs: list[Tensor]
    options: Mapping[str, Any]
    products: int = 0
    kept: int = 0
    values: Shape | None = None

    @property
    def shapes(self) -> list[Shape]:
        """Shapes of the inputs."""
        return [tensor.shape for tensor in self.inputs]

    def option(self, name: str, lowest: int, highest: int, default: int = 0) -> int:
        """Return an option after checking that it is in range."""
        value = int(self.options.get(name, default))
        require(lowest <= value <= highest, f"an operator whose {name.replace('_', ' ')} is {value}")
        return value

    def known(self, number: int) -> Shape:
        """Return the integers of an input of kind ``i``, see ``Rule.inputs``."""
        values = self.inputs[number].values
        assert values is not None
        return values


def _same(call: Call) -> Shape:
    return call.shapes[0]


def _softmax(call: Call) -> Shape:
    require(1 <= len(call.shapes[0]) <= 4)
    return call.shapes[0]


def _broadcast(call: Call) -> Shape:
    call.option("activation", 0, 3)
    rank = max(map(len, call.shapes))
    sides = list(zip(*((1,) * (rank - len(shape)) + shape for shape in call.shapes), strict=True))
    require(all(min(pair) in (1, max(pair)) for pair in sides))
    return tuple(map(max, sides))


def _broadcast4(call: Call) -> Shape:
    require(max(map(len, call.shapes)) <= 4)
    return _broadcast(call)


def _prelu(call: Call) -> Shape:
    require(_broadcast4(call) == call.shapes[0])
    return call.shapes[0]


def _window(call: Call, kernel: Shape, channels: int) -> Shape:
    """Return the output (height, width) of a sliding window of (height, width) over an image (1, H, W, C)."""
    call.option("activation", 0, 3)
    same = not call.option("padding", 0, 1)
    sides = []
    for axis, side, size in zip("hw", call.shapes[0][1:3], kernel, strict=True):
        stride = call.option(f"stride_{axis}", 1, _MAX_STEP)
        wide = (size - 1) * call.option(f"dilation_{axis}", 1, _MAX_STEP, 1) + 1
        require(1 <= wide <= _MAX_STEP and (same or wide <= side))
        sides.append(-(-side // stride) if same else (side - wide) // stride + 1)
    # Kernels store the pixels under every window (im2col), or pointers to them.
    call.kept += math.prod(sides) * math.prod(kernel) * max(channels, 2)
    return tuple(sides)


def _convolution(call: Call) -> Shape:
    require(len(call.shapes[0]) == 4 == len(call.shapes[1]))
    channels, (filters, *kernel, depth) = call.shapes[0][3], call.shapes[1]
    require(channels % depth == 0 and filters % (channels // depth) == 0)
    if call.inputs[1].type == INT8:
        require(channels == depth)
        for axis in "hw":
            call.option(f"dilation_{axis}", 1, 1, 1)
    return _filtered(call, tuple(kernel), depth, filters)


def _depthwise(call: Call) -> Shape:
    require(len(call.shapes[0]) == 4 == len(call.shapes[1]))
    channels, (one, *kernel, filters) = call.shapes[0][3], call.shapes[1]
    # One of LiteRT's kernels has a buffer of 4,832 numbers and loops forever if that is too small.
    require(filters <= _MAX_STEP)
    require(one == 1 and filters == channels * call.option("multiplier", 1, _MAX_STEP))
    return _filtered(call, tuple(kernel), 1, filters)


def _filtered(call: Call, kernel: Shape, depth: int, filters: int) -> Shape:
    require(call.shapes[2] == (filters,))
    count, (height, width) = call.shapes[0][0], _window(call, kernel, depth)
    call.products = count * height * width * call.inputs[1].size
    call.kept += call.inputs[0].size + call.inputs[1].size
    return count, height, width, filters


def _pool(call: Call) -> Shape:
    require(len(call.shapes[0]) == 4)
    kernel = call.option("filter_h", 1, _MAX_STEP), call.option("filter_w", 1, _MAX_STEP)
    height, width = _window(call, kernel, 1)
    count, *_, channels = call.shapes[0]
    call.products = count * height * width * channels * math.prod(kernel)
    return count, height, width, channels


def _dense(call: Call) -> Shape:
    call.option("activation", 0, 3)
    call.option("format", 0, 0)
    require(len(call.shapes[0]) >= 1 and len(call.shapes[1]) == 2)
    shape, (units, width), *bias = call.shapes
    require(shape[-1] == width and bias in ([], [(units,)]))
    call.products, call.kept = call.inputs[0].size * units, call.inputs[0].size + call.inputs[1].size
    return (*shape[:-1], units) if call.options.get("keep_dims") else (call.inputs[0].size // width, units)


def _concatenate(call: Call) -> Shape:
    call.option("activation", 0, 0)
    first, rank = call.shapes[0], len(call.shapes[0])
    require(1 <= rank <= 4)
    axis = call.option("axis", -rank, rank - 1) % rank
    require(all(shape[:axis] + shape[axis + 1 :] == first[:axis] + first[axis + 1 :] for shape in call.shapes))
    require(all(len(shape) == rank for shape in call.shapes))
    return (*first[:axis], sum(shape[axis] for shape in call.shapes), *first[axis + 1 :])


def _reduce(call: Call) -> Shape:
    shape, axes = call.shapes[0], call.known(1)
    rank = len(shape)
    require(len(call.shapes[1]) <= 1 and all(-rank <= axis < rank for axis in axes))
    gone = {axis % rank for axis in axes}
    require(len(gone) == len(axes))
    keep = call.options.get("keep_dims")
    return tuple(1 if axis in gone else side for axis, side in enumerate(shape) if keep or axis not in gone)


def _reshape(call: Call) -> Shape:
    target = call.known(1)
    require(len(call.shapes[1]) == 1 and list(target).count(-1) <= 1)
    rest = math.prod(side for side in target if side != -1)
    require(rest >= 1 and all(side >= 1 or side == -1 for side in target))
    shape = tuple(call.inputs[0].size // rest if side == -1 else side for side in target)
    require(math.prod(shape) == call.inputs[0].size)
    return shape


def _pad(call: Call) -> Shape:
    shape, amounts = call.shapes[0], call.known(1)
    require(len(shape) <= 4 and call.shapes[1] == (len(shape), 2) and all(0 <= n <= _MAX_STEP for n in amounts))
    return tuple(side + sum(amounts[2 * axis : 2 * axis + 2]) for axis, side in enumerate(shape))


def _shape(call: Call) -> Shape:
    call.option("type", INT32, INT32)
    call.values = call.shapes[0]
    return (len(call.shapes[0]),)


def _slice(call: Call) -> Shape:
    shape = call.shapes[0]
    begin, end, step = (call.known(number) for number in (1, 2, 3))
    masks = [call.option(name, 0, (1 << len(shape)) - 1) for name in ("begin", "end", "shrink")]
    require(1 <= len(shape) <= 4 and all(known == (len(shape),) for known in call.shapes[1:]) and min(step) >= 1)
    taken, sides = [], []
    for axis, side in enumerate(shape):
        without_begin, without_end, shrink = (mask >> axis & 1 for mask in masks)
        if shrink:
            require(-side <= begin[axis] < side and step[axis] == 1 and not without_begin and not without_end)
            taken.append(range(begin[axis] % side, begin[axis] % side + 1))
        else:
            limits = None if without_begin else begin[axis], None if without_end else end[axis], step[axis]
            taken.append(range(side)[slice(*limits)])
            sides.append(len(taken[-1]))
    if len(shape) == 1 and call.inputs[0].values is not None:
        call.values = tuple(call.inputs[0].values[number] for number in taken[0])
    return tuple(sides)


def _pack(call: Call) -> Shape:
    call.option("axis", 0, 0)
    call.option("count", len(call.inputs), len(call.inputs))
    require(all(shape == () for shape in call.shapes))
    call.values = tuple(call.known(number)[0] for number in range(len(call.inputs)))
    return (len(call.inputs),)


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of an operator.

    Attributes:
        inputs: Allowed inputs, one letter each: f float32, w float32 from the file, h float16 from the file, q int8
            from the file, i static int32, + more like the first, ? missing.
        result: Returns the shape of the result, or raises NotAllowed.
        kind: Number of its options in LiteRT's union.
        options: Their names and struct letters by field number.
    """

    inputs: tuple[str, ...]
    result: Callable[[Call], Shape]
    kind: int = 0
    options: Mapping[int, tuple[str, Any]] = field(default_factory=dict)

    def takes(self, inputs: list[Tensor], missing: bool) -> bool:
        """Return whether these inputs are allowed, with or without a missing last one."""
        return any(_spells(word, inputs, missing) for word in self.inputs)


def _spells(word: str, inputs: list[Tensor], missing: bool) -> bool:
    letters = word[0] * len(inputs) if word.endswith("+") else word.removesuffix("?")
    if len(letters) != len(inputs) or missing != word.endswith("?"):
        return False
    return all(tensor.ready and _is(tensor, letter) for tensor, letter in zip(inputs, letters, strict=True))


def _is(tensor: Tensor, letter: str) -> bool:
    if letter == "i":
        return tensor.type == INT32 and tensor.values is not None
    return tensor.type == {"h": FLOAT16, "q": INT8}.get(letter, FLOAT32) and (tensor.fixed or letter == "f")


_UNARY: Final = ("f",)
_BINARY: Final = ("ff",)
# LiteRT's kernels assume that a convolution has a bias.
_CONVOLVED: Final = ("fww",)
_ACTIVATION: Final = ("activation", "b")
_ADDED: Final = {0: _ACTIVATION}
_STRIDES: Final = {0: ("padding", "b"), 1: ("stride_w", "i"), 2: ("stride_h", "i")}
_CONV: Final = {**_STRIDES, 3: _ACTIVATION, 4: ("dilation_w", "i"), 5: ("dilation_h", "i")}
_DEPTHWISE: Final = {
    **_STRIDES,
    3: ("multiplier", "i"),
    4: _ACTIVATION,
    5: ("dilation_w", "i"),
    6: ("dilation_h", "i"),
}
_POOL: Final = {**_STRIDES, 3: ("filter_w", "i"), 4: ("filter_h", "i"), 5: _ACTIVATION}
_DENSE: Final = {0: _ACTIVATION, 1: ("format", "b"), 2: ("keep_dims", "b"), 3: ("asymmetric", "b")}
_SLICE: Final = {0: ("begin", "i"), 1: ("end", "i"), 4: ("shrink", "i")}
_KEEP: Final = {0: ("keep_dims", "b")}
RULES: Final[Mapping[int, Rule]] = {
    0: Rule(_BINARY, _broadcast, 11, _ADDED),  # add
    1: Rule(_UNARY, _pool, 5, _POOL),  # average pool
    2: Rule(("f+",), _concatenate, 10, {0: ("axis", "i"), 1: _ACTIVATION}),
    3: Rule((*_CONVOLVED, "fqw"), _convolution, 1, _CONV),
    4: Rule(_CONVOLVED, _depthwise, 2, _DEPTHWISE),
    DEQUANTIZE: Rule(("h",), _same, 38),
    9: Rule(("fw", "fww", "fw?", "fq", "fqw", "fq?"), _dense, 8, _DENSE),
    14: Rule(_UNARY, _same),  # logistic
    17: Rule(_UNARY, _pool, 5, _POOL),  # max pool
    18: Rule(_BINARY, _broadcast, 21, _ADDED),  # mul
    19: Rule(_UNARY, _same),  # relu
    21: Rule(_UNARY, _same),  # relu6
    RESHAPE: Rule(("fi",), _reshape, 17, {0: ("shape", ["i"])}),
    25: Rule(_UNARY, _softmax, 9, {0: ("beta", "f")}),
    28: Rule(_UNARY, _same),  # tanh
    34: Rule(("fi",), _pad, 22),
    40: Rule(("fi",), _reduce, 27, _KEEP),  # mean
    41: Rule(_BINARY, _broadcast, 28, _ADDED),  # sub
    42: Rule(_BINARY, _broadcast, 29, _ADDED),  # div
    45: Rule(("fiii", "iiii"), _slice, 32, _SLICE),
    47: Rule(_UNARY, _same, 33),  # exp
    54: Rule(("fw",), _prelu),  # prelu
    55: Rule(_BINARY, _broadcast4, 39),  # maximum
    57: Rule(_BINARY, _broadcast4, 39),  # minimum
    59: Rule(_UNARY, _same, 42),  # neg
    74: Rule(("fi",), _reduce, 27, _KEEP),  # sum
    75: Rule(_UNARY, _same),  # sqrt
    76: Rule(_UNARY, _same),  # rsqrt
    77: Rule(_UNARY, _shape, 55, {0: ("type", "b")}),
    82: Rule(("fi",), _reduce, 27, _KEEP),  # reduce max
    83: Rule(("i+",), _pack, 59, {0: ("count", "i"), 1: ("axis", "i")}),
    92: Rule(_UNARY, _same, 66),  # square
    98: Rule(_UNARY, _same, 75, {0: ("alpha", "f")}),  # leaky relu
    99: Rule(_BINARY, _broadcast4, 76),  # squared difference
    101: Rule(_UNARY, _same, 78),  # abs
    111: Rule(_UNARY, _same),  # elu
    117: Rule(_UNARY, _same, 91),  # hard swish
    150: Rule(_UNARY, _same, 116, {0: ("approximate", "b")}),  # gelu
}
