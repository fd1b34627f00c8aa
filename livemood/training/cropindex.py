"""``index.csv`` in a folder of crops: its columns ``file`` and ``source`` keep crops of one clip in one split."""

from livemood.errors import DatasetError
from livemood.training.files import Files

INDEX = "index.csv"


def read_index(files: Files, folder: str = "") -> list[dict[str, str]]:
    """Return the rows of the index that ``livemood crop`` wrote; none where there is no index.

    Args:
        files: A data set.
        folder: Where the index lies in it, such as ``faces/``.

    Raises:
        DatasetError: It has other columns.
    """
    name = f"{folder}{INDEX}"
    if name not in files.names:
        return []
    rows = files.rows(name)
    columns = next(rows, [])
    if lacking := [column for column in ("file", "source") if column not in columns]:
        raise DatasetError(
            f"{name} in {files.path} has no column {' and '.join(lacking)}, which keep crops of one clip in one split; "
            "give the index.csv that livemood crop wrote, or take this one away"
        )
    return [dict(zip(columns, row, strict=True)) for row in rows if len(row) == len(columns)]
