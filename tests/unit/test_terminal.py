"""What people see on a terminal."""

import io

import numpy as np
import pytest
from rich.console import Console

from recirc_hw import terminal


@pytest.fixture
def screen(monkeypatch):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=120, highlight=False)
    monkeypatch.setattr(terminal, "err", console)
    return stream


def test_a_training_shows_its_rate_and_error_on_a_terminal(screen):
    with terminal.training_progress("chip [b] on digits") as advance:
        advance(50, 100, 0.125)
    shown = screen.getvalue()
    assert "chip [b] on digits" in shown
    assert "50/100" in shown
    assert "/s" in shown
    assert "0.125" in shown


def test_a_reproduction_shows_which_training_runs(screen):
    with terminal.reproduction_progress("baldi-fig5") as advance:
        advance("REC, seed 0", 1, 2)
    assert "REC, seed 0" in screen.getvalue()


@pytest.mark.parametrize("progress", ["training_progress", "reproduction_progress"])
def test_piped_there_is_no_bar(monkeypatch, progress):
    monkeypatch.setattr(terminal, "err", Console(file=io.StringIO()))
    with getattr(terminal, progress)("x") as advance:
        assert advance is None


def test_pictures_are_darker_where_units_are_more_active(capsys):
    terminal.pictures([np.array([[0.0, 1.0], [1.0, 0.0]])], (1, 2))
    assert capsys.readouterr().out.splitlines()[0] == "  @@  @@  "
