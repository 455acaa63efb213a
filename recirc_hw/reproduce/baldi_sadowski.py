"""Baldi & Sadowski 2018, figures 4 to 7: recirculation against the backprop family."""

from dataclasses import replace

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.reproduce.autoencoders import (
    QUICK,
    SETTINGS,
    Panel,
    compare,
    draw_errors,
    equal_line,
    error_lines,
    grid,
    images,
    learning_rules,
    order_line,
    panel,
    recirculation,
    shrink,
)
from recirc_hw.reproduce.bench import mean_line, median_line
from recirc_hw.reproduce.figures import draw_curves, picture_rows
from recirc_hw.reproduce.result import Line
from recirc_hw.substrates import Ideal
from recirc_hw.tasks import lowrank, mean_error

LABELS = ("REC", "BP", "RBP", "SRBP", "ARBP", "TOP", "ERR")


def _expected(*errors):
    """Return an independent build's test errors by label."""
    return dict(zip(LABELS, errors, strict=True))


MNIST = (
    panel("linear 20", _expected(0.02795, 0.02407, 0.0349, 0.0343, 0.026, 0.0404, 0.02795)),
    panel("non-linear 20", _expected(0.1699, 0.1619, 0.1803, 0.1811, 0.1624, 0.2249, 0.1869)),
    panel("linear 100-20-100"),
    panel("non-linear 100-20-100"),
)
FASHION = (
    panel("linear 20", _expected(0.0235, 0.0204, 0.0258, 0.0266, 0.0204, 0.0343, 0.0235)),
    panel("non-linear 20", _expected(0.3519, 0.3305, 0.3465, 0.3489, 0.3303, 0.4117, 0.4243)),
    panel("linear 100-20-100"),
    panel("non-linear 100-20-100"),
)


def mnist_figure(bench):
    """Reproduce figure 5: MNIST, linear and non-linear, one and three hidden layers."""
    return _image_figure(bench, "mnist", MNIST, [("REC", "RBP")])


def fashion_figure(bench):
    """Reproduce figure 6: the same on Fashion-MNIST."""
    settings, lines, figure = _image_figure(bench, "fashion", FASHION, [])
    if bench.quick:
        settings["quick"] += "; the chips are those of figure 5, as the digits are"
    return settings, lines, figure


def _image_figure(bench, name, panels, orders):
    """Return settings, lines and figure of four panels on one set of images."""
    task = images(bench, name)
    panels = [shrink(each) for each in panels] if bench.quick else panels
    figure, axes = grid(panels, f"{task.name}: test error")
    lines = []
    for ax, each in zip(axes, panels, strict=True):
        each = replace(each, blows_up=_unstable(bench, each))
        found = compare(bench, each, task, learning_rules(each)) | _capped(bench, each, task)
        lines += error_lines(each, found) + _order_lines(bench, each, found, orders)
        draw_errors(ax, each, found, len(task.train))
    return SETTINGS | (QUICK if bench.quick else {}), lines, figure


def _order_lines(bench, each, found, orders):
    """Return the lines of which rule does better, where an independent build knows."""
    if each.deep and each.linear:
        pairs = [(CAPPED, "TOP"), *bench.pick([("BP", "TOP"), ("RBP", "TOP")], [])]
        return [order_line(each, found, *pair) for pair in pairs]
    pairs = [("REC", "TOP"), ("BP", "REC"), ("ARBP", "RBP"), *orders]
    pairs.append(("SRBP" if each.deep else "RBP", "TOP"))
    if each.linear:
        return [order_line(each, found, *pair) for pair in pairs] + [
            equal_line(each, found, "ERR", "REC")
        ]
    pairs += [] if each.deep else [("REC", "ERR")]
    return [order_line(each, found, *pair) for pair in pairs]


CAPPED = "REC, norm at most 1"


def _unstable(bench, each):
    """Return the share of chips that should blow up at either cap of the norm."""
    if not (each.deep and each.linear):
        return {}
    # At 2 it happens after three epochs of MNIST, when the full experiment is over.
    return {CAPPED: (0.0, 0.0)} | bench.pick({"REC": (0.5, None), "ERR": (0.5, None)}, {})


def _capped(bench, wide, task):
    """Return the runs of deep linear recirculation at a norm of 1: at 2 it may blow up."""
    if not (wide.linear and wide.deep):
        return {}
    tight = replace(wide, norm_cap=1.0)
    return compare(bench, tight, task, {CAPPED: recirculation(tight)})


# Medians over chips of an independent build, or where its seeds lay.
LOWRANK = {
    "20": {"REC": (0.0, 0.028), "BP": (None, 0.001), "ARBP": (None, 0.001)},
    "100-20-100": {"REC": (0.007, 0.22)},
}
# (better, worse) of the medians that it found.
LOWRANK_ORDER = {
    "20": [("REC", "TOP"), ("REC", "RBP"), ("ARBP", "RBP"), ("RBP", "TOP")],
    "100-20-100": [("REC", "TOP"), ("REC", "BP"), ("BP", "RBP"), ("ARBP", "RBP"),
                   ("RBP", "TOP")],
}  # fmt: skip


def lowrank_figure(bench):
    """Reproduce figure 4: Lowrank, linear, one and three hidden layers, one epoch."""
    task = lowrank(cases=60_000, test_cases=bench.pick(1000, 10_000))
    panels = [
        Panel("20", (20,), True, 0.001, 2.0),
        Panel("100-20-100", (100, 20, 100), True, 0.0001, 2.0),
    ]
    figure, axes = grid(panels, "Lowrank 20: squared error per element on fresh cases")
    lines = []
    for ax, each in zip(axes, panels, strict=True):
        found = {
            label: _lowrank_runs(bench, each, task, label, rule)
            for label, rule in learning_rules(each).items()
        }
        lines += _lowrank_lines(each, found)
        draw_curves(
            ax, {label: _smoothed(runs) for label, runs in found.items()},
            title=f"hidden {each.title}", x="weight updates", y="median over chips",
            log_y=True, markers=False,
        )  # fmt: skip
    settings = SETTINGS | {
        "rate": ".001 with one hidden layer, .0001 with three",
        "batch": f"100 cases, one epoch of {len(task.train):,}; float32",
        "bands": "where the seeds of an independent build lay; of ratios of medians, the "
        "order that it found; ERR and REC are one rule in linear nets",
    }
    return settings, lines, figure


def _lowrank_lines(each, found):
    """Return the lines of each rule's median error, and of which is better."""
    bands = LOWRANK[each.title]
    lines = {
        label: median_line(f"{each.title}: {label}", [run.error for run in runs],
                           band=bands.get(label))
        for label, runs in found.items()
    }  # fmt: skip
    orders = [
        Line(f"{each.title}: {better} / {worse}, of the medians",
             lines[better].ours / lines[worse].ours, band=(None, 1.0))
        for better, worse in LOWRANK_ORDER[each.title]
    ]  # fmt: skip
    return [*lines.values(), *orders, equal_line(each, found, "ERR", "REC")]


def _lowrank_runs(bench, each, task, label, rule):
    """Return the runs of one rule over one epoch of fresh cases."""
    design = Design(each.network(task.n_units), rule, Ideal(precision="float32"))
    n = bench.pick(8, 20)
    return bench.train(f"Lowrank {each.title} {label}", design, task, n, epochs=1)


def _smoothed(runs, width=10):
    """Return (updates, median over chips of the error before each update, smoothed).

    No case comes twice, so that the error before an update is one of fresh cases.
    """
    values = np.median([run.history["train_error"] for run in runs], axis=0)
    updates = runs[0].history["update"]
    whole = len(values) // width * width
    return (
        updates[:whole].reshape(-1, width).mean(axis=1),
        values[:whole].reshape(-1, width).mean(axis=1),
    )


PICTURES = 10  # test cases drawn


def pictures(bench):
    """Reproduce figure 7: test images rebuilt by a linear 100-20-100 autoencoder."""
    task = images(bench, "mnist")
    each = panel("linear 100-20-100", norm_cap=1.0)
    each = shrink(each) if bench.quick else each
    rules, found = learning_rules(each), {}
    cases, rows, lines = task.test[:PICTURES], {"image": task.test[:PICTURES]}, []
    for label in ("BP", "SRBP", "REC"):
        design = Design(each.network(task.n_units), rules[label], Ideal(precision="float32"))
        chip = design.fabricate(bench.seed)
        (run,) = found[label] = bench.train_chips(
            label, [chip], task, batch_size=bench.pick(20, 100), epochs=each.epochs
        )
        rows[label] = chip.reconstruct(cases, bench.backend)
        lines.append(
            mean_line(f"{label}: squared error per pixel, all test cases", [run.error])
        )
    flat = mean_error(task.train, task.test)
    lines += [
        Line(f"{label}: error over that of the mean image", runs[0].error / flat,
             band=(None, 1.0), n=1)
        for label, runs in found.items()
    ]  # fmt: skip
    settings = SETTINGS | {
        "linear": "linear units, norm of incoming weights at most 1: at 2, which the paper "
        "allows, recirculation blows up after two to four epochs",
        "bands": "better than the mean image: the paper shows digits that can be read",
    }
    quick = {"quick": QUICK["quick"].replace("5 chips", "1 chip")}
    title = f"{task.name} rebuilt by a linear {each.title.split()[-1]} autoencoder"
    figure = picture_rows(rows, task.image_shape, title)
    return settings | (quick if bench.quick else {}), lines, figure


RESULTS = {
    "baldi-fig4": (
        "Lowrank: linear autoencoders find a subspace",
        "Baldi & Sadowski 2018, figure 4",
        lowrank_figure,
    ),
    "baldi-fig5": (
        "MNIST: recirculation against the backprop family",
        "Baldi & Sadowski 2018, figure 5",
        mnist_figure,
    ),
    "baldi-fig6": (
        "Fashion-MNIST: recirculation against the backprop family",
        "Baldi & Sadowski 2018, figure 6",
        fashion_figure,
    ),
    "baldi-fig7": (
        "MNIST digits rebuilt",
        "Baldi & Sadowski 2018, figure 7",
        pictures,
    ),
}
