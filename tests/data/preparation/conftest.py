import csv

import pytest

NAMES = ("user_id", "item_id", "timestamp", "rating", "provider")


@pytest.fixture
def output(tmp_path):
    """A folder to prepare that is not there yet."""
    return tmp_path / "prepared"


@pytest.fixture(scope="session")
def write_csv():
    """A function that writes rows, dicts of text, as a table with all columns that any has."""

    def write(path, rows):
        names = [name for name in NAMES if any(name in row for row in rows)]
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, names)
            table.writeheader()
            table.writerows(rows)
        return path

    return write


@pytest.fixture(scope="session")
def contents():
    """A function that gives what a log says, in plain Python: by user a list of dicts of what is
    known of each interaction."""

    def convert(log):
        columns = {"item_id": log.items.decode(log.item_ids).tolist()}
        if log.times is not None:
            columns["timestamp"] = log.times.tolist()
        if log.ratings is not None:
            columns["rating"] = [None if one != one else one for one in log.ratings.tolist()]
        if log.own_provider_ids is not None:
            names = ["", "", "", *log.providers.vocabulary.ids.tolist()]
            columns["provider"] = [names[one] for one in log.own_provider_ids]
        rows = [
            dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)
        ]
        return {
            user: rows[start:end]
            for user, start, end in zip(log.users, log.offsets, log.offsets[1:], strict=False)
        }

    return convert
