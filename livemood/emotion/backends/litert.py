"""Run a bundle's ``model.tflite`` with LiteRT."""

from threading import Lock
from typing import Any

import numpy as np

from livemood.bundles.manifest import Bundle
from livemood.bundles.verify.tflite_file import check_tflite
from livemood.core.errors import ModelIncompatible
from livemood.core.settings import EngineName
from livemood.emotion.backends.base import Backend, Outputs, Pixels
from livemood.runtime.native_output import native_stderr_held


class LiteRTBackend(Backend):
    """One interpreter on one thread: a face takes about a millisecond, and more threads only add overhead.

    Raises:
        ImportError: LiteRT is not installed.
    """

    name: EngineName = "litert"

    def __init__(self, bundle: Bundle) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._file = file = bundle.checked(bundle.tflite)
        names = check_tflite(file, bundle.crop.shape, {head.name: len(head.labels) for head in bundle.heads})
        try:
            with native_stderr_held():
                self._network: Any = Interpreter(model_path=str(file), num_threads=1)
                self._network.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelIncompatible(f"{file} is not a model that LiteRT can run ({error})") from error
        self._input = self._network.get_input_details()[0]["index"]
        indices = [details["index"] for details in self._network.get_output_details()]
        self._outputs = dict(zip(names, indices, strict=True))
        # An interpreter has state: two threads in it would get each other's outputs.
        self._one_at_a_time = Lock()

    def run(self, pixels: Pixels) -> Outputs:
        """Run the network face by face: changing the batch size re-plans the network, which costs more."""
        faces = []
        with self._one_at_a_time:
            for face in pixels:
                self._network.set_tensor(self._input, face[None])
                try:
                    self._network.invoke()
                except RuntimeError as error:
                    raise ModelIncompatible(f"{self._file} is not a model that LiteRT can run ({error})") from error
                faces.append({name: self._network.get_tensor(index)[0] for name, index in self._outputs.items()})
        return {name: np.stack([face[name] for face in faces]) for name in self._outputs}


def open_backend(bundle: Bundle) -> Backend:
    """Open a bundle's LiteRT network."""
    return LiteRTBackend(bundle)
