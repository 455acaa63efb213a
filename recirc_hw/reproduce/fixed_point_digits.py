"""Real digits with few bits: rules side by side, test error against weight bits.

No paper has these numbers: the bands are around the errors of an independent NumPy
build, which had three chips, as ratios to its floating point.
"""

import numpy as np

from recirc_hw import tasks
from recirc_hw.designs import Design
from recirc_hw.networks import Loop
from recirc_hw.reproduce.bench import border_band, mean_line, ratio_line
from recirc_hw.reproduce.figures import draw_curves, new_figure, sorted_line
from recirc_hw.rules import Backprop, RandomFeedback, Recirculation
from recirc_hw.substrates import FixedPoint, Ideal

ROUNDINGS = ("floor", "half_even", "stochastic", "carry")
INTEGER_BITS = 3
OTHERS = 3  # chips of the independent build
# A format does if its mean error is at most this many times that of floating point.
BREAK = 1.05
WITHIN, BROKEN = (None, BREAK), (BREAK, None)

WIDTHS = (4, 5, 6, 7, 8, 10, 12, 16)
PLAIN, MEAN_IMAGE, DIGIT = 0.0122, 0.074, 0.0001
# CCRCC, by rounding: the independent build's error with each of WIDTHS
ERRORS = {
    "floor": (0.233, 0.233, 0.233, 0.233, 0.111, 0.0777, 0.0747, 0.0127),
    "half_even": (0.0763, 0.0763, 0.0781, 0.0786, 0.0434, 0.0327, 0.0128, 0.0121),
    "stochastic": (0.0936, 0.0726, 0.0524, 0.0381, 0.0260, 0.0150, 0.0125, 0.0122),
    "carry": (0.0787, 0.0179, 0.0143, 0.0127, 0.0124, 0.0122, 0.0122, 0.0122),
}  # fmt: skip
# What it found of all rules on MNIST, that they need 7 bits with carry and that rounded
# updates cost recirculation more than backprop: far from the border, and at it.
CLEAR = {("carry", 8): WITHIN, ("carry", 5): BROKEN}
BORDER = {("carry", 7): WITHIN, ("carry", 6): BROKEN}
MORE = (("half_even", 10), ("half_even", 8), ("stochastic", 10), ("stochastic", 8))
OVER_FLOATS = "error over that of floating point"


def ccrcc(rate):
    """Return B&S's CCRCC with lambda 1/2, as `autoencoders.recirculation` has it.

    The top learns from I - O_L(0), of which the blend leaves half; the hidden units
    learn from what the blend leaves.
    """
    return Recirculation(
        regression=0.5, presynaptic="first", learning_rate=(rate, 2 * rate)
    )  # fmt: skip


def weights_of(bits, rounding):
    """Return a substrate with weights of so many bits, 3 of them above the point."""
    return FixedPoint(
        weight_bits=bits, weight_fraction_bits=bits - 1 - INTEGER_BITS, rounding=rounding
    )


def digits(bench):
    """Measure the test error on real digits against weight bits, rounding and rule."""
    rate, chips = 2.0**-3, bench.pick(6, 32)
    widths = bench.pick((5, 6, 7, 8, 10, 12), WIDTHS)
    rules = {
        "recirculation": ccrcc(rate), "backprop": Backprop(learning_rate=rate),
        "random feedback": RandomFeedback(learning_rate=rate),
    }  # fmt: skip
    lines, ratios, panels = [], {}, {}
    for label, rule in rules.items():
        plain = _errors(bench, f"{label}, floating point", rule, Ideal(), chips)
        lines.append(_plain_line(label, plain))
        panels[label] = {}
        for name in ROUNDINGS:
            for bits in widths:
                what = f"{label}, {bits} bits, {name}"
                errors = _errors(bench, what, rule, weights_of(bits, name), chips)
                ratios[label, name, bits] = ratio = errors / plain
                band = _band(label, name, bits, ratio)
                lines.append(mean_line(f"{what}: {OVER_FLOATS}", ratio, band=band))
                panels[label].setdefault(name, {})[bits] = errors.mean()
        panels[label]["floating point"] = dict.fromkeys(widths, plain.mean())
    settings = {
        "network": "64-16-64, Glorot start, weights of 3 integer bits, activities of 8 bits",
        "training": "case by case, 10 epochs, rate 1/8; recirculation is CCRCC, lambda 1/2; "
        "backprop and random feedback descend the cross-entropy",
        "bands, recirculation": "an independent build's ratio, to half its last digit, and 4 "
        f"standard errors of the difference of two means, of its {OTHERS} chips and ours; "
        f"where it has no less than the mean image's error ({MEAN_IMAGE:g}), that or more",
        "bands, other rules": "what it found on MNIST: with carry 7 bits stay within "
        f"{BREAK - 1:.0%} of floating point and 6 do not, give or take 4 standard errors of "
        "our mean; 8 and 5 bits are clear of that. Rounded updates cost recirculation more",
    }
    return settings, [*lines, *_comparisons(ratios)], _figure(panels)


def _errors(bench, label, rule, substrate, chips):
    """Return each chip's test error after ten epochs, case by case."""
    network = Loop(64, 16, initial_weights="glorot", output_bias="data_mean")
    design = Design(network, rule, substrate)
    runs = bench.train(label, design, tasks.digits(), chips, epochs=10, batch_size=1)
    return np.array([run.error for run in runs])


def _plain_line(label, errors):
    """Return the line of floating point's error; recirculation's is known."""
    known = label == "recirculation"
    ends = (PLAIN - DIGIT / 2, PLAIN + DIGIT / 2)
    band = border_band(errors, *ends, others=OTHERS) if known else None
    return mean_line(f"{label}, floating point: error", errors, band=band)


def _band(label, rounding, bits, ratio):
    """Return where a ratio to floating point may fall, or None where nothing is known."""
    if label != "recirculation":
        ends = BORDER.get((rounding, bits))
        return border_band(ratio, *ends) if ends else CLEAR.get((rounding, bits))
    error = ERRORS[rounding][WIDTHS.index(bits)]
    if error >= MEAN_IMAGE:
        return border_band(ratio, MEAN_IMAGE / PLAIN, None, OTHERS)
    low = (error - DIGIT / 2) / (PLAIN + DIGIT / 2)
    high = (error + DIGIT / 2) / (PLAIN - DIGIT / 2)
    return border_band(ratio, low, high, others=OTHERS)


def _comparisons(ratios):
    """Return lines on how much more recirculation loses than backprop."""
    lines = []
    for cell in MORE:
        ours, theirs = (ratios[label, *cell] for label in ("recirculation", "backprop"))
        what = f"{cell[1]} bits, {cell[0]}: recirculation's ratio over backprop's"
        lines.append(ratio_line(what, ours, theirs, band=(1.0, None)))
    return lines


def _figure(panels):
    """Return the figure: error against weight bits, a panel for each rule."""
    figure, axes = new_figure(len(panels), width=9, height=4.2)
    for ax, (label, curves) in zip(axes, panels.items(), strict=True):
        lines = {name: sorted_line(errors) for name, errors in curves.items()}
        draw_curves(ax, lines, title=label, x="weight bits", y="test error", log_y=True)
        ax.get_legend().remove()
        ax.set_xticks(range(4, 17, 2))
        ax.sharey(axes[0])
        ax.label_outer()
    ticks = (0.01, 0.02, 0.05, 0.1, 0.2)
    axes[0].set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[0].set_yticks([], minor=True)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5,
                  frameon=False, fontsize=11)  # fmt: skip
    return figure
