"""What a training shows, line by line."""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tf_iclrec.training.intent_clustering import ClusteringReport
from tf_iclrec.training.progress_lines import ProgressLines

LOSSES = {"loss": 7.6977, "next_item": 7.3889, "intent_contrast": 3.0874}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def now(monkeypatch):
    """A clock that a test turns."""
    clock = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr("time.perf_counter", lambda: clock.seconds)
    return clock


def train(lines, now, scores, first=0):
    """Epochs of two steps that take five seconds each."""
    lines.set_params({"steps": 2})
    lines.on_train_begin()
    for epoch, score in enumerate(scores, first):
        lines.on_epoch_begin(epoch)
        for step in range(2):
            now.seconds += 5
            lines.on_train_batch_end(step, LOSSES)
        best = max(range(first, epoch + 1), key=lambda one: scores[one - first])
        lines.saved.epochs_done, lines.saved.best_epoch = epoch + 1, best + 1
        lines.saved.best_score = scores[best - first]
        lines.on_epoch_end(epoch, LOSSES | {"val_NDCG@20": score, "val_HR@5": 0.1})


def lines_of(tmp_path, epochs, reports=()):
    saved = SimpleNamespace(epochs_done=0, best_epoch=0, best_score=0.0)
    clustering = SimpleNamespace(reports=list(reports))
    return ProgressLines(epochs, tmp_path / "train.log", clustering, saved)


def test_one_plain_line_an_epoch(tmp_path, now, capsys):
    report = ClusteringReport(3, 1.5, np.array([4, 1, 0]), moved=0.054)
    train(lines_of(tmp_path, 10, [report]), now, [0.05, 0.04], first=1)
    shown = "loss 7.698 (next_item 7.389, intent_contrast 3.087); validation NDCG@20"
    moved = "3 intents, 1 empty, 5.4% of users moved; 10.0 s"
    assert capsys.readouterr().out.splitlines() == [
        f"Epoch  2 of 10: {shown} 0.0500, the best so far; {moved}, 1:20 left",
        f"Epoch  3 of 10: {shown} 0.0400, best 0.0500 in epoch 2; {moved}, 1:10 left",
    ]
    log = (tmp_path / "train.log").read_text()
    assert "val_HR@5: 0.1" in log
    assert "K=3: inertia 1.5, cluster sizes 0 to 4 (median 1), empty 1, moved 5.4%" in log


def test_in_a_terminal_the_line_follows_the_steps(tmp_path, now, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "60")
    train(lines_of(tmp_path, 1), now, [0.05])
    first, second, done = sys.stdout.getvalue().split("\r\x1b[K")[1:]
    assert first == "Epoch 1 of 1: step 1 of 2, 0:05 left; loss 7.698 (next_item"
    assert second.startswith("Epoch 1 of 1: step 2 of 2")
    # The last line is whole, and stays.
    assert done.startswith("Epoch 1 of 1: loss 7.698")
    assert done.endswith("the best so far; 10.0 s\n")
