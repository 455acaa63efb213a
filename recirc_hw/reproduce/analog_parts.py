"""Analog chips part by part: synapse devices, dead parts, rings of groups, real digits."""

import math

import numpy as np

from recirc_hw import tasks
from recirc_hw.designs import Design
from recirc_hw.networks import Loop
from recirc_hw.reproduce.bench import learned_line, mean_line, updates_line
from recirc_hw.rules import Recirculation
from recirc_hw.substrates import Analog
from recirc_hw.substrates.devices import ConstantStep, IdealDevice, SoftBounds

UPDATES = 1000  # at most
ALL = ("tau", "gain", "read", "write", "offset")
MODELS = {"constant_step": ConstantStep, "soft_bounds": SoftBounds}
RANGE = 32.0  # w_max - w_min
# by model, then by steps to the range: (share of 100 chips, mean updates of those)
STEPS = {
    "constant_step": {
        1000: (1.0, 52), 300: (1.0, 54), 100: (1.0, 64), 30: (0.98, 124), 10: (0.44, None),
    },
    "soft_bounds": {
        1000: (1.0, 114), 300: (1.0, 109), 100: (1.0, 128), 30: (0.92, 313), 10: (0.13, None),
    },
}  # fmt: skip
# label: (fields of the device, share of 100 constant_step chips, of 100 soft_bounds)
SPREADS = {
    "steps up and down spread apart by .3": (
        {"dw_min_dtod": 0.3 / math.sqrt(2), "up_down_dtod": 0.3 / math.sqrt(2)}, 0.965, 1.0,
    ),
    "steps spread by .3 from pulse to pulse": ({"dw_min_std": 0.3}, 1.0, 1.0),
    "a step down of .8 of one up": ({"up_down": 0.2}, 1.0, 1.0),
    "a step down of .5 of one up": ({"up_down": 0.5}, 0.96, 0.93),
}  # fmt: skip
LEAKS = {0.005: 1.0, 0.01: 0.43, 0.02: 0.06}  # share lost a write: share of 100 that learns
DEAD = {0.01: 0.985, 0.02: 0.95, 0.05: 0.83, 0.1: 0.68}  # share dead: share of 200
# sizes: (learning rate, mean updates of 40 chips that all learn)
RINGS = {(4, 3, 3): (4.0, 724), (8, 5, 5): (3.0, 546)}
# test error of digits by mismatch of all, by steps of constant_step devices to the range,
# and by how far apart their steps up and down are
DIGITS = {0.0: 0.0134, 0.1: 0.0135, 0.2: 0.0140, 0.4: 0.0155}
DIGIT_STEPS = {10000: 0.0134, 1000: 0.0164, 300: 0.0282}
DIGIT_SPREADS = {0.01: 0.0139, 0.1: 0.0485}
DIGIT_RANGE = 16.0  # of devices: -8..8, which trained weights just fill
SEEDS = 0.037  # relative sd from seed to seed of the independent build's digits


def encoder_design(rule=None, hidden=2, **fields):
    """Return a 4-2-4 design with these fields of rule and substrate."""
    return Design(Loop(4, hidden), Recirculation(**(rule or {})), Analog(**fields))


def mismatched(effects, strength):
    """Return the fields that give these effects a strength."""
    return {f"{effect}_mismatch": strength for effect in effects}


def train_encoders(bench, label, design, n, most=UPDATES):
    """Train n chips of a design on the encoder of its size; return their runs."""
    task = tasks.encoder(design.network.case_size)
    return bench.train(label, design, task, n, max_updates=most)


def counted(runs):
    """Return (how many learned, of how many)."""
    return sum(run.learned for run in runs), len(runs)


def devices(bench):
    """Return the lines of pulsed devices, and {model: {step: (learned, chips)}}."""
    lines, found = [], {}
    for name, expected in STEPS.items():
        found[name] = {}
        for steps in bench.pick((100,), tuple(expected)):
            share, mean = expected[steps]
            runs = _with_device(bench, MODELS[name](dw_min=RANGE / steps), f"{steps} steps")
            what = f"{name}, {steps} steps to the range"
            lines.append(learned_line(f"{what}: learned", runs, share))
            lines.append(updates_line(f"{what}: mean updates", runs, mean))
            found[name][1 / steps] = counted(runs)
    for what, (fields, *shares) in tuple(SPREADS.items())[: bench.pick(1, None)]:
        for (name, model), share in zip(MODELS.items(), shares, strict=True):
            runs = _with_device(bench, model(**fields), what)
            lines.append(learned_line(f"{name}, {what}: learned", runs, share))
    return lines + _leaks(bench), found


def _with_device(bench, device, what):
    """Train encoders with synapses of a device; return their runs."""
    label = f"{device.type}: {what}"
    return train_encoders(bench, label, encoder_design(device=device), bench.pick(20, 100))


def _leaks(bench):
    """Return the lines of weights that fade with every write."""
    lines = []
    for leak, share in LEAKS.items():
        runs = _with_device(bench, IdealDevice(lifetime=1 / leak), f"leak of {leak}")
        lines.append(learned_line(f"weights that lose {leak:g} a write: learned", runs, share))
    return lines


def dead_parts(bench):
    """Return the lines of dead synapses, and of a stuck hidden unit."""
    chips, lines = bench.pick(30, 200), []
    cases = [(share, 2, learned) for share, learned in DEAD.items()] + [(0.05, 3, 0.945)]
    for dead, hidden, share in cases:
        device = IdealDevice(corrupt_devices_prob=dead)
        what = f"{dead:.0%} of synapses dead, {hidden} hidden units"
        design = encoder_design(hidden=hidden, device=device)
        runs = train_encoders(bench, what, design, chips)
        lines.append(learned_line(f"{what}: learned", runs, share, 200))
    for hidden, share in ((2, 0.0), (3, 1.0)):
        what = f"one of {hidden} hidden units stuck"
        chips = _with_a_stuck_unit(bench, hidden, bench.pick(10, 50))
        runs = bench.train_chips(what, chips, tasks.encoder(4), max_updates=UPDATES)
        lines.append(learned_line(f"{what}: learned", runs, share, 100))
    return lines


def _with_a_stuck_unit(bench, hidden, n):
    """Return the first n chips of which one hidden unit is stuck, and nothing else."""
    design = encoder_design(hidden=hidden, stuck_units=0.2)
    seeds = range(bench.seed, bench.seed + 20 * n)
    stuck = ~np.isnan(design.substrate.body(seeds, design.lowered()).stuck)
    alone = (stuck.sum(axis=1) == 1) & ~stuck[:, :4].any(axis=1)
    return [design.fabricate(seeds[i]) for i in np.flatnonzero(alone)[:n]]


def rings(bench):
    """Return the lines of two hidden groups in a ring."""
    lines, chips = [], bench.pick(4, 40)
    for sizes, (rate, mean) in tuple(RINGS.items())[bench.pick(1, 0) :]:
        what = f"{'-'.join(map(str, sizes))} in a ring"
        design = Design(
            Loop(*sizes), Recirculation(learning_rate=rate), Analog(tau_hidden_ms=0.1)
        )
        runs = train_encoders(bench, what, design, chips, 5000)
        lines.append(learned_line(f"{what}: learned", runs, 1.0, 40))
        lines.append(updates_line(f"{what}: mean updates", runs, mean, others=40))
    return lines


def digits(bench):
    """Return the lines of digits, and (x label, log x, curves) of two pictures."""
    lines, curves = [], {"mismatch": {}, "steps": {}, "apart": {}}
    cases = _digit_cases()
    for curve, x, what, fields, error in cases[: len(DIGITS) : 3] if bench.quick else cases:
        lines.append(_digits_line(bench, f"digits, {what}", error, fields))
        curves[curve][x] = lines[-1].ours
    pictures = (
        ("mismatch of everything", False, {"learned on the chip": _curve(curves["mismatch"])}),
        (
            "share of the range, or of a step", True,
            {
                "one step of constant_step": _curve(curves["steps"]),
                "steps up and down apart by": _curve(curves["apart"]),
            },
        ),
    )  # fmt: skip
    return lines, pictures


def _digit_cases():
    """Return (curve, x, what, substrate fields, expected error) of every line of digits."""
    cases = [
        ("mismatch", s, f"mismatch {s:g} of all", mismatched(ALL, s), error)
        for s, error in DIGITS.items()
    ]
    for steps, error in DIGIT_STEPS.items():
        device = _digit_device(steps)
        what = f"constant_step of {steps} steps"
        cases.append(("steps", 1 / steps, what, {"device": device}, error))
    for spread, error in DIGIT_SPREADS.items():
        apart = {"dw_min_dtod": spread / math.sqrt(2), "up_down_dtod": spread / math.sqrt(2)}
        device = _digit_device(10000, **apart)
        what = f"constant_step of 10000 steps, up and down {spread:g} apart"
        cases.append(("apart", spread, what, {"device": device}, error))
    return cases


def _digit_device(steps, **spread):
    """Return a device whose range, as large as digits need it, has so many steps."""
    most = DIGIT_RANGE / 2
    return ConstantStep(w_max=most, w_min=-most, dw_min=DIGIT_RANGE / steps, **spread)


def _digits_line(bench, what, expected, fields):
    """Train digits 64-16-64 with these substrate fields; return the line of the error."""
    network = Loop(64, 16, initial_weights="glorot", output_bias="data_mean")
    substrate = Analog(release_ms=math.log(4.0), dt_ms=0.05, precision="float32", **fields)
    design = Design(network, Recirculation(learning_rate=0.1), substrate)
    n = bench.pick(2, 3 if "device" in fields else 5)
    runs = bench.train(what, design, tasks.digits(), n, batch_size=1, epochs=10)
    errors = [run.error for run in runs]
    spread = max(np.std(errors, ddof=1), SEEDS * expected) * math.sqrt(1 / n + 1 / 5)
    band = (expected - 4 * spread, expected + 4 * spread)
    return mean_line(f"{what}: test error per pixel", errors, band=band)


def _curve(values):
    """Return {x: y} as x and y of a line."""
    return sorted(values), [values[x] for x in sorted(values)]
