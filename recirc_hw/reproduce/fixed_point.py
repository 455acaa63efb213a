"""Learning with few bits: which rounding, how many bits of weights and activities.

No paper has these numbers: the bands are around the shares that an independent
NumPy build found with 100 chips, and where its errors on images fell.
"""

import numpy as np

from recirc_hw import tasks
from recirc_hw.chips import Design
from recirc_hw.errors import DataError
from recirc_hw.metrics import cross_entropy
from recirc_hw.networks import Loop
from recirc_hw.reproduce.bench import learned_line, mean_line, share_line
from recirc_hw.reproduce.figures import draw_curves, new_figure
from recirc_hw.rules import Backprop, RandomFeedback, Recirculation
from recirc_hw.substrates import FixedPoint, Ideal

ROUNDINGS = ("floor", "half_even", "stochastic", "carry")
# (weight bits, integer bits): share of 100 chips that learned, by rounding
ENCODER = {
    (16, 5): (1.00, 0.99, 1.00, 1.00),
    (12, 5): (0.99, 1.00, 1.00, 1.00),
    (10, 4): (0.91, 0.97, 0.96, 0.99),
    (8, 4): (0.19, 0.54, 0.99, 0.99),
    (8, 5): (0, 0.01, 0.97, 0.98),
    (6, 3): (0, 0, 0.97, 0.99),
    (5, 3): (0, 0, 0.84, 0.82),
    (4, 3): (0, 0, 0, 0),
}
ACTIVITY = {4: 0.24, 5: 0.78, 6: 0.99, 8: 0.99}
NARROW = {6: 0.09, 7: 0.64, 8: 0.94}
UPDATES = 500


def encoder(bench):
    """Measure the share of 4-2-4 chips that learn against bits and rounding."""
    chips = bench.pick(40, 1000)
    lines, curves, held = [], {name: ({}, {}) for name in ROUNDINGS}, []
    for (bits, integer), shares in ENCODER.items():
        for name, share in zip(ROUNDINGS, shares, strict=True):
            what = f"{bits} bits ({integer} integer), {name}"
            runs = _encoders(
                bench, what, chips, weight_bits=bits, weight_fraction_bits=bits - 1 - integer,
                rounding=name,
            )  # fmt: skip
            lines.append(learned_line(f"{what}: learned", runs, share))
            if (bits, integer) != (8, 5):
                curves[name][0][bits] = lines[-1].ours
            if bits == 6 and name in ("stochastic", "carry"):
                held.append(_held(f"{what}: later checks that still hold", runs))
    activity = {"wide": {}, "narrow": {}}
    for label, shares in (("wide", ACTIVITY), ("narrow", NARROW)):
        for bits, share in shares.items():
            runs = _encoders(
                bench, f"activity of {bits} bits, {label}", chips, weight_bits=16,
                weight_fraction_bits=10, rounding="half_even", activity_bits=bits,
                wide=label == "wide",
            )  # fmt: skip
            lines.append(
                learned_line(f"activity of {bits} bits, {label}: learned", runs, share)
            )
            activity[label][bits] = lines[-1].ours
    runs = _encoders(bench, "the default chip", chips)
    lines.append(share_line("the default chip: learned", [r.learned for r in runs]))
    settings = {
        "chips": f"{chips} a line, at most {UPDATES} updates, learning rate 16, lambda 3/4",
        "bands": "where 99.9 % of builds fall, given 100 chips of an independent one",
        "learned": "every unit error below .1 for the first time; later checks need not hold",
    }
    return settings, [*lines, *held], _encoder_figure(curves, activity)


def _encoders(bench, label, chips, **fields):
    """Train 4-2-4 chips of a format; return their runs."""
    design = Design(Loop(4, 2), Recirculation(learning_rate=16.0), FixedPoint(**fields))
    return bench.train(label, design, tasks.encoder(4), chips, max_updates=UPDATES)


def _held(what, runs):
    """Return the line of the mean share of checks after learning that still held."""
    return mean_line(what, [run.held_share for run in runs if run.learned])


def _encoder_figure(curves, activity):
    figure, (left, right) = new_figure(2)
    lines = {name: _sorted(shares) for name, (shares, _) in curves.items()}
    draw_curves(
        left, lines, title="4-2-4: share that learns", x="weight bits", y="share of chips"
    )
    draw_curves(
        right, {name: _sorted(shares) for name, shares in activity.items()},
        title="weights of 16 bits", x="activity bits", y="share of chips",
    )  # fmt: skip
    return figure


def _sorted(values):
    """Return a dict as x and y of a line."""
    return sorted(values), [values[x] for x in sorted(values)]


def digits(bench):
    """Measure the test error on real digits against weight bits and rounding."""
    task, epochs = tasks.digits(), bench.pick(2, 10)
    chips, widths = bench.pick(1, 3), bench.pick((8, 12), (5, 6, 7, 8, 10, 12, 16))
    network = Loop(64, 16, initial_weights="glorot", output_bias="data_mean")
    # A rate of 1/8 on differences that the blend has not yet halved.
    rule = Recirculation(regression=0.5, learning_rate=0.25)

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
            found = error(f"{bits} bits, {name}", _format(bits, 3, name))
            curves[name][bits] = found.mean()
            band = None if bench.quick else DIGITS.get((name, bits))
            what = f"{bits} bits, {name}: error over that of floating point"
            lines.append(mean_line(what, found / plain, band=band))
    figure, (ax,) = new_figure()
    draw_curves(
        ax, {name: _sorted(errors) for name, errors in curves.items()} | {
            "floating point": (list(widths), [plain.mean()] * len(widths))
        }, title="digits 64-16-64: test error", x="weight bits", y="squared error per pixel",
        log_y=True,
    )  # fmt: skip
    settings = {
        "network": "64-16-64, Glorot start, weights of 3 integer bits, activities of 8 bits",
        "training": f"CCRCC, lambda 1/2, rate 1/4, case by case, {epochs} epochs",
        "bands": "break points of an independent build: within 5 % of floating point, or not",
    }
    return settings, lines, figure


# (rounding, weight bits): band of the error over that of floating point
DIGITS = {
    ("half_even", 16): (None, 1.05), ("stochastic", 16): (None, 1.05),
    ("stochastic", 12): (None, 1.05), ("carry", 12): (None, 1.05), ("carry", 8): (None, 1.05),
    ("carry", 7): (None, 1.05), ("floor", 12): (1.5, None), ("floor", 8): (1.5, None),
    ("half_even", 8): (1.5, None), ("stochastic", 8): (1.5, None), ("carry", 5): (1.1, None),
}  # fmt: skip

RULES = {
    "recirculation, PR": Recirculation(
        combine="PR", presynaptic="first", learning_rate=2.0**-8
    ),
    # The same rate on differences that the blend has not yet halved.
    "recirculation, CCRCC": Recirculation(regression=0.5, learning_rate=2.0**-7),
    "backprop": Backprop(learning_rate=2.0**-8),
    "random feedback": RandomFeedback(learning_rate=2.0**-8),
}
# by rule: floating point, half_even 16 and 12, stochastic 12, 10, 8, carry 10, 8, 7, 6
IMAGES = {
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


def images(bench):
    """Measure rules side by side on 784-20-784, case by case, against weight bits."""
    task, size, updates = _image_task(bench)
    network = Loop(size, 20, hidden="tanh", initial_weights="glorot", output_bias="data_mean")
    chips = bench.pick(1, 3)
    lines, curves = [], {}
    for label, rule in RULES.items():
        plain = _entropies(
            bench, label, network, rule, Ideal(precision="float32"), task, updates, chips
        )
        lines.append(mean_line(f"{label}, floating point: cross-entropy", plain))
        theirs = IMAGES[label]
        for (rounding, bits), value in zip(CELLS, theirs[1:], strict=True):
            found = _entropies(
                bench, f"{label}, {bits} bits, {rounding}", network, rule,
                _format(bits, 3, rounding), task, updates, chips,
            )  # fmt: skip
            what = f"{label}, {bits} bits, {rounding}: cross-entropy over floating point's"
            band = _around(value / theirs[0]) if task.name == "mnist" else None
            lines.append(mean_line(what, found / plain, band=band))
            if rounding != "half_even":
                curves.setdefault(f"{label}, {rounding}", {})[bits] = found.mean()
    figure, (ax,) = new_figure(width=8, height=5)
    draw_curves(
        ax, {name: _sorted(values) for name, values in curves.items()},
        title=f"{task.name}, case by case", x="weight bits", y="test cross-entropy per pixel",
    )  # fmt: skip
    settings = {
        "network": f"{size}-20-{size}, tanh hidden units, weights of 3 integer bits",
        "training": f"{updates} cases, one at a time, rate 2^-8 (CCRCC 2^-7), {chips} chips",
        "cross-entropy": "from the output's exact sums",
        "bands": "around an independent build's ratio: 3 %, and 15 % of its rise",
    }
    return settings, lines, figure


def _image_task(bench):
    """Return (task, units, updates): MNIST, or digits in quick mode or where it is missing."""
    if bench.quick:
        return tasks.digits(), 64, 1000
    try:
        return tasks.mnist(), 784, 20000
    except DataError:
        return tasks.digits(), 64, 10000


def _around(ratio):
    """Return the band around an independent build's ratio to floating point."""
    spread = 0.03 + 0.15 * max(0.0, ratio - 1)
    return ratio - spread, ratio + spread


def _format(bits, integer, rounding):
    """Return a substrate with weights of so many bits, in all and above the point."""
    return FixedPoint(
        weight_bits=bits, weight_fraction_bits=bits - 1 - integer, rounding=rounding
    )


def _entropies(bench, label, network, rule, substrate, task, updates, chips):
    """Return each chip's test cross-entropy, from its output units' exact sums."""
    made = bench.fabricate(Design(network, rule, substrate), chips)
    bench.train_chips(label, made, task, max_updates=updates, batch_size=1, until="end")
    return np.array([_entropy(chip, task.test) for chip in made])


def _entropy(chip, cases):
    """Return a chip's cross-entropy with the output activity not rounded to codes."""
    hidden, top = chip.encode(cases).astype(float), chip.weights[-1].astype(float)
    if isinstance(chip.design.substrate, FixedPoint):
        one = 1 << chip.design.substrate.activity_bits
        hidden = hidden * (one - 1) / one
    total = hidden @ top[:, :-1].T + top[:, -1]
    return cross_entropy(cases, 1 / (1 + np.exp(-total)))


RESULTS = {
    "fixed-point": (
        "4-2-4 in fixed point: weight bits, rounding, activity bits",
        "an independent build; no paper has it",
        encoder,
    ),
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
