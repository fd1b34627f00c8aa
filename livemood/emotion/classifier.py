"""Read emotions: tuple[FaceCrop, ...] -> tuple[Prediction, ...], with LiteRT or with Keras."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from livemood.bundles.manifest import Bundle, default_bundle, read_bundle
from livemood.bundles.verify.tflite_file import check_tflite
from livemood.core.errors import ModelIncompatible
from livemood.core.types import CropSpec, FaceCrop, Prediction
from livemood.runtime.native_output import native_stderr_held, silence_native_logs

EngineName = Literal["litert", "keras"]

_TINY = 1e-7


class Classifier(Protocol):
    """Whatever turns face crops into class probabilities."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the K classes, in the order of the probabilities."""
        ...

    @property
    def crop_spec(self) -> CropSpec:
        """How faces must be cut for it."""
        ...

    def classify(self, crops: Sequence[FaceCrop]) -> tuple[Prediction, ...]:
        """Return one prediction for each crop, in their order, each with its crop's track."""
        ...


class Engine(Protocol):
    """Runs a network: (N, S, S, C) float32 raw 0..255 to (N, K) float32 probabilities."""

    name: EngineName

    def run(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run the network on N crops."""
        ...


class EmotionClassifier:
    """A bundle's model with its calibration.

    Args:
        bundle: Folder of the model; the shipped one by default.
        engine: ``litert`` runs ``model.tflite``, ``keras`` runs ``model.keras``. Where LiteRT has no wheel for the
            platform, Keras takes over with a RuntimeWarning.
        emotions: Subset of the bundle's labels to choose between; probabilities are renormalised to it.

    Raises:
        ModelMissing: The bundle or its weights are not there.
        ModelIncompatible: They are broken or altered.
        ValueError: ``emotions`` names an unknown label, one twice, or fewer than two.
    """

    def __init__(
        self, bundle: Path | None = None, engine: EngineName = "litert", emotions: Sequence[str] | None = None
    ) -> None:
        self._bundle = read_bundle(bundle or default_bundle())
        self._chosen = _chosen(self._bundle.labels, emotions)
        self._engine = _open_engine(self._bundle, engine)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes chosen between."""
        return tuple(self._bundle.labels[i] for i in self._chosen)

    @property
    def crop_spec(self) -> CropSpec:
        """How faces must be cut."""
        return self._bundle.crop

    @property
    def engine(self) -> EngineName:
        """The engine in use."""
        return self._engine.name

    def classify(self, crops: Sequence[FaceCrop]) -> tuple[Prediction, ...]:
        """Return calibrated probabilities of every crop, each with its crop's track."""
        if not crops:
            return ()
        probabilities = self.probabilities(np.stack([crop.image for crop in crops]))
        return tuple(Prediction(p, crop.track) for p, crop in zip(probabilities, crops, strict=True))

    def probabilities(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return (N, K) calibrated probabilities of (N, S, S, C) uint8 crops.

        Raises:
            ModelIncompatible: The model answers with something else.
        """
        expected = self._bundle.crop.shape
        if pixels.shape[1:] != expected:
            raise ValueError(f"this model takes crops of shape {expected}, got {pixels.shape[1:]}")
        raw = self._engine.run(pixels.astype(np.float32))[:, self._chosen]
        # Probabilities to the power 1/T, renormalised, are the softmax of logits divided by T; leaving classes out
        # before the renormalisation is the softmax over those that stay.
        with np.errstate(all="ignore"):
            powers = np.maximum(raw, _TINY) ** (1 / self._bundle.temperature)
            found = np.asarray(powers / powers.sum(1, keepdims=True), np.float32)
        if not np.isfinite(found).all():
            raise ModelIncompatible(f"the model in {self._bundle.folder} answers with no probabilities; take another")
        return found


def _chosen(labels: tuple[str, ...], emotions: Sequence[str] | None) -> list[int]:
    if emotions is None:
        return list(range(len(labels)))
    unknown = [name for name in emotions if name not in labels]
    if unknown:
        raise ValueError(f"unknown emotion {unknown[0]!r}; this model knows {', '.join(labels)}")
    if len(set(emotions)) < 2 or len(set(emotions)) != len(emotions):
        raise ValueError(f"choose two or more different emotions, got {', '.join(emotions) or 'none'}")
    return [labels.index(name) for name in emotions]


def _open_engine(bundle: Bundle, engine: EngineName) -> Engine:
    if engine == "keras":
        return _Keras(bundle)
    try:
        return _LiteRT(bundle)
    except ImportError:
        warnings.warn(
            "ai-edge-litert is not installed here, so Keras runs the model: starting takes some seconds longer",
            RuntimeWarning,
            stacklevel=3,
        )
        return _Keras(bundle)


class _LiteRT:
    """One interpreter on one thread: a face takes about a millisecond, more threads only add hand-over."""

    name: EngineName = "litert"

    def __init__(self, bundle: Bundle) -> None:
        silence_native_logs()
        from ai_edge_litert.interpreter import Interpreter

        self._file = file = bundle.checked(bundle.tflite)
        check_tflite(file, bundle.crop.shape, len(bundle.labels))
        try:
            with native_stderr_held():
                self._network: Any = Interpreter(model_path=str(file), num_threads=1)
                self._network.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelIncompatible(f"{file} is not a model that LiteRT can run ({error})") from error
        self._input = self._network.get_input_details()[0]["index"]
        self._output = self._network.get_output_details()[0]["index"]

    def run(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Run face by face: resizing the input to the number of faces re-plans the network, which costs more."""
        faces = []
        for face in pixels:
            self._network.set_tensor(self._input, face[None])
            try:
                self._network.invoke()
            except RuntimeError as error:
                raise ModelIncompatible(f"{self._file} is not a model that LiteRT can run ({error})") from error
            faces.append(self._network.get_tensor(self._output)[0])
        return np.stack(faces)


class _Keras:
    name: EngineName = "keras"

    def __init__(self, bundle: Bundle) -> None:
        silence_native_logs()
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        with native_stderr_held():
            import keras

        file = bundle.checked(bundle.keras)
        try:
            with native_stderr_held():
                self._network: Any = keras.saving.load_model(file, compile=False)
        except (ValueError, OSError, TypeError, KeyError) as error:
            raise ModelIncompatible(f"{file} is not a model that Keras can load ({error})") from error
        found = self._network.output_shape[-1]
        if found != len(bundle.labels):
            raise ModelIncompatible(f"{file} has {found} outputs, its manifest names {len(bundle.labels)} labels")

    def run(self, pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(self._network.predict_on_batch(pixels), np.float32)
