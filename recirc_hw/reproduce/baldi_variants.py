"""Baldi & Sadowski 2018, figures 8 to 10: ten hidden layers, variants, cycles."""

from recirc_hw.reproduce.autoencoders import (
    QUICK,
    SETTINGS,
    Panel,
    compare,
    draw_errors,
    error_lines,
    errors,
    grid,
    images,
    learning_rules,
    panel,
    recirculation,
    shrink,
)
from recirc_hw.reproduce.bench import mean_line

DEEP_EPOCHS = 5


def ten_layers(bench):
    """Reproduce figure 8: ten hidden layers, and rates that halve from the output down."""
    task = images(bench, "mnist")
    each = Panel("ten hidden layers of 100", (100,) * 10, False, 0.01)
    if bench.quick:
        each = Panel("ten hidden layers of 32", (32,) * 10, False, 0.03)
    usual = learning_rules(each)
    rates = tuple(each.rate / 2**n for n in range(10, -1, -1))
    rules = {
        "REC'": recirculation(each).replace(learning_rate=rates),
        **{label: usual[label] for label in ("REC", "BP", "TOP")},
    }
    found = compare(bench, each, task, rules, DEEP_EPOCHS)
    figure, (ax,) = grid([each], f"{task.name}: test error")
    draw_errors(ax, each, found, len(task.train))
    settings = SETTINGS | {
        "rate": ".01 everywhere; REC' .01 / 2^n, n layers away from the output",
        "batch": f"100 cases, {DEEP_EPOCHS} epochs; float32",
        "bands": "the shape of the curves in the paper's figure and in an independent build",
    }
    lines = error_lines(each, found) + ([] if bench.quick else _shape_lines(each, found))
    return settings | (QUICK if bench.quick else {}), lines, figure


def _shape_lines(each, found):
    """Return lines for how the errors move: REC turns back up, REC' and BP only fall."""
    curves = {label: errors(each, runs)[:, 1:] for label, runs in found.items()}
    rise = curves["REC"][:, -1] / curves["REC"].min(axis=1)
    lines = [mean_line("REC: last test error over its lowest", rise, band=(1.01, None))]
    for label in ("REC'", "BP"):
        step = (curves[label][:, 1:] / curves[label][:, :-1]).max(axis=1)
        what = f"{label}: largest ratio of one epoch's error to the last's"
        lines.append(mean_line(what, step, band=(None, 1.0)))
    return lines


COMBINES = ("PR", "CCR", "RCC", "CCRCC", "RWCC")
LINEAR_VARIANTS = dict(zip(COMBINES, (0.02795, 0.0288, 0.0288, 0.0301, 0.0301), strict=True))
VARIANTS = dict(zip(COMBINES, (0.1699, 0.1703, 0.1699, 0.1732, 0.1732), strict=True))
CYCLES = {f"REC {n}": e for n, e in enumerate((0.1699, 0.1714, 0.1719, 0.1725, 0.1729), 1)}


def variants(bench):
    """Reproduce figure 9: five ways to combine the activity of two passes."""
    return _four_panels(
        bench, LINEAR_VARIANTS, VARIANTS,
        lambda each: {name: recirculation(each, combine=name) for name in COMBINES},
    )  # fmt: skip


def cycles(bench):
    """Reproduce figure 10: the difference to the activity after one to five cycles."""
    return _four_panels(
        bench, {}, CYCLES,
        lambda each: {f"REC {n}": recirculation(each, cycles=n) for n in range(1, 6)},
    )  # fmt: skip


def _four_panels(bench, linear, non_linear, rules):
    """Return settings, lines and figure of the four MNIST autoencoders."""
    task = images(bench, "mnist")
    panels = [
        panel("linear 20", linear),
        panel("non-linear 20", non_linear),
        panel("linear 100-20-100", norm_cap=1.0),
        panel("non-linear 100-20-100"),
    ]
    panels = [shrink(each) for each in panels] if bench.quick else panels
    figure, axes = grid(panels, f"{task.name}: test error")
    lines = []
    for ax, each in zip(axes, panels, strict=True):
        found = compare(bench, each, task, rules(each))
        lines += error_lines(each, found)
        lines.append(_spread_line(each, found))
        draw_errors(ax, each, found, len(task.train))
    settings = SETTINGS | {
        "lambda": ".5; the top layer does plain gradient descent throughout",
        "linear": SETTINGS["linear"] + ", with three hidden layers at most 1",
    }
    return settings | (QUICK if bench.quick else {}), lines, figure


def _spread_line(each, found):
    """Return the line for "very similarly": the largest of the errors over the smallest."""
    last = [errors(each, runs)[:, -1].mean() for runs in found.values()]
    return mean_line(f"{each.title}: largest over smallest", [max(last) / min(last)])


RESULTS = {
    "baldi-fig8": (
        "MNIST: ten hidden layers, with smaller rates further down",
        "Baldi & Sadowski 2018, figure 8",
        ten_layers,
    ),
    "baldi-fig9": (
        "MNIST: five ways to combine the activity of two passes",
        "Baldi & Sadowski 2018, figure 9",
        variants,
    ),
    "baldi-fig10": (
        "MNIST: recirculating one to five times",
        "Baldi & Sadowski 2018, figure 10",
        cycles,
    ),
}
