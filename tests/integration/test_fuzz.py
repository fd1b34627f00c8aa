"""A short, repeatable part of fuzzing; ``make fuzz`` runs for any time."""

import json
import random
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livemood.bundles.manifest import default_bundle
from livemood.records import VERSION
from tests.tools.fuzz.__main__ import mutated
from tests.tools.fuzz.targets import TARGETS

RUNS = 40
MANIFEST = json.loads((default_bundle() / "manifest.json").read_text(encoding="utf-8"))
REPEATABLE = settings(derandomize=True, max_examples=60, database=None)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(string.printable, max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", TARGETS)
def test_target_when_good_inputs_are_mutated_then_our_own_errors_at_most(name):
    target, make_seeds = TARGETS[name]
    seeds, chance = make_seeds(), random.Random(1)
    assert seeds
    for seed in seeds:
        target(seed)
    for _ in range(RUNS):
        target(mutated(chance.choice(seeds), chance))


@REPEATABLE
@given(st.sampled_from(["labels", "crop", "temperature", "sha256", "format", "name", "metrics"]), ANYTHING)
def test_manifest_when_any_value_is_anything_then_our_own_errors_at_most(key: str, value: Any):
    changed = json.dumps({**MANIFEST, key: value}).encode()
    assert TARGETS["bundle"][0](changed) is None


@REPEATABLE
@given(st.dictionaries(st.sampled_from(["size_px", "colour", "template"]), ANYTHING))
def test_crop_when_any_part_is_anything_then_our_own_errors_at_most(parts: dict[str, Any]):
    changed = json.dumps({**MANIFEST, "crop": {**MANIFEST["crop"], **parts}}).encode()
    assert TARGETS["bundle"][0](changed) is None


@REPEATABLE
@given(
    st.lists(
        st.fixed_dictionaries(
            {"frame": st.integers(0, 99), "time_s": st.floats(0, 9), "track": st.integers(1, 3), "v": st.just(VERSION)},
            optional=dict.fromkeys(
                ("box", "label", "confidence", "scores", "raw_scores", "keypoints", "event"), ANYTHING
            ),
        )
        | st.dictionaries(st.sampled_from(["frame", "time_s", "track", "v"]), ANYTHING),
        max_size=4,
    )
)
def test_records_when_any_field_is_anything_then_our_own_errors_at_most(rows: list[dict[str, Any]]):
    assert TARGETS["jsonl"][0]("".join(f"{json.dumps(row)}\n" for row in rows).encode()) is None
