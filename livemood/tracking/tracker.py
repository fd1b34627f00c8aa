"""Follow faces over time: detections of each frame -> tuple[Track, ...] with lasting ids."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from livemood.core.stage_settings import TrackerSettings
from livemood.core.types import Detection, Track

_IMPOSSIBLE = 1e6


@dataclass(slots=True)
class _Face:
    """State of one track between frames."""

    id: int
    detection: Detection
    first_seen_s: float
    last_seen_s: float
    velocity: tuple[float, float] = (0.0, 0.0)

    def predicted_centre(self, time_s: float, coasting_s: float) -> tuple[float, float]:
        x, y = self.detection.box.centre
        elapsed_s = time_s - self.last_seen_s
        moving_s = coasting_s * (1 - math.exp(-elapsed_s / coasting_s))
        return x + self.velocity[0] * moving_s, y + self.velocity[1] * moving_s

    def update(self, detection: Detection, time_s: float, tau_s: float) -> None:
        elapsed_s = time_s - self.last_seen_s
        if elapsed_s > 0:
            (x0, y0), (x1, y1) = self.detection.box.centre, detection.box.centre
            weight = 1 - math.exp(-elapsed_s / tau_s)
            vx, vy = self.velocity
            self.velocity = (
                vx + weight * ((x1 - x0) / elapsed_s - vx),
                vy + weight * ((y1 - y0) / elapsed_s - vy),
            )
        self.detection, self.last_seen_s = detection, time_s


def assign(costs: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """Solve the linear assignment problem: pair as many rows and columns as possible at the least total cost.

    Shortest augmenting paths, after R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and
    sparse linear assignment problems", Computing 1987. Not scipy's, because importing it takes longer than opening all
    models.

    Args:
        costs: (rows, columns) finite costs.

    Returns:
        (row, column) of every pair, by column.
    """
    rows, columns = costs.shape
    if rows == columns == 1:
        return [(0, 0)]
    if rows > columns:
        return sorted(((row, column) for column, row in assign(costs.T)), key=lambda pair: pair[1])
    # One more column, the start of each row's augmenting path.
    owner = np.full(columns + 1, -1)
    row_price, column_price = np.zeros(rows), np.zeros(columns + 1)
    for row in range(rows):
        column = columns
        owner[column] = row
        came_from = np.full(columns, columns)
        distance, visited = np.full(columns + 1, np.inf), np.zeros(columns + 1, bool)
        while owner[column] >= 0:
            visited[column] = True
            current = owner[column]
            steps = costs[current] - row_price[current] - column_price[:-1]
            shorter = ~visited[:-1] & (steps < distance[:-1])
            distance[:-1][shorter], came_from[shorter] = steps[shorter], column
            nearest = int(np.where(visited, np.inf, distance).argmin())
            shift = distance[nearest]
            row_price[owner[visited]] += shift
            column_price[visited] -= shift
            distance[~visited] -= shift
            column = nearest
        while column != columns:  # augment: move each owner along the path
            before = int(came_from[column])
            owner[column] = owner[before]
            column = before
    return [(int(row), column) for column, row in enumerate(owner[:-1]) if row >= 0]


class Tracker:
    """Gives every face an id that is kept through motion, short occlusion and crossings, and is never reused.

    The position of each face is predicted from its averaged velocity. Detections are matched to predictions by the
    assignment of least total cost; the cost is the distance in face widths plus the change of size in octaves.

    Args:
        settings: Largest distance of a match, how velocity is averaged, and how long a missed face is kept.
    """

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self._settings = settings or TrackerSettings()
        self._faces: list[_Face] = []
        self._next_id = 1

    def update(self, detections: Sequence[Detection], time_s: float) -> tuple[Track, ...]:
        """Match one frame's detections to known faces.

        Args:
            detections: Faces of the frame, boxes in px.
            time_s: The frame's time, s; not earlier than that of the last call.

        Returns:
            One track for each detection, in their order.
        """
        keep_s = self._settings.max_missed_s
        self._faces = [face for face in self._faces if time_s - face.last_seen_s <= keep_s]
        matches = self._match(detections, time_s)
        return tuple(self._follow(detection, matches.get(i), time_s) for i, detection in enumerate(detections))

    def _follow(self, detection: Detection, face: _Face | None, time_s: float) -> Track:
        if face is None:
            face = _Face(self._next_id, detection, time_s, time_s)
            self._next_id += 1
            self._faces.append(face)
        missed_s = time_s - face.last_seen_s
        face.update(detection, time_s, self._settings.velocity_tau_s)
        return Track(face.id, detection, face.first_seen_s, missed_s)

    def _match(self, detections: Sequence[Detection], time_s: float) -> dict[int, _Face]:
        if not detections or not self._faces:
            return {}
        costs = np.array([[self._cost(face, found, time_s) for found in detections] for face in self._faces])
        return {column: self._faces[row] for row, column in assign(costs) if costs[row, column] < _IMPOSSIBLE}

    def _cost(self, face: _Face, found: Detection, time_s: float) -> float:
        old, new = face.detection.box, found.box
        (x0, y0), (x1, y1) = face.predicted_centre(time_s, self._settings.coasting_s), new.centre
        jump = math.hypot(x1 - x0, y1 - y0) / max(old.width, new.width)
        growth = abs(math.log2(new.width / old.width))
        if jump > self._settings.max_jump or growth > 1:
            return _IMPOSSIBLE
        return jump + growth
