"""A small LiteRT network of many operators, built part by part, so that a test can corrupt any of them."""

from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

CROP = (12, 12, 1)
CLASSES = 3

_FLOAT32, _FLOAT16, _INT32, _INT8 = 0, 1, 2, 9


class Parts:
    """A network under construction: ``add`` appends an operator."""

    def __init__(self) -> None:
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.buffers, self.model.operatorCodes = 3, [schema.BufferT()], []
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(self, shape: tuple[int, ...], kind: int = _FLOAT32, content: Any = None) -> int:
        """Add a tensor, with a buffer of its own where it has content; return its number."""
        made = schema.TensorT()
        made.shape, made.type, made.name = list(shape), kind, f"t{len(self.graph.tensors)}".encode()
        if content is not None:
            made.buffer = len(self.model.buffers)
            self.model.buffers.append(schema.BufferT())
            self.model.buffers[-1].data = np.frombuffer(content.tobytes(), np.uint8)
        self.graph.tensors.append(made)
        return len(self.graph.tensors) - 1

    def integers(self, *values: int, shape: tuple[int, ...] | None = None) -> int:
        """Add an int32 constant, such as sizes or axes."""
        return self.tensor((len(values),) if shape is None else shape, _INT32, np.array(values, np.int32))

    def weights(self, *shape: int, kind: int = _FLOAT32) -> int:
        """Add a constant of small numbers."""
        values = np.random.default_rng(len(self.graph.tensors)).normal(0, 0.3, shape)
        return self.tensor(shape, kind, values.astype(np.float16 if kind == _FLOAT16 else np.float32))

    def filters(self, *shape: int) -> int:
        """Add an int8 constant with one scale per index of its first dimension."""
        values = np.random.default_rng(len(self.graph.tensors)).integers(-127, 128, shape)
        made = self.tensor(shape, _INT8, values.astype(np.int8))
        scaling = self.graph.tensors[made].quantization = schema.QuantizationParametersT()
        scaling.scale, scaling.zeroPoint = [0.002] * shape[0], [0] * shape[0]
        return made

    def add(self, name: str, inputs: list[int], shape: tuple[int, ...], kind: int = _FLOAT32, **options: Any) -> int:
        """Add an operator with its options, if it has a name for them; return the number of its result."""
        code, operator = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = 3 if name == "DEQUANTIZE" else 1
        operator.opcodeIndex, operator.inputs = len(self.model.operatorCodes), inputs
        operator.outputs = [self.tensor(shape, kind)]
        table = options.pop("table", None)
        if table:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, table)
            operator.builtinOptions = getattr(schema, f"{table}T")()
            for option, value in options.items():
                setattr(operator.builtinOptions, option, value)
        self.model.operatorCodes.append(code)
        self.graph.operators.append(operator)
        return int(operator.outputs[0])

    def operator(self, name: str) -> Any:
        """Return the first operator of a name."""
        code = getattr(schema.BuiltinOperator, name)
        return next(o for o in self.graph.operators if self.model.operatorCodes[o.opcodeIndex].builtinCode == code)

    def constant(self, operator: str, number: int) -> Any:
        """Return the buffer behind an operator's input."""
        return self.model.buffers[self.graph.tensors[self.operator(operator).inputs[number]].buffer]


def in_int8(parts: Parts) -> None:
    """Store the weights of the convolution and the dense layer in int8, as the converter does by default."""
    parts.operator("CONV_2D").inputs[1] = parts.filters(4, 3, 3, 1)
    parts.operator("FULLY_CONNECTED").inputs[1] = parts.filters(CLASSES, 72)
    parts.operator("FULLY_CONNECTED").builtinOptions.asymmetricQuantizeInputs = True


def network(change: Callable[[Parts], object] = lambda parts: None) -> bytes:
    """Return the file of a network from (1, *CROP) to (1, CLASSES), after a change to its parts."""
    parts = Parts()
    image = parts.tensor((1, *CROP))
    kernel = parts.add("DEQUANTIZE", [parts.weights(4, 3, 3, 1, kind=_FLOAT16)], (4, 3, 3, 1))
    x = parts.add("PAD", [image, parts.integers(0, 0, 1, 1, 1, 1, 0, 0, shape=(4, 2))], (1, 14, 14, 1))
    window = {"strideW": 1, "strideH": 1, "padding": 1}
    x = parts.add("CONV_2D", [x, kernel, parts.weights(4)], (1, 12, 12, 4), table="Conv2DOptions", **window)
    window = {"strideW": 2, "strideH": 2, "depthMultiplier": 1}
    inputs = [x, parts.weights(1, 3, 3, 4), parts.weights(4)]
    x = parts.add("DEPTHWISE_CONV_2D", inputs, (1, 6, 6, 4), table="DepthwiseConv2DOptions", **window)
    window = {"strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2}
    x = parts.add("MAX_POOL_2D", [x], (1, 3, 3, 4), table="Pool2DOptions", **window)
    mean = parts.add("MEAN", [x, parts.integers(1, 2)], (1, 1, 1, 4), table="ReducerOptions", keepDims=True)
    product = parts.add("MUL", [x, mean], (1, 3, 3, 4), table="MulOptions")
    x = parts.add("CONCATENATION", [x, product], (1, 3, 3, 8), table="ConcatenationOptions", axis=3)
    sides = parts.add("SHAPE", [x], (4,), _INT32, table="ShapeOptions", outType=_INT32)
    inputs = [sides, parts.integers(0), parts.integers(1), parts.integers(1)]
    count = parts.add("STRIDED_SLICE", inputs, (), _INT32, table="StridedSliceOptions", shrinkAxisMask=1)
    inputs = [count, parts.integers(72, shape=())]
    sides = parts.add("PACK", inputs, (2,), _INT32, table="PackOptions", valuesCount=2)
    x = parts.add("RESHAPE", [x, sides], (1, 72))
    inputs = [x, parts.weights(CLASSES, 72), parts.weights(CLASSES)]
    x = parts.add("FULLY_CONNECTED", inputs, (1, CLASSES), table="FullyConnectedOptions")
    x = parts.add("SOFTMAX", [x], (1, CLASSES), table="SoftmaxOptions", beta=1.0)
    parts.graph.inputs, parts.graph.outputs = [image], [x]
    change(parts)
    builder = flatbuffers.Builder(1 << 14)
    builder.Finish(parts.model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
