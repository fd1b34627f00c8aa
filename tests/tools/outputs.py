"""Compare what livemood writes before and after a change, byte for byte.

    python -m tests.tools.outputs write BEFORE [DATA]     in the checkout before the change
    python -m tests.tools.outputs check BEFORE [DATA]     in the checkout after it

Covers the sample clip and, where DATA holds them, every clip of ``clips/`` (pictures of the labelled copy and records)
and 100 photos of ``smiles.zip`` (the JSON of ``livemood image``).
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import av

ROOT = Path(__file__).parents[2]
PHOTOS = 100


def main() -> int:
    """Write or check the outputs; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["write", "check"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--detector", default="auto", help="of livemood, for when its name changed")
    words = parser.parse_args()
    if words.mode == "write":
        words.folder.mkdir(parents=True, exist_ok=True)
        write(words.folder, words.data, words.detector)
        return 0
    with tempfile.TemporaryDirectory() as now:
        write(Path(now), words.data, words.detector)
        names = sorted({path.name for folder in (words.folder, Path(now)) for path in folder.iterdir()})
        same = [(words.folder / name).read_bytes() == (Path(now) / name).read_bytes() for name in names]
    for name, equal in zip(names, same, strict=True):
        print(f"{'same' if equal else 'DIFFERENT'}  {name}")
    return 0 if all(same) else 1


def write(out: Path, data: Path | None, detector: str) -> None:
    """Write the digests of pictures, the records and the JSON of every input into ``out``."""
    clips = [ROOT / "samples" / "faces.mp4"]
    if data is not None:
        clips += sorted(path for path in (data / "clips").iterdir() if path.suffix in (".mkv", ".gif"))
    for clip in clips:
        write_clip(clip.resolve(), out, detector)
    if data is not None:
        write_photos(data / "smiles.zip", out, detector)


def write_clip(clip: Path, out: Path, detector: str) -> None:
    """Label a clip; store its records and the digest of every picture of its copy."""
    with tempfile.TemporaryDirectory() as scratch:
        copy, records = Path(scratch) / "copy.mp4", Path(scratch) / "records.jsonl"
        livemood("video", str(clip), "--out", str(copy), "--records", str(records), "--panel", "--detector", detector)
        (out / f"{clip.stem}.jsonl").write_bytes(records.read_bytes())
        with av.open(str(copy)) as container:
            lines = [
                f"{frame.pts} {hashlib.sha256(frame.to_ndarray(format='bgr24').tobytes()).hexdigest()}\n"
                for frame in container.decode(video=0)
            ]
    (out / f"{clip.stem}.pictures").write_text("".join(lines))


def write_photos(archive: Path, out: Path, detector: str) -> None:
    """Store the JSON of the first photos of an archive."""
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(archive) as file:
        names = [name for name in sorted(file.namelist()) if name.endswith(".jpg")][:PHOTOS]
        file.extractall(scratch, names)
        (out / "photos.json").write_bytes(
            livemood("image", *names, "--json", "--detector", detector, folder=Path(scratch))
        )


def livemood(*words: str, folder: Path | None = None) -> bytes:
    """Run this checkout's livemood and return its stdout."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    script = "from livemood.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=folder, env=environment, stdout=subprocess.PIPE, check=True
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
