"""Untrusted files: no code runs, no file is written elsewhere, memory is bounded, and one line gives the reason."""

import ast
import base64
import io
import json
import marshal
import resource
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from livemood import records
from livemood.bundles.manifest import default_bundle, read_bundle, sha256_of
from livemood.core.errors import DatasetError, ImageUnreadable, LivemoodError, ModelIncompatible, VideoUnreadable
from livemood.datasets.class_names import ClassNames
from livemood.datasets.dataset import restore
from livemood.datasets.files import Files, decode
from livemood.datasets.open import open_collection
from livemood.datasets.pixel_csv import from_csv
from livemood.evaluation.smiles import examine_smiles
from livemood.sources.image.decode import read_image
from livemood.sources.image.size_guard import MAX_PIXELS, pixels
from livemood.sources.video.file import VideoSource
from livemood.training.export.formats import write
from livemood.training.loop.checkpoint import restore as restore_run
from tests.support.builders import ROOT, SAMPLES, quadrants, write_clip

LIVEMOOD = Path(sys.executable).with_name("livemood")


def peak_mb() -> float:
    """Return the most memory this process ever held, MB (Linux: kB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def coded(ending: str, image: Any = None) -> bytes:
    done, data = cv2.imencode(ending, quadrants() if image is None else image)
    assert done
    return bytes(data.tobytes())


def patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    """Return the bytes with numbers written at an offset."""
    new = bytearray(data)
    struct.pack_into(layout, new, at, *values)
    return bytes(new)


def sides_in_tiff(data: bytes, side: int) -> bytes:
    """Write ``side`` over width and height of a small TIFF."""
    place = struct.unpack_from("<I", data, 4)[0]
    for entry in range(struct.unpack_from("<H", data, place)[0]):
        at = place + 2 + 12 * entry
        if struct.unpack_from("<H", data, at)[0] in (256, 257):
            data = patched(data, at + 2, "<HII", 4, 1, side)
    return data


BOMBS: dict[str, Callable[[], bytes]] = {
    "png": lambda: patched(coded(".png"), 16, ">II", 60000, 60000),
    "jpeg": lambda: patched(coded(".jpg"), coded(".jpg").index(b"\xff\xc0") + 5, ">HH", 60000, 60000),
    "gif": lambda: patched(coded(".gif"), 6, "<HH", 60000, 60000),
    "bmp": lambda: patched(coded(".bmp"), 18, "<ii", 60000, -60000),
    "webp": lambda: b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (59999).to_bytes(3, "little") * 2 + b"\0" * 8,
    "tiff": lambda: sides_in_tiff(coded(".tiff"), 60000),
    "jp2": lambda: patched(coded(".jp2"), coded(".jp2").index(b"ihdr") + 4, ">II", 60000, 60000),
    "avif": lambda: patched(coded(".avif"), coded(".avif").index(b"ispe") + 8, ">II", 60000, 60000),
    "ppm": lambda: b"P6 # a comment\n60000 60000\n255\n" + b"\0" * 100,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_picture_when_it_promises_60000_by_60000_then_refused_before_memory_is_given_to_it(tmp_path, kind):
    data = BOMBS[kind]()
    assert pixels(data) == 60000 * 60000 > MAX_PIXELS
    (tmp_path / "bomb").write_bytes(data)
    before = peak_mb()
    with pytest.raises(ImageUnreadable, match="says it has 3,600 million pixels"):
        read_image(tmp_path / "bomb")
    assert decode(data) is None
    assert peak_mb() - before < 50


@pytest.mark.parametrize("part", [b"PLTE", b"IEND"])
def test_picture_when_a_part_of_a_png_is_longer_than_the_file_then_refused_before_memory_is_given_to_it(tmp_path, part):
    head = coded(".png")
    data = head[: head.index(b"IHDR") + 21] + struct.pack(">I", 0xFC000000) + part + b"\0" * 8
    (tmp_path / "bomb.png").write_bytes(data)
    before = peak_mb()
    with pytest.raises(ImageUnreadable, match=r"bomb\.png is not a picture that can be read, or is cut off"):
        read_image(tmp_path / "bomb.png")
    assert decode(data) is None
    assert peak_mb() - before < 50


@pytest.mark.parametrize("ending", [".jpg", ".png", ".bmp", ".webp", ".tiff", ".gif", ".jp2", ".avif", ".ppm"])
def test_picture_of_any_kind_then_its_header_gives_its_size(ending):
    assert pixels(coded(ending, np.zeros((37, 91, 3), np.uint8))) == 37 * 91


@pytest.mark.parametrize("place", [1 << 20, 1 << 63, (1 << 64) - 1])
def test_picture_when_its_head_points_beyond_the_file_then_said_to_be_none(place: int, tmp_path: Path) -> None:
    (tmp_path / "far.tiff").write_bytes(b"II+\0" + struct.pack("<HHQ", 8, 0, place) + b"\0" * 99)
    with pytest.raises(ImageUnreadable, match=r"far\.tiff"):
        read_image(tmp_path / "far.tiff")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_picture_when_it_is_a_device_then_refused_at_once(path):
    with pytest.raises(ImageUnreadable, match="is a device or a pipe"):
        read_image(Path(path))


def test_picture_when_its_file_is_larger_than_memory_may_be_then_refused_unread(tmp_path):
    with (tmp_path / "huge.jpg").open("wb") as stream:
        stream.truncate(3 << 30)  # sparse: takes no room
    with pytest.raises(ImageUnreadable, match=r"has 3\.2 GB"):
        read_image(tmp_path / "huge.jpg")


def test_video_when_its_frames_are_larger_than_allowed_then_refused_undecoded(tmp_path):
    """An MP4 has the size in its sample description too, which is checked before decoding."""
    clip = write_clip(tmp_path / "small.mp4", [quadrants()] * 3)
    code = (
        "import sys, pathlib, livemood.sources.video.probe as c; c.MAX_PIXELS = 1000\n"
        "from livemood.sources.video.file import VideoSource\n"
        "try: VideoSource(pathlib.Path(sys.argv[1]))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", code, clip], capture_output=True, text=True, check=True).stdout
    assert said.startswith("VideoUnreadable")
    assert "million pixels" in said


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{clip}\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{clip}\n#EXT-X-ENDLIST\n"),
        ("net.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"),
        ("cat.mp4", "ffconcat version 1.0\nfile '{clip}'\n"),
        ("call.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"),
    ],
)
def test_video_when_it_is_a_list_of_others_then_none_of_them_is_opened(tmp_path, name, text):
    (tmp_path / name).write_text(text.format(clip=SAMPLES / "faces.mp4"))
    with pytest.raises(VideoUnreadable):
        VideoSource(tmp_path / name)


# Bundles


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the shipped bundle, which a test may corrupt."""
    return Path(shutil.copytree(default_bundle(), tmp_path / "bundle", ignore=shutil.ignore_patterns("card")))


def sign(folder: Path, **changes: object) -> None:
    """Write the checksums of the actual files into the manifest, as the author of a bundle would, and other changes.

    ``labels``, ``temperature`` and ``balanced`` are those of the first head.
    """
    file = folder / "manifest.json"
    manifest = json.loads(file.read_text())
    of_head = ("labels", "temperature", "balanced")
    manifest["heads"][0] |= {name: changes.pop(name) for name in of_head if name in changes}
    digests = {path.name: sha256_of(path) for path in folder.glob("model.*")}
    file.write_text(json.dumps(manifest | {"sha256": digests} | changes))


def with_config(
    folder: Path, change: Callable[[dict[str, Any]], object], extra: dict[str, bytes] | None = None
) -> Path:
    """Change the network's description inside ``model.keras`` and add files to the zip."""
    file = folder / "model.keras"
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(content["config.json"])
    change(config)
    added = extra or {}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in {**content, "config.json": json.dumps(config).encode(), **added}.items():
            archive.writestr(name, data, zipfile.ZIP_DEFLATED if name in added else zipfile.ZIP_STORED)
    sign(folder)
    return file


def last_layer(config: dict[str, Any]) -> dict[str, Any]:
    layer: dict[str, Any] = config["config"]["layers"][-1]
    return layer


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "registered_name": None,
    "config": {"name": "l", "function": {"class_name": "__lambda__", "config": {"code": "4wEAAAAA"}}},
}
HOSTILE: dict[str, Callable[[dict[str, Any]], object]] = {
    "lambda": lambda c: c["config"]["layers"].append(LAMBDA),
    "nested": lambda c: last_layer(c)["config"].update(activation=LAMBDA),
    "function": lambda c: last_layer(c)["config"].update(
        activation={"module": "builtins", "class_name": "function", "config": "system", "registered_name": "function"}
    ),
    "any module": lambda c: last_layer(c).update(module="os", class_name="system"),
    "custom": lambda c: last_layer(c).update(registered_name="Custom>Evil"),
    "reads a file": lambda c: last_layer(c).update(class_name="StringLookup", config={"vocabulary": "/etc/passwd"}),
    "other model": lambda c: last_layer(c).update(class_name="TFSMLayer", config={"filepath": "/tmp/other"}),
    "a million wide": lambda c: last_layer(c)["config"].update(units=1_000_000),
    "too many weights": lambda c: [
        layer["config"].update(filters=8192, kernel_size=[99, 99])
        for layer in c["config"]["layers"]
        if layer["class_name"] == "Conv2D"
    ],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_keras_file_when_it_could_do_more_than_compute_then_refused(bundle, kind):
    file = with_config(bundle, HOSTILE[kind])
    with pytest.raises(ModelIncompatible, match="only plain networks are loaded") as caught:
        read_bundle(bundle).checked(file)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300 + len(str(file))


def test_keras_file_when_nothing_was_changed_then_taken(bundle):
    file = with_config(bundle, lambda config: None)
    assert read_bundle(bundle).checked(file) == file


@pytest.mark.parametrize("name", ["../escaped.txt", "assets/vocabulary.txt", "/etc/cron.d/evil"])
def test_keras_file_when_it_carries_other_files_then_refused_and_nothing_is_unpacked(bundle, name):
    file = with_config(bundle, lambda config: None, {name: b"x"})
    with pytest.raises(ModelIncompatible, match=r"a file .* inside"):
        read_bundle(bundle).checked(file)
    assert not (bundle.parent / "escaped.txt").exists()


def test_keras_file_when_its_weights_are_a_bomb_then_refused_before_unpacking(bundle):
    file = with_config(bundle, lambda config: None, {"model.weights.h5": bytes(200 << 20)})
    before = peak_mb()
    with pytest.raises(ModelIncompatible, match="grows when it is unpacked"):
        read_bundle(bundle).checked(file)
    assert peak_mb() - before < 50


def test_command_when_an_untrusted_keras_model_holds_code_then_one_line_and_the_code_does_not_run(bundle, tmp_path):
    trap = tmp_path / "ran"
    code = base64.b64encode(marshal.dumps(compile(f"open({str(trap)!r}, 'w')", "trap", "eval")))
    evil = json.loads(json.dumps(LAMBDA))
    evil["config"]["function"]["config"]["code"] = code.decode()
    with_config(bundle, lambda config: config["config"]["layers"].append(evil))
    words = ["image", SAMPLES / "faces.png", "--model", bundle, "--engine", "keras"]
    done = subprocess.run([LIVEMOOD, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("livemood: ")
    assert done.stderr.count("\n") == 1
    assert "Lambda" in done.stderr
    assert not trap.exists()


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (
            {"crop": {"size_px": 64, "colour": "grey", "template": [[0.3, 0.3]] * 4}},
            "takes (48, 48, 1), where its manifest says (64, 64, 1)",
        ),
        (
            {"crop": {"size_px": 48, "colour": "bgr", "template": [[0.3, 0.3]] * 4}},
            "takes (48, 48, 1), where its manifest says (48, 48, 3)",
        ),
        (
            {"labels": ["happy", "sad"], "balanced": []},
            "returns emotion (8,), smile (3,), where its manifest says emotion (2,), smile (3,)",
        ),
        (
            {"heads": [{"name": "emotion", "labels": ["happy", "sad"], "temperature": 1}]},
            "returns emotion (8,), smile (3,), where its manifest says emotion (2,)",
        ),
    ],
)
def test_export_when_the_manifest_states_another_network_then_one_line_and_nothing_is_written(
    bundle, tmp_path, stated, said
):
    sign(bundle, **stated)
    with pytest.raises(ModelIncompatible) as caught:
        write(read_bundle(bundle), "tflite", tmp_path / "out.tflite", force=False)
    assert str(caught.value) == f"{bundle / 'model.keras'} {said}"
    assert not (tmp_path / "out.tflite").exists()


ABSURD: dict[str, dict[str, Any]] = {
    "huge crop": {"crop": {"size_px": 10**9, "colour": "grey", "template": [[0.3, 0.3]] * 4}},
    "endless crop": {"crop": {"size_px": float("inf"), "colour": "grey", "template": [[0.3, 0.3]] * 4}},
    "far points": {"crop": {"size_px": 48, "colour": "grey", "template": [[1e300, 0.3]] * 4}},
    "points that are none": {"crop": {"size_px": 48, "colour": "grey", "template": [[float("nan"), 0.3]] * 4}},
    "NaN temperature": {"temperature": float("nan")},
    "endless temperature": {"temperature": float("inf")},
    "tiny temperature": {"temperature": 1e-300},
    "temperature beyond floats": {"temperature": 10**400},
    "long label": {"labels": ["happy", "x" * 3_000_000]},
    "many labels": {"labels": [str(number) for number in range(10_000)]},
    "label twice": {"labels": ["happy", "sad", "happy"]},
    "label that climbs": {"labels": ["happy", "../../escaped"]},
    "label that is a path": {"labels": ["happy", "/etc/cron.d"]},
    "label with terminal codes": {"labels": ["happy", "\x1b[2J"]},
    "label of two lines": {"labels": ["happy", "sad\nlivemood: all is well"]},
    "label that is not a text": {"labels": ["happy", {"a": []}]},
    "labels in one word": {"labels": "happysad"},
    "name of two lines": {"name": "a\nb"},
    "no checksums": {"sha256": [["model.keras", "0"]]},
    "format": {"format": "9" * 100_000},
}


@pytest.mark.parametrize("kind", ABSURD)
def test_manifest_when_a_value_is_absurd_then_one_short_line(bundle, kind):
    sign(bundle, **ABSURD[kind])
    with pytest.raises(ModelIncompatible) as caught:
        read_bundle(bundle)
    message = str(caught.value).removeprefix("bundle ").replace(str(bundle), "")
    assert message.isprintable()
    assert len(message) < 320


@pytest.mark.parametrize("text", ['{"a":' * 100_000, "[" * 200_000, '{"x": "' + "y" * (5 << 20) + '"}', "1" * 10_000])
def test_manifest_when_it_is_deep_or_large_then_one_short_line(bundle, text):
    (bundle / "manifest.json").write_text(text)
    with pytest.raises(ModelIncompatible, match="manifest") as caught:
        read_bundle(bundle)
    assert len(str(caught.value)) < 400


def test_model_when_its_checksum_is_not_the_manifests_then_no_engine_loads_it(bundle):
    """Of all four model files; the shipped ones go through the same lines."""
    found = read_bundle(bundle)
    for file in (found.keras, found.tflite):
        file.write_bytes(file.read_bytes() + b"\0")
        with pytest.raises(ModelIncompatible, match="altered or damaged"):
            found.checked(file)


# Data sets


def write_zip(path: Path, content: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def test_zip_when_names_climb_out_then_they_are_left_out_and_nothing_is_unpacked(tmp_path):
    inside = {f"{label}/{n}.png": coded(".png") for label in ("happy", "sad") for n in range(4)}
    path = write_zip(
        tmp_path / "in" / "d.zip" if (tmp_path / "in").mkdir() is None else tmp_path,
        inside
        | {
            "../escaped.png": b"x",
            "/etc/passwd.png": b"x",
            "happy/../../up.png": b"x",
        },
    )
    before = sorted(tmp_path.rglob("*"))
    collection = open_collection(path)
    assert collection.labels == ("happy", "sad")
    assert all(collection.read(sample) is not None for sample in collection.samples if ".." not in sample.file)
    assert "3 files left out, whose paths lead out of the zip, such as '../escaped.png'" in collection.notes
    assert sorted(tmp_path.rglob("*")) == before


def test_table_when_it_names_files_outside_the_folder_then_they_are_not_opened(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(coded(".png"))
    for split in ("FER2013Train", "FER2013Valid", "FER2013Test"):
        folder = tmp_path / "data" / split
        folder.mkdir(parents=True)
        (folder / "in.png").write_bytes(coded(".png"))
        rows = ["in.png", "in.png", "../../secret.png"]
        (folder / "label.csv").write_text("".join(f'{name},"(0, 0, 48, 48)",9,1,0,0,0,0,0,0,0,0\n' for name in rows))
    collection = open_collection(tmp_path / "data")
    by_file = {sample.file: collection.read(sample) for sample in collection.samples}
    assert by_file["FER2013Train/in.png"] is not None
    assert by_file["FER2013Train/../../secret.png"] is None


def test_zip_when_a_member_unpacks_to_gigabytes_then_it_is_skipped_unread(tmp_path):
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("happy/0.png", "w", force_zip64=True) as member,
    ):
        for _ in range(300):
            member.write(bytes(1 << 20))
    before = peak_mb()
    assert Files(path).read("happy/0.png") == b""
    assert peak_mb() - before < 50


@pytest.mark.parametrize("spoil", ["encrypted", "unknown method", "lies about its size"])
def test_zip_when_a_member_cannot_be_unpacked_then_it_counts_as_damaged(tmp_path, spoil):
    path = write_zip(tmp_path / "d.zip", {f"happy/{n}.png": coded(".png") for n in range(2)})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        at = data.index(signature)
        if spoil == "encrypted":
            data[at + 6 + offset] |= 1
        elif spoil == "unknown method":
            data[at + 8 + offset] = 77
        else:
            struct.pack_into("<I", data, at + 22 + offset, 10)
    path.write_bytes(data)
    assert decode(Files(path).read("happy/0.png")) is None


@pytest.mark.parametrize("name", ["\x1b[31mred", "a" * 100, "two\nlines", "happily.", "con", "Lpt1.x"])
def test_class_folder_when_its_name_cannot_be_a_label_then_one_line(tmp_path, name):
    inside = {f"{label}/{n}.png": coded(".png") for label in ("happy", name) for n in range(4)}
    with pytest.raises(DatasetError, match="cannot be a label") as caught:
        open_collection(write_zip(tmp_path / "d.zip", inside))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("rows", [b"0," + b"9 " * (2 << 20) + b",Training\n", b'0,"' + b"9 " * 200 + b",Training\n"])
def test_fer2013_when_a_line_is_endless_or_a_quote_is_left_open_then_one_line(tmp_path, rows):
    path = tmp_path / "fer2013.csv"
    path.write_bytes(b"emotion,pixels,Usage\n" + rows * 2)
    with pytest.raises(DatasetError):
        from_csv(path, None, ClassNames())


def test_fer2013_when_pictures_are_larger_than_a_csv_cell_usually_is_then_read(tmp_path):
    path = tmp_path / "fer2013.csv"
    row = "3," + " ".join(["100"] * 300 * 300) + ",Training\n"
    path.write_text("emotion,pixels,Usage\n" + row * 2)
    collection = from_csv(path, None, ClassNames())
    image = collection.read(collection.samples[1])
    assert image is not None
    assert image.shape == (300, 300, 3)


@pytest.mark.parametrize(
    "table",
    [b"", b"image\n", b"image,smile,yaw_rad\na.png,1,far\n", b"image,smile,yaw_rad\na.png\n", b"image,smile,yaw_rad\n"],
)
def test_smiles_when_the_table_makes_no_sense_then_one_line(tmp_path, table):
    path = write_zip(tmp_path / "s.zip", {"labels.csv": table, "a.png": coded(".png")})
    with pytest.raises(DatasetError):
        examine_smiles(default_bundle(), path)


def pickled(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


class Trap:
    """Unpickling it would make a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return Path.touch, (self.file,)


def test_work_folder_when_its_arrays_are_pickles_then_refused_and_nothing_runs(tmp_path):
    trap = pickled(np.array([Trap(tmp_path / "ran")], object))
    (tmp_path / "crops.npy").write_bytes(trap)
    write_zip(tmp_path / "data.npz", {"facts.npy": trap})
    write_zip(tmp_path / "checkpoint.npz", {"state.npy": trap})
    with pytest.raises(DatasetError, match="does not contain a whole data set"):
        restore(tmp_path)
    with pytest.raises(DatasetError, match="is not a checkpoint"):
        restore_run(tmp_path, {})
    assert not (tmp_path / "ran").exists()


def header_of(shape: tuple[int, ...], kind: str) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": kind, "fortran_order": False, "shape": shape})
    return stream.getvalue()


@pytest.mark.parametrize("shape", [(1 << 50,), (1 << 40, 1 << 40), (60000, 60000, 48)])
def test_work_folder_when_an_array_promises_terabytes_then_refused_before_memory_is_given_to_it(tmp_path, shape):
    (tmp_path / "crops.npy").write_bytes(header_of(shape, "|u1"))
    write_zip(tmp_path / "checkpoint.npz", {"state.npy": header_of(shape, "|u1"), "steps.npy": header_of((), "<i8")})
    before = peak_mb()
    with pytest.raises(DatasetError):
        restore(tmp_path)
    with pytest.raises(DatasetError):
        restore_run(tmp_path, {"model": 1})
    assert peak_mb() - before < 50


# Records


@pytest.mark.parametrize(
    "line",
    [
        '{"frame": 1' + "0" * 400 + ', "time_s": 0, "track": 1}',
        '{"frame": 1e400, "time_s": 0, "track": null}',
        '{"frame": 0, "time_s": 1e308, "track": null}',
        '{"frame": 0, "time_s": NaN, "track": null}',
        '{"v": ' + "9" * 5000 + ', "frame": 0, "time_s": 0, "track": null}',
        "[" * 100_000,
        '{"frame": 0, "time_s": 0, "track": 1, "box": [0, 0, 1, 1], "label": "' + "x" * (3 << 20) + '"}',
    ],
)
def test_records_when_a_line_is_absurd_then_it_is_left_out(tmp_path, line):
    path = tmp_path / "r.jsonl"
    path.write_text(f'{{"frame": 0, "time_s": 0, "track": null}}\n{line}\n')
    with pytest.warns(UserWarning, match="could not be read"):
        assert len(list(records.read(path))) == 1


def write_parquet(path: Path, **changes: Any) -> Path:
    """Write 3,000 rows of records with columns replaced."""
    import pyarrow
    import pyarrow.parquet

    names = records.columns(("happy", "sad"))
    rows = {name: np.zeros(3_000) for name in names} | {"label": ["happy"] * 3_000} | changes
    pyarrow.parquet.write_table(pyarrow.table(rows), path, compression="zstd")
    return path


@pytest.mark.parametrize("column", ["label", "score_happy"])
def test_records_when_a_few_bytes_of_parquet_stand_for_gigabytes_then_refused_before_they_are_unpacked(
    tmp_path, column
):
    import pyarrow

    million = pyarrow.DictionaryArray.from_arrays(np.zeros(3_000, np.int32), ["x" * 1_000_000])
    path = write_parquet(tmp_path / "bomb.parquet", **{column: million})
    assert path.stat().st_size < 50_000
    before = peak_mb()
    with pytest.raises(LivemoodError, match="is not a record file"):
        list(records.read(path))
    assert peak_mb() - before < 100


@pytest.mark.parametrize("labels", [range(3_000), [b"\xe0\x41"] * 3_000, [["happy"]] * 3_000])
def test_records_when_labels_in_parquet_are_no_words_then_one_line(tmp_path, labels):
    import pyarrow

    column = pyarrow.array(list(labels))
    broken = column.cast(pyarrow.string(), safe=False) if column.type == pyarrow.binary() else column
    path = write_parquet(tmp_path / "r.parquet", label=broken)
    with pytest.raises(LivemoodError, match="is no"):
        list(records.read(path))


def test_records_when_parquet_was_written_by_others_with_plain_labels_then_read(tmp_path):
    import polars

    path = write_parquet(tmp_path / "ours.parquet")
    polars.read_parquet(path).write_parquet(tmp_path / "theirs.parquet")
    assert len(list(records.read(tmp_path / "theirs.parquet"))) == 3_000


# The package itself


def test_package_then_nothing_in_it_unpickles_or_evaluates():
    banned_modules = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal", "yaml", "cloudpickle"}
    banned_calls = {"eval", "exec", "compile", "__import__"}
    found = []
    for file in sorted((ROOT / "livemood").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            where = f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                names = {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names = {(node.module or "").split(".")[0]}
            else:
                names = set()
            if names & banned_modules:
                found.append(f"{where} imports {names & banned_modules}")
            if isinstance(node, ast.Call):
                found += _banned_call(node, where, banned_calls)
    assert found == []


def _banned_call(node: ast.Call, where: str, banned: set[str]) -> list[str]:
    said = ast.unparse(node)
    fixed = all(isinstance(one, ast.Constant) for one in node.args)  # code that stands there and nowhere else
    if isinstance(node.func, ast.Name) and node.func.id in banned and not fixed:
        return [f"{where} calls {said}"]
    if said.startswith(("np.load(", "numpy.load(")) and "allow_pickle=False" not in said:
        return [f"{where} loads arrays without allow_pickle=False"]
    if "load_model(" in said and "safe_mode=False" in said:
        return [f"{where} turns off safe mode"]
    if "shell=True" in said or "enable_unsafe_deserialization" in said or "extractall" in said:
        return [f"{where} {said[:60]}"]
    return []
