"""Separate slight smiles from resting faces: other thresholds, by gender, blendshapes, and the labels of smiled.zip.

python -m tools.slight_smiles DATA WORK MODEL face_landmarker.task
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from livemood.evaluation.metrics import auc
from tools import faces, measure
from tools.smile_weak import blendshapes

_FACTOR = 1.1
_LOWERED = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
_OF_SMILED = 3000


def truth(data: Path, name: str) -> npt.NDArray[np.bool_]:
    """Return (N,) whether a photo of ``london``, ``smiles`` or ``smiled`` smiles."""
    return np.array([row.get("kind") == "smiling" or row.get("smile") == "1" for row in measure.table(data, name)])


def main() -> None:
    """Print all results."""
    data, work, model, task = map(Path, sys.argv[1:5])
    read = measure.reader(model)

    def lead(crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        return measure.lead(np.log(np.maximum(read(crops), 1e-9)))

    ahead = {name: lead(faces.crops(data, work, name, _FACTOR)) for name in ("london", "smiles")}
    for name, values in ahead.items():
        print(f"{name}: AUC of happy's lead {auc(values, truth(data, name)):.4f}")
        for lowered in _LOWERED:
            predicted, smiles = values > -lowered, truth(data, name)
            at_rest = (~predicted[~smiles]).mean()
            print(f"  happy +{lowered:g}: smiling {predicted[smiles].mean():.3f}, at rest {at_rest:.3f}")
    gender = np.array([row["gender"] for row in measure.table(data, "london")])
    for value in np.unique(gender):
        values, smiles = ahead["london"][gender == value], truth(data, "london")[gender == value]
        print(
            f"london, {value}: AUC {auc(values, smiles):.4f}, lead at rest at most {values[~smiles].max():.1f}, "
            f"of smiles at least {values[smiles].min():.1f}, median {np.median(values[smiles]):.1f}"
        )
    for name in ahead:
        shapes = blendshapes(task, faces.pictures(data, name, faces.points(data, work, name)[0]))
        found = np.array([bool(each) for each in shapes])
        score = np.array([each.get("mouthSmileLeft", 0) + each.get("mouthSmileRight", 0) for each in shapes])
        print(f"{name}: AUC of mouthSmile {auc(score[found], truth(data, name)[found]):.4f}")
    crops, smiles = faces.crops(data, work, "smiled", _FACTOR), truth(data, "smiled")
    chosen = np.sort(np.random.default_rng(0).choice(len(crops), _OF_SMILED, replace=False))
    values, smiles = lead(np.asarray(crops[chosen])), smiles[chosen]
    print(f"smiled: AUC {auc(values, smiles):.4f}, smiles {(values[smiles] > 0).mean():.4f}, "
          f"others {(values[~smiles] <= 0).mean():.4f}")  # fmt: skip


if __name__ == "__main__":
    main()
