"""The same raw frames through Python and through the page's worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
from playwright.sync_api import Browser, BrowserContext

from livemood.apps.session import Session
from livemood.core.settings import ReaderSettings
from livemood.core.types import Frame, Mood
from tests.integration.web.hosting import hosted

# Reads frames one by one, as the page does, and returns what the worker answers.
_READ = """async (stamps) => {
  const worker = new Worker("worker.js");
  const settings = await (await fetch("settings.json")).json();
  const answer = (message, transfer) => new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.kind === "failed" ? reject(new Error(data.detail)) : resolve(data));
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(message, transfer);
  });
  await answer({ kind: "open", base: document.baseURI, settings }, []);
  const found = [];
  for (const stamp of stamps) {
    const blob = await (await fetch(`frame-${stamp.index}.bmp`, { cache: "no-store" })).blob();
    const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
    const began = performance.now();
    const reading = await answer({ kind: "read", stamp, bitmap }, [bitmap]);
    reading.bitmap.close();
    found.push({ moods: reading.moods, ms: performance.now() - began });
  }
  worker.terminate();
  return found;
}"""


NEAR = 0.005
"""Probabilities that differ by less are called the same."""


@dataclass(frozen=True)
class Parity:
    """How alike two readings of the same frames are.

    Attributes:
        frames: How many there are.
        faces: That Python found.
        missing: Of these, how many the page did not find at the same place with the same id.
        extra: Faces that only the page found.
        labels_differ: Faces whose label is another one.
        reasons_differ: Faces with another reason to be ``unsure``, or with one in only one of the two.
        probability: Largest difference of any probability of a frame's own.
        beyond: Faces in which one differs by more than ``NEAR``.
        score: Likewise of the smoothed ones.
        box: Largest difference of a box's side, in face widths.
        ms: Median time that the page took for a frame.
    """

    frames: int
    faces: int
    missing: int
    extra: int
    labels_differ: int
    reasons_differ: int
    probability: float
    beyond: int
    score: float
    box: float
    ms: float


def read_in_python(frames: Sequence[Frame], reader: ReaderSettings | None = None) -> list[tuple[Mood, ...]]:
    with Session(reader) as session:
        pipeline = session.pipeline()
        return [pipeline.step(frame) for frame in frames]


def read_in_page(browser: Browser | BrowserContext, folder: Any, frames: Sequence[Frame]) -> list[dict[str, Any]]:
    """Return what the worker of a written page says of each frame."""
    pictures = {f"frame-{frame.index}.bmp": cv2.imencode(".bmp", frame.image)[1].tobytes() for frame in frames}
    stamps = [{"index": frame.index, "timeS": frame.time_s} for frame in frames]
    with hosted(folder, pictures) as url:
        page = browser.new_page()
        page.goto(f"{url}page.js")  # a page of this host that reads nothing itself
        found: list[dict[str, Any]] = page.evaluate(_READ, stamps)
        page.close()
    return found


def compare(python: Sequence[Sequence[Mood]], page: Sequence[dict[str, Any]]) -> Parity:
    missing = extra = differ = doubted = faces = beyond = 0
    probability = score = box = 0.0
    for moods, answer in zip(python, page, strict=True):
        found = {mood["track"]["id"]: mood for mood in answer["moods"]}
        faces += len(moods)
        for mood in moods:
            other = found.pop(mood.track.id, None)
            if other is None:
                missing += 1
                continue
            there = other["track"]["detection"]["box"]
            sides = [abs(getattr(mood.box, side) - there[side]) for side in ("left", "top", "right", "bottom")]
            off = max(sides) / mood.box.width
            if off > 0.1:
                missing += 1
                continue
            box = max(box, off)
            differ += other["emotion"]["label"] != mood.label
            doubted += other["reason"] != mood.reason
            raw = zip(mood.raw_scores.values(), other["emotion"]["rawScores"], strict=True)
            smooth = zip(mood.scores.values(), other["emotion"]["scores"], strict=True)
            furthest = max(abs(one - two) for one, two in raw)
            probability, beyond = max(probability, furthest), beyond + (furthest > NEAR)
            score = max(score, *(abs(one - two) for one, two in smooth))
        extra += len(found)
    times = sorted(answer["ms"] for answer in page)
    middle = times[len(times) // 2]
    return Parity(len(page), faces, missing, extra, differ, doubted, probability, beyond, score, box, middle)
