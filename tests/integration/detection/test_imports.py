"""What a process loads to find faces."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("mode", ["auto", "far"])
def test_detecting_then_only_what_is_needed_is_imported(mode: str) -> None:
    code = (
        "import sys, numpy as np\n"
        "from livemood.detection.combined import FaceDetector\nfrom livemood.core.types import Frame\n"
        f"with FaceDetector({mode!r}) as d: d.detect(Frame(0, 0.0, np.zeros((64, 64, 3), np.uint8)))\n"
        "print({'mediapipe', 'tensorflow', 'matplotlib'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")
