"""Learning in continuous time: does it, under which time constants, and what limits it.

No paper has these numbers: the bands are around what an independent NumPy build found.
"""

from dataclasses import replace

import numpy as np

from recirc_hw import tasks
from recirc_hw.designs import Design
from recirc_hw.networks import Loop
from recirc_hw.reproduce.bench import learned_line, share_line, updates_line
from recirc_hw.reproduce.figures import draw_curves, new_figure
from recirc_hw.reproduce.result import Line
from recirc_hw.rules import Recirculation
from recirc_hw.substrates import Analog, Ideal
from recirc_hw.substrates.devices import Codes

# label: (substrate fields, rule fields, share of 100 chips, mean updates, at most so many)
FORMS = {
    "ungated, exact derivative": ({}, {}, 1.0, 50.4, 500),
    "derivative circuit, tau_p = .1 tau": (
        {"form": "derivative_circuit", "derivative_ms": 0.1}, {}, 1.0, 80, 1000,
    ),
    "derivative circuit, tau_p = .3 tau": (
        {"form": "derivative_circuit", "derivative_ms": 0.3}, {}, 1.0, 177, 1000,
    ),
    "derivative circuit, tau_p = tau": (
        {"form": "derivative_circuit", "derivative_ms": 1.0}, {}, 0.8, 454, 600,
    ),
    "gated CCRCC": ({"form": "gated"}, {}, 1.0, 48, 1000),
    "gated RCC, rate 5": (
        {"form": "gated"}, {"combine": "RCC", "learning_rate": 5.0}, 1.0, 83, 1000,
    ),
    "gated CCR, rate 5": (
        {"form": "gated"}, {"combine": "CCR", "learning_rate": 5.0}, 1.0, 87, 1000,
    ),
    "gated PR, rate 1": (
        {"form": "gated"}, {"combine": "PR", "learning_rate": 1.0}, 0.9, 418, 2000,
    ),
}  # fmt: skip
# relative deviation of the gated change from the discrete rule, at k = 5, 10, 20, 40
LIMITS = {
    "PR": (3e-2, 2e-4, 9e-9, 6e-14),
    "RCC": (7e-3, 5e-5, 2e-9, 2e-13),
    "CCRCC": (2e-11, 2e-11, 2e-11, 2e-11),
    "CCR": (0.20, 0.089, 0.043, 0.021),
}
SETTLING = (5, 10, 20, 40)
# (rounding, bits) of weights within +-16, written after each presentation: share of 40
BITS = {("nearest", 8): 13 / 40, ("stochastic", 6): 35 / 40, ("stochastic", 5): 0.0}
PRESENTATIONS = 2000  # at most


def encoder(bench):
    """Measure which forms of the analog loop learn the 4-2-4 encoder."""
    chips = bench.pick(20, 100)
    lines, curves = [], {}
    for label, (fields, rule, share, mean, most) in FORMS.items():
        design = Design(Loop(4, 2), Recirculation(**rule), Analog(**fields))
        runs = bench.train(label, design, tasks.encoder(4), chips, max_updates=most)
        lines += _yield_lines(label, runs, share, mean)
        curves[label] = _learned_by([run.updates for run in runs], most)
    design = Design(Loop(8, 3), Recirculation(learning_rate=10.0), Analog())
    runs = bench.train("8-3-8", design, tasks.encoder(8), bench.pick(6, 30), max_updates=500)
    lines += _yield_lines("8-3-8 ungated, rate 10", runs, 1.0, 156, others=30)
    lines += _few_bits(bench) + _limits(bench)
    settings = {
        "chips": f"{chips} a line; tau_v = tau_h = tau, released for .2877 tau, rate 20",
        "integration": "exponential Heun, 50 steps to the shortest time constant",
        "learned": "every unit error below .1 on a plain first pass, for the first time",
        "paper": "what an independent build found; no paper has these numbers",
        "bands": "of shares: where the share of our chips falls with 99.9 % chance if both "
        "builds learn alike, two samples, 3.29 standard errors of their difference; of mean "
        "updates: four standard errors of ours and theirs; of limits: up to four times "
        "theirs, as rounding and one chip's weights decide them, of CCR from a quarter on",
    }
    return settings, lines, _encoder_figure(curves, lines)


def _yield_lines(label, runs, share, mean, others=100):
    """Return the lines of how many learned, after how many updates, and whether it held."""
    learned = replace(learned_line(f"{label}: learned", runs, share, others), paper=share)
    updates = updates_line(f"{label}: mean updates", runs, mean, others=others)
    held = share_line(f"{label}: of those, held over the next 20 checks",
                      [run.held for run in runs if run.learned] or [False])  # fmt: skip
    return [learned, replace(updates, paper=mean), held]


def _few_bits(bench):
    """Return the lines of weights of few bits, written after each presentation."""
    lines = []
    for (rounding, bits), share in BITS.items():
        label, device = (
            f"weights of {bits} bits, {rounding}",
            Codes(bits=bits, rounding=rounding),
        )
        design = Design(Loop(4, 2), Recirculation(), Analog(device=device))
        runs = bench.train(
            label, design, tasks.encoder(4), bench.pick(12, 40), batch_size=1,
            max_updates=PRESENTATIONS,
        )  # fmt: skip
        lines.append(replace(learned_line(f"{label}: learned", runs, share, 40), paper=share))
    return lines


def _learned_by(updates, most):
    """Return the share of chips that learned by each update, as a line."""
    found = np.sort([most + 1 if u is None else u for u in updates])
    at = np.arange(most + 1)
    return at, np.searchsorted(found, at, side="right") / len(found)


def _limits(bench):
    """Compare the gated change with the discrete rule's, fast units settling k times over."""
    cases, lines = np.eye(4), []
    for combine, wanted in LIMITS.items():
        rule = Recirculation(combine=combine)
        ideal = Design(Loop(4, 2), rule, Ideal()).fabricate(bench.seed)
        for settling, deviation in zip(SETTLING, wanted, strict=True):
            analog = Analog(form="gated", settling=settling, clamp_ms=60.0)
            chip = Design(Loop(4, 2), rule, analog).fabricate(bench.seed)
            ours = np.concatenate([g.ravel() for g in chip.weight_change(cases)])
            theirs = np.concatenate([g.ravel() for g in ideal.weight_change(cases)])
            apart = float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))
            low = deviation / 4 if combine == "CCR" else None
            lines.append(
                Line(
                    f"limit of {combine}, k = {settling}: deviation from the discrete rule",
                    apart,
                    paper=deviation,
                    band=(low, 4 * deviation),
                )
            )
    return lines


def _encoder_figure(curves, lines):
    figure, (left, right) = new_figure(2)
    draw_curves(
        left, curves, title="4-2-4: share that has learned", x="weight updates",
        y="share of chips", log_x=True, markers=False,
    )  # fmt: skip
    left.set_xlim(10, 2000)
    left.legend(frameon=False, fontsize=7, loc="upper left")
    limits = {
        combine: (
            SETTLING,
            [line.ours for line in lines if line.what.startswith(f"limit of {combine},")],
        )
        for combine in LIMITS
    }
    draw_curves(
        right, limits, title="Gated loop against the discrete rule", log_y=True,
        x="time constants a fast unit has to settle", y="relative deviation of the change",
    )  # fmt: skip
    return figure


RESULTS = {
    "analog": (
        "4-2-4 in continuous time, and the papers' variants as limits of it",
        "no paper; an independent build",
        encoder,
    ),
}
