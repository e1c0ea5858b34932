"""Batches as the rows of their users."""

import numpy as np

USERS = 70


def sequences_of(log, stream="item_ids"):
    return [piece.tolist() for piece in np.split(getattr(log, stream), log.offsets[1:-1])]


def without_padding(row):
    """The entries of a row that is padded on the left, and only there."""
    row = list(row)
    entries = [int(value) for value in row if value]
    assert row == [0] * (len(row) - len(entries)) + entries
    return entries


def batches_of(dataset):
    return list(dataset.as_numpy_iterator())


def rows_of(dataset, *names):
    """The rows of all batches as tuples of lists, in order."""
    rows = []
    for batch in batches_of(dataset):
        columns = [map(without_padding, batch[name]) for name in names]
        rows += zip(*columns, strict=True)
    return rows


def assert_same_epoch(epoch, other):
    assert len(epoch) == len(other)
    for batch, other_batch in zip(epoch, other, strict=True):
        assert batch.keys() == other_batch.keys()
        for name, values in batch.items():
            np.testing.assert_array_equal(values, other_batch[name])
