"""Tasks and trainings that several tests share."""

import numpy as np
import pytest

from recirc_hw import (
    Backprop,
    Design,
    Ideal,
    Loop,
    Recirculation,
    tasks,
)
from recirc_hw.tasks import SquaredError, Task

ENCODER = tasks.encoder(4)
DESIGN = Design(Loop(4, 2), Recirculation())
BACKENDS = ["reference", "native"]
backends = pytest.mark.parametrize("backend", BACKENDS)


def array_task(n_cases=23, n_units=6, **more):
    """Return a task of random cases in 0..1, all of them for training and testing."""
    cases = np.random.default_rng(8).uniform(0, 1, (n_cases, n_units))
    return tasks.from_array(cases, **{"batch_size": 5, "epochs": 4, "test_share": 0, **more})


def easy_task(below=0.075, **more):
    """Return a task that a linear loop learns in a few epochs."""
    cases = np.random.default_rng(8).uniform(0, 1, (24, 4))
    fields = {"criterion": SquaredError(below), "batch_size": 6, "held_out": False}
    return Task("easy", cases, cases, **{**fields, "epochs": 30, **more})


def linear(rate=0.01, **more):
    network = Loop(4, 3, visible="identity", hidden="identity")
    return Design(network, Backprop(learning_rate=rate, **more))


def assert_same_run(run, other):
    """Compare everything that two runs of one training have in common, to the bit."""
    for mine, theirs in zip(run.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert run.history.keys() == other.history.keys()
    for name, values in run.history.items():
        np.testing.assert_array_equal(values, other.history[name], err_msg=name)
    assert repr(run.probes) == repr(other.probes)
    for name in ("learned", "updates", "total_updates", "checks", "unit_error", "error"):
        assert repr(getattr(run, name)) == repr(getattr(other, name)), name
    assert repr(run.held_share) == repr(other.held_share)


# -- how long a training is


COURSES = {
    "encoder": (DESIGN, ENCODER, {}),
    "encoder, momentum": (
        Design(Loop(4, 2), Recirculation(learning_rate=4.0, momentum=0.75)), ENCODER, {},
    ),
    "short last batches": (
        Design(Loop(6, 3), Recirculation(learning_rate=0.5, momentum=0.5, batch="mean")),
        array_task(), {"until": "end"},
    ),
    "wide, short last batches": (
        Design(Loop(64, 33), Recirculation(learning_rate=0.01, momentum=0.5)),
        array_task(20, 64, batch_size=9), {"until": "end", "epochs": 4},
    ),
    "float32, one case at a time": (
        Design(Loop(6, 3), Recirculation(learning_rate=0.5), Ideal(precision="float32")),
        array_task(), {"batch_size": 1, "epochs": 2, "until": "end"},
    ),
    "generated": (
        Design(Loop(6, 2, visible="identity", hidden="identity"), Backprop(learning_rate=1e-4)),
        tasks.lowrank(6, 2, cases=30, test_cases=10),
        {"batch_size": 7, "epochs": 5, "until": "end"},
    ),
    "generated, whole": (
        Design(Loop(6, 2, visible="identity", hidden="identity"), Backprop(learning_rate=1e-4)),
        tasks.lowrank(6, 2, cases=30, test_cases=10),
        {"batch_size": 30, "epochs": 9, "until": "end"},
    ),
}  # fmt: skip
courses = pytest.mark.parametrize(("design", "task", "more"), COURSES.values(), ids=COURSES)
