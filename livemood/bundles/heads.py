"""The labels of a model by head, and a choice of emotions, without opening its network."""

from collections.abc import Sequence
from pathlib import Path

from livemood.bundles.manifest import default_bundle, read_bundle
from livemood.core.labels import EMOTION


def heads_of_bundle(folder: Path | None, emotions: Sequence[str] | None) -> dict[str, tuple[str, ...]]:
    """Return a model's labels by head, ``emotion`` first and restricted to ``emotions``, without opening the model.

    Raises:
        ModelMissing: The bundle is not there.
        ModelIncompatible: Its manifest is broken.
        ValueError: ``emotions`` names an unknown label, one twice, or fewer than two.
    """
    heads = {head.name: head.labels for head in read_bundle(folder or default_bundle()).heads}
    chosen = chosen_places(heads[EMOTION], emotions)
    return {**heads, EMOTION: tuple(heads[EMOTION][place] for place in chosen)}


def chosen_places(labels: tuple[str, ...], emotions: Sequence[str] | None) -> list[int]:
    """Return the places of the chosen emotions among the labels of the head ``emotion``; None chooses all.

    Raises:
        ValueError: An unknown label, one twice, or fewer than two.
    """
    if emotions is None:
        return list(range(len(labels)))
    if isinstance(emotions, str):
        raise ValueError(f"emotions are several names, such as ('happy', 'sad'), got {emotions!r}")
    unknown = [name for name in emotions if name not in labels]
    if unknown:
        raise ValueError(f"unknown emotion {unknown[0]!r}; this model knows {', '.join(labels)}")
    if len(set(emotions)) < 2 or len(set(emotions)) != len(emotions):
        raise ValueError(f"choose two or more different emotions, got {', '.join(emotions) or 'none'}")
    return [labels.index(name) for name in emotions]
