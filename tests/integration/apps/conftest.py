"""A folder of photos."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.builders import SAMPLES


@pytest.fixture(scope="module")
def small() -> np.ndarray:
    image = cv2.imread(str(SAMPLES / "faces.png"))
    assert image is not None
    return cv2.resize(image, (640, 360), interpolation=cv2.INTER_AREA)


@pytest.fixture
def album(tmp_path: Path, small: np.ndarray) -> Path:
    """Six photos: two faces each but for one without a face, and one that is broken."""
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.jpg"), small)
    cv2.imwrite(str(folder / "empty.png"), np.full((90, 120, 3), 50, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    return folder
