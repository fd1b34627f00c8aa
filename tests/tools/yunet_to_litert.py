"""Convert YuNet to LiteRT, as it is shipped: ``python -m tests.tools.yunet_to_litert OUT.tflite``.

Weights are not changed. The input is (1, H, W, 3) float32, blue, green, red, 0..255. For each stride (8, 16, 32) there
is one output (1, H / stride, W / stride, 16): class and object score after their sigmoid, four values of the box, ten
of the five points, in the network's own encoding. The file declares 320x320. It holds no size elsewhere, so that LiteRT
can resize the input; LiteRT in browsers cannot, and the page scales the declared dimensions.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from livemood.apps.page_settings import YUNET_SIDE_PX as SIDE
from livemood.bundles.shipped import face_model
from livemood.detection.yunet_runners import STRIDES

_PARTS = ("cls", "obj", "bbox", "kps")


def network() -> Callable[[Any], list[Any]]:
    """Return YuNet as a function of TensorFlow's."""
    import onnx
    import tensorflow as tf
    from onnx import helper, numpy_helper

    graph = onnx.load(str(face_model("yunet-onnx"))).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}

    def conv(x: Any, node: Any, settings: dict[str, Any]) -> Any:
        weights, bias = (constants[name] for name in node.input[1:])
        # TensorFlow pads strided convolutions on one side only.
        margin = settings["pads"][0]
        strided = settings["strides"][0] > 1
        x = tf.pad(x, [[0, 0], [margin, margin], [margin, margin], [0, 0]]) if strided else x
        padding = "VALID" if strided or not margin else "SAME"
        strides = [1, *settings["strides"], 1]
        if settings["group"] == 1:
            found = tf.nn.conv2d(x, weights.transpose(2, 3, 1, 0), strides, padding)
        else:
            found = tf.nn.depthwise_conv2d(x, weights.transpose(2, 3, 0, 1), strides, padding)
        return tf.nn.bias_add(found, bias)

    def run(picture: Any) -> list[Any]:
        values: dict[str, Any] = {graph.input[0].name: picture}
        for node in graph.node:
            x = values[node.input[0]]
            settings = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "Conv":
                x = conv(x, node, settings)
            elif node.op_type == "Relu":
                x = tf.nn.relu(x)
            elif node.op_type == "Sigmoid":
                x = tf.nn.sigmoid(x)
            elif node.op_type == "MaxPool":
                x = tf.nn.max_pool2d(x, 2, 2, "VALID")
            elif node.op_type == "Resize":
                # Nearest neighbour, twice as large. The operator for it would hold the size as a constant.
                x = tf.nn.depth_to_space(tf.concat([x] * 4, -1), 2)
            elif node.op_type == "Add":
                x = x + values[node.input[1]]
            elif node.op_type not in ("Transpose", "Reshape"):  # maps stay (1, H, W, C)
                raise ValueError(f"{node.op_type} is not in the YuNet that is known here")
            values[node.output[0]] = x
        return [tf.concat([values[f"{part}_{stride}"] for part in _PARTS], -1) for stride in STRIDES]

    return run


def main(words: list[str]) -> None:
    import tensorflow as tf

    (out,) = map(Path, words)
    run = tf.function(network(), input_signature=[tf.TensorSpec((1, SIDE, SIDE, 3), tf.float32, name="picture")])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()])
    content = converter.convert()
    out.write_bytes(content)
    print(f"{out}: {len(content)} bytes, {sum(np.prod(o.shape) for o in run.get_concrete_function().outputs)} values")


if __name__ == "__main__":
    main(sys.argv[1:])
