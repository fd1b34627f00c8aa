"""Training on several devices: the same as on one, in less time where they are real."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.support.builders import QUICK_XLA

SCRIPT = """
import json, sys
from pathlib import Path
import keras
import numpy as np
from livemood.core.labels import EMOTION
from livemood.core.crop_spec import CROP
from livemood.datasets.dataset import Dataset
from livemood.datasets.split import RAW, Split
from livemood.training.loop.fit import fit
from livemood.training.model.devices import devices
from livemood.training.model.network import PRESETS, Architecture, predict
from livemood.training.settings import TrainSettings

PRESETS["tiny"] = Architecture(8, (16,), (1,))
HEADS, rng = {EMOTION: ("below", "above")}, np.random.default_rng(0)


def split(count):
    # Pictures whose upper or lower half is lighter.
    above = rng.integers(0, 2, count)
    slope = np.linspace(60, -60, CROP.size_px)[:, None, None] * (2 * above - 1)[:, None, None, None, None]
    pixels = rng.normal(128 + slope, 20, (count, 2, *CROP.shape))
    files, votes = np.arange(count).astype(str), {EMOTION: np.eye(2, dtype=np.int64)[above]}
    return Split(np.clip(pixels, 0, 255).astype(np.uint8), np.arange(count), files, votes, HEADS)


train, valid = split(96), split(33)
data = Dataset(HEADS, {"train": train, "valid": valid, "test": valid}, 0, (), (), (), 1.0)
settings = TrainSettings(preset="tiny", epochs=3, batch=8, learning_rate=0.2)
every = keras.distribution.list_devices()
for many in (1, 2):
    keras.distribution.list_devices = lambda: every[:many]
    model, run = fit(data, CROP, settings, Path(sys.argv[1], str(many)))
    curve = [(epoch.loss, epoch.valid_nll) for epoch in run.history]
    print(json.dumps([len(devices()), curve, predict(model, valid, RAW).tolist()]))
"""


def test_fit_when_jax_has_two_devices_then_the_same_curve_and_answers_as_on_one(tmp_path):
    flags = f"{QUICK_XLA} --xla_force_host_platform_device_count=2"
    environment = {**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": flags}
    run = [sys.executable, "-c", SCRIPT, tmp_path]
    done = subprocess.run(run, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    one, two = map(json.loads, done.stdout.splitlines()[-2:])
    assert (one[0], two[0]) == (1, 2)
    losses = [loss for loss, _ in one[1]]
    assert losses[-1] < 0.5 * losses[0]
    for found, expected in zip(two[1:], one[1:], strict=True):
        assert np.array(found) == pytest.approx(np.array(expected), rel=1e-3, abs=1e-5)
