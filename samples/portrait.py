"""A parametric face: appearance (``Person``), expression (``Expression``), position (``Pose``).

A face has its own units: x to the right and y down from the middle of the face, the chin at y = 1.
"""

import math
from dataclasses import dataclass, fields

import numpy as np
from paint import BLACK, WHITE, Brush, Colour, Picture, Points, between, curve, mix, symmetric


@dataclass(frozen=True, slots=True)
class Person:
    """What someone looks like: colours, and proportions in face units."""

    skin: Colour
    light: Colour
    shadow: Colour
    hair: Colour
    hair_light: Colour
    iris: Colour
    lips: Colour
    shirt: Colour
    long_hair: bool
    width: float
    jaw: float
    eye: float
    brow: float
    lash: float
    nose: float


@dataclass(frozen=True, slots=True)
class Expression:
    """What a face does: lengths in face units, strengths from 0 to 1."""

    brow_lift: float = 0.0
    brow_inner: float = 0.0
    eye_open: float = 1.0
    squint: float = 0.0
    droop: float = 0.0
    gaze: float = 0.0
    mouth_width: float = 0.27
    mouth_open: float = 0.0
    mouth_corner: float = 0.0
    mouth_round: float = 0.0
    teeth: float = 0.0
    cheek: float = 0.0
    forehead: float = 0.0
    furrow: float = 0.0
    chin: float = 0.0
    jaw: float = 0.0

    def towards(self, other: "Expression", share: float) -> "Expression":
        """Return the expression that lies ``share`` (0..1) of the way to ``other``."""
        names = (field.name for field in fields(self))
        return Expression(*(getattr(self, n) + share * (getattr(other, n) - getattr(self, n)) for n in names))


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a head is: its centre in px, px per face unit, and small turns in radians or units."""

    x: float
    y: float
    scale: float
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0


def draw_portrait(picture: Picture, who: Person, face: Expression, pose: Pose) -> None:
    """Draw someone's head and shoulders, from the back to the front.

    Args:
        picture: (H, W, 3) float32 RGB, painted in place.
        who: The person.
        face: The expression.
        pose: The place, in px of ``picture``.
    """
    head = Brush(picture, lambda points: _placed(points, face.jaw, pose), pose.scale)
    still = Pose(pose.x, pose.y, pose.scale)
    skin = head.within(_outline(who))
    _hair_behind(head, who)
    _shoulders(Brush(picture, lambda points: _placed(points, 0.0, still), pose.scale), who)
    _skin(head, skin, who, face)
    _nose(skin, who)
    _creases(skin, who, face)
    _mouth(skin, who, face)
    for side in skin.both():
        _eye(side, who, face)
        _brow(side, who, face)
    if who.long_hair:
        _long_hair(head, skin, who)
    else:
        _short_hair(head, skin, who)


def _placed(points: Points, jaw: float, pose: Pose) -> Points:
    """Map points from face units to px: lower the jaw, rotate the head as a sphere, roll, scale and shift."""
    p = points.copy()
    fall = np.clip((p[:, 1] - 0.3) / 0.7, 0, 1)
    p[:, 1] += jaw * fall * fall * (3 - 2 * fall)
    depth = np.sqrt(np.clip(1 - (p[:, 0] / 0.95) ** 2 - (p[:, 1] / 1.25) ** 2, 0, 1))
    p += depth[:, None] * np.array((pose.yaw, pose.pitch))
    cos, sin, neck = math.cos(pose.roll), math.sin(pose.roll), np.array((0, 1.2))
    p = (p - neck) @ np.array([[cos, sin], [-sin, cos]]) + neck
    return np.asarray(p * pose.scale + (pose.x, pose.y), np.float64)


def _outline(who: Person) -> Points:
    w, j = who.width, who.width * who.jaw
    cheek = [(w * 0.62, -0.92), (w * 0.95, -0.5), (w, 0.0), (w * 0.95, 0.3), (j * 0.83, 0.6)]
    return symmetric([(0, -1.06), *cheek, (j * 0.52, 0.87), (j * 0.24, 0.985), (0, 1.02)])


def _shoulders(still: Brush, who: Person) -> None:
    neck = 0.45 * who.width * who.jaw
    body = symmetric([(0, 1.5), (0.55, 1.5), (1.25, 1.7), (1.7, 2.08), (2.1, 3.2), (0, 4)])
    still.shape(body, who.shirt)
    cloth = still.within(body)
    cloth.spot(-0.9, 2.0, 0.5, 0.5, mix(who.shirt, WHITE, 0.35), 0.6, 0.25)
    cloth.spot(1.4, 2.4, 0.5, 0.8, mix(who.shirt, BLACK, 0.55), 0.6, 0.3)
    column = symmetric([(0, 0.5), (neck, 0.5), (neck, 1.25), (neck + 0.28, 1.54), (0, 1.82)])
    cloth.shape([(x * 1.12, y + 0.04) for x, y in column], mix(who.shirt, BLACK, 0.4), 0.7, 0.02)
    still.shape(column, mix(who.skin, who.shadow, 0.25))
    skin = still.within(column)
    skin.spot(0.05, 1.0, 0.6, 0.36, who.shadow, 0.85, 0.09)
    skin.spot(0.45, 1.3, 0.2, 0.6, who.shadow, 0.6, 0.09)


def _skin(head: Brush, skin: Brush, who: Person, face: Expression) -> None:
    if not who.long_hair:
        for ear in head.both():
            ear.spot(who.width * 1.02, 0.03, 0.1, 0.2, mix(who.skin, who.shadow, 0.3))
            ear.spot(who.width * 1.04, 0.03, 0.05, 0.12, who.shadow, 0.6, 0.02)
    head.shape(_outline(who), who.skin)
    # Light from the upper left: a bright forehead, a dark right side, a thin dark rim on the left.
    skin.spot(-0.15, -0.1, 0.45, 0.75, who.light, 0.6, 0.22)
    skin.spot(0.92, 0.25, 0.3, 0.9, who.shadow, 0.75, 0.16)
    skin.spot(-0.98, 0.3, 0.22, 0.9, who.shadow, 0.5, 0.12)
    skin.spot(0, 1.16, 0.7, 0.2, who.shadow, 0.6, 0.09)
    skin.spot(-0.05, -0.62, 0.38, 0.16, who.light, 0.5, 0.12)
    raised = 0.06 * face.cheek
    for half in skin.both():
        half.spot(0.34, -0.12, 0.2, 0.12, who.shadow, 0.4, 0.07)
        half.spot(0.47, 0.27 - raised, 0.17, 0.13, (224, 96, 84), 0.22 + 0.12 * face.cheek, 0.09)
        half.spot(0.44, 0.17 - raised, 0.13, 0.08, who.light, 0.3 + 0.5 * face.cheek, 0.055)
        half.spot(0.56, 0.56, 0.1, 0.2, who.shadow, 0.2 + 0.15 * face.cheek, 0.08)
    skin.spot(0, 0.9, 0.16, 0.08, who.light, 0.45, 0.05)


def _nose(skin: Brush, who: Person) -> None:
    n = who.nose
    skin.shape(curve([(0.07, -0.15), (0.1, 0.1), (n + 0.03, 0.28), (0.03, 0.36), (0.03, 0)]), who.shadow, 0.4, 0.035)
    skin.stroke([(-0.02, -0.2), (-0.02, 0.05), (-0.02, 0.24)], (0.05, 0.07, 0.1), who.light, 0.7, 0.025)
    skin.spot(-0.02, 0.25, 0.07, 0.055, who.light, 0.7, 0.025)
    skin.spot(0, 0.37, n, 0.045, who.shadow, 0.55, 0.03)
    for half in skin.both():
        half.stroke([(n - 0.02, 0.2), (n + 0.02, 0.28), (n - 0.01, 0.34)], (0.01, 0.03, 0.01), who.shadow, 0.75, 0.012)
        half.spot(n * 0.52, 0.345, 0.05, 0.022, mix(who.shadow, BLACK, 0.6), 0.85, 0.01)
    skin.stroke([(0, 0.4), (0, 0.45), (0, 0.5)], (0.03, 0.05, 0.07), who.shadow, 0.3, 0.015)


def _creases(skin: Brush, who: Person, face: Expression) -> None:
    """Draw the lines that an expression folds into the skin."""
    dark, w = mix(who.shadow, BLACK, 0.15), face.mouth_width
    for y, span in ((-0.58, 0.36), (-0.67, 0.4), (-0.76, 0.34)):
        wave = [(-span, y + 0.03), (-span / 2, y - 0.02), (0, y + 0.01), (span / 2, y - 0.02), (span, y + 0.03)]
        skin.stroke(wave, (0, 0.022, 0), dark, 0.5 * face.forehead, 0.008)
    for half in skin.both():
        fold = [(0.2, 0.25), (0.14 + 0.45 * w, 0.34), (w + 0.07, 0.46), (w + 0.1, 0.58)]
        half.stroke(fold, (0.02, 0.06, 0), dark, 0.1 + 0.42 * face.cheek + 0.15 * face.chin, 0.018)
        for k in (-1, 0, 1):
            crow = [(0.57, -0.06 + 0.03 * k), (0.62, -0.065 + 0.05 * k), (0.66, -0.06 + 0.07 * k)]
            half.stroke(crow, (0.004, 0.014, 0), dark, 0.4 * face.cheek, 0.006)
        frown = [(0.07, -0.36 - face.brow_inner), (0.05, -0.25), (0.07, -0.17)]
        half.stroke(frown, (0, 0.024, 0), dark, 0.5 * face.furrow, 0.009)
        droop = [(w + 0.01, 0.7), (w + 0.05, 0.77), (w + 0.03, 0.86)]
        half.stroke(droop, (0.01, 0.035, 0), dark, 0.5 * face.chin, 0.014)
    skin.spot(0, 0.88, 0.13, 0.06, dark, 0.25 * face.chin, 0.025)
    skin.stroke([(-0.13, 0.775), (0, 0.755), (0.13, 0.775)], (0, 0.05, 0), dark, 0.35 + 0.3 * face.chin, 0.018)


def _mouth(skin: Brush, who: Person, face: Expression) -> None:
    w, gap, ring, corner = face.mouth_width, face.mouth_open, face.mouth_round, 0.6 - face.mouth_corner
    top = 0.6 - 0.5 * max(face.mouth_corner, 0) - 0.4 * gap * ring - 0.035 * face.chin
    u = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 41))
    # Both edges of the opening run from corner to corner: as a flat arc, or round as a ring.
    bend = (1 - ring) * np.abs(u) ** 2.2 + ring * (1 - np.sqrt(1 - u * u))
    upper, lower = (np.stack([u * w, y + (corner - y) * bend], 1) for y in (top, top + gap))
    flesh = (1 - 0.25 * face.teeth) * (1 - u * u) ** (0.65 - 0.25 * ring)
    broad = u * (0.012 + 0.035 * ring)
    lip_above = np.stack([broad, -0.062 * flesh + 0.02 * np.exp(-((u / 0.14) ** 2))], 1)
    lip_below = np.stack([broad, (0.085 + 0.01 * ring) * flesh], 1)
    lips, opening = between(upper + lip_above, lower + lip_below), between(upper, lower)
    dark = mix(who.lips, (24, 4, 8), 0.85)
    skin.shape(lips, who.lips, 1, 0.006)
    mouth = skin.within(lips)
    mouth.shape(lips - (0, 0.085), mix(who.lips, who.shadow, 0.6), 0.5, 0.03)
    mouth.spot(-0.03, top + gap + 0.045, 0.11, 0.018, mix(who.lips, WHITE, 0.55), 0.6, 0.015)
    if gap > 0.01:
        mouth.shape(opening, dark, 1, 0.004)
        inside = skin.within(opening)
        inside.spot(0, top + gap, w * 0.62, 0.36 * gap, (182, 84, 86), 0.8, 0.02)
        _teeth(inside, upper, upper + 0.7 * (lower - upper), dark, face.teeth)
    mouth.stroke(upper[::4], (0.01, 0.018, 0.01), dark, 0.85, 0.004)
    for half in skin.both():
        half.spot(w + 0.01, corner, 0.028, 0.022, who.shadow, 0.7 * (1 - ring), 0.014)


def _teeth(inside: Brush, upper: Points, edge: Points, dark: Colour, strength: float) -> None:
    w, y, middle = upper[-1, 0], upper[-1, 1], upper[len(upper) // 2, 1]
    inside.shape(between(upper - (0, 0.05), edge), (248, 243, 234), min(1, 2 * strength), 0.004)
    for k in range(-4, 5):
        x = w * 0.2 * k
        inside.stroke([(x, middle - 0.1), (x, middle), (x, middle + 0.2)], (0.006,) * 2, dark, 0.12 * strength, 0.003)
    for half in inside.both():
        half.spot(w, y, w * 0.22, 0.12, dark, 0.7 * strength, 0.03)
    inside.shape(upper - (0, 0.05), dark, 0.5, 0.012)


def _eye(half: Brush, who: Person, face: Expression) -> None:
    x, y, r = 0.34, -0.08, 0.088
    up, tilt = 0.078 * who.eye * face.eye_open, 0.035 * face.droop
    low = 0.055 * min(face.eye_open, 1.4) * (1 - 0.45 * face.squint)
    inner, outer = (x - 0.178, y + 0.02), (x + 0.178, y - 0.005 + tilt)
    lid = [inner, (x - 0.09, y - up * 0.8), (x, y - up), (x + 0.1, y - up * 0.72 + tilt * 0.8), outer]
    below = [(x + 0.08, y + low * 0.85 + tilt * 0.4), (x - 0.04, y + low)]
    almond = curve([*lid, *below], closed=True)
    half.shape(almond, who.shadow, 0.5, 0.03)
    half.shape(almond, mix((246, 243, 239), who.shadow, 0.08))
    ball, turn, level = half.within(almond), half.side, y - 0.012 + face.gaze
    ball.spot(x, y - up, 0.178, 0.05, (120, 100, 100), 0.5, 0.02)
    ball.spot(x, level, r, r, mix(who.iris, BLACK, 0.65), 1, 0.003)
    ball.spot(x, level, r * 0.84, r * 0.84, who.iris, 1, 0.006)
    ball.spot(x, level + r * 0.4, r * 0.5, r * 0.35, mix(who.iris, WHITE, 0.4), 0.7, 0.012)
    ball.spot(x, level, r * 0.45, r * 0.45, (12, 10, 12), 1, 0.003)
    ball.spot(x - 0.03 * turn, level - 0.03, 0.02, 0.02, WHITE, 0.95, 0.003)
    ball.spot(x + 0.03 * turn, level + 0.035, 0.01, 0.01, WHITE, 0.5, 0.003)
    half.stroke(lid, (0.012, who.lash, who.lash * 0.8), mix(who.hair, BLACK, 0.6), 0.95, 0.003)
    half.stroke([(lx + 0.005, ly - 0.05) for lx, ly in lid[1:]], (0.008, 0.022, 0.004), who.shadow, 0.8, 0.008)
    half.stroke([outer, *below, inner], (0.01, 0.012, 0.006), who.shadow, 0.8, 0.004)
    sag = 0.055 - 0.012 * face.squint
    bag = [(bx, by + sag) for bx, by in ((x + 0.13, y + low * 0.6), *below, (x - 0.12, y + low * 0.8))]
    half.stroke(bag, (0, 0.025, 0), who.shadow, 0.2 + 0.45 * face.squint + 0.2 * face.droop, 0.012)


def _brow(half: Brush, who: Person, face: Expression) -> None:
    y, inner = -0.295 - face.brow_lift, face.brow_inner
    rise = [(0.15, y + 0.005 - inner), (0.3, y - 0.03 - 0.3 * inner)]
    fall = [(0.46, y - 0.035 + 0.1 * inner), (0.59, y + 0.04 + 0.2 * inner)]
    widths = (who.brow * 0.8, who.brow * 1.25, who.brow * 0.2)
    half.stroke([*rise, *fall], widths, mix(who.hair, BLACK, 0.25), 0.92, 0.008)


def _hair_behind(head: Brush, who: Person) -> None:
    if not who.long_hair:
        return
    fall = [(1.08, -0.6), (1.1, 0.2), (1.16, 0.9), (0.95, 1.45), (0.5, 1.58)]
    mane = symmetric([(0, -1.42), (0.75, -1.25), *fall, (0, 1.5)])
    head.shape(mane, mix(who.hair, BLACK, 0.25))
    for half in head.within(mane).both():
        for x in (0.9, 1.0):
            half.stroke([(x * 0.95, -0.6), (x, 0.3), (x * 0.92, 1.4)], (0.01, 0.06, 0.02), who.hair_light, 0.35, 0.03)


def _long_hair(head: Brush, skin: Brush, who: Person) -> None:
    parting = -0.2
    for half in head.both():
        x = parting * half.side
        crown = [(x, -1.36), (0.3 - 0.1 * half.side, -1.4), (0.7, -1.24), (1.06, -0.55), (1.06, 0.3), (1.1, 1.0)]
        lock = curve([*crown, (0.86, 0.75), (0.82, 0.1), (0.74, -0.45), (0.42, -0.82), (x, -1.0)], closed=True)
        side_of_skin = skin.both()[half.side < 0]
        side_of_skin.shape(lock, who.shadow, 0.5, 0.05)
        half.shape(lock, who.hair)
        hair = half.within(lock)
        for s in np.linspace(0, 1, 9):
            strand = [(x + 0.1 * s, -1.06 - 0.3 * s), (0.5 + 0.25 * s, -0.86 - 0.28 * s), (0.78 + 0.24 * s, -0.35)]
            tone = who.hair_light if round(8 * s) % 2 else mix(who.hair, BLACK, 0.5)
            hair.stroke([*strand, (0.86 + 0.2 * s, 0.4), (0.9 + 0.16 * s, 1)], (0.005, 0.04, 0.01), tone, 0.4, 0.014)
        hair.spot(0.62 - 0.1 * half.side, -1.02, 0.2, 0.08, who.hair_light, 0.6, 0.06)


def _short_hair(head: Brush, skin: Brush, who: Person) -> None:
    w = who.width
    above = [(0, -1.3), (0.5, -1.23), (0.86, -0.92), (w * 1.08, -0.45), (w * 1.04, -0.08)]
    cap = symmetric([*above, (w * 0.97, -0.1), (w * 0.9, -0.42), (w * 0.72, -0.74), (0.3, -0.86), (0, -0.84)])
    skin.shape(cap, mix(who.hair, who.shadow, 0.4), 0.6, 0.03)
    head.shape(cap, who.hair)
    hair = head.within(cap)
    for x, y, r in np.random.default_rng(1).uniform((-0.95, -1.3, 0.02), (0.95, -0.3, 0.05), (260, 3)):
        hair.spot(x, y, r, 0.5 * r, who.hair_light, 0.35, 0.008)
    hair.spot(-0.25, -1.1, 0.35, 0.1, who.hair_light, 0.5, 0.08)
