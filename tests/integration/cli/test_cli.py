"""The commands as a person runs them; in a process of their own where that is what is tested."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from livemood.bundles.manifest import default_bundle
from livemood.cli import run
from livemood.cli.bars import progress_bars
from livemood.core.labels import EMOTIONS
from tests.support.builders import SAMPLES, half_sample, write_clip
from tests.support.commands import livemood

CLIP = SAMPLES / "faces.mp4"
PHOTO = SAMPLES / "faces.png"
LIVEMOOD = Path(sys.executable).with_name("livemood")


def one_line(text: str) -> bool:
    return text.startswith("livemood: ") and text.endswith("\n") and text.count("\n") == 1


def test_bars_when_news_of_a_video_come_after_its_end_then_they_are_skipped(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    late, early = Path("late [1].mp4"), Path("early.mp4")
    with progress_bars(2) as bars:
        bars.end(late)
        bars.begin(late, 9)
        bars.advance(late)
        bars.begin(early, 9)
        bars.begin(early, 9)
        bars.advance(early)
    shown = capsys.readouterr().err
    assert "late" not in shown
    assert shown.rpartition("all videos")[2].count("early.mp4") == 1


@pytest.fixture(scope="module")
def short_clip(tmp_path_factory) -> Path:
    """The first second of the sample, so that a run takes a second."""
    target = tmp_path_factory.mktemp("clip") / "short.mp4"
    return write_clip(target, half_sample(30))


class TestVideo:
    def test_of_a_clip_then_same_frames_size_and_a_codec_browsers_play(self, short_clip, tmp_path):
        done = livemood("video", short_clip, "--out", tmp_path / "out.mp4")
        assert (done.returncode, done.stderr) == (0, "")
        with av.open(str(tmp_path / "out.mp4")) as out:
            stream = out.streams.video[0]
            assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
            assert (stream.width, stream.height) == (640, 360)
            assert sum(1 for _ in out.decode(video=0)) == 30
        assert "30 frames" in done.stdout
        assert str(tmp_path / "out.mp4") in done.stdout
        assert [p.name for p in tmp_path.iterdir()] == ["out.mp4"]

    def test_without_out_then_a_name_beside_the_input_and_never_over_another_file(self, short_clip, tmp_path):
        clip = Path(shutil.copy(short_clip, tmp_path / "my clip.mp4"))
        assert livemood("video", clip).returncode == 0
        target = tmp_path / "my clip-moods.mp4"
        before = target.read_bytes()
        again = livemood("video", clip)
        assert again.returncode == 1
        assert one_line(again.stderr)
        assert "--force" in again.stderr
        assert target.read_bytes() == before
        assert livemood("video", clip, "--force").returncode == 0

    def test_out_when_its_folder_is_not_there_then_it_is_made(self, short_clip, tmp_path):
        done = livemood("video", short_clip, "--out", tmp_path / "new" / "out.mp4")
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / "new" / "out.mp4").stat().st_size > 1000

    def test_json_and_records_then_the_documented_shapes(self, short_clip, tmp_path):
        rows = tmp_path / "moods.jsonl"
        done = livemood("video", short_clip, "--out", tmp_path / "o.mp4", "--records", rows, "--json")
        summary = json.loads(done.stdout)
        said, *records = [json.loads(line) for line in rows.read_text().splitlines()]
        assert said["livemood"]["source"] == short_clip.name
        assert summary["frames"] == 30
        assert summary["faces"] == len(records)
        assert summary["tracks"] == len({record["track"] for record in records})
        first = records[0]
        assert {"frame", "time_s", "track", "box", "label", "confidence", "scores", "raw_scores"} <= first.keys()
        left, top, right, bottom = first["box"]
        assert 0 <= left < right <= 640
        assert 0 <= top < bottom <= 360
        assert tuple(first["scores"]) == tuple(first["raw_scores"]) == EMOTIONS
        assert sum(first["scores"].values()) == pytest.approx(1, abs=1e-3)
        assert first["label"] in (*EMOTIONS, "unsure")
        assert records[-1]["time_s"] == pytest.approx(29 / 30, abs=1e-3)

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
    def test_stderr_when_a_terminal_then_a_bar_with_frames_done_and_their_speed(self, short_clip, tmp_path):
        words = [str(word) for word in ("video", short_clip, "--out", tmp_path / "out.mp4")]
        ours, theirs = os.openpty()
        with os.fdopen(ours, "rb", 0) as terminal:
            with subprocess.Popen([LIVEMOOD, *words], stderr=theirs, env=os.environ | {"COLUMNS": "100"}) as process:
                os.close(theirs)
                shown = b""
                with suppress(OSError):  # the other end was closed
                    while part := terminal.read(4096):
                        shown += part
            text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
        assert process.returncode == 0
        assert re.search(r"short\.mp4 .*\b[1-9]\d?/30\s+[1-9]\d* fps\b", text), text

    def test_report_when_plotly_is_missing_then_said_before_the_work(self, short_clip, tmp_path, monkeypatch, capsys):
        monkeypatch.setitem(sys.modules, "plotly.offline", None)
        words = ("video", short_clip, "--out", tmp_path / "o.mp4", "--report", tmp_path / "r.html")
        assert run([str(word) for word in words]) == 1
        assert "plotly is not installed" in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []

    def test_a_process_then_loads_only_what_it_uses_and_seldom_looks_for_garbage(self, short_clip, tmp_path):
        code = (
            "import atexit, gc, sys\n"
            f"sys.argv = ['livemood', 'video', {str(short_clip)!r}, '--out', 'out.mp4', '--json']\n"
            "from livemood.cli import main; before = sum(turn['collections'] for turn in gc.get_stats())\n"
            "def tell():\n"
            "    loaded = [name for name in ('keras', 'mediapipe', 'rich') if name in sys.modules]\n"
            "    searches = sum(turn['collections'] for turn in gc.get_stats()) - before\n"
            "    print(loaded, searches, gc.get_freeze_count() > 0)\n"
            "atexit.register(tell); main()"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
        loaded, searches, frozen = done.stdout.splitlines()[-1].split()
        assert loaded == "[]"
        assert int(searches) < 20
        assert frozen == "True"

    def test_emotions_when_two_are_chosen_then_only_these_are_scored(self, short_clip, tmp_path):
        rows = tmp_path / "moods.jsonl"
        out = tmp_path / "o.mp4"
        done = livemood("video", short_clip, "--out", out, "--records", rows, "--emotions", "happy,sad")
        assert done.returncode == 0
        said, *lines = rows.read_text().splitlines()
        assert json.loads(said)["livemood"]["options"]["emotions"] == ["happy", "sad"]
        for line in lines:
            record = json.loads(line)
            assert tuple(record["scores"]) == ("happy", "sad")
            assert record["label"] in ("happy", "sad", "unsure")

    def test_without_faces_then_succeeds_and_says_so(self, tmp_path):
        clip = write_clip(tmp_path / "empty.mp4", [np.full((120, 160, 3), 80, np.uint8)] * 5)
        done = livemood("video", clip)
        assert (done.returncode, done.stderr) == (0, "")
        assert "No face was found" in done.stdout

    def test_name_when_not_ascii_then_works(self, short_clip, tmp_path):
        clip = Path(shutil.copy(short_clip, tmp_path / "Größe 笑顔.mp4"))
        done = livemood("video", clip, "--out", tmp_path / "être.mp4")
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / "être.mp4").stat().st_size > 1000

    @pytest.mark.parametrize("content", [None, b"", b"just some text\n" * 100], ids=["missing", "empty", "text"])
    def test_input_when_no_video_then_one_line_and_nothing_written(self, tmp_path, content):
        clip = tmp_path / "clip.mp4"
        if content is not None:
            clip.write_bytes(content)
        done = livemood("video", clip, "--out", tmp_path / "out.mp4")
        assert done.returncode == 1
        assert done.stdout == ""
        assert one_line(done.stderr)
        assert "clip.mp4" in done.stderr
        assert not (tmp_path / "out.mp4").exists()

    def test_input_when_a_folder_without_videos_then_one_line_and_nothing_written(self, tmp_path):
        (tmp_path / "clip.mp4").mkdir()
        done = livemood("video", tmp_path / "clip.mp4", "--out-dir", tmp_path / "out")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"livemood: {tmp_path / 'clip.mp4'} contains no videos\n"
        assert not (tmp_path / "out").exists()

    def test_out_when_the_folder_cannot_be_written_then_one_line(self, short_clip, tmp_path):
        (tmp_path / "file").write_text("not a folder")
        done = livemood("video", short_clip, "--out", tmp_path / "file" / "out.mp4")
        assert done.returncode == 1
        assert one_line(done.stderr)

    def test_disk_when_full_then_one_line_and_no_partial_file(self, short_clip, tmp_path):
        """A file size limit of 20 kB stands in for a full disk: the write fails in the same call."""
        words = f'"{LIVEMOOD}" video "{short_clip}" --out "{tmp_path}/out.mp4"'
        done = subprocess.run(
            ["bash", "-c", f'ulimit -f 20; trap "" XFSZ; exec {words}'], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 1
        assert one_line(done.stderr)
        assert "out.mp4" in done.stderr
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("emotions", ["joy", "happy", "happy,happy", ""])
    def test_emotions_when_the_choice_makes_no_sense_then_usage_error(self, short_clip, tmp_path, emotions):
        done = livemood("video", short_clip, "--out", tmp_path / "o.mp4", "--emotions", emotions)
        assert done.returncode == 2
        assert one_line(done.stderr)
        assert not (tmp_path / "o.mp4").exists()


class TestModel:
    @pytest.fixture
    def bundle(self, tmp_path) -> Path:
        return Path(shutil.copytree(default_bundle(), tmp_path / "bundle"))

    def test_bundle_when_missing_then_one_line(self, tmp_path):
        done = livemood("image", PHOTO, "--model", tmp_path / "none")
        assert done.returncode == 1
        assert one_line(done.stderr)
        assert "no model bundle" in done.stderr

    def test_bundle_when_weights_are_altered_then_one_line_about_it(self, bundle):
        (bundle / "model.tflite").write_bytes((bundle / "model.tflite").read_bytes()[:-1] + b"!")
        done = livemood("image", PHOTO, "--model", bundle)
        assert done.returncode == 1
        assert one_line(done.stderr)
        assert "altered or damaged" in done.stderr

    def test_bundle_when_manifest_is_broken_then_one_line(self, bundle):
        (bundle / "manifest.json").write_text("{")
        done = livemood("image", PHOTO, "--model", bundle)
        assert done.returncode == 1
        assert one_line(done.stderr)


class TestImage:
    def test_json_of_a_photo_then_the_documented_shape(self):
        done = livemood("image", PHOTO, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        (result,) = json.loads(done.stdout)["images"]
        assert (result["path"], result["width"], result["height"], result["error"]) == (str(PHOTO), 1280, 720, None)
        face = result["faces"][0]
        assert face["label"] == "happy"
        assert face["confidence"] == pytest.approx(max(face["scores"].values()))
        assert tuple(face["scores"]) == EMOTIONS

    def test_keras_engine_then_the_same_scores_within_a_thousandth(self):
        scores = []
        for engine in ("litert", "keras"):
            done = livemood("image", PHOTO, "--json", "--engine", engine)
            assert (done.returncode, done.stderr) == (0, "")
            scores.append(json.loads(done.stdout)["images"][0]["faces"][0]["scores"])
        for emotion in EMOTIONS:
            assert scores[0][emotion] == pytest.approx(scores[1][emotion], abs=1e-3)

    def test_folder_then_copies_table_and_csv(self, tmp_path):
        photos = tmp_path / "photos"
        photos.mkdir()
        shutil.copy(PHOTO, photos / "a.png")
        cv2.imwrite(str(photos / "b.jpg"), np.full((90, 120, 3), 50, np.uint8))
        done = livemood("image", photos, "--out", tmp_path / "out", "--csv", tmp_path / "t.csv")
        assert (done.returncode, done.stderr) == (0, "")
        assert "no face found" in done.stdout
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "b.jpg"]
        copy, original = cv2.imread(str(tmp_path / "out" / "a.png")), cv2.imread(str(PHOTO))
        assert copy is not None
        assert original is not None
        assert copy.shape == original.shape
        assert (copy != original).any()
        lines = (tmp_path / "t.csv").read_text().splitlines()
        assert lines[0].startswith("path,width,height,faces,error,v,frame,time_s,track,box_left")
        first = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
        assert (first["label"], first["faces"], first["width"]) == ("happy", "2", "1280")

    def test_smiling_face_then_its_kind_of_smile_is_told_everywhere_unless_it_is_switched_off(self, tmp_path):
        done = livemood("image", PHOTO, "--out", tmp_path / "told", "--sort-into", tmp_path / "s", "--sort-by", "smile")
        assert "happy · open smile" in done.stdout
        assert done.stdout.count("smile") == 1, "the other face is surprised, with its mouth open"
        assert (tmp_path / "s" / "happy" / "open" / PHOTO.name).is_file()
        faces = json.loads(livemood("image", PHOTO, "--json").stdout)["images"][0]["faces"]
        assert [face["smile"]["label"] for face in faces][:1] == ["open"]
        assert set(faces[0]["smile"]["scores"]) == {"none", "closed", "open"}
        livemood("image", PHOTO, "--out", tmp_path / "not", "--no-smile-kind")
        told, plain = (np.asarray(cv2.imread(str(tmp_path / folder / PHOTO.name))) for folder in ("told", "not"))
        rows, columns = np.nonzero((told != plain).any(axis=2))
        assert len(rows), "both pictures are alike"
        assert max(columns) < 720, "the surprised face is on the right"
        assert max(rows) < 250

    def test_sort_into_then_photos_lie_in_folders_named_after_their_emotion(self, tmp_path):
        done = livemood("image", PHOTO, "--sort-into", tmp_path / "sorted", "--emotions", "happy,sad")
        assert done.returncode == 0
        assert (tmp_path / "sorted" / "happy" / PHOTO.name).read_bytes() == PHOTO.read_bytes()

    def test_photos_when_one_is_broken_then_the_others_are_read_and_the_exit_code_tells(self, tmp_path):
        (tmp_path / "broken.jpg").write_text("not a picture")
        done = livemood("image", tmp_path / "broken.jpg", PHOTO, "--json")
        results = json.loads(done.stdout)["images"]
        assert done.returncode == 1
        assert one_line(done.stderr)
        assert "broken.jpg" in results[0]["error"]
        assert results[1]["faces"]

    @pytest.mark.parametrize(
        "picture",
        [
            np.zeros((1, 1, 3), np.uint8),
            np.zeros((6000, 8000, 3), np.uint8),
            np.full((60, 80), 90, np.uint8),
            np.full((60, 80, 4), 90, np.uint8),
            np.full((60, 80, 3), 40000, np.uint16),
        ],
        ids=["1x1", "8000x6000", "grey", "rgba", "16-bit"],
    )
    def test_photo_of_any_kind_then_read(self, tmp_path, picture):
        cv2.imwrite(str(tmp_path / "p.png"), picture)
        done = livemood("image", tmp_path / "p.png", "--json")
        result = json.loads(done.stdout)["images"][0]
        assert (done.returncode, done.stderr) == (0, "")
        assert (result["height"], result["width"]) == picture.shape[:2]

    def test_copies_when_photos_have_the_same_name_then_each_has_one(self, tmp_path):
        for folder in "ab":
            (tmp_path / folder).mkdir()
            shutil.copy(PHOTO, tmp_path / folder / "p.png")
        done = livemood("image", tmp_path, "--out", tmp_path / "o", "--sort-into", tmp_path / "s")
        assert (done.returncode, done.stderr) == (0, "")
        assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["p-2.png", "p.png"]
        assert sorted(path.name for path in (tmp_path / "s" / "happy").iterdir()) == ["p-2.png", "p.png"]

    @pytest.mark.parametrize("option", ["--out", "--sort-into"])
    def test_copy_when_it_would_replace_a_photo_that_is_read_then_refused_even_by_force(self, tmp_path, option):
        folder = tmp_path if option == "--out" else tmp_path / "happy"
        folder.mkdir(exist_ok=True)
        photo = Path(shutil.copy(PHOTO, folder / "p.png"))
        done = livemood("image", photo, option, tmp_path, "--force")
        assert done.returncode == 1
        assert one_line(done.stderr)
        assert f"{photo} is one of the inputs; choose another {option}" in done.stderr
        assert photo.read_bytes() == PHOTO.read_bytes()

    def test_copies_when_one_cannot_be_written_then_the_others_are_and_all_are_read(self, tmp_path):
        photos = [Path(shutil.copy(PHOTO, tmp_path / f"{letter}.png")) for letter in "ab"]
        (tmp_path / "o" / "a.png").mkdir(parents=True)
        done = livemood("image", *photos, "--out", tmp_path / "o", "--csv", tmp_path / "t.csv", "--force")
        assert done.returncode == 1
        assert one_line(done.stderr)
        assert "a.png is a folder" in done.stderr
        assert (tmp_path / "o" / "b.png").is_file()
        text = (tmp_path / "t.csv").read_text()
        assert all(str(photo) in text for photo in photos)

    def test_photos_of_any_name_then_table_and_csv_have_it_byte_for_byte(self, tmp_path):
        names = b"photo [abc].png", b"c [/d].png", b"caf\xe9.png"
        (tmp_path / "c [").mkdir()
        for name in names:
            shutil.copy(PHOTO, tmp_path / os.fsdecode(name))
        env = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
        words = [os.fsencode(LIVEMOOD), b"image", *names, b"--csv", b"t.csv"]
        done = subprocess.run(words, capture_output=True, cwd=tmp_path, env=env)
        assert (done.returncode, done.stderr) == (0, b"")
        table = (tmp_path / "t.csv").read_bytes()
        assert all(name in done.stdout and name in table for name in names)

    @pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
    def test_photo_when_stdout_has_few_letters_then_json_has_its_name_and_doctor_prints_all(self, tmp_path, encoding):
        """As in a container without a locale, and where output is redirected on Windows."""
        name = "Ω ✓ \N{GRINNING FACE}.png"
        shutil.copy(PHOTO, tmp_path / name)
        env = {**os.environ, "PYTHONIOENCODING": encoding}
        done = subprocess.run([LIVEMOOD, "image", name, "--json"], capture_output=True, cwd=tmp_path, env=env)
        assert (done.returncode, done.stderr) == (0, b"")
        assert json.loads(done.stdout.decode(encoding))["images"][0]["path"] == name
        checks = subprocess.run([LIVEMOOD, "doctor"], capture_output=True, cwd=tmp_path, env=env)
        assert checks.stderr == b""
        assert b"Traceback" not in checks.stdout
        refused = subprocess.run([LIVEMOOD, "image", "Ω.png"], capture_output=True, cwd=tmp_path, env=env)
        assert refused.stderr.decode(encoding).startswith("livemood: ")
        assert refused.returncode == 1

    def test_copy_when_there_already_then_not_overwritten(self, tmp_path):
        (tmp_path / PHOTO.name).write_text("mine")
        done = livemood("image", PHOTO, "--out", tmp_path)
        assert done.returncode == 1
        assert one_line(done.stderr)
        assert (tmp_path / PHOTO.name).read_text() == "mine"


class TestEveryCommand:
    @pytest.mark.parametrize(
        ("words", "named"),
        [
            (["image", ""], "an argument"),
            (["image", str(PHOTO), "--records", ""], "--records"),
            (["image", str(PHOTO), "--sort-into="], "--sort-into"),
            (["video", " ", "--out", "a.mp4"], "an argument"),
            (["batch", str(PHOTO), "--out", ""], "--out"),
            (["crop", "", "--out", "crops"], "an argument"),
            (["train", "", "--out", "mine"], "an argument"),
            (["camera", "--source", "", "--no-window", "--records", "a.csv"], "--source"),
        ],
    )
    def test_value_when_empty_as_of_an_unset_variable_then_refused(self, tmp_path, monkeypatch, capsys, words, named):
        """The path "" would be the current folder; ``batch`` wrote into the root of all folders."""
        monkeypatch.chdir(tmp_path)
        assert run(words) == 2
        said = f"livemood: Invalid value for {named}: it is empty; is a variable of the shell not set? (see --help)\n"
        assert capsys.readouterr().err == said
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("inside", ["", "/deep/er"])
    @pytest.mark.parametrize(
        ("words", "option"),
        [
            (["image", PHOTO], "--out"),
            (["image", PHOTO], "--sort-into"),
            (["crop", PHOTO], "--out"),
            (["video", CLIP, CLIP], "--out-dir"),
            (["batch", PHOTO], "--out"),
            (["batch", PHOTO, "--out", "set"], "--labelled"),
            (["train", PHOTO.parent], "--out"),
            (["web"], "--out"),
        ],
    )
    def test_folder_to_write_when_it_is_a_file_or_lies_in_one_then_refused_at_once(
        self, tmp_path, monkeypatch, capsys, words, option, inside
    ):
        monkeypatch.chdir(tmp_path)
        Path("mine").write_text("x")
        assert run([*map(str, words), option, f"mine{inside}"]) == 1
        said = capsys.readouterr()
        assert (said.out, said.err) == ("", f"livemood: mine is a file; give {option} a folder\n")
        assert [path.name for path in tmp_path.iterdir()] == ["mine"]

    def test_command_when_the_current_folder_is_gone_then_that_is_said(self, tmp_path):
        gone = tmp_path / "gone"
        gone.mkdir()
        code = f"import os, sys; os.rmdir({str(gone)!r}); from livemood.cli import main; main()"
        words = [sys.executable, "-c", code, "video", str(CLIP), "--out", "o.mp4"]
        done = subprocess.run(words, capture_output=True, text=True, cwd=gone)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "livemood: the current folder: No such file or directory; try another file or place\n"

    @pytest.mark.parametrize("command", ["video", "camera", "image", "train", "models"])
    def test_help_then_examples_and_no_noise(self, command):
        done = livemood(command, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert f"livemood {command}" in done.stdout
        assert "Examples" in done.stdout

    def test_version(self):
        import livemood as package

        assert livemood("--version").stdout == f"livemood {package.__version__}\n"

    def test_unknown_option_then_usage_error_in_one_line(self):
        done = livemood("video", "a.mp4", "--colour", "red")
        assert done.returncode == 2
        assert one_line(done.stderr)

    def test_models_then_all_with_checksums(self):
        done = livemood("models", "--json")
        assert (done.returncode, done.stderr) == (0, "")
        models = json.loads(done.stdout)["models"]
        assert [(m["kind"], m["input"]["size_px"]) for m in models] == [
            ("emotion", 48),
            ("face", 128),
            ("face", 192),
            ("face", 320),
            ("face", 640),
            ("doubt", 24),
            ("doubt", 24),
        ]
        assert models[0]["labels"] == list(EMOTIONS)
        assert all(len(digest) == 64 for m in models for digest in m["sha256"].values())

    def test_models_table_then_shows_the_labels(self, monkeypatch):
        monkeypatch.setenv("COLUMNS", "200")
        done = livemood("models")
        assert (done.returncode, done.stderr) == (0, "")
        assert "contempt" in done.stdout

    @pytest.mark.parametrize(
        "words",
        [
            ["image"],
            ["video"],
            ["crop", "--out", "f"],
            ["report", "--out", "p.html"],
            ["train", "--out", "b"],
            ["evaluate", "default"],
        ],
        ids=lambda words: words[0],
    )
    def test_name_when_too_long_for_any_file_then_one_line_and_nothing_is_written(self, words, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        done = livemood(*words, "x" * 300)
        assert done.returncode == 1
        assert one_line(done.stderr), done.stderr
        assert "xxx" in done.stderr
        assert list(tmp_path.iterdir()) == []

    def test_error_when_debugging_then_the_traceback_shows(self, tmp_path):
        words, env = [LIVEMOOD, "video", tmp_path / "none.mp4"], {**os.environ, "LIVEMOOD_DEBUG": "1"}
        done = subprocess.run(words, capture_output=True, text=True, env=env)
        assert done.returncode == 1
        assert "Traceback" in done.stderr


@pytest.mark.parametrize(
    ("wanted", "threads"), [({}, (1, 1)), ({"OPENCV_FOR_THREADS_NUM": "2", "OPENBLAS_NUM_THREADS": "3"}, (2, 3))]
)
def test_commands_then_opencv_and_numpy_keep_to_one_thread_unless_the_user_wants_more(wanted, threads):
    usual = {name: value for name, value in os.environ.items() if not name.endswith(("_THREADS", "_THREADS_NUM"))}
    code = (
        "import atexit, os, sys; from livemood.cli import main; sys.argv = ['livemood', '--version']\n"
        "def tell(): import cv2; print(cv2.getNumThreads(), os.environ['OPENBLAS_NUM_THREADS'])\n"
        "atexit.register(tell); main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=usual | wanted, check=True)
    assert done.stdout.splitlines()[1:] == ["{} {}".format(*threads)]


def test_entry_point_when_a_worker_process_imports_it_then_the_command_line_is_not_loaded():
    (command,) = entry_points(group="console_scripts", name="livemood")
    code = f"import sys, {command.module}; print('typer' in sys.modules, 'livemood.cli' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False False\n"
    assert command.load().__name__ == "main"


def test_package_when_imported_then_nothing_heavy_is_loaded():
    heavy = "('cv2', 'keras', 'mediapipe', 'numpy', 'av', 'typer')"
    code = f"import sys, livemood; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_help_then_loads_no_library_that_takes_long():
    heavy = ("numpy", "cv2", "av", "keras", "tensorflow", "mediapipe", "ai_edge_litert", "rich.console", "pyarrow")
    code = (
        "import sys; from livemood.cli import run; code = run(['--help'])\n"
        f"print(code, [name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_package_names_then_all_can_be_reached():
    import livemood as package

    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing  # type: ignore[attr-defined]  # mypy sees it too, else it reports this comment as unused
