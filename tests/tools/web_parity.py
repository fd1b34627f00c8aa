"""Compare the browser page with Python on raw frames: ``python -m tests.tools.web_parity [CLIP...]``.

Without arguments it takes the sample and every clip of the data folder, if that exists. Prints one row per clip; exits
with 1 if the two differ by more than the tolerance.
"""

import sys
import tempfile
from pathlib import Path

from livemood.apps.web import write_page
from livemood.sources.video.file import VideoSource
from tests.integration.web.browser import chromium
from tests.integration.web.parity import NEAR, Parity, compare, read_in_page, read_in_python
from tests.support.builders import ROOT, SAMPLES

CLIPS = ROOT.parent / "shared" / "data" / "clips"
_LEAST_SAME = 0.995
# Sums in another order may round a feature map to the next int8 value.
_LEAST_NEAR = 0.98


def main(words: list[str]) -> int:
    clips = [Path(word) for word in words] or [SAMPLES / "faces.mp4", *sorted(CLIPS.glob("*.*"))]
    found: list[Parity] = []
    print(
        "clip | frames | faces | missing | extra | other label | other reason | probability | beyond | score | box | "
        "ms per frame"
    )
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        write_page(Path(folder) / "page")
        for clip in (clip for clip in clips if clip.suffix != ".txt"):
            with VideoSource(clip) as source:
                frames = list(source.frames())
            parity = compare(read_in_python(frames), read_in_page(browser, Path(folder) / "page", frames))
            found.append(parity)
            print(
                f"{clip.name} | {parity.frames} | {parity.faces} | {parity.missing} | {parity.extra} | "
                f"{parity.labels_differ} | {parity.reasons_differ} | {parity.probability:.5f} | {parity.beyond} | "
                f"{parity.score:.5f} | {parity.box:.6f} | {parity.ms:.1f}",
                flush=True,
            )
    faces = sum(parity.faces for parity in found)
    same = 1 - sum(parity.labels_differ for parity in found) / max(faces, 1)
    alike = 1 - sum(parity.reasons_differ for parity in found) / max(faces, 1)
    off, raw = max(parity.score for parity in found), max(parity.probability for parity in found)
    near = 1 - sum(parity.beyond for parity in found) / max(faces, 1)
    lost = sum(parity.missing + parity.extra for parity in found)
    print(f"all: {faces} faces, {lost} seen by one alone, {same:.2%} the same label, {alike:.2%} the same reason")
    print(f"smoothed scores within {off:.5f}")
    print(f"a frame's own probabilities within {NEAR} in {near:.2%} of the faces, within {raw:.5f} in all")
    return int(lost > 0 or min(same, alike) < _LEAST_SAME or near < _LEAST_NEAR or off > NEAR)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
