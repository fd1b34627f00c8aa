"""How often laughs, shouts, yawns and other open mouths are said to be an open smile.

    python -m tools.open_mouths DATA WORK BUNDLE

The faces are FER+'s, of valid and test, sorted by eye into tools/data/open_mouths.csv: laughs among those whose top
vote is happy, shouts among the angry ones, the rest among all others.
"""

import csv
import sys
from pathlib import Path

import numpy as np

from livemood.core.labels import EMOTION
from livemood.emotion.classifier import EmotionClassifier
from tools import faces

_LIST = Path(__file__).parent / "data" / "open_mouths.csv"


def main() -> None:
    """Run the script with the arguments of the command line."""
    data, work, bundle = map(Path, sys.argv[1:4])
    classifier = EmotionClassifier(bundle)
    places = {row[0]: place for place, row in enumerate(faces.rows(data, "ferplus"))}
    with _LIST.open() as stream:
        rows = list(csv.DictReader(stream))
    pixels = np.asarray(faces.crops(data, work, "ferplus", 1.1)[[places[row["file"]] for row in rows]])
    happy = classifier.probabilities(pixels).argmax(1) == classifier.heads[EMOTION].index("happy")
    opened = classifier.probabilities(pixels, "smile").argmax(1) == classifier.heads["smile"].index("open")
    kinds = np.array([row["kind"] for row in rows])
    for kind in dict.fromkeys(kinds):
        of_kind = kinds == kind
        said = (happy & opened)[of_kind].sum()
        print(f"{kind}: {said} of {of_kind.sum()} are said to be a happy face's open smile; "
              f"{opened[of_kind].sum()} by the head smile alone")  # fmt: skip


if __name__ == "__main__":
    main()
