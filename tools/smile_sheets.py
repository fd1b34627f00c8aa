"""Contact sheets of smiling faces, to label open and closed smiles by eye without seeing scores.

    python -m tools.smile_sheets DATA WORK OUT

FER+: training pictures whose top vote is happy, in an order drawn once (seed 22), 100 to a sheet; ``again`` holds the
first 300 in another order, to measure agreement. ``smiles``: the smiling photos of smiles.zip, for measuring only.
``OUT/NAME.csv`` lists the position of each picture.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tools import faces, measure, votes

_SIDE, _STRIP, _ACROSS = 144, 14, 10
_LABELLED, _AGAIN = 2000, 300


def sheet(tiles: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return one picture of up to 100 (N, S, S, 1) faces, enlarged and numbered 0 to 99."""
    page = np.full((10 * (_SIDE + _STRIP), _ACROSS * _SIDE), 255, np.uint8)
    for place, tile in enumerate(tiles):
        y, x = place // _ACROSS * (_SIDE + _STRIP), place % _ACROSS * _SIDE
        page[y + _STRIP : y + _STRIP + _SIDE, x : x + _SIDE] = cv2.resize(
            tile, (_SIDE, _SIDE), interpolation=cv2.INTER_CUBIC
        )
        cv2.putText(page, str(place), (x + 4, y + 12), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 0, 1, cv2.LINE_AA)
    return page


def _write(out: Path, name: str, files: npt.NDArray[np.str_], tiles: npt.NDArray[np.uint8]) -> None:
    (out / f"{name}.csv").write_text("".join(f"{file}\n" for file in files))
    for at in range(0, len(tiles), 100):
        cv2.imwrite(str(out / f"{name}-{at // 100:02}.png"), sheet(tiles[at : at + 100]))


def main() -> None:
    """Run the script with the arguments of the command line."""
    data, work, out = map(Path, sys.argv[1:4])
    out.mkdir(parents=True, exist_ok=True)
    train, pictures, rng = votes.parts(data, work)["train"], votes.raw(data, work), np.random.default_rng(22)
    happy = rng.permutation(np.flatnonzero(train.split.top_vote == 1))[:_LABELLED]
    _write(out, "ferplus", train.split.files[happy], pictures[train.rows[happy]])
    again = rng.permutation(happy[:_AGAIN])
    _write(out, "again", train.split.files[again], pictures[train.rows[again]])
    smiling = np.flatnonzero([row["smile"] == "1" for row in measure.table(data, "smiles")])
    names = np.array([row["image"] for row in measure.table(data, "smiles")])[smiling]
    _write(out, "smiles", names, faces.crops(data, work, "smiles", 0.9, 144)[smiling])


if __name__ == "__main__":
    main()
