"""How far an experiment is said to be."""

import os
import sys

from tf_iclrec.experiments import progress


def test_the_bar_counts_epochs_and_foresees_the_end(found, monkeypatch, capsys):
    """Of four trainings one is there; another one is half done by the time of the first look."""
    experiment, trials, store = found
    for trial in trials[1:]:
        (store.run(trial).path / "trial.json").unlink()
    history = store.run(trials[2]).history
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(progress.shutil, "get_terminal_size", lambda: os.terminal_size((200, 50)))
    bar = progress.Progress(trials, store)
    assert capsys.readouterr().out == "Trainings: 4, of which are there: 1\n"
    bar.show(trials[2:3])
    line = capsys.readouterr().out.rpartition("\x1b[K")[2]
    assert line == "[#####...............] 1 of 4; SASRec on Walks, seed 0: epoch 0"
    # An epoch of two after a minute: half a training in that time, and five more halves to go.
    history.write_text("epoch,seconds\n1,60\n")
    now[0] += 60
    bar.show(trials[2:3])
    line = capsys.readouterr().out.rpartition("\x1b[K")[2]
    assert line.startswith("[########............] 1 of 4, about 5:00 left; SASRec on Walks")
    now[0] += 60
    bar.ended(trials[2], "")
    said = capsys.readouterr().out
    assert "SASRec on Walks, seed 0: trained; 2 of 4, about 4:00 left\n" in said
    bar.ended(trials[3], "out of memory")
    assert "seed 1: failed: out of memory; 3 of 4" in capsys.readouterr().out
    assert experiment.settings["epochs"] == 2
