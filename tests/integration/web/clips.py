"""Clips in the forms that a browser's fake camera and file chooser take."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from livemood.core.types import Image


def write_y4m(path: Path, images: Iterable[Image], size: tuple[int, int] = (640, 480), fps: int = 30) -> Path:
    """Write BGR pictures, fitted into a size with black beside them, as raw YUV 4:2:0; return the path."""
    width, height = size
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for image in images:
            scale = min(width / image.shape[1], height / image.shape[0])
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:height, :width]
            canvas = np.zeros((height, width, 3), np.uint8)
            top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
            canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
            file.write(b"FRAME\n")
            file.write(cv2.cvtColor(canvas, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path
