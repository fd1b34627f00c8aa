"""The labels of a model by head, and a choice of emotions, without opening its network."""

from collections.abc import Sequence
from pathlib import Path

from livemood.bundles.manifest import named_bundle, read_bundle
from livemood.core.labels import EMOTION
from livemood.core.text_tables import composed


def heads_of_bundle(folder: Path | None, emotions: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    """Return a model's labels by head, ``emotion`` first and restricted to ``emotions``, without opening the model.

    Raises:
        ModelMissing: The bundle is not there.
        ModelIncompatible: Its manifest is broken.
        ValueError: ``emotions`` names an unknown label, one twice, or fewer than two.
    """
    heads = {head.name: head.labels for head in read_bundle(named_bundle(folder)).heads}
    chosen = chosen_places(heads[EMOTION], emotions)
    return {**heads, EMOTION: tuple(heads[EMOTION][place] for place in chosen)}


def chosen_places(labels: tuple[str, ...], emotions: Sequence[str] | None) -> list[int]:
    """Return the places of the chosen emotions among the labels of the head ``emotion``, in their order; None is all.

    Raises:
        ValueError: An unknown label, one twice, or fewer than two; a set, which has no order.
    """
    if emotions is None:
        return list(range(len(labels)))
    if isinstance(emotions, str) or not isinstance(emotions, Sequence):
        raise ValueError(f"emotions are a sequence of names, such as ('happy', 'sad'), got {emotions!r}")
    places = {composed(label): place for place, label in enumerate(labels)}
    unknown = [name for name in emotions if not isinstance(name, str) or composed(name) not in places]
    if unknown:
        raise ValueError(f"unknown emotion {unknown[0]!r}; this model knows {', '.join(labels)}")
    chosen = [places[composed(name)] for name in emotions]
    if len(chosen) < 2 or len(set(chosen)) != len(chosen):
        raise ValueError(f"choose two or more different emotions, got {', '.join(emotions) or 'none'}")
    return chosen
