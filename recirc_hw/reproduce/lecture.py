"""Hinton's lecture 7: a recurrent net that adds, and gradients that explode or vanish."""

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.networks import Recurrent
from recirc_hw.reproduce.bench import median_line, share_line
from recirc_hw.reproduce.lecture_figures import addition_figure, gradients_figure
from recirc_hw.reproduce.result import Line
from recirc_hw.rules import BPTT
from recirc_hw.tasks import addition as addition_task

LONG = 50  # bits of the sums that tell a net that adds from one that remembers
SUMS = 200
WATCHED = 25  # of them, while the hidden patterns are told apart
# Initial state, width of the start, and the bands: exact nets, and those of four patterns.
STARTS = (
    ("learned", 1.0, (0.65, 0.95), None),
    ("learned", 0.1, None, (0.9, 1.0)),
    ("fixed", 1.0, (0.1, 0.45), None),
)


def addition(bench):
    """Reproduce that BPTT finds nets that add numbers of any length, and how they do it."""
    n, updates = bench.pick(24, 100), bench.pick(1200, 10_000)
    lines, automata = [], []
    for state, width, exact_band, four_band in STARTS:
        network = Recurrent(2, 3, 1, steps=9, initial_state=state, initial_range=width)
        chips = bench.fabricate(Design(network, BPTT(batch="mean")), n)
        label = f"{state} initial state, U(-{width:g}, {width:g})"
        runs = bench.train_chips(
            label, chips, addition_task(8), max_updates=updates, until="end"
        )
        long = for_long_numbers(chips)
        exact = [adds_exactly(bench, chip) for chip in long]
        crossed = [run.updates for run, good in zip(runs, exact, strict=True) if good]
        kept = [_automaton(bench, c) for c, good in zip(long, exact, strict=True) if good]
        band = (200, 700) if state == "learned" and width == 1 else None
        lines.append(share_line(f"{label}: exact on 50-bit sums", exact, band=exact_band))
        lines.append(median_line("updates until all 8-bit sums are right", crossed, band=band))
        lines.append(
            share_line("exact nets: four hidden patterns, no more",
                       [len(a) == 4 for a in kept], paper=1.0, band=four_band)
        )  # fmt: skip
        automata += [automaton for automaton in kept if len(automaton) == 4]
    shown = automata[0]
    settings = {
        "network": "two inputs, three hidden units connected to all, one output",
        "rule": f"cross-entropy, rate .2, momentum .9, mean over 20 pairs of 8 bits, {updates} "
        "updates",
        "exact": f"all {LONG + 1} bits of {SUMS} sums of {LONG}-bit numbers, the weights moved "
        "to as many steps",
        "hidden pattern": "which of the three hidden units are above .5",
        "bands": "an independent build's 83 % and 27 %, median 400 updates, four patterns in "
        "every net; its start is not stated: from wide ones some nets keep two patterns for "
        "a state of the automaton",
    }
    return settings, lines, addition_figure(shown)


def for_long_numbers(chips):
    """Return chips with the same weights that run for longer numbers."""
    design = chips[0].design
    network = design.network.replace(steps=LONG + 1)
    longer = Design(network, design.rule, design.substrate)
    found = [longer.fabricate(chip.seed) for chip in chips]
    for chip, long in zip(chips, found, strict=True):
        long.weights = chip.weights
    return found


def _sums(bench):
    """Return the long sums to test on."""
    return addition_task(LONG, seed=bench.seed + 1, pairs=SUMS, test_pairs=1)


def adds_exactly(bench, chip):
    """Return whether a chip gets every bit of every long sum right."""
    task = _sums(bench)
    found = chip.reconstruct(task.train, backend=bench.backend) > 0.5
    return bool((found == (task.targets(task.train) > 0.5)).all())


def _automaton(bench, chip):
    """Return {hidden pattern: {(a, b): (next pattern, how often)}}, after the first digits."""
    cases = _sums(bench).train[:WATCHED]
    digits = cases[:, : 2 * (LONG + 1)].reshape(WATCHED, LONG + 1, 2).astype(int)
    states = [
        chip.activity(cases, f"hidden {t}", bench.backend) > 0.5 for t in range(1, LONG + 2)
    ]
    found = {}
    for t in range(LONG):
        for before, after, pair in zip(states[t], states[t + 1], digits[:, t + 1], strict=True):
            ways = found.setdefault(tuple(before.astype(int)), {})
            key, target = tuple(pair), tuple(after.astype(int))
            ways[key] = (target, ways.get(key, (target, 0))[1] + 1)
    return found


STEPS = 50
WEIGHTS = (2.0, 4.0, 6.0, 8.0)


def gradients(bench):
    """Reproduce how a gradient grows and fades over 50 steps of one unit."""
    curves = {}
    for weight in WEIGHTS:
        curves[f"w = {weight:g}, from the boundary, y = .5"] = _slopes(bench, weight, 0.5)
    curves["w = 6, from y = .9"] = _slopes(bench, 6.0, 0.9)
    lines = []
    for weight in WEIGHTS:
        expected = (weight / 4) ** STEPS
        found = curves[f"w = {weight:g}, from the boundary, y = .5"][-1]
        lines.append(Line(f"dy(50)/dy(0) at y = .5, w = {weight:g}, over (w/4)^50",
                          found / expected, None, 1.0, (1 - 1e-6, 1 + 1e-6)))  # fmt: skip
    edge = curves["w = 6, from the boundary, y = .5"][-1]
    lines.append(Line("dy(50)/dy(0) at y = .5, w = 6", edge, band=(6.3e8, 6.5e8)))
    inside = np.log10(curves["w = 6, from y = .9"][-1])
    lines.append(
        Line("log10 of dy(50)/dy(0) from y = .9, w = 6", inside, band=(-20.13, -20.06))
    )
    settings = {
        "unit": "y(t) = logistic(w (y(t-1) - .5)); y = .5 divides two attractors where w > 4",
        "gradient": "what BPTT asks of the learned initial state, over the slope there",
        "n": "one unit; nothing is random",
    }
    return settings, lines, gradients_figure(curves, _trajectories(6.0))


def _chip(weight, start, steps):
    """Return a chip of one unit that feeds itself, started at an activity."""
    network = Recurrent(0, 1, 0, steps=steps, taught_steps=(steps,))
    chip = Design(network, BPTT(loss="squared")).fabricate(0)
    bias = np.log(start / (1 - start))
    chip.weights = [np.array([[bias]]), np.array([[weight, -weight / 2]])]
    return chip


def _slopes(bench, weight, start):
    """Return dy(t)/dy(0) for t = 1..50, as backpropagation has it."""
    slopes = []
    for steps in range(1, STEPS + 1):
        chip = _chip(weight, start, steps)
        end = float(chip.reconstruct(np.zeros((1, 0)), backend=bench.backend)[0, 0])
        case = np.array([[end + 1]])  # an error of 1
        change = chip.weight_change(case, backend=bench.backend)[0][0, 0]
        slopes.append(change / (start * (1 - start)))
    return slopes


def _trajectories(weight):
    """Return {start: activities} of one unit from several starts."""
    found = {}
    for start in (0.02, 0.3, 0.49, 0.499, 0.5, 0.501, 0.51, 0.7, 0.98):
        y = [start]
        for _ in range(20):
            y.append(1 / (1 + np.exp(-weight * (y[-1] - 0.5))))
        found[start] = y
    return found


RESULTS = {
    "lecture-addition": (
        "binary addition by three hidden units, and the automaton they become",
        "Hinton, CSC321 lecture 7, on binary addition",
        addition,
    ),
    "lecture-gradients": (
        "gradients that explode on a boundary and vanish in an attractor",
        "Hinton, CSC321 lecture 7, why the back-propagated gradient blows up",
        gradients,
    ),
}
