"""What the measurement of faces in the wild refuses."""

import pytest

from livemood.evaluation import wild


@pytest.mark.parametrize("count", ["0", "-1"])
def test_main_when_no_photo_is_asked_for_then_a_usage_error(tmp_path, capsys, count):
    with pytest.raises(SystemExit) as ended:
        wild.main([str(tmp_path), "--photos", count])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: argument --photos: it is 1 or more, got {count}\n")
