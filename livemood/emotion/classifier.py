"""Classify face crops: tuple[FaceCrop, ...] -> tuple[Prediction, ...]."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from livemood.bundles.heads import chosen_places
from livemood.bundles.manifest import Head, named_bundle, read_bundle
from livemood.core.crop_spec import CropSpec
from livemood.core.errors import ModelIncompatible
from livemood.core.labels import EMOTION
from livemood.core.probabilities import with_temperature
from livemood.core.settings import EngineName, PriorName
from livemood.core.types import FaceCrop, Prediction
from livemood.emotion.backends.registry import open_backend, sha256_of_weights
from livemood.emotion.quality import measure

Probabilities = npt.NDArray[np.float32]


class Classifier(Protocol):
    """Turns face crops into class probabilities.

    A classifier with several heads also has a property ``heads``: labels by head, ``emotion`` first; see ``heads_of``.
    """

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the K emotions, in the order of the probabilities."""
        ...

    @property
    def crop_spec(self) -> CropSpec:
        """How faces must be cut for it."""
        ...

    def classify(self, crops: Sequence[FaceCrop]) -> tuple[Prediction, ...]:
        """Return one prediction for each crop, in their order, each with its crop's track."""
        ...


def heads_of(classifier: Classifier) -> Mapping[str, tuple[str, ...]]:
    """Return a classifier's labels by head; without a property ``heads`` it has the head ``emotion`` only."""
    heads: Mapping[str, tuple[str, ...]] | None = getattr(classifier, "heads", None)
    return heads or {EMOTION: classifier.labels}


class EmotionClassifier:
    """A bundle's model with its temperatures; any thread may use it.

    Args:
        bundle: Folder of the model; the shipped one by default.
        engine: ``litert`` runs ``model.tflite``, ``keras`` runs ``model.keras``. Where LiteRT has no wheel for the
            platform, Keras takes over with a RuntimeWarning.
        emotions: Subset of the labels of the head ``emotion`` to choose between; probabilities have its order and
            are renormalised to it.
        prior: How common emotions are assumed to be: as in the training data, or nearer to equally common.

    Raises:
        ModelMissing: The bundle or its weights are not there.
        ModelIncompatible: They are broken or altered, or the bundle has no such prior.
        ValueError: ``emotions`` names an unknown label, one twice, or fewer than two; or there is no such engine.
    """

    def __init__(
        self,
        bundle: str | Path | None = None,
        engine: EngineName = "litert",
        emotions: Sequence[str] | None = None,
        prior: PriorName = "training",
    ) -> None:
        self._bundle = read_bundle(named_bundle(bundle))
        self._chosen = chosen_places(self._bundle.labels, emotions)
        self._offsets = self._bundle.offsets(prior)
        self._backend = open_backend(self._bundle, engine)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the emotions that the model chooses between."""
        return tuple(self._bundle.labels[i] for i in self._chosen)

    @property
    def heads(self) -> dict[str, tuple[str, ...]]:
        """Labels by head, ``emotion`` first."""
        return {head.name: self.labels if head.name == EMOTION else head.labels for head in self._bundle.heads}

    @property
    def crop_spec(self) -> CropSpec:
        """How faces must be cut."""
        return self._bundle.crop

    @property
    def engine(self) -> EngineName:
        """The engine in use."""
        return self._backend.name

    @property
    def name(self) -> str:
        """Name of the model."""
        return self._bundle.name

    @property
    def sha256(self) -> str:
        """Hex digest of the weights in use."""
        return sha256_of_weights(self._bundle, self.engine)

    def classify(self, crops: Sequence[FaceCrop]) -> tuple[Prediction, ...]:
        """Return calibrated probabilities of every crop, each with its crop's track."""
        if not crops:
            return ()
        outputs = self._run(np.stack([crop.image for crop in crops]))
        emotion, *others = self._calibrated_heads(outputs)
        names = [head.name for head in self._bundle.heads[1:]]
        every = with_temperature(outputs[EMOTION], self._bundle.temperature, self._offsets)
        chosen = every[:, self._chosen].sum(1)
        return tuple(
            Prediction(
                emotion[place],
                crop.track,
                {n: o[place] for n, o in zip(names, others, strict=True)},
                measure(crop, self._bundle.crop, float(chosen[place])),
            )
            for place, crop in enumerate(crops)
        )

    def probabilities(self, pixels: npt.NDArray[np.uint8], head: str = EMOTION) -> Probabilities:
        """Return (N, K) calibrated probabilities of (N, S, S, C) uint8 crops.

        Args:
            pixels: The crops.
            head: Name of the head.

        Raises:
            ModelIncompatible: The model's output is not finite, or it cannot be run.
            ValueError: Crops of another shape.
            KeyError: The model has no such head.
        """
        return dict(zip(self.heads, self._calibrated_heads(self._run(pixels)), strict=True))[head]

    def _run(self, pixels: npt.NDArray[np.uint8]) -> Mapping[str, Probabilities]:
        """Return the network's outputs by head, before calibration."""
        expected = self._bundle.crop.shape
        if pixels.shape[1:] != expected:
            raise ValueError(f"this model takes crops of shape {expected}, got {pixels.shape[1:]}")
        return self._backend.run(pixels.astype(np.float32))

    def _calibrated_heads(self, outputs: Mapping[str, Probabilities]) -> list[Probabilities]:
        """Return calibrated probabilities of every head, in the bundle's order."""
        return [self._calibrated(outputs[head.name], head) for head in self._bundle.heads]

    def _calibrated(self, raw: Probabilities, head: Head) -> Probabilities:
        if head.name == EMOTION:
            offsets = [self._offsets[place] for place in self._chosen]
            calibrated = with_temperature(raw[:, self._chosen], head.temperature, offsets)
        else:
            calibrated = with_temperature(raw, head.temperature)
        if not np.isfinite(calibrated).all():
            raise ModelIncompatible(f"the model in {self._bundle.folder} answers with no probabilities", "take another")
        return calibrated
