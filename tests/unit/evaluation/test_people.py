"""People with a neutral and a smiling photo: what is counted, by whom, and what is refused."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from livemood.bundles.manifest import Head, default_bundle, read_bundle
from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTIONS
from livemood.core.types import Prediction, Track
from livemood.evaluation import people
from livemood.evaluation.people import check_people, examine_people
from livemood.evaluation.tables import people_tables
from tests.support.builders import SAMPLES, make_detection, read_still

# Happy's logit over neutral's on the neutral and on the smiling photo; None: no face.
SAID = {
    "clear": (-7.0, 3.0),
    "slight": (-7.0, -2.0),
    "always": (1.0, 3.0),
    "hidden": (None, None),
}


def make_zip(path: Path, rows: list[str], header: str = "file,person,kind,age,gender") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for row in rows:
            archive.writestr(f"set/{row.split(',')[0]}", b"no picture")
        archive.writestr("set/table.csv", "\n".join([header, *rows]))
    return path


def crowd(path: Path) -> Path:
    """Zip six women who smile clearly, six men who smile slightly, and three others."""
    names = [*(f"clear{i},20,female" for i in range(6)), *(f"slight{i},30,male" for i in range(6))]
    names += ["always0,40,female", "hidden0,NA,male", "clear9,24,"]
    rows = []
    for name in names:
        person, age, gender = name.split(",")
        rows += [f"{person}-{kind}.jpg,{person},{kind},{age},{gender}" for kind in ("neutral", "smiling")]
    return make_zip(path, rows)


@pytest.fixture
def said(monkeypatch):
    def look(files, file, classifier, detector):
        name, kind = Path(file).stem.split("-")
        happy = SAID[name.rstrip("0123456789")][kind == "smiling"]
        if happy is None:
            return None
        logits = np.array([{"neutral": 0.0, "happy": happy}.get(name, -9.0) for name in EMOTIONS])
        powers = np.exp(logits)
        smile = 1 / (1 + np.exp(-happy))
        kinds = {"smile": np.array([1 - smile, smile, 0.0], np.float32)}
        return Prediction((powers / powers.sum()).astype(np.float32), Track(1, make_detection(), 0.0), kinds)

    monkeypatch.setattr(people, "_look", look)


def accuracies(found, attribute, measure):
    return {name: row["accuracy"] for name, row in found["groups"][attribute][measure]["values"].items()}


@pytest.mark.usefixtures("said")
class TestCounted:
    @pytest.fixture
    def found(self, tmp_path):
        return examine_people(default_bundle(), crowd(tmp_path / "crowd.zip"))

    def test_examine_people_then_slight_smiles_are_right_after_rest_alone_and_no_face_is_wrong(self, found):
        assert found["people"] == 15
        assert accuracies(found, "everyone", "neutral") == {"everyone": round(13 / 15, 4)}
        assert accuracies(found, "everyone", "smiling") == {"everyone": round(8 / 15, 4)}
        assert accuracies(found, "everyone", "smiling after rest") == {"everyone": round(14 / 15, 4)}
        assert accuracies(found, "everyone", "neutral after rest") == accuracies(found, "everyone", "neutral")

    def test_examine_people_then_groups_have_wilson_intervals_and_gaps(self, found):
        smiling = found["groups"]["gender"]["smiling"]
        assert smiling["values"]["male"] == {"pictures": 7, "accuracy": 0.0, "interval": [0.0, 0.3543]}
        assert (smiling["largest_gap"], smiling["between"]) == (1.0, ["male", "female"])
        assert found["groups"]["gender"]["smiling after rest"]["largest_gap"] == pytest.approx(1 / 7, abs=1e-3)

    def test_examine_people_then_ages_are_bands_and_small_groups_make_no_gap(self, found):
        ages = found["groups"]["age"]["smiling"]
        assert {name: row["pictures"] for name, row in ages["values"].items()} == {
            "under 25": 7,
            "25 to 34": 6,
            "35 and over": 1,
        }
        assert ages["between"] == ["25 to 34", "under 25"]

    def test_examine_people_then_it_can_be_written_as_json_and_as_tables(self, found):
        json.dumps(found)
        titles = [table.title for table in people_tables(found)]
        assert titles == ["People", "People by age", "People by gender"]
        assert "smiling 100.0 points, male and female" in people_tables(found)[2].note
        assert people_tables(found)[0].note == ""


def test_examine_people_when_faces_are_real_then_they_are_found_and_read(tmp_path):
    photo = read_still(SAMPLES / "faces.png")
    smiling = cv2.imencode(".png", photo[:, : photo.shape[1] // 2 + 60])[1].tobytes()
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("smiling.png", smiling)
        archive.writestr("nobody.png", cv2.imencode(".png", photo[:40, :40])[1].tobytes())
        archive.writestr("people.csv", "file,person,kind\nsmiling.png,1,smiling\nnobody.png,1,neutral\n")
    found = examine_people(default_bundle(), tmp_path / "one.zip")["groups"]["everyone"]
    assert [measure["values"]["everyone"]["accuracy"] for measure in found.values()] == [0.0, 1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        (["a.jpg,1,neutral"], "file,person,mood", "has no such table"),
        (["a.jpg,1,neutral"], "file,person,kind", "nobody in set/table.csv has both"),
        (["a.jpg,1,neutral", "b.jpg,1,laughing"], "file,person,kind", "line 3: expected a file in the zip"),
        (["a.jpg,1,neutral", "b.jpg,1"], "file,person,kind", "line 3: expected a file in the zip"),
    ],
)
def test_check_people_when_the_table_makes_no_sense_then_one_line_says_why(tmp_path, rows, header, said):
    with pytest.raises(DatasetError, match=said):
        check_people(read_bundle(default_bundle()), make_zip(tmp_path / "set.zip", rows, header))


def test_check_people_when_it_is_no_zip_then_says_what_is_wanted(tmp_path):
    (tmp_path / "set.zip").write_text("no zip")
    with pytest.raises(DatasetError, match="is not a zip; give a zip of photos with a table of file, person, kind"):
        check_people(read_bundle(default_bundle()), tmp_path / "set.zip")


def test_check_people_when_the_model_lacks_happy_then_says_so(tmp_path):
    bundle = replace(read_bundle(default_bundle()), heads=(Head("emotion", ("neutral", "angry")),))
    with pytest.raises(DatasetError, match="does not know happy"):
        check_people(bundle, crowd(tmp_path / "crowd.zip"))
