"""The metrics: each compared with a case computed by hand or by another method."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from livemood.bundles.manifest import Head, default_bundle, read_bundle
from livemood.core.crop_spec import CROP
from livemood.core.errors import DatasetError
from livemood.core.labels import EMOTION, EMOTIONS
from livemood.core.probabilities import with_temperature
from livemood.datasets.dataset import Dataset
from livemood.datasets.split import Split
from livemood.evaluation import metrics as evaluate
from livemood.evaluation.corruptions import (
    CORRUPTIONS,
    STANDARD_CORRUPTIONS,
    FaceSample,
    corrupt,
    mask,
    one_pixel_shifts,
    sunglasses,
)
from livemood.evaluation.evaluate import compare, examine
from livemood.evaluation.groups import by_group, read_groups
from livemood.evaluation.page import write_html
from livemood.evaluation.robustness import flips, stress_crops, stress_photos
from livemood.evaluation.smiles import check_smiles, examine_smiles, skin_tone
from livemood.evaluation.tables import smile_tables, tables
from livemood.reporting.tables import Table
from livemood.training.export import class_prior as balance
from tests.support.builders import SAMPLES, make_detection, make_face_crop, read_still

NAMES = ("happy", "sad")


def make_split(labels: list[int], classes: int = 2, files: list[str] | None = None) -> Split:
    many = len(labels)
    return Split(
        np.zeros((many, 2, 48, 48, 1), np.uint8),
        np.arange(many),
        np.array(files or [f"{n}.png" for n in range(many)]),
        {EMOTION: np.eye(classes, dtype=np.int64)[labels]},
        {EMOTION: NAMES if classes == 2 else EMOTIONS[:classes]},
    )


def probabilities(*first: float) -> np.ndarray:
    return np.array([(p, 1 - p) for p in first], np.float32)


def test_scores_when_worked_out_by_hand_then_agree():
    found = evaluate.scores(probabilities(0.9, 0.8, 0.6, 0.3), np.array([0, 0, 1, 1]), NAMES)
    assert found.accuracy == 0.75
    assert found.recall == {"happy": 1.0, "sad": 0.5}
    assert found.macro_f1 == pytest.approx((2 * 2 / 5 + 2 * 1 / 3) / 2)


def test_scores_when_a_class_has_no_picture_then_it_has_no_recall_and_counts_nowhere():
    found = evaluate.scores(probabilities(0.9, 0.2), np.array([0, 0]), NAMES)
    assert found.recall == {"happy": 0.5, "sad": None}
    assert found.macro_f1 == pytest.approx(2 / 3)


def test_scores_when_a_picture_has_no_label_then_left_out():
    assert evaluate.scores(probabilities(0.9, 0.1), np.array([0, -1]), NAMES).pictures == 1


def test_ece_when_confidence_and_accuracy_differ_then_their_gap():
    assert evaluate.ece(probabilities(*[0.9] * 10), np.array([0] * 6 + [1] * 4)) == pytest.approx(0.3, abs=1e-6)


def test_reliability_when_summed_then_holds_every_picture():
    rng = np.random.default_rng(0)
    bins = evaluate.reliability(probabilities(*rng.random(100)), rng.integers(0, 2, 100))
    assert sum(b.pictures for b in bins) == 100
    assert len(bins) == 15


def test_fit_temperature_when_model_is_too_sure_then_above_one_and_better():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 4000)
    honest = np.where(rng.random(4000) < 0.75, labels, 1 - labels)
    said = probabilities(*np.where(honest == 0, 0.99, 0.01))
    temperature = evaluate.fit_temperature(said, labels)
    cooled = with_temperature(said, temperature)
    assert temperature > 1
    assert cooled.max() == pytest.approx(0.75, abs=0.03)


def test_fit_temperature_when_a_handful_of_pictures_are_all_right_then_stays_near_one():
    said = probabilities(*[0.8] * 6)
    assert 0.5 < evaluate.fit_temperature(said, np.zeros(6, int)) < 1.0


def test_kl_when_prediction_is_the_votes_then_zero():
    votes = probabilities(0.3, 0.8)
    assert evaluate.kl(votes, votes) == pytest.approx(0, abs=1e-6)
    assert evaluate.kl(votes[::-1], votes) > 0.1


def test_wilson_then_the_interval_of_the_textbook_and_all_of_it_without_pictures():
    z2 = 1.959964**2
    for hits, of in ((0, 10), (7, 23), (50, 50), (480, 500)):
        for bound in evaluate.wilson(hits, of):  # where the share lies 1.96 standard errors from the bound
            assert (hits / of - bound) ** 2 == pytest.approx(z2 * bound * (1 - bound) / of, abs=1e-6)
    assert evaluate.wilson(0, 0) == (0, 1)
    assert evaluate.wilson_of_mean(np.arange(23) < 7) == evaluate.wilson(7, 23)


def test_mcnemar_when_one_model_wins_all_disagreements_then_significant():
    ours, theirs = np.ones(20, bool), np.ones(20, bool)
    assert evaluate.mcnemar(ours, theirs) == 1.0
    theirs[:10] = False
    assert evaluate.mcnemar(ours, theirs) == pytest.approx(2 * 0.5**10)


def test_happy_versus_sad_when_others_score_higher_then_only_the_two_are_compared():
    said = np.array([(0.3, 0.1, 0.6), (0.2, 0.3, 0.5), (0.1, 0.2, 0.7), (0.6, 0.4, 0.0)], np.float32)
    labels = np.array([0, 0, 1, 2])
    assert evaluate.happy_versus_sad(said, labels, ("happy", "sad", "neutral")) == pytest.approx(2 / 3)


def test_happy_versus_sad_when_no_picture_is_either_then_none():
    said, labels = np.full((2, 3), 1 / 3, np.float32), np.array([2, 2])
    assert evaluate.happy_versus_sad(said, labels, ("happy", "sad", "neutral")) is None


def test_happy_versus_sad_when_the_model_lacks_one_of_them_then_none():
    assert evaluate.happy_versus_sad(probabilities(0.9), np.array([0]), ("happy", "neutral")) is None


def test_auc_when_scores_rank_perfectly_or_tie_then_one_or_a_half():
    truth = np.array([True, True, False, False])
    assert evaluate.auc(np.array([0.9, 0.8, 0.2, 0.1]), truth) == 1.0
    assert evaluate.auc(np.full(4, 0.5), truth) == 0.5


def test_accuracy_by_coverage_then_that_of_the_most_confident():
    confidence = np.array([0.5, 0.9, 0.8, 0.6, 0.7, 0.4, 0.3, 0.95, 0.85, 0.2])
    rows = evaluate.accuracy_by_coverage(confidence, confidence > 0.45)
    assert [row["coverage"] for row in rows] == [1.0, 0.95, 0.9, 0.8, 0.7, 0.5]
    assert rows[0] == {"coverage": 1.0, "accuracy": 0.7, "confidence": 0.2}
    assert rows[-1] == {"coverage": 0.5, "accuracy": 1.0, "confidence": 0.7}
    assert rows[3]["accuracy"] == pytest.approx(7 / 8)


def balanced(predictions, priors, strength):
    return evaluate.with_offsets(predictions, balance.offsets(priors, strength, 0.0, NAMES))


class TestBalance:
    def test_rare_strength_when_a_rare_class_is_drowned_then_helps_it_without_costing_accuracy(self):
        rng = np.random.default_rng(0)
        labels = (rng.random(4000) < 0.1).astype(int)
        common = np.array([0.9, 0.1])
        # Half of the rare class just fails to lead, and nothing else is near the border.
        said = probabilities(*np.where(labels == 0, 0.95, np.where(rng.random(4000) < 0.5, 0.55, 0.2)))
        strength = balance.rare_strength(said, labels, NAMES, common)
        after = evaluate.scores(balanced(said, common, strength), labels, NAMES)
        assert 0 < strength < 1
        assert after.recall["sad"] == 1.0
        assert after.accuracy == 1.0

    def test_rare_strength_when_it_would_cost_accuracy_then_keeps_off(self):
        said = probabilities(*[0.6] * 95, *[0.55] * 5)
        labels = np.array([0] * 95 + [1] * 5)
        common = np.array([0.95, 0.05])
        before = evaluate.scores(said, labels, NAMES).accuracy
        adjusted = balanced(said, common, balance.rare_strength(said, labels, NAMES, common))
        assert evaluate.scores(adjusted, labels, NAMES).accuracy >= before - 0.003

    @pytest.mark.parametrize("said_too_often", [True, False])
    def test_happy_offset_then_happy_is_said_as_often_as_it_is_the_label(self, said_too_often):
        rng = np.random.default_rng(3)
        labels = np.arange(1000) % 2
        sure = rng.normal(np.where(labels == 0, 0.7, -0.7) + (0.4 if said_too_often else -0.4), 1)
        said = probabilities(*1 / (1 + np.exp(-sure)))
        added = balance.happy_offset(said, labels, NAMES)
        assert added < -0.2 if said_too_often else added > 0.2
        after = np.log(said) + balance.offsets(np.ones(2), 0.0, added, NAMES)
        assert (after.argmax(1) == 0).sum() == pytest.approx((labels == 0).sum(), abs=1)

    def test_happy_offset_when_few_are_happy_or_happy_is_no_class_then_nothing_is_added(self):
        said, labels = probabilities(*[0.9] * 150), np.array([0] * 99 + [1] * 51)
        assert balance.happy_offset(said, labels, NAMES) == 0
        assert balance.happy_offset(said, np.zeros(150, int), ("up", "down")) == 0

    def _drowned(self, few_rest):
        """Everyone is neutral, sad or happy; ``few_rest`` of the sad ones are narrowly predicted as neutral."""
        names, labels = ("neutral", "happy", "sad", "fear"), np.repeat([0, 1, 2], 400)
        said = np.full((1200, 4), 0.02, np.float32)
        said[np.arange(1200), labels] = 0.94
        said[800 : 800 + few_rest] = (0.5, 0.02, 0.4, 0.08)
        said[:8] = (0.52, 0.02, 0.42, 0.04)
        return said, labels, names

    def test_others_offset_when_it_wins_what_neutral_took_then_raises_rare_classes_half_as_much(self):
        said, labels, names = self._drowned(few_rest=40)
        common = balance.class_priors(np.eye(4, dtype=np.float32)[np.repeat([0, 1, 2, 3], [400, 400, 400, 2])])
        parts = balance.others_weights(common, names)
        assert parts.tolist() == [0, 0, 1, 0.5]
        raised = balance.others_offset(said, labels, names, parts)
        assert raised == pytest.approx(0.5)
        after = np.log(said) + balance.offsets(common, 0.0, 0.0, names, raised)
        assert (after.argmax(1) == 2)[800:840].all()

    def test_others_offset_when_it_would_cost_accuracy_then_stops_before(self):
        said, labels, names = self._drowned(few_rest=0)
        said[:60] = (0.52, 0.02, 0.42, 0.04)
        raised = balance.others_offset(said, labels, names, np.array([0, 0, 1, 0.5]))
        assert raised == pytest.approx(0.2)  # log(0.52 / 0.42) is 0.21
        assert balance.others_offset(said, labels, names, np.zeros(4)) == 0

    def test_balanced_offsets_then_raise_what_is_less_common_and_rare_classes_half_as_much(self):
        targets = np.eye(4, dtype=np.float32)[np.repeat([0, 1, 2, 3], [400, 200, 100, 1])]
        most, half, quarter, rare = balance.balanced_offsets(targets)
        assert most == 0
        assert half == pytest.approx(0.4 * np.log(2), abs=1e-4)
        assert quarter == pytest.approx(0.4 * np.log(4), abs=1e-4)
        assert rare == pytest.approx(0.2 * np.log(400 / 701 * 16), abs=1e-4)  # as if it were a sixteenth

    def test_balanced_offsets_when_classes_are_equally_common_then_nothing_is_raised(self):
        assert balance.balanced_offsets(np.eye(3, dtype=np.float32)) == (0, 0, 0)

    def test_others_offset_when_neutral_is_no_class_then_nothing_is_raised(self):
        assert not balance.others_weights(np.full(2, 0.125), NAMES).any()


SPOILERS = {
    **STANDARD_CORRUPTIONS,
    **{f"{kind} {name}": s for kind, amounts in CORRUPTIONS.items() for name, s in amounts.items()},
}


class TestRobustness:
    @pytest.mark.parametrize("name", SPOILERS)
    def test_spoiled_when_applied_then_same_form_other_pixels_and_repeatable(self, name):
        crops = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1), np.uint8)
        once = corrupt(crops, CROP, SPOILERS[name])
        assert once.shape == crops.shape
        assert once.dtype == np.uint8
        assert (once != crops).any()
        assert (once == corrupt(crops, CROP, SPOILERS[name])).all()

    @pytest.mark.parametrize("name", SPOILERS)
    def test_spoiler_when_given_a_photo_then_a_photo_of_the_same_form(self, name):
        photo = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
        sight = FaceSample(photo, np.array(CROP.template) * 60 + 20, 60 / 48)
        worse = SPOILERS[name](sight, np.random.default_rng(0))
        assert worse.shape == photo.shape
        assert worse.dtype == np.uint8
        assert (worse != photo).any()

    def test_spoiled_when_noise_then_of_the_stated_strength(self):
        flat = np.full((20, 48, 48, 1), 128, np.uint8)
        assert corrupt(flat, CROP, STANDARD_CORRUPTIONS["noise 15/255"]).std() == pytest.approx(15, abs=0.5)

    @pytest.mark.parametrize(("cover", "hidden", "free"), [(mask, (2, 3), (0, 1)), (sunglasses, (0, 1), (2, 3))])
    def test_cover_when_drawn_then_over_the_right_points_only(self, cover, hidden, free):
        sight = FaceSample.of_crop(np.full((96, 96, 1), 90, np.uint8), replace(CROP, size_px=96))
        covered = cover(sight, np.random.default_rng(0))
        at = [int(covered[round(y), round(x), 0]) for x, y in sight.points]
        assert all(at[point] != 90 for point in hidden)
        assert all(at[point] == 90 for point in free)

    def test_one_pixel_shifts_when_made_then_one_to_each_side(self):
        crops = np.zeros((1, 9, 9, 1), np.uint8)
        crops[0, 4, 4] = 255
        places = {tuple(map(int, np.argwhere(moved[0, ..., 0])[0])) for moved in one_pixel_shifts(crops)}
        assert places == {(3, 4), (5, 4), (4, 3), (4, 5)}


def drawn_split() -> Split:
    """Return eight drawings that smile and eight that frown."""
    kinds = [0, 1] * 8
    split = make_split(kinds)
    for place, kind in enumerate(kinds):
        split.pixels[place] = make_face_crop(NAMES[kind], place).mean(-1, keepdims=True).astype(np.uint8)
    return split


def tied_split() -> Split:
    """Return drawings on each of which two classes have five votes."""
    split = drawn_split()
    return replace(split, votes={EMOTION: np.full_like(split.votes[EMOTION], 5)})


class TestExamine:
    def examined(self, split: Split, near_copies: tuple[tuple[str, str], ...] = ()) -> dict:
        """Measure the shipped model on a split as the only one of its data set."""
        dataset = Dataset(split.heads, {"test": split}, 0, (), near_copies, (), 1.0)
        return {**make_report(), **examine(default_bundle(), dataset, split, {})}

    def test_examine_when_no_picture_has_a_majority_then_the_rest_is_measured_and_shown(self):
        report = self.examined(tied_split())
        json.dumps(report, allow_nan=False)
        assert report["raw"]["majority"]["pictures"] == 0
        assert report["raw"]["top_vote"]["pictures"] == 16
        accuracy, *others = tables(report)
        assert [row[0] for row in accuracy.rows] == ["top vote, as they come", "top vote, aligned"]
        assert [table.title for table in others] == ["Classes", "Accuracy by coverage", "Further figures"]

    def test_examine_when_near_copies_are_in_any_other_split_then_each_picture_counts_once(self):
        # 0.png is the training picture of two pairs, 1.png the held-out one of another; the last is none of ours.
        pairs = (("0.png", "a.png"), ("0.png", "b.png"), ("c.png", "1.png"), ("d.png", "e.png"))
        copies = self.examined(drawn_split(), pairs)["copies"]
        assert copies["near"] == 2
        assert copies["accuracy_majority_without_near"] != copies["accuracy_majority_without_exact"]

    def test_compare_when_the_other_is_nearly_always_wrong_then_the_p_value_is_small_and_not_zero(self, tmp_path):
        other = shutil.copytree(default_bundle(), tmp_path / "swapped")
        manifest = json.loads((other / "manifest.json").read_text())
        swapped = {"happy": "sad", "sad": "happy"}
        emotion = manifest["heads"][0]
        emotion["labels"] = [swapped.get(label, label) for label in emotion["labels"]]
        (other / "manifest.json").write_text(json.dumps(manifest))
        once = drawn_split()
        split = make_split(once.top_vote.tolist() * 4)
        split.pixels[:] = np.tile(once.pixels, (4, 1, 1, 1, 1))
        found = compare(default_bundle(), other, split)
        assert found["only_ours_right"] > 40 + found["only_theirs_right"]
        assert 0 < found["p_value"] < 1e-9


class TestStress:
    def test_stress_crops_when_no_picture_has_a_majority_then_no_rows(self):
        assert stress_crops(default_bundle(), tied_split()) == []

    def test_stress_crops_when_measured_then_a_row_for_each_way_after_the_untouched_one(self):
        rows = stress_crops(default_bundle(), drawn_split())
        assert [row["kind"] for row in rows] == ["none", *(kind for kind, ways in CORRUPTIONS.items() for _ in ways)]
        assert all(0 <= row["accuracy"] <= 1 and 0 <= row["unsure"] <= 1 for row in rows)
        by_way = {(row["kind"], row["amount"]): row["accuracy"] for row in rows}
        assert by_way["none", ""] > by_way["covered", "mask"], "a smile under a mask cannot be seen"

    def test_stress_when_emotions_count_as_equally_common_then_figures_are_others(self):
        split = drawn_split()
        split.pixels[:] = np.random.default_rng(0).integers(0, 256, split.pixels.shape)
        for measure in (flips, stress_crops):
            assert measure(default_bundle(), split, "balanced") != measure(default_bundle(), split)

    def test_flips_when_pictures_are_even_then_none_and_otherwise_pictures_flip_more_than_shifts(self):
        even = make_split([0, 1])
        assert flips(default_bundle(), even) == {"shifts": 0.0, "pictures": 0.0}
        drawn = drawn_split()
        drawn.pixels[:] = np.random.default_rng(0).integers(0, 256, drawn.pixels.shape)
        found = flips(default_bundle(), drawn)
        assert 0 <= found["shifts"] <= found["pictures"] <= 4 * found["shifts"]


class TestGroups:
    def test_by_group_when_one_group_fails_then_largest_gap_names_both(self):
        split = make_split([0, 0, 0, 0], files=["happy/a.png", "happy/b.png", "c.png", "d.png"])
        groups = {"age": {"happy/a.png": "old", "happy/b.png": "old", "c.png": "young", "d.png": "young"}}
        found = by_group(probabilities(0.9, 0.9, 0.9, 0.1), split, groups)["age"]
        assert found["values"]["old"]["accuracy"] == 1.0
        assert found["values"]["young"]["accuracy"] == 0.5
        assert (found["largest_gap"], found["between"]) == (0.5, ["young", "old"])

    def test_by_group_when_no_picture_is_named_then_says_how_to(self):
        with pytest.raises(DatasetError, match=r"none of the 1 pictures .* name them as 0\.png"):
            by_group(probabilities(0.9), make_split([0]), {"age": {"x.png": "old"}, "skin": {"x.png": "dark"}})

    def test_by_group_when_an_attribute_is_empty_then_only_the_others_are_measured(self):
        groups = {"skin": {"0.png": "", "x.png": "dark"}, "age": {"0.png": "old", "x.png": "young"}}
        assert by_group(probabilities(0.9), make_split([0]), groups).keys() == {"age"}

    @pytest.mark.parametrize(
        ("text", "match"),
        [
            ("file\na.png\n", "header with a file column"),
            ("file,age\na.png\n", "line 2: expected 2 columns, file, age"),
            ("file,age\n0.png,3\n", r"line 2: 2 pictures are called 0\.png, such as happy/0\.png and sad/0\.png; give"),
            ("file,,\na.png,3,\n", "header with a file column"),
            ("file,age,age \na.png,3,4\n", r"g\.csv has two columns called age; rename one"),
            ("file,age,\na.png,3,old\n", r"g\.csv has values in column 3, which has no name; name it"),
            ("file,age\na.png,3\nb/a.png,4\n", r"line 3: b/a\.png has other values above; keep one"),
            ("\nfile,age\n\n0.png,3\n", r"line 4: 2 pictures are called 0\.png"),
            ("file,age\n\na.png\n", "line 3: expected 2 columns"),
        ],
    )
    def test_read_groups_when_columns_are_wrong_then_one_clear_line(self, tmp_path, text, match):
        (tmp_path / "g.csv").write_text(text)
        with pytest.raises(DatasetError, match=match):
            read_groups(tmp_path / "g.csv", ["b/a.png", "happy/0.png", "sad/0.png"])

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_read_groups_when_a_spreadsheet_wrote_it_then_it_is_read(self, tmp_path, encoding):
        (tmp_path / "g.csv").write_text("file;age ;;\na.png; 30;;\nc.png;20;;\n;;;\n", encoding=encoding)
        assert read_groups(tmp_path / "g.csv", ["b/a.png"]) == ({"age": {"b/a.png": "30"}}, ["c.png"])

    def test_read_groups_when_several_attributes_then_each(self, tmp_path):
        (tmp_path / "g.csv").write_text("file,age,skin\nsad/a.png,old,dark\n")
        files = ["happy/a.png", "sad/a.png"]
        values, unknown = read_groups(tmp_path / "g.csv", files)
        assert values == {"age": {"sad/a.png": "old"}, "skin": {"sad/a.png": "dark"}}
        assert not unknown

    @pytest.mark.parametrize(
        ("values", "note"), [(["old"] * 2, ""), (["old", "young"], "Largest gap: 100.0 points, between young and old.")]
    )
    def test_table_of_groups_then_a_gap_only_between_two(self, values, note):
        split, table = make_split([0, 0]), {"age": dict(zip(("0.png", "1.png"), values, strict=True))}
        groups = by_group(probabilities(0.9, 0.1), split, table)
        assert tables({**make_report(), "groups": groups})[-1].note == note


def make_report() -> dict:
    protocol = {"pictures": 3, "accuracy": 0.6667, "interval": [0.2, 0.9], "macro_f1": 0.6, "ece": 0.1, "nll": 0.5}
    framing = {"majority": protocol, "top_vote": {**protocol, "pictures": 4}, "kl_to_votes": 0.2}
    row = {"pictures": 2, "recall": 0.5, "interval": [0.1, 0.9], "precision": None, "f1": 0.5}
    return {
        "bundle": "<mine>", "data": "faces", "split": "test", "prior": "training", "pictures": 4, "labels": list(NAMES),
        "raw": framing, "aligned": framing,
        "classes": dict.fromkeys(NAMES, row),
        "coverage": [
            {"coverage": 1.0, "accuracy": 0.5, "confidence": 0.4}, {"coverage": 0.5, "accuracy": 1.0, "confidence": 0.8}
        ],
        "heads": {},
        "confusion": [[1, 1], [0, 2]],
        "reliability": [{"pictures": 4, "confidence": 0.8, "accuracy": 0.7}],
        "robustness": {"blur": {"accuracy": 0.5, "points_lost": 16.7}},
        "groups": {"age": {"values": {"old": protocol}, "largest_gap": 0.0, "between": ["old", "old"]}},
        "copies": {"exact": 0, "near": 0, "accuracy_majority_without_exact": None},
        "speed": {"faces_per_s": 900.0, "face_ms": 1.0, "near_detection_vga_ms": 2.0, "ratio": 0.5},
    }  # fmt: skip


def test_tables_when_report_is_whole_then_every_part_is_shown():
    found = tables(make_report())
    assert [table.title for table in found] == [
        "Accuracy", "Classes", "Robustness", "Accuracy by coverage", "Further figures", "By age"
    ]  # fmt: skip
    assert found[3].rows == (("100 %", "50.0 %", "0.40"), ("50 %", "100.0 %", "0.80"))


def test_tables_when_a_class_has_no_picture_then_dashes():
    report = make_report()
    absent = {"pictures": 0, "recall": None, "interval": None, "precision": 0.0, "f1": None}
    report["classes"] = {**report["classes"], "sad": absent}
    assert tables(report)[1].rows[1] == ("sad", "0", "–", "–", "0.0 %", "–")


def test_tables_when_a_further_head_was_measured_then_a_table_of_its_classes():
    row = {"pictures": 2, "recall": 0.5, "interval": [0.1, 0.9], "precision": None, "f1": 0.5}
    head = {"pictures": 4, "accuracy": 0.75, "interval": [0.3, 0.95], "macro_f1": 0.7, "ece": 0.1}
    report = {**make_report(), "heads": {"smile": {**head, "classes": {"open": row, "closed": row}}}}
    table = tables(report)[2]
    assert table.title == "Head smile"
    assert [cells[0] for cells in table.rows] == ["open", "closed"]
    assert table.note.startswith("75.0 % of 4 pictures right (30.0 to 95.0), macro-F1 0.700")


def test_tables_when_stress_was_measured_then_a_table_for_crops_and_one_for_photos():
    row = {
        "kind": "blur",
        "amount": "2 px",
        "accuracy": 0.5,
        "unsure": 0.25,
        "accuracy_when_sure": None,
        "ece_when_sure": None,
    }
    stress = {"crops": [row], "photos": [{**row, "found": 0.9}], "flips": {"shifts": 0.01, "pictures": 0.03}}
    crops, photos = tables({**make_report(), "stress": stress})[-2:]
    assert crops.rows == (("blur", "2 px", "50.0 %", "25.0 %", "–", "–"),)
    assert "in 1.0 % of the cases; 3.0 % of the pictures" in crops.note
    assert photos.rows[0][-1] == "90.0 %"


@pytest.mark.parametrize(("p_value", "shown"), [(0.3049, "0.305"), (0.00123, "0.00123"), (2.2e-29, "< 0.001")])
def test_tables_when_two_models_are_compared_then_a_small_p_value_is_never_zero(p_value, shown):
    counts = {"accuracy_top_vote": 0.5, "difference": 0.1, "only_ours_right": 9, "only_theirs_right": 1}
    against = tables({**make_report(), "against": {"bundle": "other", **counts, "p_value": p_value}})[-1]
    assert against.rows[-1][-1] == shown


def test_tables_when_votes_are_folders_then_protocols_are_not_told_apart():
    report = make_report()
    report["raw"]["majority"] = report["raw"]["top_vote"]
    assert [row[0] for row in tables(report)[0].rows] == ["all, as they come", "all, aligned"]


def test_markdown_when_table_has_a_note_then_below_and_bars_stay_in_their_cells():
    text = Table("t", ("a", "b"), (("1", "2|3"),), "note").markdown()
    assert text == "| a | b |\n| --- | --- |\n| 1 | 2\\|3 |\n\nnote"


def test_write_html_when_done_then_one_page_with_pictures_inside_and_names_escaped(tmp_path):
    report = make_report()
    json.dumps(report)
    write_html(report, tmp_path / "deep" / "report.html")
    text = (tmp_path / "deep" / "report.html").read_text()
    assert text.count("data:image/png;base64,") == 2
    assert "<mine>" not in text
    assert "&lt;mine&gt;" in text
    assert 'src="http' not in text


class TestSmiles:
    def write_photos(self, path: Path, surprised_smiles: int = 0) -> Path:
        """Zip the two people of the sample, one by one, and a photo of nobody."""
        photo = read_still(SAMPLES / "faces.png")
        middle = photo.shape[1] // 2 + 60
        photos = {"smiling.png": photo[:, :middle], "surprised.png": photo[:, middle:], "nobody.png": photo[:40, :40]}
        with zipfile.ZipFile(path, "w") as archive:
            for name, image in photos.items():
                archive.writestr(f"smiles/{name}", cv2.imencode(".png", image)[1].tobytes())
            rows = ["image,smile,yaw_rad,pitch_rad,roll_rad", "smiling.png,1,0.01,0,0"]
            rows.append(f"surprised.png,{surprised_smiles},-0.5,0,0")
            archive.writestr("smiles/labels.csv", "\n".join([*rows, "nobody.png,0,0,0,0"]))
        return path

    def test_examine_smiles_when_no_face_is_found_then_that_photo_is_wrong(self, tmp_path):
        found = examine_smiles(default_bundle(), self.write_photos(tmp_path / "photos.zip"))
        assert found["photos"] == 3
        assert found["found"] == found["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
        assert found["auc"] == 1.0
        assert found["interval"] == pytest.approx(evaluate.wilson(2, 3), abs=1e-4)
        poses = found["groups"]["head turned"]["values"]
        assert poses["over 15°"]["interval"] == pytest.approx(evaluate.wilson(1, 1), abs=1e-4)
        assert {name: row["pictures"] for name, row in poses.items()} == {"under 5°": 2, "over 15°": 1}
        assert sum(row["pictures"] for row in found["groups"]["skin tone"]["values"].values()) == 2
        assert smile_tables(found)[0].title == "Smiles in whole photos"

    def test_examine_smiles_when_all_faces_smile_then_no_auc_and_no_nan(self, tmp_path):
        found = examine_smiles(default_bundle(), self.write_photos(tmp_path / "photos.zip", surprised_smiles=1))
        assert found["auc"] is None
        json.dumps(found, allow_nan=False)
        assert smile_tables(found)[0].rows[-1] == ("ROC AUC of the happy score", "–")

    def test_examine_smiles_when_file_is_no_such_zip_then_one_clear_line(self, tmp_path):
        (tmp_path / "photos.zip").write_text("no zip")
        with pytest.raises(DatasetError, match="is not a zip with photos and a labels"):
            examine_smiles(default_bundle(), tmp_path / "photos.zip")

    def test_check_smiles_when_the_model_lacks_happy_then_says_so(self, tmp_path):
        bundle = replace(read_bundle(default_bundle()), heads=(Head("emotion", ("sad", "angry")),))
        with pytest.raises(DatasetError, match="does not know happy"):
            check_smiles(bundle, self.write_photos(tmp_path / "photos.zip"))

    def test_check_smiles_when_a_row_is_wrong_then_its_line_is_named(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
            archive.writestr("labels.csv", "image,smile,yaw_rad\na.png,1,0.1\nb.png,1,left\n")
        with pytest.raises(DatasetError, match=r"labels\.csv line 3: expected an image"):
            check_smiles(read_bundle(default_bundle()), tmp_path / "photos.zip")

    def test_stress_photos_when_measured_then_a_face_not_found_is_wrong_and_jitter_is_left_out(self, tmp_path):
        some = {kind: CORRUPTIONS[kind] for kind in ("roll", "crop jitter")}
        rows = stress_photos(default_bundle(), self.write_photos(tmp_path / "photos.zip"), some)
        assert (rows[0]["kind"], rows[0]["found"], rows[0]["accuracy"]) == ("none", 0.6667, 0.6667)
        assert {row["kind"] for row in rows} == {"none", "roll"}
        assert all(row["accuracy"] <= row["found"] for row in rows)

    def test_skin_tone_when_cheeks_are_lighter_then_larger_angle(self):
        face = make_detection(100, 100, 120)
        dark, light = (np.full((200, 200, 3), bgr, np.uint8) for bgr in ((50, 70, 110), (170, 195, 230)))
        assert skin_tone(dark, face, CROP) < 0 < 30 < skin_tone(light, face, CROP)
