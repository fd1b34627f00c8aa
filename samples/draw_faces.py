"""Draw the sample clip: one face from neutral to happy, sad and surprised, and a second face for part of the time.

Writes faces.mp4 (H.264 with a quiet AAC soundtrack), faces.png (one frame) and faces.json (who shows what, and when).
Pictures are drawn at twice their size and shrunk by area, which smooths every edge.
"""

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from paint import Brush, Colour, Picture, mix
from portrait import Expression, Person, Pose, draw_portrait

Still = npt.NDArray[np.uint8]

WIDTH, HEIGHT, FPS, SECONDS = 1280, 720, 30, 6.0
FINER = 2
STILL_S = 2.1
TILE = (790, 90, 1220, 634)
AUDIO_RATE = 44_100
CHORDS = {
    "neutral": (262, 392),
    "happy": (262, 330, 392, 523),
    "sad": (220, 262, 330),
    "surprise": (294, 370, 440, 587),
}

PEOPLE = (
    Person(
        skin=(232, 184, 154), light=(255, 224, 200), shadow=(164, 98, 74),
        hair=(92, 48, 30), hair_light=(176, 104, 62),
        iris=(82, 122, 92), lips=(196, 92, 88), shirt=(42, 110, 116), long_hair=True,
        width=0.80, jaw=0.92, eye=1.0, brow=0.045, lash=0.034, nose=0.16,
    ),
    Person(
        skin=(150, 100, 72), light=(206, 152, 116), shadow=(78, 44, 32),
        hair=(26, 22, 24), hair_light=(70, 62, 62),
        iris=(70, 42, 26), lips=(134, 74, 66), shirt=(226, 168, 60), long_hair=False,
        width=0.84, jaw=1.06, eye=0.88, brow=0.062, lash=0.022, nose=0.20,
    ),
)  # fmt: skip

EXPRESSIONS = {
    "neutral": Expression(mouth_width=0.28),
    "happy": Expression(
        brow_lift=0.01, eye_open=1.0, squint=0.6, mouth_width=0.4, mouth_open=0.17, mouth_corner=0.11, teeth=1, cheek=1
    ),
    "sad": Expression(
        brow_lift=-0.05, brow_inner=0.18, eye_open=0.52, squint=0.3, droop=1, gaze=0.02, mouth_width=0.28,
        mouth_open=0.03, mouth_corner=-0.08,
        furrow=0.8, chin=1,
    ),
    "surprise": Expression(
        brow_lift=0.15, eye_open=2.0, mouth_width=0.17, mouth_open=0.27, mouth_round=1, forehead=1, jaw=0.16
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A time span in seconds during which a face holds one emotion; between two parts it changes smoothly."""

    emotion: str
    start_s: float
    end_s: float


STRETCHES = (
    (Part("neutral", 0.0, 1.2), Part("happy", 1.5, 2.7), Part("sad", 3.0, 4.3), Part("surprise", 4.6, SECONDS)),
    (Part("surprise", 1.6, 2.6), Part("neutral", 2.9, 3.8), Part("happy", 4.1, 5.4)),
)
BLINKS = ((0.6, 2.85, 4.45), (2.75, 3.4))


def ease(x: float) -> float:
    """Return a smooth step from 0 to 1 (zero slope at both ends)."""
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def expression_at(who: int, time_s: float) -> Expression:
    """Return an expression: held within a part, eased between two, eyes shut in a blink."""
    parts = STRETCHES[who]
    now = EXPRESSIONS[parts[0].emotion]
    for before, after in pairwise(parts):
        share = ease((time_s - before.end_s) / (after.start_s - before.end_s))
        now = now.towards(EXPRESSIONS[after.emotion], share)
    return now.towards(replace(now, eye_open=0.06), max(ease(1 - abs(time_s - blink) / 0.1) for blink in BLINKS[who]))


def pose_at(who: int, time_s: float) -> Pose:
    """Return a pose, in px of the finer picture, that sways a little with no two periods alike."""
    x, y, scale = ((412.0, 335.0, 172.0), (215.0, 270.0, 142.0))[who]
    t = time_s + 1.7 * who
    return Pose(
        x=FINER * (x + 9 * math.sin(1.1 * t)),
        y=FINER * (y + 4 * math.sin(1.9 * t + 1)),
        scale=FINER * scale,
        roll=0.035 * math.sin(0.9 * t + 0.5),
        yaw=0.05 * math.sin(1.3 * t),
        pitch=0.02 * math.sin(1.7 * t),
    )


def backdrop(width: int, height: int, above: Colour, below: Colour, lamps: int) -> Picture:
    """Return a wall that fades between two tones, with soft round lights; float32 RGB of the finer size."""
    share = np.linspace(0, 1, height * FINER)[:, None, None]
    wall = (1 - share) * np.array(above) + share * np.array(below)
    picture = np.tile(wall.astype(np.float32), (1, width * FINER, 1))
    brush = Brush(picture, lambda points: points * height * FINER, height * FINER)
    for x, y, r in np.random.default_rng(lamps).uniform((0, 0, 0.04), (width / height, 0.8, 0.12), (lamps, 3)):
        brush.spot(x, y, r, r, mix(above, (255, 250, 225), 0.5), 0.25, 0.012)
    return picture


def draw_frames() -> Iterator[Still]:
    """Yield the clip's frames, (720, 1280, 3) uint8 RGB."""
    room = backdrop(WIDTH, HEIGHT, (214, 206, 192), (150, 150, 156), lamps=14)
    left, top, right, bottom = TILE
    wall = backdrop(right - left, bottom - top, (150, 176, 200), (92, 112, 140), lamps=7)
    card = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    rim = np.array([(-7, -7), (7, -7), (7, 7), (-7, 7)])
    for index in range(round(SECONDS * FPS)):
        time_s, picture = index / FPS, room.copy()
        draw_portrait(picture, PEOPLE[0], expression_at(0, time_s), pose_at(0, time_s))
        if STRETCHES[1][0].start_s <= time_s < STRETCHES[1][-1].end_s:
            inset, brush = wall.copy(), Brush(picture, lambda points: points * FINER, FINER)
            draw_portrait(inset, PEOPLE[1], expression_at(1, time_s), pose_at(1, time_s))
            brush.shape(card + np.array((0, 10)), (30, 34, 44), 0.5, 10)
            brush.shape(card + rim, (250, 248, 244))
            picture[top * FINER : bottom * FINER, left * FINER : right * FINER] = inset
        small = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        yield np.clip(np.round(small), 0, 255).astype(np.uint8)


def soundtrack() -> npt.NDArray[np.float32]:
    """Return one quiet chord per emotion of the first person, (N,) float32 at ``AUDIO_RATE``."""
    time_s = np.arange(round(SECONDS * AUDIO_RATE)) / AUDIO_RATE
    sound = np.zeros_like(time_s)
    for part in STRETCHES[0]:
        share = np.clip((time_s - part.start_s) / (part.end_s - part.start_s), 0, 1)
        swell = 0.02 * np.sin(np.pi * share) ** 2
        sound += sum(swell * np.sin(2 * np.pi * hertz * time_s) for hertz in CHORDS[part.emotion])
    return sound.astype(np.float32)


def write_clip(path: Path) -> Still:
    """Write the clip as H.264 and AAC, ready to stream, and return its still, (720, 1280, 3) uint8 RGB."""
    import av

    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        # One thread: the bytes must not depend on how many cores drew them.
        video = container.add_stream("libx264", rate=FPS, options={"crf": "20", "preset": "slow", "threads": "1"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = container.add_stream("aac", rate=AUDIO_RATE, layout="mono", bit_rate=64_000)
        for index, picture in enumerate(draw_frames()):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(frame))
            if index == round(STILL_S * FPS):
                still = picture
        sound = soundtrack()
        for start in range(0, len(sound), 1024):
            chunk = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], format="fltp", layout="mono")
            chunk.sample_rate, chunk.pts, chunk.time_base = AUDIO_RATE, start, Fraction(1, AUDIO_RATE)
            container.mux(audio.encode(chunk))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return still


def main() -> None:
    """Write faces.mp4, faces.png and faces.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, metavar="DIR", help="where to write")
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    still = write_clip(folder / "faces.mp4")
    cv2.imwrite(str(folder / "faces.png"), still[..., ::-1])
    faces = [{"person": who, "stretches": [asdict(part) for part in parts]} for who, parts in enumerate(STRETCHES, 1)]
    timeline = {"fps": FPS, "frames": round(SECONDS * FPS), "faces": faces}
    (folder / "faces.json").write_text(json.dumps(timeline, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
