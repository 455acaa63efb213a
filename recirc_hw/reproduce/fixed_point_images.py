"""Real images with few bits: rules side by side, and the widths at which they break.

No paper has these numbers: the bands are around the errors of an independent NumPy
build, as ratios to its floating point.
"""

import numpy as np

from recirc_hw import tasks
from recirc_hw.calibration import calibrate_formats
from recirc_hw.designs import Design
from recirc_hw.errors import DataError
from recirc_hw.metrics import cross_entropy
from recirc_hw.networks import Loop
from recirc_hw.reproduce.bench import mean_line
from recirc_hw.reproduce.figures import draw_curves, new_figure, sorted_line
from recirc_hw.rules import Backprop, RandomFeedback, Recirculation
from recirc_hw.substrates import FixedPoint, Ideal

ROUNDINGS = ("floor", "half_even", "stochastic", "carry")
INTEGER_BITS = 3


def ccrcc(rate):
    """Return B&S's CCRCC with lambda 1/2, as `autoencoders.recirculation` has it.

    The top learns from I - O_L(0), of which the blend leaves half; the hidden units
    learn from what the blend leaves.
    """
    return Recirculation(
        regression=0.5, presynaptic="first", learning_rate=(rate, 2 * rate)
    )  # fmt: skip


def digits(bench):
    """Measure the test error on real digits against weight bits and rounding."""
    task, epochs = tasks.digits(), bench.pick(2, 10)
    chips, widths = bench.pick(1, 32), bench.pick((8, 12), (4, 5, 6, 7, 8, 10, 12, 16))
    network = Loop(64, 16, initial_weights="glorot", output_bias="data_mean")
    rule = ccrcc(2.0**-3)

    def error(label, substrate):
        runs = bench.train(
            label, Design(network, rule, substrate), task, chips, epochs=epochs, batch_size=1
        )
        return np.array([run.error for run in runs])

    plain = error("floating point", Ideal())
    lines, curves = [mean_line("floating point: error", plain)], {}
    for name in ROUNDINGS:
        curves[name] = {}
        for bits in widths:
            found = error(f"{bits} bits, {name}", _format(bits, name))
            curves[name][bits] = found.mean()
            band = None if bench.quick else DIGITS.get((name, bits))
            what = f"{bits} bits, {name}: error over that of floating point"
            lines.append(mean_line(what, found / plain, band=band))
    figure, (ax,) = new_figure()
    draw_curves(
        ax, {name: sorted_line(errors) for name, errors in curves.items()} | {
            "floating point": (list(widths), [plain.mean()] * len(widths))
        }, title="digits 64-16-64: test error", x="weight bits", y="squared error per pixel",
        log_y=True,
    )  # fmt: skip
    settings = {
        "network": "64-16-64, Glorot start, weights of 3 integer bits, activities of 8 bits",
        "training": f"CCRCC, lambda 1/2, rate 1/8, case by case, {epochs} epochs",
        "bands": "break points of an independent build: within 5 % of floating point, or not",
    }
    return settings, lines, figure


# Of the mean error of floating point, which the independent build's three chips kept;
# ratios of single chips differ by a standard deviation of 2 to 3 % (carry, 7 bits: 1.04).
WITHIN = (None, 1.05)
# (rounding, weight bits): band of the error over that of floating point
DIGITS = {
    ("half_even", 16): WITHIN, ("stochastic", 16): WITHIN,
    ("stochastic", 12): WITHIN, ("carry", 12): WITHIN, ("carry", 8): WITHIN,
    ("carry", 7): WITHIN, ("floor", 12): (1.5, None), ("floor", 8): (1.5, None),
    ("half_even", 8): (1.5, None), ("stochastic", 8): (1.5, None), ("carry", 5): (1.1, None),
}  # fmt: skip


def _rules(rate):
    """Return the rules that are compared, at a rate."""
    return {
        "recirculation, PR": Recirculation(
            combine="PR", presynaptic="first", learning_rate=rate
        ),
        "recirculation, CCRCC": ccrcc(rate),
        "backprop": Backprop(learning_rate=rate),
        "random feedback": RandomFeedback(learning_rate=rate),
    }


# by rule: floating point, half_even 16 and 12, stochastic 12, 10, 8, carry 10, 8, 7, 6
ONLINE = {
    "recirculation, PR": (
        0.1551, 0.1564, 0.324, 0.1617, 0.181, 0.215, 0.1552, 0.1563, 0.1581, 0.255,
    ),
    "recirculation, CCRCC": (
        0.1492, 0.1516, 0.326, 0.1541, 0.171, 0.222, 0.1492, 0.1498, 0.1526, 0.255,
    ),
    "backprop": (0.1544, 0.1547, 0.246, 0.1551, 0.163, 0.198, 0.1544, 0.1542, 0.1560, 0.255),
    "random feedback": (
        0.1733, 0.1749, 0.296, 0.1763, 0.185, 0.215, 0.1734, 0.1743, 0.1786, 0.255,
    ),
}  # fmt: skip
CELLS = (
    ("half_even", 16), ("half_even", 12), ("stochastic", 12), ("stochastic", 10),
    ("stochastic", 8), ("carry", 10), ("carry", 8), ("carry", 7), ("carry", 6),
)  # fmt: skip
# by rule: lowest weight bits within 5 % of floating point, in the order of ROUNDINGS
LOWEST = {
    "recirculation, PR": (16, 12, 12, 7), "recirculation, CCRCC": (16, 16, 10, 7),
    "backprop": (16, 10, 8, 7), "random feedback": (16, 10, 8, 7),
}  # fmt: skip
WIDTHS = (6, 7, 8, 10, 12, 16)
# by rule: activities of 4, 5, 6, 8 bits, weights of 8, carry
ACTIVITY = {
    "recirculation, CCRCC": (0.153, 0.151, 0.150, 0.150),
    "backprop": (0.172, 0.164, 0.158, 0.154),
}
# weight bits: CCRCC, carry; no integer bits into the hidden units, 3 elsewhere
APART = {6: 0.1505, 5: 0.1561, 4: 0.180}


def images(bench):
    """Measure rules side by side on 784-20-784 against weight and activity bits."""
    found = _Images(bench)
    lines, curves = found.online()
    if not bench.quick:
        lines += [*found.batches(), *found.activities(), *found.apart()]
    figure, (ax,) = new_figure(width=8, height=5)
    draw_curves(
        ax, {name: sorted_line(values) for name, values in curves.items()},
        title=f"{found.task.name}, case by case", x="weight bits",
        y="test cross-entropy per pixel",
    )  # fmt: skip
    settings = {
        "network": f"{found.size}-20-{found.size}, tanh hidden units, 3 integer bits",
        "training": f"{found.updates} cases one at a time, rate 2^-8, {found.chips} chips",
        "batches": f"of 100, {found.batched} updates, rate 2^-9",
        "cross-entropy": "from the output's exact sums",
        "bands": "around an independent build's ratio: 3 %, and 15 % of its rise; at its break "
        "points 5 % above floating point is the border",
    }
    return settings, lines, figure


class _Images:
    """MNIST, or digits in quick mode or where it is missing; and floating point's errors."""

    def __init__(self, bench):
        self.bench, self.chips = bench, bench.pick(1, 3)
        self.task, self.size, self.updates, self.batched = _image_task(bench)
        self.known = self.task.name == "mnist"
        self.network = Loop(
            self.size, 20, hidden="tanh", initial_weights="glorot", output_bias="data_mean"
        )
        self.plain = {}

    def online(self):
        """Return the lines and curves of all rules, case by case."""
        lines, curves = [], {}
        for label, rule in _rules(2.0**-8).items():
            lines.append(
                mean_line(f"{label}, floating point: cross-entropy", self.floats(label, rule))
            )
            theirs = ONLINE[label]
            for (rounding, bits), value in zip(CELLS, theirs[1:], strict=True):
                what = f"{label}, {bits} bits, {rounding}"
                line = self.line(what, label, rule, _format(bits, rounding), value / theirs[0])
                lines.append(line)
                if rounding != "half_even":
                    mean = line.ours * self.floats(label, rule).mean()
                    curves.setdefault(f"{label}, {rounding}", {})[bits] = mean
        return lines, curves

    def batches(self):
        """Return lines at the lowest width that will do, and at the next, in batches."""
        lines = []
        for label, rule in _rules(2.0**-9).items():
            for rounding, bits in zip(ROUNDINGS, LOWEST[label], strict=True):
                narrower = WIDTHS[WIDTHS.index(bits) - 1]
                for width, band in ((bits, WITHIN), (narrower, (1.05, None))):
                    what = f"batches of 100: {label}, {width} bits, {rounding}"
                    ratio = self.ratio(what, label, rule, _format(width, rounding), 100)
                    lines.append(_ratio_line(what, ratio, band if self.known else None))
        return lines

    def activities(self):
        """Return lines for fewer activity bits, weights of 8 bits, carry."""
        lines, rules = [], _rules(2.0**-8)
        for label, values in ACTIVITY.items():
            for bits, value in zip((4, 5, 6, 8), values, strict=True):
                what = f"{label}, activities of {bits} bits"
                substrate = _format(8, "carry").replace(activity_bits=bits)
                theirs = value / ONLINE[label][0]
                lines.append(self.line(what, label, rules[label], substrate, theirs))
        return lines

    def apart(self):
        """Return lines for a format of its own for each matrix: given, and calibrated."""
        label, lines = "recirculation, CCRCC", []
        rule = _rules(2.0**-8)[label]
        for bits, value in APART.items():
            shared = _format(bits, "carry")
            rest = bits - 1 - INTEGER_BITS
            own = shared.replace(
                weight_fraction_bits=(bits - 1, rest), bias_fraction_bits=(rest, rest)
            )
            what = f"{label}, {bits} bits, carry, a format for each matrix"
            lines.append(self.line(what, label, rule, own, value / ONLINE[label][0]))
        shared = Design(self.network, rule, _format(6, "carry"))
        found = calibrate_formats(shared, self.task, chips=1, max_updates=self.updates)
        what = f"{label}, 6 bits, carry, formats from a calibration run"
        ratio = self.ratio(what, label, rule, found.design.substrate)
        return [*lines, _ratio_line(what, ratio, (None, 1.05) if self.known else None)]

    def line(self, what, label, rule, substrate, theirs):
        """Return the line of a ratio, case by case, with its band around `theirs`."""
        band = _around(theirs) if self.known else None
        return _ratio_line(what, self.ratio(what, label, rule, substrate), band)

    def ratio(self, what, label, rule, substrate, batch_size=1):
        """Return each chip's cross-entropy over that of its twin in floating point."""
        plain = self.floats(label, rule, batch_size)
        return self.entropies(what, rule, substrate, batch_size) / plain

    def floats(self, label, rule, batch_size=1):
        """Return each floating-point chip's cross-entropy; they are trained once."""
        if (label, batch_size) not in self.plain:
            ideal = Ideal(precision="float32")
            self.plain[label, batch_size] = self.entropies(label, rule, ideal, batch_size)
        return self.plain[label, batch_size]

    def entropies(self, what, rule, substrate, batch_size):
        """Return each chip's test cross-entropy, from its output units' exact sums."""
        made = self.bench.fabricate(Design(self.network, rule, substrate), self.chips)
        updates = self.updates if batch_size == 1 else self.batched
        self.bench.train_chips(
            what, made, self.task, max_updates=updates, batch_size=batch_size, until="end"
        )
        return np.array([_entropy(chip, self.task.test) for chip in made])


def _image_task(bench):
    """Return (task, units, updates case by case, updates of 100 cases)."""
    if bench.quick:
        return tasks.digits(), 64, 1000, 0
    try:
        return tasks.mnist(), 784, 20000, 600
    except DataError:
        return tasks.digits(), 64, 10000, 600


def _ratio_line(what, ratio, band):
    return mean_line(f"{what}: cross-entropy over floating point's", ratio, band=band)


def _around(ratio):
    """Return the band around an independent build's ratio to floating point."""
    spread = 0.03 + 0.15 * max(0.0, ratio - 1)
    return ratio - spread, ratio + spread


def _format(bits, rounding):
    """Return a substrate with weights of so many bits, 3 of them above the point."""
    return FixedPoint(
        weight_bits=bits, weight_fraction_bits=bits - 1 - INTEGER_BITS, rounding=rounding
    )


def _entropy(chip, cases):
    """Return a chip's cross-entropy with the output activity not rounded to codes."""
    hidden, top = chip.encode(cases).astype(float), chip.weights[-1].astype(float)
    if isinstance(chip.design.substrate, FixedPoint):
        one = 1 << chip.design.substrate.activity_bits
        hidden = hidden * (one - 1) / one
    total = hidden @ top[:, :-1].T + top[:, -1]
    return cross_entropy(cases, 1 / (1 + np.exp(-total)))


RESULTS = {
    "fixed-point-digits": (
        "Digits in fixed point: test error against weight bits",
        "an independent build; no paper has it",
        digits,
    ),
    "fixed-point-images": (
        "MNIST in fixed point: recirculation, backprop and random feedback side by side",
        "an independent build; no paper has it",
        images,
    ),
}
