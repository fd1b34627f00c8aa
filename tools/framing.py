"""Compare framings of faces (scale and vertical shift) on the sets ``strangers``, ``london`` and ``smiles``.

python -m tools.framing DATA WORK MODEL
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from livemood.core.crop_spec import CropSpec
from livemood.emotion import crop
from livemood.evaluation.metrics import auc
from tools import faces, measure

_FACTORS, _SHIFTS = (1.0, 1.1, 1.2), (-0.04, 0.0, 0.04)
_SETS = ("strangers", "london", "smiles")


def moved(factor: float, shift: float) -> CropSpec:
    """Return the crop scaled by ``factor``, with the face shifted down by ``shift`` of the side."""
    spec = faces.framed(factor)
    return replace(spec, template=tuple((x, y + shift) for x, y in spec.template))


def cut(data: Path, work: Path, name: str, spec: CropSpec) -> npt.NDArray[np.uint8]:
    """Return (N, S, S, 1) uint8 faces of a set of photos; black where none was found."""
    files, where = faces.points(data, work, name)
    found = np.zeros((len(files), *spec.shape), np.uint8)
    for place, image in enumerate(faces.pictures(data, name, files)):
        if np.isfinite(where[place]).all():
            found[place] = crop.crop_face(image, where[place], spec)
    return found


def main() -> None:
    """Print a line for every framing."""
    data, work, model = map(Path, sys.argv[1:4])
    read, found_mask = measure.reader(model), measure.found_faces(data, work, "strangers")
    smiling = np.array([row["kind"] == "smiling" for row in measure.table(data, "london")])
    smile = np.array([row["smile"] == "1" for row in measure.table(data, "smiles")])
    for factor in _FACTORS:
        for shift in _SHIFTS:
            spec = moved(factor, shift)
            scores = {name: np.log(np.maximum(read(cut(data, work, name, spec)), 1e-9)) for name in _SETS}
            words = []
            for rest in (0.0, 0.25, 0.5):
                raised = measure.softmax(scores["strangers"] + measure.offsets(0, 0, rest).astype(np.float32))
                found = measure.strangers(data, raised, found_mask)
                words.append(f"+{rest:g} {100 * found['strangers']:.1f}/{100 * found['strangers five']:.1f}")
            london, photos = measure.lead(scores["london"]), measure.lead(scores["smiles"])
            print(
                f"x{factor:g} {shift:+.2f}: strangers {', '.join(words)}; London {(london[~smiling] <= 0).sum()}, "
                f"{(london[smiling] > 0).sum()}, AUC {auc(london, smiling):.4f}; smiles "
                f"{((photos > 0) == smile).mean():.4f}, AUC {auc(photos, smile):.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
