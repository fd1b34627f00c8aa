"""Train the small networks that detect covered and tilted faces, the shipped ``models/doubt/*.npz``.

    python -m tests.tools.doubt_networks covered FERPLUS.zip OUT.npz [--rounds N]
    python -m tests.tools.doubt_networks tilted FERPLUS.zip OUT.npz [--rounds N]

Takes pictures of FER2013Train and degrades all of them. ``covered``: half of them are covered with drawn masks,
scarves, hands, dark glasses or blocks. ``tilted``: half of them are rotated by 25 to 180 degrees, a third of all are
covered. No picture is stored. Finally, the accuracy on FER2013Valid is printed.
"""

import argparse
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from livemood.core.crop_spec import FER2013_TEMPLATE

Floats = npt.NDArray[np.float32]

_PX, _SIDE, _STEADY = 48, 24, 4.0
_HIDDEN = {"covered": 96, "tilted": 64}
_ROUNDS = {"covered": 300, "tilted": 150}
# What rotated pictures show beyond their edges, so that the network learns to look at the face.
_BORDERS = (cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT_101, cv2.BORDER_CONSTANT)
_POINTS = np.array(FER2013_TEMPLATE) * _PX
_BATCH, _PER_ROUND, _PASSES = 256, 12_000, 2
_DECAY = 1e-5


def _f32(values: npt.NDArray[Any]) -> Floats:
    return np.asarray(values, np.float32)


def pictures(path: Path, split: str, most: int) -> Floats:
    """Return up to ``most`` grey pictures of a split, (N, 48, 48)."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if f"/{split}/" in name and name.endswith(".png")]
        names = np.random.default_rng(0).permutation(names)[:most].tolist()
        found = [cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_GRAYSCALE) for name in names]
    return np.asarray(found, np.float32)


class Drawing:
    """Draws random occlusions on faces, tilts them, and degrades pictures at random.

    Args:
        rng: Random numbers.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        # Masks are what people wear most.
        self._kinds: list[Callable[[Floats], Floats]] = [
            *[self.mask] * 3,
            self.scarf,
            self.glasses,
            self.hand,
            self.block,
        ]

    def covered(self, face: Floats) -> Floats:
        """Return a face with a random occlusion."""
        return self._kinds[self._rng.integers(len(self._kinds))](face)

    def mask(self, face: Floats) -> Floats:
        """Cover nose, mouth and chin."""
        rng = self._rng
        right, left, _, mouth = self._shaken(_POINTS, 1.2)
        across, middle = left - right, (left + right) / 2
        down = mouth - middle
        top, side, bottom = rng.uniform(0.25, 0.62), rng.uniform(0.6, 1.1), rng.uniform(1.35, 1.9)
        corners = [(-side, top + 0.12), (0, top - 0.07), (side, top + 0.12), (0.95 * side, 1.05)]
        corners += [(0.38, bottom), (-0.38, bottom), (-0.95 * side, 1.05)]
        outline = np.array([middle + x * across + y * down for x, y in corners])
        shade = rng.choice([rng.uniform(0, 60), rng.uniform(60, 255), rng.uniform(160, 255)])
        return self._cloth(face, self._shaken(outline, 0.6), float(shade))

    def scarf(self, face: Floats) -> Floats:
        """Cover everything from the nose down."""
        top = _POINTS[2, 1] + self._rng.uniform(-4, 5)
        edge = [(x, top + self._rng.uniform(-3, 3)) for x in (-2, 24, 50)]
        return self._cloth(face, np.array([*edge, (50, 50), (-2, 50)]), self._rng.uniform(0, 255))

    def glasses(self, face: Floats) -> Floats:
        """Cover both eyes with dark glass."""
        rng, apart = self._rng, float(np.linalg.norm(_POINTS[1] - _POINTS[0]))
        width, height, shade = rng.uniform(0.32, 0.5), rng.uniform(0.24, 0.42), rng.uniform(0, 70)
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        power = 2 / rng.uniform(2, 4)
        x, y = (np.sign(wave) * np.abs(wave) ** power for wave in (np.cos(angles), np.sin(angles)))
        for eye in self._shaken(_POINTS[:2], 1.0):
            face = self._cloth(face, eye + apart * np.stack([width * x, height * y], 1), shade)
        ends = [tuple(int(side) for side in eye) for eye in _POINTS[:2]]
        return np.asarray(cv2.line(face, ends[0], ends[1], shade, int(rng.integers(1, 3))), np.float32)

    def hand(self, face: Floats) -> Floats:
        """Cover the mouth with fingers of the skin's brightness."""
        rng = self._rng
        skin = float(np.median(face[16:32, 12:36])) + rng.uniform(-35, 25)
        middle, angle = _POINTS[3] + rng.uniform((-9, -9), (9, 5)), rng.uniform(-52, 52)
        for finger in range(int(rng.integers(3, 5))):
            x = float(middle[0]) + (finger - 1.5) * rng.uniform(4, 6)
            outline = cv2.boxPoints(((x, float(middle[1])), (rng.uniform(4, 6.5), rng.uniform(20, 34)), angle))
            face = self._cloth(face, self._shaken(outline, 0.4), skin + rng.uniform(-14, 14))
        return face

    def block(self, face: Floats) -> Floats:
        """Cover mouth or eyes with a rectangle, as a phone, a cup or a book would."""
        rng = self._rng
        x, y = (_POINTS[3] if rng.random() < 0.7 else _POINTS[:2].mean(0)) + rng.uniform((-6, -6), (6, 4))
        size = rng.uniform(16, 36), rng.uniform(14, 28)
        outline = cv2.boxPoints(((float(x), float(y)), size, rng.uniform(-30, 30)))
        return self._cloth(face, outline, rng.uniform(0, 255))

    def tilt_deg(self) -> float:
        """Return a random angle of a face that does not stand upright; more often a smaller one."""
        rng = self._rng
        angle = rng.uniform(25, 60) if rng.random() < 0.6 else rng.uniform(60, 180)
        return float(angle * rng.choice([-1, 1]))

    def border(self) -> int:
        """Return a random kind of border for ``worse``."""
        return int(self._rng.choice(_BORDERS))

    def worse(self, face: Floats, roll_deg: float = 0.0, border: int = cv2.BORDER_REPLICATE) -> Floats:
        """Return a face rotated, shifted, mirrored, blurred, noisy, in other light or smaller, each at random."""
        rng = self._rng
        angle, scale = roll_deg + rng.normal(0, 6), rng.uniform(0.88, 1.14)
        matrix = np.array(cv2.getRotationMatrix2D((23.5, 23.5), angle, scale), np.float64)
        matrix[:, 2] += rng.normal(0, 1.6, 2)
        face = np.asarray(cv2.warpAffine(face, matrix, (_PX, _PX), borderMode=border), np.float32)
        if rng.random() < 0.5:
            face = face[:, ::-1]
        if rng.random() < 0.4:
            face = np.asarray(cv2.GaussianBlur(face, (0, 0), rng.uniform(0.4, 2.2)), np.float32)
        if rng.random() < 0.4:
            face = _f32(face + rng.normal(0, rng.uniform(2, 22), face.shape))
        if rng.random() < 0.5:
            face = _f32(255 * np.clip(face / 255, 0, 1) ** rng.uniform(0.5, 2))
        if rng.random() < 0.3:
            face = _f32(face + np.linspace(-1, 1, _PX) * rng.uniform(-40, 40))
        if rng.random() < 0.25:
            side = int(rng.integers(14, 40))
            small = cv2.resize(face.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
            face = np.asarray(cv2.resize(small, (_PX, _PX)), np.float32)
        return np.asarray(np.clip(face, 0, 255), np.float32)

    def _shaken(self, points: npt.NDArray[Any], by: float) -> npt.NDArray[np.float64]:
        return np.asarray(points + self._rng.normal(0, by, points.shape), np.float64)

    def _cloth(self, face: Floats, outline: npt.NDArray[Any], shade: float) -> Floats:
        """Fill an outline with cloth: plain, rough, pleated, shaded or patterned."""
        rng = self._rng
        inside = np.zeros(face.shape, np.uint8)
        cv2.fillPoly(inside, [np.round(outline * 8).astype(np.int32)], 255, cv2.LINE_AA, 3)
        share = inside / np.float32(255)
        y, x = np.mgrid[:_PX, :_PX]
        kind = rng.integers(5)
        cloth: npt.NDArray[Any] = np.full(face.shape, shade, np.float64)
        if kind == 1:
            cloth += rng.normal(0, rng.uniform(2, 14), face.shape)
        elif kind == 2:
            cloth += rng.uniform(4, 22) * np.sin(2 * np.pi * y / rng.uniform(3, 9) + rng.uniform(0, 6))
        elif kind == 3:
            cloth += rng.uniform(-2, 2) * (x - 24) + rng.uniform(-2, 2) * (y - 30)
        elif kind == 4:
            spots = rng.normal(0, 1, rng.integers(4, 12, 2)).astype(np.float32)
            cloth += rng.uniform(10, 50) * np.asarray(cv2.resize(spots, (_PX, _PX)))
        return np.asarray(face * (1 - share) + np.clip(cloth, 0, 255) * share, np.float32)


def covered_faces(faces: Floats, truth: Floats, rng: np.random.Generator) -> list[Floats]:
    """Return degraded faces, those of truth 1 covered."""
    drawing = Drawing(rng)
    return [drawing.worse(drawing.covered(face) if hidden else face) for face, hidden in zip(faces, truth, strict=True)]


def tilted_faces(faces: Floats, truth: Floats, rng: np.random.Generator) -> list[Floats]:
    """Return degraded faces, those of truth 1 tilted, a third of all covered."""
    drawing, made = Drawing(rng), []
    for face, tilted in zip(faces, truth, strict=True):
        drawn = drawing.covered(face) if rng.random() < 1 / 3 else face
        made.append(drawing.worse(drawn, drawing.tilt_deg() if tilted else 0.0, drawing.border()))
    return made


_MAKERS: dict[str, Callable[[Floats, Floats, np.random.Generator], list[Floats]]] = {
    "covered": covered_faces,
    "tilted": tilted_faces,
}


def batch(faces: Floats, count: int, rng: np.random.Generator, what: str) -> tuple[Floats, Floats]:
    """Return (N, 576) float32 network inputs, and (N,) whether each face is covered, or tilted."""
    truth = (rng.random(count) < 0.5).astype(np.float32)
    chosen = faces[rng.integers(len(faces), size=count)]
    made = _MAKERS[what](chosen, truth, rng)
    small = np.stack([cv2.resize(face, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for face in made])
    mean, spread = small.mean((1, 2), keepdims=True), small.std((1, 2), keepdims=True)
    return np.asarray(((small - mean) / (spread + _STEADY)).reshape(count, -1), np.float32), truth


def trained(faces: Floats, rounds: int, what: str) -> dict[str, Floats]:
    """Return the weights after training with Adam on the cross-entropy; new pictures are generated in every round."""
    rng, hidden = np.random.default_rng(1), _HIDDEN[what]
    weights: dict[str, Floats] = {
        "hidden_weights": rng.normal(0, 1 / _SIDE, (_SIDE**2, hidden)).astype(np.float32),
        "hidden_bias": np.zeros(hidden, np.float32),
        "output_weights": rng.normal(0, 0.2, hidden).astype(np.float32),
        "output_bias": np.zeros(1, np.float32),
    }
    means = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in weights.items()}
    step = 0
    for turn in range(rounds):
        inputs, truth = batch(faces, _PER_ROUND, rng, what)
        rate = 2e-3 * (1 - turn / rounds) + 1e-4
        for order in (rng.permutation(_PER_ROUND) for _ in range(_PASSES)):
            for start in range(0, _PER_ROUND - _BATCH + 1, _BATCH):
                rows = order[start : start + _BATCH]
                step += 1
                for name, slope in _slopes(weights, inputs[rows], truth[rows]).items():
                    first, second = means[name]
                    first += 0.1 * (slope - first)
                    second += 0.001 * (slope**2 - second)
                    weights[name] -= (
                        rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
                    ).astype(np.float32)
        print(f"round {turn + 1} of {rounds}", flush=True)
    return weights


def logits(weights: dict[str, Floats], inputs: Floats) -> Floats:
    """Return (N,) logits of being covered, or tilted."""
    hidden = np.maximum(inputs @ weights["hidden_weights"] + weights["hidden_bias"], 0)
    return np.asarray(hidden @ weights["output_weights"] + weights["output_bias"], np.float32)


def _slopes(weights: dict[str, Floats], inputs: Floats, truth: Floats) -> dict[str, Floats]:
    hidden = np.maximum(inputs @ weights["hidden_weights"] + weights["hidden_bias"], 0)
    scores = hidden @ weights["output_weights"] + weights["output_bias"]
    error = (1 / (1 + np.exp(-scores)) - truth) / len(truth)
    back = np.outer(error, weights["output_weights"]) * (hidden > 0)
    return {
        "hidden_weights": inputs.T @ back + 2 * _DECAY * weights["hidden_weights"],
        "hidden_bias": back.sum(0),
        "output_weights": hidden.T @ error,
        "output_bias": np.array([error.sum()], np.float32),
    }


def main() -> None:
    """Train, print the accuracy, and write the weights."""
    parser = argparse.ArgumentParser(description="Train a network that detects covered or tilted faces.")
    parser.add_argument("what", choices=sorted(_MAKERS))
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rounds", type=int)
    words = parser.parse_args()
    weights = trained(pictures(words.data, "FER2013Train", 28_000), words.rounds or _ROUNDS[words.what], words.what)
    unseen = pictures(words.data, "FER2013Valid", 3_000)
    inputs, truth = batch(unseen, 3_000, np.random.default_rng(2), words.what)
    found = logits(weights, inputs)
    limit = np.quantile(found[truth == 0], 0.98)
    print(
        f"valid: {np.mean((found > 0) == truth):.1%} right; {np.mean(found[truth == 1] > limit):.1%} found at 2 % false"
    )
    np.savez_compressed(words.out, **{name: value.astype(np.float16) for name, value in weights.items()})  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
