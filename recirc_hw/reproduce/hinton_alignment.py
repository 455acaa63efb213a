"""Hinton & McClelland 1988, eq. 9 and pages 362 to 363: recirculation against descent."""

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.metrics import cosine
from recirc_hw.networks import Loop
from recirc_hw.reproduce.bench import mean_band, mean_line, means_ratio_line
from recirc_hw.reproduce.figures import COLOURS, draw_curves, new_figure
from recirc_hw.rules import Backprop, Recirculation
from recirc_hw.tasks import encoder

# An independent build's means over chips, at these updates.
MOMENTS = (0, 2, 5, 10, 20, 30)
ALIGNMENT = (0.0, 0.42, 0.57, 0.61, 0.77, 0.82)
SYMMETRY = (-0.01, 0.51, 0.48, 0.73, 0.95, 0.97)
END = 200  # updates, when the ratio of the two matrices is taken


def alignment(bench):
    """Reproduce how the weight changes come to agree with steepest descent."""
    chips = bench.fabricate(Design(Loop(4, 2), Recirculation()), bench.pick(200, 1000))
    angles, symmetries, done = [], [], 0
    for moment in MOMENTS:
        _advance(bench, chips, moment - done)
        done = moment
        angles.append([cosine(*pair) for pair in _changes(bench, chips)])
        symmetries.append([_symmetry(chip.weights) for chip in chips])
    _advance(bench, chips, END - done)
    lines = _cosine_lines(bench, "cos(visible-to-hidden change, descent)", angles, ALIGNMENT)
    lines += _cosine_lines(bench, "cos(W_vh, transpose of W_hv)", symmetries, SYMMETRY)
    ratios = [_norm(chip.weights[1]) / _norm(chip.weights[0]) for chip in chips]
    lines.append(mean_line(f"|W_hv| / |W_vh|, update {END}", ratios, band=(4.0, 5.0)))
    settings = {
        "rule": "H&M's, rate 20, lambda .75; every chip goes on to the end",
        "descent": "of the squared error, biases included; the weights' cosine without them",
        "bands": "an independent build's mean +-.05 for 1000 chips; for fewer, at least "
        "where the mean of so many may fall, given that of 1000; its ratio of 4.5 +-.5",
    }
    return settings, lines, _alignment_figure(angles, symmetries)


def _advance(bench, chips, updates):
    """Train the chips on, for so many updates."""
    if updates:
        bench.train_chips("alignment", chips, encoder(4), max_updates=updates, until="end")


def _changes(bench, chips):
    """Yield (what the rule asks for, steepest descent) for each chip's hidden weights."""
    yardstick = Design(chips[0].design.network, Backprop(loss="squared")).fabricate(0)
    cases = encoder(4).train
    for chip in chips:
        yardstick.weights = chip.weights
        yield tuple(
            each.weight_change(cases, backend=bench.backend)[0] for each in (chip, yardstick)
        )


def _symmetry(weights):
    """Return the cosine between W_vh and the transpose of W_hv, biases left out."""
    return cosine(weights[0][:, :-1], weights[1][:, :-1].T)


def _norm(weights):
    """Return the norm of a matrix without its biases."""
    return float(np.linalg.norm(weights[:, :-1]))


def _cosine_lines(bench, what, values, expected):
    """Return a line for each moment, in a band that is wider where chips are few."""
    lines = []
    for moment, chips, centre in zip(MOMENTS, values, expected, strict=True):
        low, high = centre - 0.05, centre + 0.05
        if bench.quick:
            wide = mean_band(chips, centre, others=1000)
            low, high = min(low, wide[0]), max(high, wide[1])
        band = (low, min(1.0, high))
        lines.append(mean_line(f"{what}, update {moment}", chips, band=band))
    return lines


def _alignment_figure(angles, symmetries):
    """Return the figure of both cosines over updates: mean, and middle half of the chips."""
    figure, (ax,) = new_figure(width=8.5, height=5)
    cosines = {
        "visible-to-hidden change with steepest descent": angles,
        "visible-to-hidden weights with the transposed others": symmetries,
    }
    means = {name: (MOMENTS, np.mean(values, axis=1)) for name, values in cosines.items()}
    title = "4-2-4 encoder: alignment (line: mean, shade: middle half of the chips)"
    draw_curves(ax, means, title=title, x="weight updates", y="cosine")
    for values, colour in zip(cosines.values(), COLOURS, strict=False):
        low, high = np.percentile(values, (25, 75), axis=1)
        ax.fill_between(MOMENTS, low, high, color=colour, alpha=0.15, linewidth=0)
    ax.set_ylim(-0.5, 1.02)
    return figure


REGRESSIONS = (0.0, 0.5, 0.75, 0.9, 0.99, 0.999)
REPORTED = (0.75, 0.99, 0.999)
# Visible units, whether W_hv starts as the transpose of W_vh, half the width of the start.
CASES = {
    "linear, symmetric": ("identity", True, 0.5),
    "logistic, symmetric, weights in +-.5": ("logistic", True, 0.5),
    "logistic, symmetric, weights in +-1": ("logistic", True, 1.0),
    "logistic, symmetric, weights in +-2": ("logistic", True, 2.0),
    "linear, asymmetric": ("identity", False, 0.5),
}
NONE = (-0.1, 0.1)  # of a thousand chips; fewer spread more widely
# Where visible units are logistic, an independent build saturated at .92 to .999.
BANDS = {
    ("linear, symmetric", 0.75): (0.973, 0.993),
    ("linear, symmetric", 0.99): (0.9999, 1.0),
    ("linear, symmetric", 0.999): (0.999999, 1.0),
    ("logistic, symmetric, weights in +-1", 0.999): (0.92, 0.999),
    ("logistic, symmetric, weights in +-2", 0.999): (0.92, 0.999),
    ("linear, asymmetric", 0.999): NONE,
}
# What is left of 1 - cosine when 1 - lambda falls to a tenth: its square, or nearly all.
FALLS, SATURATES = (0.009, 0.011), (0.9, 1.1)


def equation_nine(bench):
    """Reproduce that recirculation descends the gradient as lambda approaches 1."""
    n, lines, curves = bench.pick(100, 1000), [], {}
    regressions = bench.pick(REPORTED, REGRESSIONS)
    for name, case in CASES.items():
        cosines, lengths = zip(*(_against(bench, case, r, n) for r in regressions), strict=True)
        for regression, values in zip(regressions, cosines, strict=True):
            if regression in REPORTED:
                what = f"{name}: cosine to descent, lambda {regression:g}"
                band = BANDS.get((name, regression))
                if band == NONE and bench.quick:
                    band = mean_band(values, 0.0)
                lines.append(mean_line(what, values, band=band))
        curves[name] = (1 - np.array(regressions), 1 - np.mean(cosines, axis=1))
        if case[1]:
            lines.append(_left_line(name, case, *cosines[-2:]))
        if name == "linear, symmetric":
            what = "the same: length over (1-lambda)^2 times the gradient's, lambda .999"
            lines.append(mean_line(what, lengths[-1], band=(0.99, 1.01)))
    settings = {
        "network": "4-2-4, weights as fabricated, four cases summed, biases included",
        "bands": "an independent build: .983 +-.01 at lambda .75, then .99998 and 1.000000; "
        "with logistic visible units .92 to .999, from weights whose size is not stated",
        "saturation": "1 - cosine at lambda .999 over that at .99: the square of a tenth where "
        "the angle goes with 1 - lambda, between .9 and 1.1 where it saturates",
        "weights in +-.5": "saturate above that range, at .9995: the smaller the weights, the "
        "straighter the units; +-1 and +-2 lie within it",
    }
    return settings, lines, _equation_nine_figure(curves)


def _left_line(name, case, earlier, later):
    """Return the line of how much of the distance from descent stays, lambda .99 to .999."""
    what = f"{name}: 1 - cosine, lambda .999 over .99"
    band = FALLS if case[0] == "identity" else SATURATES
    return means_ratio_line(what, 1 - np.array(later), 1 - np.array(earlier), band=band)


def _against(bench, case, regression, n):
    """Return n chips' cosines of the hidden change to descent, and their scaled lengths."""
    visible, symmetric, width = case
    network = Loop(4, 2, visible=visible, initial_range=width)
    chips = bench.fabricate(Design(network, Recirculation(regression=regression)), n)
    for chip in chips if symmetric else ():
        weights = chip.weights
        weights[1][:, :-1] = weights[0][:, :-1].T
        chip.weights = weights
    pairs = list(_changes(bench, chips))
    scale = (1 - regression) ** 2
    lengths = [np.linalg.norm(a) / (scale * np.linalg.norm(b)) for a, b in pairs]
    return [cosine(*pair) for pair in pairs], lengths


def _equation_nine_figure(curves):
    """Return the figure of how far the cosine is from 1, over 1 - lambda."""
    figure, (ax,) = new_figure(width=8.5, height=5)
    title = "Eq. 9: distance of recirculation's hidden change from steepest descent"
    draw_curves(
        ax, curves, title=title, x="1 - lambda", y="1 - cosine, mean over chips",
        log_x=True, log_y=True,
    )  # fmt: skip
    ax.invert_xaxis()
    return figure


RESULTS = {
    "hinton-alignment": (
        "how the 4-2-4 encoder's weight changes align with steepest descent",
        "Hinton & McClelland 1988, pages 362 and 363",
        alignment,
    ),
    "hinton-eq9": (
        "recirculation as gradient descent at high regression",
        "Hinton & McClelland 1988, eqs. 7 to 9",
        equation_nine,
    ),
}
