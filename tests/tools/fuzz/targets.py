"""Fuzz targets: each takes bytes and may raise livemood's own errors, with one short line, and no others."""

import contextlib
import hashlib
import io
import json
import os
import shlex
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from livemood.core.errors import LivemoodError
from tests.support.builders import SAMPLES, quadrants, write_clip

Target = Callable[[bytes], None]
MAX_MESSAGE = 1000

_scratch = Path(tempfile.mkdtemp(prefix="livemood-fuzz-"))


class Found(Exception):
    """A fault that is not an exception of another library, such as a message that is too long."""


@contextlib.contextmanager
def _ours_only() -> Iterator[None]:
    """Suppress livemood's own errors in the block, after checking their message."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except LivemoodError as error:
            message = str(error).replace(str(_scratch), "")
            if not message or len(message) > MAX_MESSAGE:
                raise Found(f"a message of {len(message)} characters: {message[:200]}") from error


def _file(name: str, data: bytes) -> Path:
    path = _scratch / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def picture(data: bytes) -> None:
    """Decode a photo as ``image`` and as ``train`` do."""
    from livemood.datasets.files import decode
    from livemood.sources.image.decode import read_image

    path = _file("picture", data)
    with _ours_only():
        image = read_image(path)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise Found(f"a picture of {image.dtype} {image.shape}")
    decode(data)


def clip(data: bytes) -> None:
    """Read a video's first frames."""
    from livemood.sources.video.file import VideoSource

    path = _file("clip", data)
    with _ours_only(), VideoSource(path) as source:
        for frame, _ in zip(source.frames(), range(8), strict=False):
            if frame.image.shape != (source.info.height, source.info.width, 3):
                raise Found(f"a frame of {frame.image.shape}")


def bundle(data: bytes) -> None:
    """Read a bundle: the first part is the manifest, the rest ``model.keras``."""
    from livemood.bundles.manifest import read_bundle
    from livemood.bundles.verify.keras_file import check_keras_file

    manifest, _, keras = data.partition(b"\0\0CUT\0\0")
    folder = _file("bundle/manifest.json", manifest).parent
    with _ours_only():
        found = read_bundle(folder)
        if len(set(found.labels)) < 2 or not 8 <= found.crop.size_px <= 1024 or not 0 < found.temperature < 1000:
            raise Found(f"a bundle of {found!r:.200}")
    with _ours_only():
        check_keras_file(_file("bundle/model.keras", keras))


def litert(data: bytes) -> None:
    """Open a bundle whose ``model.tflite`` this is, and read one crop."""
    from livemood.emotion.classifier import EmotionClassifier
    from tests.support.networks import CLASSES, CROP

    file = _file("litert/model.tflite", data)
    manifest = {
        "format": 1,
        "name": "fuzzed",
        "labels": [str(number) for number in range(CLASSES)],
        "crop": {"size_px": CROP[0], "colour": "grey", "template": [[0.3, 0.3], [0.7, 0.3], [0.5, 0.5], [0.5, 0.7]]},
        "temperature": 1.0,
        "metrics": {},
        "sha256": {file.name: hashlib.sha256(data).hexdigest()},
    }
    (file.parent / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with _ours_only():
        found = EmotionClassifier(file.parent).probabilities(np.full((1, *CROP), 99, np.uint8))
        if found.shape != (1, CLASSES) or not abs(found.sum() - 1) < 1e-3:
            raise Found(f"probabilities {found}")


def table(data: bytes) -> None:
    """Open ``fer2013.csv`` and ``fer2013new.csv``, FER+ folders' ``label.csv``, and a table of groups."""
    from livemood.datasets.open import open_collection
    from livemood.evaluation.groups import read_groups

    first, _, second = data.partition(b"\0\0CUT\0\0")
    pictures, votes = _file("fer2013.csv", first), _file("votes.csv", second)
    for given in (None, votes):
        with _ours_only():
            found = open_collection(pictures, given)
            for sample in found.samples[:3]:
                found.read(sample)
    folder = _scratch / "ferplus"
    folder.mkdir(exist_ok=True)
    (folder / "FER2013Train").mkdir(exist_ok=True)
    (folder / "FER2013Train" / "label.csv").write_bytes(first)
    with _ours_only():
        found = open_collection(folder)
        for sample in found.samples[:3]:
            found.read(sample)
    with _ours_only():
        read_groups(pictures, ["a.png", "b/a.png"])


def archive(data: bytes) -> None:
    """Open a zip of pictures in folders, and read what it lists."""
    from livemood.datasets.open import open_collection

    path = _file("data.zip", data)
    with _ours_only():
        found = open_collection(path)
        for sample in found.samples[:8]:
            found.read(sample)


def _rows_of(suffix: str) -> Target:
    def rows(data: bytes) -> None:
        from livemood.records import read
        from livemood.reporting.summary import summarise

        with _ours_only():
            summarise(read(_file(f"rows{suffix}", data)))

    rows.__doc__ = f"Read {suffix} records and sum them up for a report."
    return rows


def words(data: bytes) -> None:
    """Run the command line on fuzzed arguments; commands that train or open cameras are only parsed."""
    from livemood.cli import run

    try:
        given = shlex.split(data.decode("utf-8", "replace").replace("\0", ""))[:12]
    except ValueError:
        return
    # Arguments with which a command would search the whole disk, or write anywhere, are left out.
    given = [word for word in given if not word.startswith(("/", "~", "..", "--out=/", "--out=.."))]
    if given and given[0] in ("train", "camera", "cameras", "bench", "doctor", "export", "evaluate", "crop"):
        given = [*given, "--help"]
    here, streams = Path.cwd(), (sys.stdin, sys.stdout, sys.stderr)
    (_scratch / "cwd").mkdir(exist_ok=True)
    os.chdir(_scratch / "cwd")
    sys.stdout, sys.stderr = io.StringIO(), (stderr := io.StringIO())
    try:
        code = run(given)
    finally:
        os.chdir(here)
        _, sys.stdout, sys.stderr = streams
    said = stderr.getvalue()
    line = said.rstrip("\n").rpartition("\n")[2]
    # Without a command the help is printed.
    if code not in (0, 1, 2) or (code and not (line.startswith("livemood: ") or said.startswith("Usage: livemood "))):
        raise Found(f"exit code {code} after {line[:200]!r}")


def _pictures() -> list[bytes]:
    endings = (".jpg", ".png", ".bmp", ".webp", ".tiff", ".gif", ".jp2", ".avif", ".ppm", ".pbm")
    image = quadrants()
    grey = [cv2.imencode(ending, image[..., 0])[1].tobytes() for ending in endings[-1:]]
    clear = np.dstack([image, image[..., :1]])
    return [
        *(cv2.imencode(ending, image)[1].tobytes() for ending in endings[:-1]),
        *grey,
        cv2.imencode(".png", clear)[1].tobytes(),
        cv2.imencode(".png", image.astype(np.uint16) * 257)[1].tobytes(),
    ]


def _clips() -> list[bytes]:
    import av

    found = []
    for name in ("seed.mp4", "seed.mkv", "seed.avi"):
        found.append(write_clip(_scratch / name, [quadrants()] * 5).read_bytes())
    with av.open(str(_scratch / "seed.gif"), "w") as output:
        stream = output.add_stream("gif", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb8"
        for _ in range(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(quadrants(), "bgr24").reformat(format="rgb8")))
        output.mux(stream.encode())
    return [*found, (_scratch / "seed.gif").read_bytes(), b"#EXTM3U\n#EXTINF:9,\na.ts\n", b"ffconcat version 1.0\n"]


def _bundles() -> list[bytes]:
    from livemood.bundles.manifest import default_bundle

    folder = default_bundle()
    small = io.BytesIO()
    with zipfile.ZipFile(folder / "model.keras") as whole, zipfile.ZipFile(small, "w") as cut:
        for name in ("metadata.json", "config.json"):
            cut.writestr(name, whole.read(name))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest.pop("training")
    return [json.dumps(manifest).encode() + b"\0\0CUT\0\0" + small.getvalue()]


def _networks() -> list[bytes]:
    from tests.support.networks import in_int8, network

    return [network(), network(in_int8)]


def _tables() -> list[bytes]:
    pixels = " ".join(["7"] * 16)
    fer = f"emotion,pixels,Usage\n3,{pixels},Training\n4,{pixels},PublicTest\n"
    names = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    votes = names + "Training,a.png,1,2,0,3,0,0,0,0,0,0\nPublicTest,,0,0,0,0,0,0,0,0,0,10\n"
    ferplus = 'a.png,"(0, 0, 48, 48)",9,1,0,0,0,0,0,0,0,0\n'
    return [f"{fer}\0\0CUT\0\0{votes}".encode(), ferplus.encode(), b"file,age\na.png,old\nb.png,young\n"]


def _archives() -> list[bytes]:
    found = []
    png = cv2.imencode(".png", quadrants(8, 8))[1].tobytes()
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as output:
            for label in ("happy", "sad"):
                for number in range(4):
                    output.writestr(f"{label}/{number}.png", png)
            output.writestr("index.csv", "file,source\nhappy/0.png,a\n")
        found.append(stream.getvalue())
    return found


def _recorded(suffix: str) -> Callable[[], list[bytes]]:
    def seeds() -> list[bytes]:
        from livemood.core.labels import EMOTIONS
        from livemood.sinks.records import open_records
        from tests.support.builders import make_frame, make_mood

        path = _scratch / f"seed{suffix}"
        with open_records(path, EMOTIONS, force=True) as sink:
            for index in range(3):
                sink.write(make_frame(index=index, time_s=index / 10), [make_mood(1), make_mood(2, "sad")][:index])
        return [path.read_bytes()]

    return seeds


def _command_lines() -> list[bytes]:
    return [
        b"video a.mp4 --out b.mp4 --start 1:05 --duration 4 --every 2 --crf 20 --emotions happy,sad --json",
        b"video --out b.mp4 --records r.jsonl --subtitles s.srt --codec h264 --preset fast x.mp4 --jobs 2",
        b"image a.jpg --csv t.csv --sort-into d --panel --engine litert --model nowhere",
        b"report r.jsonl --out p.html --plot p.png --thumbnails v.mp4 --force",
        b"models --json",
        b"train faces --out o --epochs 3 --time-budget 1h30m --preset small",
        b"camera --source 0 --out c.mp4",
        f"report {SAMPLES} --out ''".encode(),
    ]


TARGETS: dict[str, tuple[Target, Callable[[], list[bytes]]]] = {
    "picture": (picture, _pictures),
    "clip": (clip, _clips),
    "bundle": (bundle, _bundles),
    "litert": (litert, _networks),
    "table": (table, _tables),
    "archive": (archive, _archives),
    "jsonl": (_rows_of(".jsonl"), _recorded(".jsonl")),
    "csv": (_rows_of(".csv"), _recorded(".csv")),
    "parquet": (_rows_of(".parquet"), _recorded(".parquet")),
    "words": (words, _command_lines),
}
"""Each target with a function that returns valid inputs to start from."""
