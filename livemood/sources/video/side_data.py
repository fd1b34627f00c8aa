"""Side data that a decoder attaches to a frame."""

from typing import Any

import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame


def display_matrix(frame: VideoFrame) -> npt.NDArray[np.int32] | None:
    """Return a frame's display matrix, (3, 3) int32 in FFmpeg's layout, or None where it has none."""
    # ``frame.side_data`` refers back to the frame, which would then live until the next cyclic garbage collection.
    matrix: Any = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]  # its stub has no constructor
    return None if matrix is None else np.frombuffer(matrix, np.int32).reshape(3, 3)


def _unnamed(kinds: type[Type], value: object) -> Type | None:
    if not isinstance(value, int):
        return None
    kind = object.__new__(kinds)
    vars(kind).update(_name_=f"UNNAMED_{value}", _value_=value)
    return kind


# PyAV raises on kinds that it does not know, such as the EXIF data of camera pictures or the view of a spatial video,
# and then no side data of the frame can be read.
Type._missing_ = classmethod(_unnamed)  # type: ignore[method-assign, assignment]
