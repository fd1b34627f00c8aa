"""The backend of Keras that an environment names."""

import sys

import pytest

from livemood.core.errors import LivemoodError
from livemood.runtime import optional_deps
from livemood.runtime.optional_deps import need_keras

TRAINING = "set it to one of tensorflow, jax, torch"


@pytest.mark.parametrize(
    ("backend", "to_train", "said"),
    [
        ("foo", False, f"KERAS_BACKEND is 'foo', no backend of Keras; {TRAINING}, numpy, openvino"),
        ("numpy", True, f"KERAS_BACKEND is 'numpy', no backend of Keras that trains; {TRAINING}"),
        ("torch", True, "torch is not installed; KERAS_BACKEND=torch needs it; try: pip install torch"),
        ("", True, "tensorflow is not installed; training and the Keras engine needs it; try: pip install tensorflow"),
    ],
)
def test_keras_when_its_backend_is_unknown_or_missing_then_one_line(
    backend: str, to_train: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.setattr(optional_deps, "find_spec", lambda module: "found" if module == "keras" else None)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setattr(optional_deps, "_NO_TENSORFLOW", (99,))
    with pytest.raises(LivemoodError) as told:
        need_keras(to_train)
    assert str(told.value) == said
