"""Libraries that are missing or cannot be imported, and the backend of Keras that an environment names."""

import sys

import pytest

from livemood.core.errors import LivemoodError
from livemood.runtime import optional_deps
from livemood.runtime.optional_deps import import_failed, need_keras

TRAINING = "set it to one of tensorflow, jax, torch"


@pytest.mark.parametrize(
    ("backend", "to_train", "said"),
    [
        ("foo", False, f"KERAS_BACKEND is 'foo', no backend of Keras; {TRAINING}, numpy, openvino"),
        ("numpy", True, f"KERAS_BACKEND is 'numpy', no backend of Keras that trains; {TRAINING}"),
        ("torch", True, "torch is not installed; KERAS_BACKEND=torch needs it; try: pip install torch"),
        (
            "",
            True,
            "tensorflow is not installed, and is needed for training and the Keras engine; try: pip install tensorflow",
        ),
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


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModuleNotFoundError("x", name="cv2.dnn"), "cv2 is not installed; try: pip install opencv-contrib-python"),
        (ModuleNotFoundError("x", name="PIL"), "PIL is not installed; try: pip install pillow"),
        (ModuleNotFoundError("x", name="h5py"), "h5py is not installed; see livemood doctor"),
        (
            ModuleNotFoundError("x", name="scipy.stats"),
            "scipy is not installed, and is needed for training and measuring models; try: pip install scipy",
        ),
        (
            ImportError("libGL.so.1: cannot open shared object file", name="cv2"),
            "cv2 cannot be imported (libGL.so.1: cannot open shared object file); reinstall it, or see livemood doctor",
        ),
        (
            ImportError("\nNumpy is broken\nand says so at length"),
            "a library cannot be imported (Numpy is broken); reinstall it, or see livemood doctor",
        ),
        (ImportError("cannot import name 'x'", name="livemood.core.types"), "None"),
    ],
)
def test_import_when_it_failed_then_one_line_names_the_package(error: ImportError, said: str) -> None:
    assert str(import_failed(error)) == said
