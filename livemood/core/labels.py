"""The emotions, in the order that models and records use, and their colours."""

from typing import Final, Literal

Emotion = Literal["neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt"]

EMOTIONS: Final[tuple[Emotion, ...]] = (
    "neutral",
    "happy",
    "surprise",
    "sad",
    "angry",
    "disgust",
    "fear",
    "contempt",
)
"""The eight emotions of FER+, in the order of its vote columns."""

EMOTION: Final = "emotion"
"""Name of the head that classifies the emotion; a model may have others beside it."""

SMILE: Final = "smile"
"""Name of the head that classifies the kind of a smile; it is used for happy faces only."""
SMILE_KINDS: Final = ("closed", "open")

UNSURE: Final = "unsure"
"""Label of a face that is not named; ``Mood.reason`` says why."""

NO_FACE: Final = "no-face"
"""What photos without a face are sorted and tagged as."""

OWN_WORDS: Final = (UNSURE, NO_FACE)
"""What stands in place of a label, so that no class of a model may be called so."""

Doubt = Literal["ambiguous", "covered", "turned", "small", "blurred", "none of these"]
"""Why a face is ``unsure``. ``small``, ``turned``, ``covered``: how the face is seen; ``blurred``: the confidence would
do in a sharp picture with all its detail; ``ambiguous``: it would not; ``none of these``: the face most likely shows an
emotion that was not selected."""

# Okabe and Ito's palette ("Color Universal Design", 2008): distinguishable with any of the common colour-vision
# deficiencies. The grey of "unsure" is dark because a middle grey looks like fear's pink without red-green vision.
_COLOURS_RGB: Final[dict[str, tuple[int, int, int]]] = {
    "neutral": (230, 230, 230),
    "happy": (240, 228, 66),
    "surprise": (230, 159, 0),
    "sad": (86, 180, 233),
    "angry": (213, 94, 0),
    "disgust": (0, 158, 115),
    "fear": (204, 121, 167),
    "contempt": (0, 114, 178),
    UNSURE: (105, 105, 105),
}
_SPARE_RGB: Final = ((240, 228, 66), (86, 180, 233), (0, 158, 115), (204, 121, 167), (230, 159, 0), (0, 114, 178))


def colour_bgr(label: str, labels: tuple[str, ...] = ()) -> tuple[int, int, int]:
    """Return the colour of ``label`` as (blue, green, red), each 0..255.

    A label of a user's own bundle gets a spare colour by its position in ``labels``.
    """
    rgb = _COLOURS_RGB.get(label)
    if rgb is None:
        place = labels.index(label) if label in labels else 0
        rgb = _SPARE_RGB[place % len(_SPARE_RGB)]
    return rgb[2], rgb[1], rgb[0]


def kind_of_smile(label: str | None, smile: str | None) -> str | None:
    """Return ``closed`` or ``open``, or None where the label is not happy or the head ``smile`` gives neither."""
    return smile if label == "happy" and smile in SMILE_KINDS else None
