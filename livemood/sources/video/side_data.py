"""What a decoder attaches to a frame beside its pixels."""

from typing import Any

import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame


def display_matrix(frame: VideoFrame) -> npt.NDArray[np.int32] | None:
    """Return how a frame is to be turned, (3, 3) int32 as FFmpeg lays it out, or None where nothing is said."""
    # The frame's own container would hold on to it, and it to that: pictures would stay until Python looks for circles.
    matrix: Any = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]  # its stub has no constructor
    return None if matrix is None else np.frombuffer(matrix, np.int32).reshape(3, 3)


def _unnamed(kinds: type[Type], value: object) -> Type | None:
    if not isinstance(value, int):
        return None
    kind = object.__new__(kinds)
    vars(kind).update(_name_=f"UNNAMED_{value}", _value_=value)
    return kind


# PyAV names the kinds that it knows; over any other, such as the EXIF data of camera pictures or the view of a spatial
# video, it would refuse all side data of the frame.
Type._missing_ = classmethod(_unnamed)  # type: ignore[method-assign, assignment]
