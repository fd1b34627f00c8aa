"""Help, the list of models, and files of settings, at 80 columns."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from livemood.cli import program, run
from livemood.core.labels import EMOTIONS
from tests.support import commands
from tests.support.builders import ROOT, SAMPLES, make_frame, write_clip

COMMANDS = list(program().commands)


def livemood(*words: object, cwd: Path, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COLUMNS", "80")
        environment.setenv("XDG_CONFIG_HOME", str(home or cwd / "nobody"))
        return commands.livemood(*words, folder=cwd)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_then_fits_80_columns_and_names_no_types_beside_switches(command, capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert not re.search(r"<\w+>|bool|\[bold\]|`", text)
    assert not re.search(r"[{}]|\[\[|\.\.\.\.", text.splitlines()[0])
    assert not re.search(r"\(\w+\)\]|[<>]=|\d\.0\]", " ".join(text.split()))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("image http://host/a.jpg", "'PATH...': 'http://host/a.jpg' is a URL; give a path on this machine"),
        ("image a.jpg --out s3://bucket/b.jpg", "'--out': 's3://bucket/b.jpg' is a URL; give a path on this machine"),
        ("train faces --out=file:///mine", "'--out': 'file:///mine' is a URL; give a path on this machine"),
        ("video a.mp4 --markers a.edl --markers b.edl", "'--markers': it takes one value, got 2"),
        ("merge-people a.csv --same 1,2 --same 3,4 --out b.csv --out=c.csv", "'--out': it takes one value, got 2"),
        ("image a.png --csv a.csv --records b.csv", "'--records' / '--csv': it takes one value, got 2"),
    ],
)
def test_option_when_repeated_then_usage_error_if_it_takes_one_value(words, said, capsys) -> None:
    assert run(words.split()) == 2
    assert said in capsys.readouterr().err


def test_switch_when_repeated_then_the_last_one_counts(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["video", "gone.mp4", "--force", "--no-force", "--force"]) == 1
    assert "gone.mp4 is not there" in capsys.readouterr().err


def test_no_command_then_the_help_line_by_line_on_stderr_and_code_2(capsys) -> None:
    run(["--help"])
    text = capsys.readouterr().out
    assert run([]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.strip()) == ("", text.strip())


def test_a_command_then_the_modules_of_others_are_not_imported() -> None:
    tell = (
        "import sys; from livemood.cli import run; code = run(['undo', '--help'])\n"
        "names = 'undo', 'train', 'image', 'batch', 'video'\n"
        "print(code, [name for name in names if f'livemood.cli.{name}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines()[-1:] == ["0 ['undo']"], done.stderr


def test_help_of_the_program_then_every_command_has_a_line_and_comes_before_the_options(capsys) -> None:
    run(["--help"])
    text = capsys.readouterr().out
    assert text.index("Commands:") < text.index("Options:")
    assert all(re.search(rf"^  {command} +\w", text, re.MULTILINE) for command in COMMANDS)


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"cameras"}))
def test_help_then_examples_are_lines_of_their_own_to_be_copied(command, capsys) -> None:
    run([command, "--help"])
    examples = capsys.readouterr().out.partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
    assert examples
    assert all(line.startswith("    ") for line in examples)
    assert any(f"livemood {command}" in line for line in examples)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("video a.mp4 --every x", "'--every': 'x' is not a whole number"),
        ("video a.mp4 --every 1.5", "'--every': '1.5' is not a whole number"),
        ("video a.mp4 --every 0", "'--every': 0 is too small; 1 is the least"),
        ("web --port 99999999", "'--port': 99999999 is too large; 65535 is the most"),
        ("camera --fps x", "'--fps': 'x' is not a number"),
        ("camera --fps nan", "'--fps': nan is not a number"),
        ("camera --fps 0", "'--fps': 0 is too small; 0.01 is the least"),
        ("video a.mp4 --codec h263", "'--codec': 'h263' is not one of 'h264', 'h265', 'vp9', 'av1'"),
        ("video a.mp4 --start noon", "'--start': 'noon' is not a time; write seconds, 1:05, 1:02:03 or 1m30s"),
        ("bench --fps 20", "--fps: is for the live picture; add --live"),
        ("bench --live --duration 2", "--duration: must be at least 4 s, got 2"),
    ],
)
def test_value_when_it_cannot_be_used_then_one_line_names_it_and_what_can(words, said, capsys) -> None:
    assert run(words.split()) == 2
    assert capsys.readouterr().err == f"livemood: Invalid value for {said} (see --help)\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("video in.mp4 --records a.csv --summary a.csv --force", "--summary: a.csv is the file of --records"),
        ("video in.mp4 --records a.csv --markers ./a.csv", "--markers: a.csv is the file of --records"),
        (
            "camera --no-window --records a.csv --markers link.csv --force",
            "--markers: link.csv is the file of --records",
        ),
        ("image in.jpg --records a.csv --list-skipped a.csv", "--list-skipped: a.csv is the file of --records"),
    ],
)
def test_outputs_when_two_are_one_file_then_refused_before_anything_is_made(
    words, said, capsys, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("link.csv").symlink_to("a.csv")
    assert run(words.split()) == 2
    told = f"livemood: Invalid value for {said}; give each a file of its own (see --help)\n"
    assert capsys.readouterr().err == told
    assert [path.name for path in tmp_path.iterdir()] == ["link.csv"]


def test_models_then_a_table_of_80_columns_with_three_figures(tmp_path) -> None:
    done = livemood("models", cwd=tmp_path)
    assert done.returncode == 0
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["name", "kind", "labels", "MB", "figures"]
    assert max(map(len, [head, *rows])) <= 80
    assert len(re.findall(r"accuracy \d|happy or sad \d|calibration error \d", done.stdout)) == 3
    assert all(label in done.stdout for label in EMOTIONS)
    full = livemood("models", "--full", cwd=tmp_path).stdout
    known = json.loads(livemood("models", "--json", cwd=tmp_path).stdout)["models"]
    assert all(digest in full for model in known for digest in model["sha256"].values())


# ---- files of settings ----


def test_config_then_the_folder_goes_before_the_user_and_the_command_line_before_both(tmp_path, capfd) -> None:
    (tmp_path / "home" / "livemood").mkdir(parents=True)
    mine = tmp_path / "home" / "livemood" / "livemood.toml"
    mine.write_text('detector = "far"\n[video]\nevery = 3\n')
    (tmp_path / "livemood.toml").write_text('[video]\nevery = 2\nemotions = ["happy", "sad"]\n')
    done = livemood("config", "--json", cwd=tmp_path, home=tmp_path / "home")
    found = {
        (row["command"], row["option"]): (row["value"], row["from"]) for row in json.loads(done.stdout)["settings"]
    }
    assert found["video", "every"] == (2, "livemood.toml")
    assert found["camera", "detector"] == ("far", str(mine))
    assert json.loads(done.stdout)["files"] == {str(mine): True, str(tmp_path / "livemood.toml"): True}

    words = ("video", SAMPLES / "faces.mp4", "--duration", "0.2", "--records", "-")
    livemood(*words, cwd=tmp_path, home=tmp_path / "home")
    row = json.loads(capfd.readouterr().out.splitlines()[0])
    assert list(row["scores"]) == ["happy", "sad"]
    livemood(*words, "--emotions", "fear,sad", cwd=tmp_path)
    row = json.loads(capfd.readouterr().out.splitlines()[0])
    assert list(row["scores"]) == ["fear", "sad"]


def test_config_of_a_command_then_every_option_says_where_it_comes_from(tmp_path) -> None:
    (tmp_path / "livemood.toml").write_text("[video]\ncrf = 24\n")
    lines = livemood("config", "video", cwd=tmp_path).stdout.splitlines()
    assert any(re.fullmatch(r"video +crf +24 +livemood\.toml", line) for line in lines)
    assert any(re.fullmatch(r"video +detector +auto +built in", line) for line in lines)
    assert not any("force" in line for line in lines)


def test_config_when_it_turns_a_switch_on_then_the_command_line_turns_it_off(tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    Path("livemood.toml").write_text("\ufeff[video]\nfaceless-rows = true\n", encoding="utf-8")
    film = write_clip(tmp_path / "grey.mp4", [make_frame(64, 48).image] * 3)
    for words, rows in (([], 3), (["--no-faceless-rows"], 0)):
        assert run(["video", str(film), "--records", "-", *words]) == 0
        assert sum('"frame"' in line for line in capfd.readouterr().out.splitlines()) == rows
    assert run(["video", "--help"]) == 0
    assert "--no-faceless-rows" not in capfd.readouterr().out
    assert run(["config", "video", "--json"]) == 0
    found = {row["option"]: row["value"] for row in json.loads(capfd.readouterr().out)["settings"]}
    assert (found["faceless-rows"], found["every"], found["crf"]) == (True, 1, None)


def test_config_when_its_folder_may_not_be_entered_then_commands_work_without_it(monkeypatch, tmp_path, capsys) -> None:
    kept = Path.stat

    def stat(path: Path, **words: bool) -> os.stat_result:
        if path.is_relative_to(tmp_path / "theirs"):
            raise PermissionError(13, "Permission denied", str(path))
        return kept(path, **words)

    monkeypatch.setattr(Path, "stat", stat)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "theirs"))
    monkeypatch.chdir(tmp_path)
    assert run(["models"]) == 0
    capsys.readouterr()
    for make in (None, Path.mkdir):
        if make:
            make(Path("livemood.toml"))
        assert run(["config"]) == 0
        theirs, ours = capsys.readouterr().out.splitlines()
        assert theirs == f"{tmp_path / 'theirs' / 'livemood' / 'livemood.toml'} (no permission to look into its folder)"
        assert ours == f"{tmp_path / 'livemood.toml'} ({'not a file' if make else 'not there'})"
    assert run(["config", "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["files"].values()) == [False, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('detectr = "far"', "no command has an option 'detectr'; did you mean 'detector'?"),
        ("[vdeo]\ncrf = 1", "there is no command 'vdeo'; did you mean 'video'?"),
        ('[video]\ncodc = "h265"', "video has no option 'codc'; did you mean 'codec'?"),
        ('[video]\ncodec = "h263"', "'h263' is not one of"),
        ('[video]\npanel = "yes"', "it is true or false"),
        ('[video]\ncrf = "many"', "crf = 'many' cannot be used ('many' is not a whole number)"),
        ("[video]\nevery = true", "it is not a switch"),
        ("[video]\nevery = 0", "0 is too small; 1 is the least"),
        ('[video]\nstart = "noon"', "start = 'noon' cannot be used ('noon' is not a time"),
        ("a = [", "is not TOML"),
        ("[video]\ncrf = 2020-01-01", "crf = 2020-01-01 cannot be used (it takes a number or words in quotes)"),
        ('detector = ["fast"]', "it takes one value"),
        ("[[video]]\ncrf = 1", "video is a command; write [video], and its options below"),
        ('emotions = ["happy", 3]', "emotions = ['happy', 3] cannot be used (it takes words in quotes)"),
        ("every = 2", "every differs between video, batch, crop; set it for one command, in the table [video]"),
        ('preset = "veryfast"', "preset differs between video, train"),
        # No advice, and no suggestion, that would be refused in turn.
        ('out = "x.mp4"', "out = 'x.mp4' cannot be set in a file; give it on the command line"),
        ("[video]\nfoce = true", "video has no option 'foce'; there are start, duration, every, codec,"),
        ("[undo]\nx = 1", "undo has no option 'x'; no option of this command can be set in a file"),
        # What a stranger's folder must not decide.
        ('[video]\nout = "x.mp4"', "cannot be set in a file; give it on the command line"),
        ('[camera]\nosc = "10.0.0.1:9000"', "cannot be set in a file"),
        ('[camera]\nsource = "http://10.0.0.1/"', "cannot be set in a file"),
        ("[image]\nforce = true", "cannot be set in a file"),
    ],
)
def test_config_when_it_says_something_wrong_then_one_line_and_no_work(
    tmp_path, monkeypatch, capsys, text, said
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("livemood.toml").write_text(text)
    for words in (["config"], ["video", str(SAMPLES / "faces.mp4")]):
        assert run(words) == 1
        told = capsys.readouterr().err
        assert said in told
        assert told.startswith("livemood: livemood.toml")
        assert told.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["livemood.toml"]


# ---- libraries that are missing ----


@pytest.mark.parametrize(
    ("library", "words", "said"),
    [
        ("av", ("video", SAMPLES / "faces.mp4", "--out", "out.mp4"), "av is not installed; try: pip install av"),
        ("cv2", ("image", SAMPLES / "faces.png"), "cv2 is not installed; try: pip install opencv-contrib-python"),
        ("rich", ("models",), "rich is not installed; try: pip install rich"),
        ("typer", ("models",), "typer is not installed; try: pip install typer"),
        ("PIL", ("image", "icc.jpg"), "icc.jpg could not be processed (import of PIL halted; None in sys.modules)"),
        ("pyarrow", ("batch", SAMPLES / "faces.png", "--out", "out"), "try: pip install 'livemood[parquet]'"),
    ],
)
def test_library_when_missing_then_one_line_names_it_and_nothing_is_written(tmp_path, library, words, said) -> None:
    (tmp_path / "block").mkdir()
    (tmp_path / "block" / "sitecustomize.py").write_text(f"import sys\nsys.modules[{library!r}] = None\n")
    place = tmp_path / "place"
    place.mkdir()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (64, 48)).save(place / "icc.jpg", icc_profile=profile)
    env = {**os.environ, "PYTHONPATH": f"{tmp_path / 'block'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "livemood", *map(str, words)]
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("livemood: ")
    assert said in done.stderr
    assert "report it" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert [path.name for path in place.iterdir()] == ["icc.jpg"]
