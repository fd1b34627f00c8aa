"""Draw photos of many invented people, each neutral, happy, sad and surprised: a small set to practise training on.

Writes person-01-neutral.png, person-01-happy.png and so on, 480x480. The same numbers give the same pictures.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from draw_faces import EXPRESSIONS, FINER, PEOPLE, backdrop
from paint import Colour, mix
from portrait import Person, Pose, draw_portrait

SIDE = 480


def person(rng: np.random.Generator) -> Person:
    """Return a person between the two of the sample clip, with proportions and colours of their own."""
    one, other = PEOPLE
    share = float(rng.uniform())

    def colour(name: str) -> Colour:
        return mix(getattr(one, name), getattr(other, name), share)

    def number(name: str) -> float:
        return float(getattr(one, name) + share * (getattr(other, name) - getattr(one, name))) * rng.uniform(0.95, 1.05)

    red, green, blue = rng.uniform(30, 230, 3)
    return Person(
        skin=colour("skin"), light=colour("light"), shadow=colour("shadow"),
        hair=colour("hair"), hair_light=colour("hair_light"),
        iris=colour("iris"), lips=colour("lips"), shirt=(red, green, blue), long_hair=bool(rng.uniform() < 0.5),
        width=number("width"), jaw=number("jaw"), eye=number("eye"), brow=number("brow"), lash=number("lash"),
        nose=number("nose"),
    )  # fmt: skip


def main() -> None:
    """Write the photos."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write")
    parser.add_argument("--people", type=int, default=12, metavar="N", help="how many people (default: 12)")
    options = parser.parse_args()
    folder: Path = options.out
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, options.people + 1):
        rng = np.random.default_rng(number)
        who = person(rng)
        for emotion, expression in EXPRESSIONS.items():
            above, below = rng.uniform(80, 230, (2, 3))
            picture = backdrop(SIDE, SIDE, tuple(above), tuple(below), lamps=number)
            x, y, scale = SIDE * rng.uniform(0.42, 0.58), SIDE * rng.uniform(0.44, 0.52), SIDE * rng.uniform(0.24, 0.34)
            pose = Pose(x=FINER * x, y=FINER * y, scale=FINER * scale, roll=rng.uniform(-0.1, 0.1))
            draw_portrait(picture, who, expression, pose)
            small = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            still = np.clip(np.round(small), 0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / f"person-{number:02}-{emotion}.png"), still[..., ::-1])


if __name__ == "__main__":
    main()
