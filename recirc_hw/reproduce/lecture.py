"""Hinton's lecture 7: a recurrent net that adds, and gradients that explode or vanish."""

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.networks import Recurrent
from recirc_hw.reproduce.bench import median_line, share_band, share_line
from recirc_hw.reproduce.lecture_figures import addition_figure, gradients_figure
from recirc_hw.reproduce.result import Line
from recirc_hw.rules import BPTT
from recirc_hw.tasks import addition as addition_task

LONG = 50  # bits of the sums that tell a net that adds from one that remembers
SUMS = 200
WATCHED = 25  # of them, while the hidden patterns are told apart
UPDATES = 2000
OTHERS = 100  # nets that an independent build's shares are taken to be of
# Initial state, batch, updates, fewest bits of a pair, half the width of the start, and
# the independent build's share of exact nets.
READINGS = {
    "learned initial state": ("learned", 20, UPDATES, 1, 0.5, 0.83),
    "fixed initial state": ("fixed", 20, UPDATES, 1, 0.5, 0.27),
    "batch 40, 10,000 updates": ("learned", 40, 10_000, 1, 0.5, 0.93),
    "8 bits in every pair": ("learned", 20, UPDATES, 8, 0.5, None),
    "8 bits in every pair, start in +-1": ("learned", 20, UPDATES, 8, 1.0, None),
}
QUICK = tuple(READINGS)[:2]


def addition(bench):
    """Reproduce that BPTT finds nets that add numbers of any length, and how they do it."""
    lines, automata, shares = [], [], []
    for label in bench.pick(QUICK, READINGS):
        share = READINGS[label][-1]
        runs, exact, kept = _adders(bench, label)
        lines.append(_exact_line(label, exact, share))
        shares.append(lines[-1].ours)
        crossed = [run.updates for run, good in zip(runs, exact, strict=True) if good]
        band = (200, 700) if label == "learned initial state" else None
        what = f"{label}: updates until all 8-bit sums are right"
        lines.append(median_line(what, crossed, band=band))
        lines.append(_patterns_line(label, kept, share))
        automata += [automaton for automaton in kept if len(automaton) == 4]
    more = "learned initial state: how many more nets are exact than with a fixed one"
    lines.append(Line(more, shares[0] - shares[1], band=(0.0, None), n=len(exact)))
    return _addition_settings(), lines, addition_figure(automata[0])


def _adders(bench, label):
    """Return (runs, which nets are exact, the automata of those) under one reading."""
    state, batch, updates, fewest, width, _ = READINGS[label]
    network = Recurrent(2, 3, 1, steps=9, initial_state=state, initial_range=width)
    chips = bench.fabricate(Design(network, BPTT(batch="mean")), bench.pick(24, 100))
    runs = bench.train_chips(
        label, chips, addition_task(8, fewest_bits=fewest), max_updates=updates,
        batch_size=batch, until="end",
    )  # fmt: skip
    long = for_long_numbers(chips)
    exact = [adds_exactly(bench, chip) for chip in long]
    kept = [_automaton(bench, c) for c, good in zip(long, exact, strict=True) if good]
    return runs, exact, kept


def _exact_line(label, exact, share):
    """Return the line of the share of exact nets."""
    band = None if share is None else share_band(share, OTHERS, len(exact))
    return share_line(f"{label}: exact on 50-bit sums", exact, band=band)


def _patterns_line(label, kept, share):
    """Return the line of the exact nets that have a pattern for each state, and no more."""
    band = None if share is None else share_band(1.0, OTHERS, len(kept))
    flags = [len(automaton) == 4 for automaton in kept]
    return share_line(
        f"{label}: exact nets of four hidden patterns", flags, paper=1.0, band=band
    )


def _addition_settings():
    """Return what was chosen."""
    return {
        "network": "two inputs, three hidden units connected to all, one output; the sum's "
        "digit is wanted two steps after its column is given",
        "rule": "BPTT, cross-entropy summed over steps, rate .2, momentum .9, mean over "
        f"fresh pairs, 20 a batch, {UPDATES} updates; weights and biases start in +-.5",
        "pairs": "both numbers of a pair have the same length, 1 to 8 bits with equal "
        "chances, in nine columns",
        "fixed": "every hidden unit starts at .5",
        "exact": f"all {LONG + 1} bits of {SUMS} sums of {LONG}-bit numbers, the weights moved "
        "to as many steps",
        "hidden pattern": "which of the three hidden units are above .5",
        "why this reading": "lengths, start and updates are not stated. Of lengths (all 8; one "
        "a pair, a number or a batch; sequences cut or padded), starts (+-.1 to +-2, normal, "
        "no biases), sums or means, and 1000 to 10,000 updates, it is the one that fits all "
        "three shares, the median and the four patterns; with 8 bits in every pair, or a "
        "wide start, fewer nets are exact, and many keep two patterns for a state",
        "bands": "an independent build's 83, 27 and 93 %, four patterns in every exact net: "
        f"where a share of so many nets may fall, given those of {OTHERS}; its median of 400 "
        "updates, between 200 and 700",
    }


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
