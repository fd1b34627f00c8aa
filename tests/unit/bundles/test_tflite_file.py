"""Files that would make LiteRT crash, hang or fill memory are refused before LiteRT opens them."""

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.bundles.verify.tflite_file import check_tflite
from livemood.bundles.verify.tflite_ops import FLOAT32, INT32, RULES, Call, NotAllowed, Tensor
from livemood.core.errors import ModelIncompatible
from livemood.emotion.classifier import EmotionClassifier
from tests.support.networks import CLASSES, CROP, Parts, in_int8, network


def taken(tmp_path: Path, data: bytes) -> bool:
    """Return True; a file that is refused raises."""
    file = tmp_path / "model.tflite"
    file.write_bytes(data)
    check_tflite(file, CROP, {"emotion": CLASSES})
    return True


def options(operator: str, **changes: object) -> Callable[[Parts], object]:
    return lambda parts: vars(parts.operator(operator).builtinOptions).update(changes)


def without_options(operator: str) -> Callable[[Parts], object]:
    return lambda parts: vars(parts.operator(operator)).update(builtinOptions=None, builtinOptionsType=0)


def inputs(operator: str, *numbers: int) -> Callable[[Parts], object]:
    """Change the first inputs of an operator."""

    def change(parts: Parts) -> None:
        parts.operator(operator).inputs[: len(numbers)] = numbers

    return change


def shape(operator: str, *sides: int) -> Callable[[Parts], object]:
    """Change the declaration of an operator's result."""
    return lambda parts: vars(parts.graph.tensors[parts.operator(operator).outputs[0]]).update(shape=list(sides))


def holding(operator: str, number: int, *values: int) -> Callable[[Parts], object]:
    """Write other integers into a constant."""
    data = np.frombuffer(np.array(values, np.int32).tobytes(), np.uint8)
    return lambda parts: vars(parts.constant(operator, number)).update(data=data)


def code(operator: str, new: int) -> Callable[[Parts], object]:
    def change(parts: Parts) -> None:
        made = parts.model.operatorCodes[parts.operator(operator).opcodeIndex]
        made.builtinCode, made.deprecatedBuiltinCode = new, min(new, 127)

    return change


def without_bias(parts: Parts) -> None:
    operator = parts.operator("DEPTHWISE_CONV_2D")
    operator.inputs = operator.inputs[:2]


def too_wide(parts: Parts) -> None:
    window = {"strideW": 1, "strideH": 1, "depthMultiplier": 1200}
    inputs = [parts.operator("MAX_POOL_2D").inputs[0], parts.weights(1, 1, 1, 4800), parts.weights(4800)]
    parts.add("DEPTHWISE_CONV_2D", inputs, (1, 6, 6, 4800), table="DepthwiseConv2DOptions", **window)


def deep(parts: Parts) -> None:
    sides = (1, 1, 3, 3, 4)
    last = parts.add("RESHAPE", [parts.operator("MAX_POOL_2D").outputs[0], parts.integers(*sides)], sides)
    parts.add("SOFTMAX", [last], sides, table="SoftmaxOptions", beta=1.0)


def added(name: str, sides: tuple[int, ...], *others: tuple[int, ...], **extra: Any) -> Callable[[Parts], object]:
    """Add an operator on the pooled image, (1, 3, 3, 4), and on weights of other shapes."""

    def change(parts: Parts) -> None:
        pooled = parts.operator("MAX_POOL_2D").outputs[0]
        parts.add(name, [pooled, *(parts.weights(*other) for other in others)], sides, **extra)

    return change


def convolved_in_five(parts: Parts) -> None:
    sides = (1, 3, 3, 4, 1)
    last = parts.add("RESHAPE", [parts.operator("MAX_POOL_2D").outputs[0], parts.integers(*sides)], sides)
    given = [last, parts.weights(4, 1, 1, 4), parts.weights(4)]
    parts.add("CONV_2D", given, (1, 3, 3, 4), table="Conv2DOptions", strideW=1, strideH=1)


def signature_of_another(parts: Parts) -> None:
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.inputs, signature.outputs, signature.subgraphIndex = "s", [], [], 7
    parts.model.signatureDefs = [signature]


def second_graph(parts: Parts) -> None:
    parts.model.subgraphs.append(schema.SubGraphT())


def quantized(parts: Parts) -> None:
    parts.graph.tensors[0].quantization = schema.QuantizationParametersT()
    parts.graph.tensors[0].quantization.scale = [0.0]


def scaling(**changes: Any) -> Callable[[Parts], object]:
    """Change the scales of the convolution's int8 weights."""

    def change(parts: Parts) -> None:
        in_int8(parts)
        vars(parts.graph.tensors[parts.operator("CONV_2D").inputs[1]].quantization).update(changes)

    return change


def int8_map(parts: Parts) -> None:
    in_int8(parts)
    made = parts.graph.tensors[parts.operator("MUL").outputs[0]]
    made.type, made.quantization = 9, schema.QuantizationParametersT()
    made.quantization.scale, made.quantization.zeroPoint = [0.1], [0]


def in_groups(parts: Parts) -> None:
    given = [parts.operator("MAX_POOL_2D").outputs[0], parts.filters(4, 1, 1, 2), parts.weights(4)]
    parts.add("CONV_2D", given, (1, 3, 3, 4), table="Conv2DOptions", strideW=1, strideH=1)


def with_gaps(parts: Parts) -> None:
    in_int8(parts)
    options("CONV_2D", dilationWFactor=2)(parts)


def int8_depthwise(parts: Parts) -> None:
    parts.operator("DEPTHWISE_CONV_2D").inputs[1] = parts.filters(1, 3, 3, 4)


def steering(parts: Parts) -> None:
    note = schema.MetadataT()
    note.name = "model_control_dependencies"
    parts.model.metadata = [note]


def signature_elsewhere(parts: Parts) -> None:
    signature, name = schema.SignatureDefT(), schema.TensorMapT()
    name.name, name.tensorIndex = "x", 10_000
    signature.signatureKey, signature.inputs, signature.outputs = "s", [name], []
    parts.model.signatureDefs = [signature]


def in_a_circle(parts: Parts) -> None:
    operator = parts.operator("MAX_POOL_2D")
    operator.inputs = operator.outputs


def many_copies(parts: Parts) -> None:
    """A short vector that is referenced a thousand times would unpack to gigabytes."""
    source = parts.weights(1 << 10, 1 << 10, kind=1)
    for _ in range(600):
        parts.add("DEQUANTIZE", [source], (1 << 10, 1 << 10))


def growing(parts: Parts) -> None:
    tall, wide = parts.tensor((1 << 15, 1)), parts.tensor((1, 1 << 15))
    for number in (tall, wide):
        parts.graph.tensors[number].buffer = len(parts.model.buffers)
        parts.model.buffers.append(schema.BufferT())
        parts.model.buffers[-1].data = np.zeros(1 << 17, np.uint8)
    parts.add("MUL", [tall, wide], (1 << 15, 1 << 15), table="MulOptions")


def endless(parts: Parts) -> None:
    """Each pooling has a window of 16 million pixels."""
    last = parts.operator("MAX_POOL_2D").inputs[0]
    window = {"strideW": 1, "strideH": 1, "filterWidth": 4096, "filterHeight": 4096}
    for _ in range(100):
        last = parts.add("MAX_POOL_2D", [last], (1, 6, 6, 4), table="Pool2DOptions", **window)


HOSTILE: dict[str, tuple[Callable[[Parts], object], str]] = {
    "image has another shape": (lambda p: vars(p.graph.tensors[0]).update(shape=[1, 9, 12, 1]), "where its manifest"),
    "image is huge": (lambda p: vars(p.graph.tensors[0]).update(shape=[1, 10**5, 10**5, 1]), "too large"),
    "image has a side of 0": (lambda p: vars(p.graph.tensors[0]).update(shape=[1, 12, 0, 1]), "of shape"),
    "image has a side below 0": (lambda p: vars(p.graph.tensors[0]).update(shape=[1, 12, -12, 1]), "of shape"),
    "image has too many sides": (lambda p: vars(p.graph.tensors[0]).update(shape=[1] * 9), "of shape"),
    "image is of integers": (lambda p: vars(p.graph.tensors[0]).update(type=2), "takes no float32"),
    "tensor is of text": (lambda p: vars(p.graph.tensors[4]).update(type=5), "neither float32 nor"),
    "tensor is of int8": (lambda p: vars(p.graph.tensors[4]).update(type=9), "scaled in another way"),
    "feature map is of int8": (int8_map, "not a weight"),
    "weights without scales": (scaling(scale=None), "scaled in another way"),
    "weights with one scale for all": (scaling(scale=[0.1], zeroPoint=[0]), "scaled in another way"),
    "weights with more scales than filters": (scaling(scale=[0.1] * 5, zeroPoint=[0] * 5), "scaled in another way"),
    "weights scaled along another side": (scaling(quantizedDimension=3), "scaled in another way"),
    "weights with a scale of 0": (scaling(scale=[0.1, 0.1, 0.0, 0.1]), "not numbers"),
    "weights with a scale below 0": (scaling(scale=[0.1, 0.1, -0.1, 0.1]), "not numbers"),
    "weights with a scale that is not a number": (scaling(scale=[0.1, 0.1, 0.1, float("nan")]), "not numbers"),
    "weights with an endless scale": (scaling(scale=[0.1, 0.1, 0.1, float("inf")]), "not numbers"),
    "weights with a zero elsewhere": (scaling(zeroPoint=[0, 0, 0, 9]), "not numbers"),
    "int8 weights of a convolution in groups": (in_groups, "do not fit"),
    "int8 weights of a convolution with gaps": (with_gaps, "dilation w is 2"),
    "int8 weights of a depthwise convolution": (int8_depthwise, "inputs of a wrong kind"),
    "tensor is sparse": (lambda p: vars(p.graph.tensors[4]).update(sparsity=schema.SparsityParametersT()), "not know"),
    "tensor keeps a state": (lambda p: vars(p.graph.tensors[4]).update(isVariable=True), "not know"),
    "tensor is quantized": (quantized, "scaled in another way"),
    "tensor's free sides are others": (
        lambda p: vars(p.graph.tensors[4]).update(shapeSignature=[-1, 7, 14, 1]),
        "damaged",
    ),
    "two images": (lambda p: vars(p.graph).update(inputs=[0, 4]), "damaged"),
    "no image": (lambda p: vars(p.graph).update(inputs=[]), "damaged"),
    "no answer": (lambda p: vars(p.graph).update(outputs=[]), "0 outputs"),
    "answer is the image": (lambda p: vars(p.graph).update(outputs=[0]), "returns"),
    "answer is a constant": (
        lambda p: vars(p.graph).update(outputs=[p.weights(1, CLASSES)]),
        "output that is not computed",
    ),
    "answer is never computed": (
        lambda p: vars(p.graph).update(outputs=[p.tensor((1, CLASSES))]),
        "output that is not computed",
    ),
    "answer is not there": (lambda p: vars(p.graph).update(outputs=[10**6]), "damaged"),
    "answer is below 0": (lambda p: vars(p.graph).update(outputs=[-1]), "damaged"),
    "two networks": (second_graph, "2 networks"),
    "notes that steer": (steering, "notes"),
    "signature names no tensor": (signature_elsewhere, "damaged"),
    "signature names no network": (signature_of_another, "damaged"),
    "first buffer holds something": (lambda p: vars(p.model.buffers[0]).update(data=np.ones(4, np.uint8)), "damaged"),
    "buffer is not there": (lambda p: vars(p.graph.tensors[4]).update(buffer=10**6), "damaged"),
    "buffer is elsewhere in the file": (lambda p: vars(p.model.buffers[1]).update(offset=64, size=1 << 40), "not know"),
    "constant is too short": (
        lambda p: vars(p.constant("FULLY_CONNECTED", 1)).update(data=np.ones(4, np.uint8)),
        "wrong length",
    ),
    "operator opens a file": (code("SOFTMAX", 129), "operator 129"),
    "operator is custom": (code("SOFTMAX", 32), "operator 32"),
    "operator is another": (code("SOFTMAX", 40), "wrong kind"),
    "operator has no code": (lambda p: vars(p.operator("PAD")).update(opcodeIndex=10**6), "damaged"),
    "operator has code that is custom": (
        lambda p: vars(p.model.operatorCodes[0]).update(customCode="FlexReadFile"),
        "not know",
    ),
    "operator has custom options": (lambda p: vars(p.operator("PAD")).update(customOptions=[1]), "not know"),
    "operator has no options": (without_options("CONV_2D"), "without its options"),
    "operator has another's options": (
        lambda p: vars(p.operator("MEAN")).update(vars(p.operator("CONV_2D")) | {"inputs": [10, 11], "opcodeIndex": 5}),
        "without its options",
    ),
    "operator has no inputs": (lambda p: vars(p.operator("CONV_2D")).update(inputs=[]), "damaged"),
    "operator has an input that is not there": (inputs("CONV_2D", 10**6), "damaged"),
    "operator has an input below 0": (inputs("CONV_2D", -2), "damaged"),
    "operator has an input left out": (lambda p: vars(p.operator("MUL")).update(inputs=[10, -1]), "wrong kind"),
    "operator has an input from later": (inputs("PAD", 22), "wrong kind"),
    "operator feeds itself": (in_a_circle, "wrong kind"),
    "operator writes over a constant": (lambda p: vars(p.operator("SOFTMAX")).update(outputs=[23]), "do not fit"),
    "operator writes over the image": (lambda p: vars(p.operator("PAD")).update(outputs=[0]), "do not fit"),
    "operator has two results": (lambda p: vars(p.operator("SOFTMAX")).update(outputs=[26, 25]), "damaged"),
    "convolution without a bias": (without_bias, "wrong kind"),
    "convolution with a bias too short": (
        lambda p: p.operator("DEPTHWISE_CONV_2D").inputs.__setitem__(2, p.weights(3)),
        "do not fit",
    ),
    "convolution to more channels than its kernel has room for": (too_wide, "do not fit"),
    "convolution with a kernel that is fed": (inputs("DEPTHWISE_CONV_2D", 6, 4), "wrong kind"),
    "convolution with a kernel of other depth": (
        lambda p: p.operator("CONV_2D").inputs.__setitem__(1, p.weights(4, 3, 3, 2)),
        "do not fit",
    ),
    "stride 0": (options("CONV_2D", strideW=0), "stride w is 0"),
    "stride below 0": (options("MAX_POOL_2D", strideH=-2), "stride h is -2"),
    "dilation 0": (options("CONV_2D", dilationHFactor=0), "dilation h is 0"),
    "dilation huge": (options("CONV_2D", dilationWFactor=2**31 - 1), "dilation w is"),
    "padding unknown": (options("CONV_2D", padding=7), "padding is 7"),
    "activation unknown": (options("CONV_2D", fusedActivationFunction=99), "activation is 99"),
    "multiplier 0": (options("DEPTHWISE_CONV_2D", depthMultiplier=0), "multiplier is 0"),
    "pool over nothing": (options("MAX_POOL_2D", filterWidth=0), "filter w is 0"),
    "pool over everything": (options("MAX_POOL_2D", filterHeight=2**31 - 1), "filter h is"),
    "result is said to be of integers": (lambda p: vars(p.graph.tensors[-1]).update(type=2), "wrong kind"),
    "result is said to be larger": (shape("MAX_POOL_2D", 1, 3, 3, 400), "do not fit"),
    "result is said to be smaller": (shape("CONV_2D", 1, 1, 1, 1), "do not fit"),
    "mean over an axis that is not there": (holding("MEAN", 1, 1, 6), "do not fit"),
    "mean over an axis twice": (holding("MEAN", 1, 1, -3), "do not fit"),
    "pad by gigabytes": (holding("PAD", 1, 0, 0, 10**9, 1, 1, 1, 0, 0), "do not fit"),
    "pad below 0": (holding("PAD", 1, 0, 0, -5, 1, 1, 1, 0, 0), "do not fit"),
    "joined along an axis that is not there": (options("CONCATENATION", axis=4), "axis is 4"),
    "joined with an activation": (options("CONCATENATION", fusedActivationFunction=1), "activation is 1"),
    "slice that stands still": (holding("STRIDED_SLICE", 3, 0), "do not fit"),
    "slice beyond the end": (holding("STRIDED_SLICE", 1, 99), "do not fit"),
    "slice with new axes": (options("STRIDED_SLICE", newAxisMask=1), "not know"),
    "reshape to more": (inputs("RESHAPE", 10), "do not fit"),
    "product of sides that do not match": (added("MUL", (1, 3, 3, 4), (3,), table="MulOptions"), "do not fit"),
    "dense layer of another width": (
        added("FULLY_CONNECTED", (4, 3), (3, 9), table="FullyConnectedOptions"),
        "not fit",
    ),
    "joined with sides that do not match": (
        added("CONCATENATION", (1, 3, 3, 7), (1, 2, 3, 3), table="ConcatenationOptions", axis=3),
        "do not fit",
    ),
    "convolution with two kernels in one": (
        added(
            "DEPTHWISE_CONV_2D",
            (1, 3, 3, 4),
            (2, 1, 1, 4),
            (4,),
            table="DepthwiseConv2DOptions",
            strideW=1,
            strideH=1,
            depthMultiplier=1,
        ),
        "do not fit",
    ),
    "maximum of five sides": (added("MAXIMUM", (1, 1, 3, 3, 4), (1, 1, 1, 1, 4)), "do not fit"),
    "activation that grows": (added("PRELU", (1, 3, 3, 4), (2, 1, 1, 4)), "do not fit"),
    "convolution over five sides": (convolved_in_five, "do not fit"),
    "window far wider than its image": (
        added(
            "CONV_2D",
            (1, 3, 3, 4),
            (4, 3, 3, 4),
            (4,),
            table="Conv2DOptions",
            strideW=1,
            strideH=1,
            dilationWFactor=4000,
        ),
        "do not fit",
    ),
    "softmax of five sides": (deep, "do not fit"),
    "packed along an axis that is not there": (options("PACK", axis=3), "axis is 3"),
    "packed from fewer than it says": (options("PACK", valuesCount=9), "count is 9"),
    "weights in an unknown order": (options("FULLY_CONNECTED", weightsFormat=1), "format is 1"),
    "constants unpacked a thousand times": (many_copies, "too large"),
    "product of a row and a column": (growing, "too large"),
    "more multiplications than a day has time for": (endless, "too large"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_network_when_it_could_break_litert_then_refused_in_one_line(tmp_path, kind):
    change, why = HOSTILE[kind]
    with pytest.raises(ModelIncompatible, match=why) as caught:
        taken(tmp_path, network(change))
    assert str(caught.value).isprintable()
    assert str(caught.value).endswith("; only plain networks are run; make the bundle again")
    assert len(str(caught.value)) < 200 + len(str(tmp_path))


def test_network_when_nothing_was_changed_then_taken(tmp_path):
    assert taken(tmp_path, network())


def test_network_when_its_weights_are_int8_then_taken_and_run(tmp_path):
    assert taken(tmp_path, network(in_int8))
    found = EmotionClassifier(bundle_of(tmp_path, network(in_int8))).probabilities(np.full((1, *CROP), 99, np.uint8))
    assert found.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("weights", [lambda parts: None, in_int8])
@pytest.mark.parametrize("last", [[], [-1]])
def test_network_when_a_dense_layer_has_no_bias_then_taken(tmp_path, last, weights):
    def change(parts: Parts) -> None:
        weights(parts)
        parts.operator("FULLY_CONNECTED").inputs[2:] = last

    assert taken(tmp_path, network(change))


def test_shipped_network_when_its_manifest_has_two_classes_then_refused():
    bundle = read_bundle(default_bundle())
    with pytest.raises(ModelIncompatible, match=r"returns \(1, 8\), where its manifest says \(1, 2\)"):
        check_tflite(bundle.tflite, bundle.crop.shape, {"emotion": 2, "smile": 3})


def test_file_when_it_ends_anywhere_then_refused(tmp_path):
    data = network()
    for length in range(0, len(data) - 1, 7):
        with pytest.raises(ModelIncompatible):
            taken(tmp_path, data[:length])


def test_file_when_one_of_its_words_is_extreme_then_it_is_refused_or_accepted(tmp_path):
    data, refused = network(), 0
    for at in range(0, len(data) - 3, 48):
        for word in (0, 0xFFFFFFFF, 0x7FFFFFFF):
            spoilt = bytearray(data)
            struct.pack_into("<I", spoilt, at, word)
            try:
                taken(tmp_path, bytes(spoilt))
            except ModelIncompatible:
                refused += 1
    assert refused > len(data) // 96


def listing(count: int, target: int) -> bytes:
    """Return a file whose one list names ``count`` operator codes, the first of them ``target`` bytes further on."""
    head = struct.pack("<I4s", 20, b"TFL3") + bytes(4)
    vtable, table = struct.pack("<HHHH", 8, 8, 0, 4), struct.pack("<iII", 8, 4, count)
    # Distances shrink along the list, so that all of it leads to the same table.
    places = b"".join(struct.pack("<I", target - 4 * number) for number in range(count))
    return head + vtable + table + places + bytes(16)


@pytest.mark.parametrize(
    ("count", "target", "why"), [(100, 0xFFFFFF00, "damaged"), (100, 500, "damaged"), (5_000, 20_000, "too many parts")]
)
def test_file_when_its_list_is_long_or_leads_out_of_it_then_refused(tmp_path, count, target, why):
    with pytest.raises(ModelIncompatible, match=why):
        taken(tmp_path, listing(count, target))


def test_file_when_a_text_is_longer_than_the_file_then_refused(tmp_path):
    text = b"a description of itself"
    data = network(lambda parts: vars(parts.model).update(description=text.decode()))
    at = data.index(text) - 4
    with pytest.raises(ModelIncompatible, match="damaged"):
        taken(tmp_path, data[:at] + struct.pack("<I", 1 << 20) + data[at + 4 :])


def test_file_when_a_table_is_described_before_its_beginning_then_refused(tmp_path):
    """A negative offset counts from the end of the file in Python, where this file has a valid table."""
    data = network()
    (root,) = struct.unpack_from("<I", data)
    (back,) = struct.unpack_from("<i", data, root)
    vtable = data[root - back : root]
    moved = bytearray(data + vtable)
    struct.pack_into("<i", moved, root, root + len(vtable))
    with pytest.raises(ModelIncompatible, match="damaged"):
        taken(tmp_path, bytes(moved))


def test_file_when_lists_of_lists_name_one_table_a_million_times_then_refused_soon(tmp_path):
    def change(parts: Parts) -> None:
        names = [schema.TensorMapT()] * 4_000
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.inputs, signature.outputs = "s", names, []
        parts.model.signatureDefs = [signature] * 20

    with pytest.raises(ModelIncompatible, match="too many parts"):
        taken(tmp_path, network(change))


def bundle_of(folder: Path, data: bytes) -> Path:
    """Write a bundle of one head, in the form from before there were heads, with the right checksums."""
    manifest = json.loads((default_bundle() / "manifest.json").read_text(encoding="utf-8"))
    emotion, *_ = manifest.pop("heads")
    manifest["labels"], manifest["temperature"] = emotion["labels"][:CLASSES], emotion["temperature"]
    manifest["crop"]["size_px"] = CROP[0]
    manifest["sha256"] = {"model.tflite": hashlib.sha256(data).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (folder / "model.tflite").write_bytes(data)
    return folder


def test_classifier_when_a_bundle_holds_a_plain_network_then_it_reads_faces(tmp_path):
    classifier = EmotionClassifier(bundle_of(tmp_path, network()))
    found = classifier.probabilities(np.full((2, *CROP), 99, np.uint8))
    assert found.shape == (2, CLASSES)
    assert found.sum(1) == pytest.approx([1, 1], abs=1e-5)


def test_classifier_when_a_bundle_holds_a_network_that_could_break_litert_then_it_is_not_opened(tmp_path):
    with pytest.raises(ModelIncompatible, match="stride w is 0"):
        EmotionClassifier(bundle_of(tmp_path, network(options("CONV_2D", strideW=0))))


def test_classifier_when_a_network_answers_with_no_numbers_then_one_line(tmp_path):
    """Any values of weights are allowed, NaN included."""
    nothing = np.full(CLASSES, np.nan, np.float32)
    spoilt = network(
        lambda p: vars(p.constant("FULLY_CONNECTED", 2)).update(data=np.frombuffer(nothing.tobytes(), np.uint8))
    )
    classifier = EmotionClassifier(bundle_of(tmp_path, spoilt))
    with pytest.raises(ModelIncompatible, match="answers with no probabilities"):
        classifier.probabilities(np.zeros((1, *CROP), np.uint8))


def given(*shape: int, values: tuple[int, ...] | None = None) -> Tensor:
    return Tensor(shape, FLOAT32 if values is None else INT32, fixed=False, ready=True, values=values)


STRIDES = {"stride_h": 1, "stride_w": 1}


@pytest.mark.parametrize(
    ("code", "inputs", "options"),
    [
        pytest.param(4, [given(1, 8, 8), given(1, 3, 3, 4), given(4)], STRIDES, id="depthwise on three sides"),
        pytest.param(1, [given(8, 8, 3)], {**STRIDES, "filter_h": 2, "filter_w": 2}, id="pool on three sides"),
        pytest.param(9, [given(1, 4), given(3, 4, 1)], {}, id="dense with weights of three sides"),
        pytest.param(2, [given(1, 1, 1, 1, 4)] * 2, {"axis": 0}, id="concatenation of five sides"),
        pytest.param(2, [given(2), given()], {"axis": 0}, id="concatenation of different ranks"),
        pytest.param(40, [given(1, 3, 3, 4), given(2, values=(1, 1))], {}, id="mean over one side twice"),
        pytest.param(22, [given(1, 4), given(2, values=(-1, -1))], {}, id="reshape with two sides free"),
        pytest.param(22, [given(1, 4), given(1, 2, values=(1, 4))], {}, id="reshape to a table of sides"),
        pytest.param(22, [given(1, 4), given(2, values=(-2, -2))], {}, id="reshape to negative sides"),
        pytest.param(34, [given(1, 4), given(2, 2, values=(0, 0, -1, 0))], {}, id="pad by less than nothing"),
        pytest.param(
            45,
            [given(4), given(1, values=(0,)), given(1, values=(4,)), given(1, values=(-1,))],
            {},
            id="slice backwards",
        ),
        pytest.param(
            45,
            [given(4), given(1, values=(9,)), given(1, values=(10,)), given(1, values=(1,))],
            {"shrink": 1},
            id="slice beyond the end",
        ),
        pytest.param(83, [given(2, values=(1, 2))], {"count": 1}, id="pack of lists"),
    ],
)
def test_operator_when_its_shapes_do_not_fit_then_refused(code, inputs, options):
    with pytest.raises(NotAllowed):
        RULES[code].result(Call(inputs, options))
