"""Hinton & McClelland 1988, figure 4: modules of closed loops that complete patterns."""

import numpy as np
from matplotlib.figure import Figure

from recirc_hw.designs import Design
from recirc_hw.networks import Hierarchy
from recirc_hw.random_streams import permutation, uniform
from recirc_hw.reproduce.bench import mean_share_line
from recirc_hw.reproduce.figures import COLOURS, styles
from recirc_hw.rules import Recirculation
from recirc_hw.tasks import Task, UnitError

TRIPS, FREE_TRIPS = 30, 200
SHOWN = (0, 1, 2, 3, 5, 10, 30)  # trips of the picture

# Leaves, units of the top, vectors, rate, updates, and the bands: free trips, so many
# bits erased, one module's half missing.
SYSTEMS = {
    "2 x (16-12) + 24-12, 8 vectors": (
        ((16, 12), (16, 12)), 12, 8, 0.5, 10_000,
        (0.97, 1.0), {1: (0.97, 1.0), 4: (0.97, 1.0), 8: (0.95, 1.0)}, (0.78, 0.96),
    ),
    "2 x (8-4) + 8-4, 4 vectors": (
        ((8, 4), (8, 4)), 4, 4, 1.0, 5000,
        (0.95, 1.0), {1: (0.95, 1.0), 4: (0.92, 1.0), 8: (0.82, 0.97)}, (0.75, 0.97),
    ),
}  # fmt: skip


def hierarchy(bench):
    """Reproduce that learned vectors are attractors, and that partial ones are completed."""
    lines, curves, shown = [], {}, None
    for label, (leaves, top, count, rate, updates, free, erased, half) in SYSTEMS.items():
        network = Hierarchy(leaves=leaves, upper=((top, *range(len(leaves))),))
        design = Design(network, Recirculation(learning_rate=rate))
        pairs = trained(bench, label, design, count, updates)
        stay = [share_right(wander(bench, chip, cases), cases) for chip, cases in pairs]
        what = f"{label}: attractors over {FREE_TRIPS} free trips"
        lines.append(mean_share_line(what, stay, paper=1.0, band=free))
        for bits, band in erased.items():
            found = [share_completed(bench, pair, random_bits(bench, pair[1], bits))
                     for pair in pairs]  # fmt: skip
            what, ends = f"{label}: erased bits {bits}, completed", [p[-1] for p in found]
            lines.append(mean_share_line(what, ends, paper=1.0, band=band))
            missing = f"{bits} bit{'s' * (bits > 1)}"
            curves[f"{label.split(' +')[0]}, {missing}"] = np.mean(found, axis=0)
        known = np.arange(network.case_size) >= leaves[0][0]
        found = [
            (share_completed(bench, pair, known) + share_completed(bench, pair, ~known)) / 2
            for pair in pairs
        ]
        what, ends = f"{label}: half missing, completed", [path[-1] for path in found]
        lines.append(mean_share_line(what, ends, paper=1.0, band=half))
        curves[f"{label.split(' +')[0]}, half"] = np.mean(found, axis=0)
        shown = shown or (pairs, known)
    settings = {
        "rule": "H&M's in every module: lambda .75, hidden regression, batch sum; the visible "
        "vector of the top module is the first-pass hidden state of those below",
        "completed": f"every bit on the right side of .5 after {TRIPS} trips up and down; "
        "erased bits start at .5, known ones are clamped",
        "half": "all bits of one bottom module",
        "n": "chips, over several sets of random vectors; a value a chip is a share of "
        "vectors; Wilson's interval takes the chips for the trials, wider than need be",
        "bands": "an independent build's, +-.03 to .05",
    }
    return settings, lines, _hierarchy_figure(bench, shown, curves)


def trained(bench, label, design, count, updates):
    """Return (trained chip, the vectors it learned) pairs, over sets of random vectors."""
    sets, chips = bench.pick((8, 2), (20, 5))
    pairs, size = [], design.network.case_size
    for k in range(sets):
        draws = uniform(bench.seed, "hierarchy vectors", (count, size), step=1000 * count + k)
        cases = (draws < 0.5) * 1.0
        cases.flags.writeable = False
        task = Task(f"vectors {k}", cases, cases, UnitError(0.1), count, held_out=False)
        made = [design.fabricate(bench.seed + chips * k + i) for i in range(chips)]
        bench.train_chips(label, made, task, max_updates=updates, until="end")
        pairs += [(chip, cases) for chip in made]
    return pairs


def wander(bench, chip, cases):
    """Return where the vectors are after free trips, nothing clamped."""
    for _ in range(FREE_TRIPS):
        cases = chip.reconstruct(cases, backend=bench.backend)
    return cases


def share_right(states, cases):
    """Return the share of vectors with every bit right."""
    return ((states > 0.5) == (cases > 0.5)).all(axis=-1).mean(axis=-1)


def random_bits(bench, cases, erased):
    """Return which bits are known: all but so many, others in every vector."""
    known = np.ones(cases.shape, bool)
    for row, flags in enumerate(known):
        order = permutation(bench.seed, "split", len(flags), step=row)
        flags[order[:erased]] = False
    return known


def share_completed(bench, pair, known):
    """Return the share of vectors that are right after each trip."""
    chip, cases = pair
    return share_right(chip.complete(cases, known, TRIPS, bench.backend), cases)


def _hierarchy_figure(bench, shown, curves):
    """Return the figure: one vector completed trip by trip, and how many are by each trip."""
    states, wanted = _slowest(bench, *shown)
    figure = Figure(figsize=(10, 9), dpi=100, layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(1.25, 1))
    rows = [(f"trip {t}" if t else "given", states[t]) for t in SHOWN]
    axes = top.subplots(len(rows) + 1, 1)
    for ax, (name, values) in zip(axes, [*rows, ("learned", wanted)], strict=True):
        ax.imshow(values[None], cmap="gray_r", vmin=0, vmax=1, aspect="auto")
        ax.set(xticks=[], yticks=[])
        ax.axvline(15.5, color=COLOURS[1], linewidth=2)
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
    top.suptitle("one vector: the left module's bits are missing, the right one's clamped")
    _draw_shares(bottom.subplots(), curves)
    return figure


def _slowest(bench, pairs, known):
    """Return (states trip by trip, the vector) of the completion that took the most trips."""
    best = (-1, None, None)
    for chip, cases in pairs:
        path = chip.complete(cases, known, TRIPS, bench.backend)
        right = ((path > 0.5) == (cases > 0.5)).all(axis=2)
        trips = np.where(right[-1], (~right).sum(axis=0), -1)
        vector = int(trips.argmax())
        if trips[vector] > best[0]:
            best = (trips[vector], path[:, vector], cases[vector])
    return best[1:]


def _draw_shares(ax, curves):
    """Draw the share of vectors completed by each trip."""
    for (label, shares), (colour, marker) in zip(curves.items(), styles(), strict=False):
        ax.plot(shares, color=colour, marker=marker, markersize=3, linewidth=1.4, label=label)
    ax.set(xlabel="trips up and down", ylabel="share of vectors complete", ylim=(0, 1.03))
    ax.legend(frameon=False, fontsize=9, ncols=2, loc="lower right")
    ax.grid(alpha=0.25)


RESULTS = {
    "hinton-hierarchy": (
        "two modules under a third: attractors, and partial vectors completed",
        "Hinton & McClelland 1988, figure 4",
        hierarchy,
    ),
}
