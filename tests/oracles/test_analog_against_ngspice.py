"""Analog chips held to circuits: ngspice runs the netlist of the very chip.

Where ngspice is not installed these tests skip.
"""

import shutil
import subprocess

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

import recirc_hw as rh
from recirc_hw.exports import write_spice

pytestmark = [
    pytest.mark.skipif(
        shutil.which("ngspice") is None,
        reason="ngspice is not installed (Debian, Ubuntu: apt-get install ngspice)",
    ),
    # Short clamps are integrated as well as long ones.
    pytest.mark.filterwarnings("ignore:Analog\\."),
]

TOLERANCE = 1e-4  # of an activity at any time, and of the largest weight change
CASE = np.array([1.0, 0.0, 0.25, 0.0])
ALL = {f"{effect}_mismatch": 0.2 for effect in ("tau", "gain", "offset", "read", "write")} | {
    "clamp_ms": 4.0
}
RING = {"tau_hidden_ms": 0.3, "clamp_ms": 1.5}
GATED = {"form": "gated", "settling": 2.0, "release_ms": 0.6, "clamp_ms": 1.2}
SLOW = GATED | {"settling": 1.2, "clamp_ms": 8.5}

DESIGNS = {
    "4-2-4": ((4, 2), {}, {"clamp_ms": None}),
    "mismatch of everything": ((4, 2), {}, ALL),
    "ring of two hidden groups": ((4, 3, 3), {}, ALL | RING),
    "derivative circuit": (
        (4, 2), {}, ALL | {"form": "derivative_circuit", "derivative_ms": 0.4}
    ),
    "gated PR": ((4, 2), {"combine": "PR"}, ALL | GATED),
    "gated RCC": ((4, 2), {"combine": "RCC"}, ALL | GATED),
    "gated CCRCC": ((4, 2), {"combine": "CCRCC"}, ALL | SLOW),
    "gated CCR": ((4, 2), {"combine": "CCR"}, ALL | SLOW),
    "gated ring": ((4, 3, 3), {"combine": "RCC"}, ALL | GATED),
    "tanh and identity units": ((4, 2), {"visible": "identity", "hidden": "tanh"}, ALL),
    "weights that move at once": (
        (4, 2), {}, ALL | {"plasticity": "continuous", "integrator": "rk4"}
    ),
    "nanoseconds": ((4, 2), {}, {"tau_ms": 1e-6, "clamp_ms": 4e-6}),
}  # fmt: skip


def chip_of(name, seed=3, **more):
    sizes, parts, substrate = DESIGNS[name]
    loop = {key: value for key, value in parts.items() if key != "combine"}
    rule = rh.Recirculation(combine=parts.get("combine", "CCRCC"), learning_rate=5)
    analog = rh.Analog(**substrate | more)
    return rh.Design(rh.Loop(*sizes, **loop), rule, analog).fabricate(seed)


def simulated(folder, chip, case, at_ms):
    """Return the voltages of every node of the table at some times, by name."""
    path = write_spice(folder, chip, case, plasticity=True)
    subprocess.run(["ngspice", "-b", path.name], cwd=folder, check=True, capture_output=True)
    with open(path.with_suffix(".txt")) as table:
        names = table.readline().split()
        values = np.loadtxt(table)
    curve = PchipInterpolator(1e3 * values[:, 0], values[:, 1:], extrapolate=True)
    return dict(zip(names[1:], curve(at_ms).T, strict=True))


def recorded(trajectory, chip):
    """Return what the table should hold: (activities and copies, weight changes)."""
    groups = list(trajectory.activity)
    single = len(groups) == 2
    letters = dict(zip(groups, ["v", *(f"h{k}_" for k in range(1, len(groups)))], strict=True))
    letters |= {"hidden": "h"} if single else {}
    nodes, changes = {}, {}
    for group, letter in letters.items():
        for i, values in enumerate(trajectory.activity[group].T, 1):
            nodes[f"v({letter}{i})"] = values
        if not np.array_equal(trajectory.trace[group], trajectory.activity[group]):
            for i, values in enumerate(trajectory.trace[group].T, 1):
                nodes[f"v(p_{letter}{i})"] = values
    for (name, weights), first in zip(trajectory.weights.items(), chip.weights, strict=True):
        source, to = (letters[group] for group in name.split(">"))
        for i, j in np.ndindex(first.shape):
            sender = "bias" if j == first.shape[1] - 1 else f"{source}{j + 1}"
            changes[f"v(dw_{to}{i + 1}_{sender})"] = weights[:, i, j] - first[i, j]
    return nodes, changes


def check(folder, chip, case=CASE):
    trajectory = chip.record(case)
    nodes, changes = recorded(trajectory, chip)
    found = simulated(folder, chip, case, trajectory.time_ms)
    assert found.keys() == nodes.keys() | changes.keys()
    for name, values in nodes.items():  # at time 0 the circuit's switches have not closed yet
        assert np.abs(found[name] - values)[1:].max() < TOLERANCE, name
    largest = max(np.abs(values).max() for values in changes.values())
    assert largest > 0.01
    for name, values in changes.items():
        assert np.abs(found[name] - values).max() < TOLERANCE * largest, name


@pytest.mark.parametrize("name", DESIGNS)
def test_every_node_follows_the_circuit_at_all_times(tmp_path, name):
    check(tmp_path, chip_of(name))


@pytest.mark.parametrize("form", ["ungated", "gated"])
def test_stuck_units_hold_what_they_hold_in_the_circuit(tmp_path, form):
    chip = chip_of("4-2-4", seed=5, form=form, stuck_units=0.3, clamp_ms=5.0)
    stuck = chip.presentation(CASE).body.stuck[0]
    assert {0.0, 1.0} <= set(stuck)
    check(tmp_path, chip)


def test_a_trained_chip_is_written_as_it_learned(tmp_path):
    chip = chip_of("4-2-4", clamp_ms=4.0, device={"type": "soft_bounds", "dw_min": 0.05})
    before = chip.weights[0]
    chip.train(rh.tasks.encoder(4), max_updates=30)
    assert np.abs(chip.weights[0] - before).max() > 0.3
    check(tmp_path, chip)


def test_the_comparison_notices_one_percent_of_mismatch(tmp_path):
    chip, other = (chip_of("4-2-4", clamp_ms=4.0, tau_mismatch=s) for s in (0.0, 0.01))
    trajectory = chip.record(CASE)
    found = simulated(tmp_path, other, CASE, trajectory.time_ms)
    nodes, _ = recorded(trajectory, chip)
    assert max(np.abs(found[name] - nodes[name])[1:].max() for name in nodes) > 10 * TOLERANCE
