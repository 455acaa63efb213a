"""What tests share: the command, chips of known yield, a study, workers in this process."""

import sys

import numpy as np
import pytest
from crew import DESIGN, STUDY, Here

import recirc_hw as rh
from recirc_hw.cli import main
from recirc_hw.random_streams import uniform
from recirc_hw.studies import sweep
from recirc_hw.studies.outcomes import Outcomes


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs the command in `tmp_path`: (standard output, error)."""
    monkeypatch.chdir(tmp_path)

    def command(*words, code=0):
        monkeypatch.setattr(sys, "argv", ["recirc-hw", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        output, error = capsys.readouterr()
        assert (ended.value.code or 0) == code, (output, error)
        return output, error

    return command


@pytest.fixture
def known(monkeypatch):
    """Return a function that makes every chip learn with a chance that a design tells."""
    trained = {}

    def with_chances(chance):
        class Known:
            def __init__(self, design, task, seed, **_):
                self.design, self.task, self.seed, self.done = design, task, seed, 0

            def go_to(self, count, progress=None):
                key = str(self.design.sections())
                trained[key] = trained.get(key, 0) + count - self.done
                self.done = count

            @property
            def parts(self):
                return [self.outcomes]

            @property
            def outcomes(self):
                draws = uniform(self.seed + 7, "weights", self.done)
                updates = np.where(draws < chance(self.design), 10, -1)
                seeds, no = np.arange(self.done, dtype=np.uint64), np.zeros(self.done)
                return Outcomes(seeds, updates, updates > 0, no > 0, no, no)

        monkeypatch.setitem(rh.learning_yield.__globals__, "Bench", Known)
        return trained

    return with_chances


@pytest.fixture
def study(tmp_path):
    (tmp_path / "chip.toml").write_text(DESIGN)
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


@pytest.fixture
def here(monkeypatch):
    """Let sweeps compute in this process; return the list of the cells they compute."""
    crew = Here()
    monkeypatch.setitem(sweep.__globals__, "workers", lambda *_: crew)
    return crew.computed
