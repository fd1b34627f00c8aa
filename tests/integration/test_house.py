"""Repository metadata, issue forms, workflows and the container are correct."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from livemood import __version__
from tests.support.builders import ROOT
from tests.tools.container import dockerfile_lines

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = [
    line.rpartition(" ")[2]
    for line in PROJECT["classifiers"]
    if line.startswith("Programming Language :: Python :: 3.")
]


def read_yaml(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def steps(workflow: str, job: str) -> list[str]:
    return [
        step["run"] for step in read_yaml(f".github/workflows/{workflow}.yml")["jobs"][job]["steps"] if "run" in step
    ]


def test_metadata_then_names_home_authors_and_every_python() -> None:
    assert {"Homepage", "Documentation", "Issues", "Changelog"} == set(PROJECT["urls"])
    assert PROJECT["authors"] == [{"name": "The livemood authors"}]
    assert PYTHONS == ["3.11", "3.12", "3.13", "3.14"]
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"


def test_citation_then_is_of_this_version_and_licence() -> None:
    citation = read_yaml("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == __version__
    assert citation["license"] == PROJECT["license"]
    assert citation["repository-code"] == PROJECT["urls"]["Homepage"]
    assert f"## [{__version__}] - {citation['date-released']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", ["bug_report", "feature_request"])
def test_issue_form_then_has_what_a_form_needs(form) -> None:
    found = read_yaml(f".github/ISSUE_TEMPLATE/{form}.yml")
    assert {"name", "description", "body"} <= found.keys()
    fields = [item for item in found["body"] if item["type"] != "markdown"]
    assert all(item["id"] and item["attributes"]["label"] for item in fields)
    assert any(item.get("validations", {}).get("required") for item in fields)


def test_checks_then_run_on_every_system_and_python() -> None:
    matrix = read_yaml(".github/workflows/checks.yml")["jobs"]["installs"]["strategy"]["matrix"]
    assert matrix["python"] == PYTHONS
    assert matrix["os"] == ["ubuntu-latest", "windows-latest", "macos-latest"]
    assert steps("checks", "everything") == [".ci/run"]


def test_commands_of_the_checks_then_work_one_by_one(tmp_path) -> None:
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    commands = [line for line in steps("checks", "installs") if line.startswith("livemood")]
    assert len(commands) == 4
    for line in commands:
        words = [str(Path(sys.executable).with_name("livemood")), *shlex.split(line)[1:]]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        assert (done.returncode, done.stderr) == (0, ""), line


def test_release_then_publishes_without_a_secret_and_attaches_the_list_of_parts() -> None:
    jobs = read_yaml(".github/workflows/release.yml")["jobs"]
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert not any("secrets." in str(job) for job in jobs.values())
    assert "make sbom" in steps("release", "build")
    assert jobs["release"]["needs"] == "publish"


def test_hooks_before_a_commit_then_are_the_checks_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    hooks = read_yaml(".pre-commit-config.yaml")["repos"][0]["hooks"]
    for hook in hooks:
        assert f"$(BIN)/{hook['entry'].removesuffix(' --force-exclude')}" in makefile


def test_container_then_its_user_is_unprivileged() -> None:
    """``make container`` runs its lines."""
    words = dict(dockerfile_lines())
    assert words["FROM"].startswith("python:3.")
    assert words["FROM"].endswith("-slim")
    assert words["USER"] == "10001:10001"


def test_container_when_run_as_its_file_says_then_it_may_write_into_the_folder_of_whoever_runs_it() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (command,) = re.findall(r"^# +(docker run .*)$", text, re.MULTILINE)
    assert {'-v "$PWD:/data"', '--user "$(id -u):$(id -g)"'} <= set(re.findall(r'-{1,2}\w+ "[^"]*"', command))
    assert "ENV HOME=/tmp" in text, "a user who is not in the image has no home there"
