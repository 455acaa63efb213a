"""Learning in spikes: does it, how fast, and what must not be left out.

No paper has these numbers: the bands are around what an independent NumPy build found.
"""

import warnings

import numpy as np

from recirc_hw import tasks
from recirc_hw.designs import Design
from recirc_hw.metrics import squared_error
from recirc_hw.networks import Loop
from recirc_hw.reproduce.bench import learned_line, mean_line, median_line, share_line
from recirc_hw.reproduce.figures import draw_curves, new_figure, picture_rows
from recirc_hw.reproduce.result import Line
from recirc_hw.rules import Recirculation
from recirc_hw.substrates import Ideal, Spiking
from recirc_hw.substrates.devices import Codes
from recirc_hw.tasks.pca import error_along

UPDATES = 1000  # sweeps of the cases, at most
MANY = {"tau_ms": 100.0, "release_ms": 150.0}
# label: (substrate fields, chips, share, median sweeps, share of checks that held)
LEARN = {
    "n = 1, tau_v 200 ms": ({}, 100, 0.99, 200, 0.89),
    "n = 4, tau_v 200 ms": ({"neurons": 4}, 40, 1.0, 200, 0.92),
    "n = 10, tau_v 100 ms": ({"neurons": 10, **MANY}, 20, 1.0, 250, 0.94),
}
# label: (substrate fields, rule fields, chips, share of theirs that learned)
FAIL = {
    "visible-to-hidden weights frozen": ({}, {"learning_rate": (0.0, 20.0)}, 15, 0.0),
    "jumps of t_ref / tau": ({"jump": "approximate"}, {}, 10, 0.0),
    "raw presynaptic spikes": ({"plasticity": "raw_presynaptic"}, {}, 10, 0.0),
    "pair STDP": ({"plasticity": "pair_stdp"}, {}, 10, 0.0),
    "two-phase Hebb": ({"plasticity": "two_phase_hebb"}, {}, 10, 0.0),
    "clamped for 2 tau_v": ({"clamp_ms": 400.0}, {}, 10, 0.0),
    "tau_h = tau_v": ({"tau_hidden_ms": 200.0}, {}, 10, 0.0),
    "noisy-threshold LIF": ({"neuron": "noisy_threshold"}, {}, 10, None),
    "plain LIF": ({"neuron": "noisy_threshold", "threshold_noise": 0.0}, {}, 10, None),
}


# (rounding, bits): share of 30 chips that learned, weights in +-16
BITS = {
    ("nearest", 7): None, ("nearest", 6): 0.0, ("stochastic", 6): 0.8, ("stochastic", 5): 0.5,
}  # fmt: skip


def encoder(bench):
    """Measure which spiking chips learn the 4-2-4 encoder, and which cannot."""
    lines, curves = [], {}
    for label, (fields, theirs, share, median, held) in LEARN.items():
        runs = _encoders(bench, label, bench.pick(2, theirs), fields)
        wanted = (None, None, None) if bench.quick else (share, median, held)
        lines += _learning_lines(label, runs, theirs, *wanted)
        curves[label] = _learned_by([run.updates for run in runs], bench.pick(40, UPDATES))
    for label, (fields, rule, theirs, share) in FAIL.items():
        runs = _encoders(bench, label, bench.pick(1, theirs), fields, rule)
        what = f"{label}: learned"
        banded = share is not None and not bench.quick
        lines.append(
            learned_line(what, runs, share, theirs)
            if banded
            else share_line(what, [run.learned for run in runs])
        )
    lines += _wide(bench) + _few_bits(bench)
    figure, (ax,) = new_figure()
    draw_curves(
        ax, curves, title="4-2-4 in spikes: share that has learned", markers=False,
        x="sweeps of the four cases", y="share of chips",
    )  # fmt: skip
    settings = {
        "chips": "rate 1; tau_h 30 ms, clamped for 4 tau_v, released for 1.5 tau_v",
        "learned": "every unit error below .1 by spike counts over 2 s, tested every 20 sweeps",
        "held": "share of the next ten tests that still pass, of the chips that learned",
        "bands": "of shares: where 99.9 % of builds fall, given an independent one of as many "
        "chips; of medians and means: four standard errors of the difference",
    }
    return settings, lines, figure


def _encoders(bench, label, chips, fields, rule=None, size=(4, 2)):
    """Train chips on an encoder; return their runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a clamp is too short is what is shown
        design = Design(Loop(*size), Recirculation(**(rule or {})), Spiking(**fields))
        return bench.train(
            label, design, tasks.encoder(size[0]), chips, hold=10,
            max_updates=bench.pick(40, UPDATES),
        )  # fmt: skip


def _learning_lines(label, runs, theirs, share, median, held):
    """Return the lines of how many learned, how fast, and how well they kept it."""
    learned = [run for run in runs if run.learned]
    updates, kept = [r.updates for r in learned], [r.held_share for r in learned]
    if share is None:
        first = share_line(f"{label}: learned", [run.learned for run in runs])
    else:
        first = learned_line(f"{label}: learned", runs, share, theirs)
    return [
        first,
        median_line(f"{label}: median sweeps", updates,
                    band=_around(median, updates, theirs, 1.2533)),
        mean_line(f"{label}: later tests that hold", kept, band=_around(held, kept, theirs)),
    ]  # fmt: skip


def _around(value, ours, theirs, factor=1.0):
    """Return four standard errors around an independent build's figure."""
    if value is None or len(ours) < 3:
        return None
    spread = 4 * factor * np.std(ours, ddof=1) * np.sqrt(1 / len(ours) + 1 / theirs)
    return float(value - spread), float(value + spread)


def _learned_by(updates, most):
    """Return the share of chips that learned by each sweep, as a line."""
    at = np.arange(0, most + 1, 20)
    return at, [np.mean([u is not None and u <= a for u in updates]) for a in at]


def _wide(bench):
    """Return the lines of 8-3-8: the clamp must be longer than 4 tau_v there."""
    lines = []
    for clamp in (800.0, 400.0):
        fields = {
            "neurons": bench.pick(1, 10), "tau_ms": 100.0, "release_ms": 100.0,
            "clamp_ms": clamp,
        }  # fmt: skip
        label = f"8-3-8, n = 10, tau_v 100 ms, clamped for {clamp:g} ms"
        runs = _encoders(bench, label, bench.pick(1, 6), fields, size=(8, 3))
        share = 1.0 if clamp == 800.0 and not bench.quick else None
        lines += _learning_lines(label, runs, 6, share, None, None)
    return lines


def _few_bits(bench):
    """Return the lines of weights of few bits, written after each presentation."""
    lines = []
    for (rounding, bits), share in BITS.items():
        label = f"weights of {bits} bits, {rounding}"
        fields = {"device": Codes(bits=bits, rounding=rounding, w_max=16.0)}
        runs = _encoders(bench, label, bench.pick(1, 30), fields)
        if share is None or bench.quick:
            lines.append(share_line(f"{label}: learned", [run.learned for run in runs]))
        else:
            lines.append(learned_line(f"{label}: learned", runs, share, 30))
    return lines


NETWORK = Loop(64, 16, initial_weights="glorot", output_bias="data_mean")
GRADED = {"clamp": "shunting", "readout_ms": 1000.0, **MANY}


def digits(bench):
    """Measure the test error of 64-16-64 on real digits, by both readouts."""
    task = tasks.digits()
    if bench.quick:
        task = tasks.from_array(task.train[:100], task.test[:20], name="digits", epochs=1)
    lines, pictures = _yardsticks(bench, task), {"original": task.test[:10]}
    for label, fields, chips, rule, bands in _digit_rows(bench):
        design = Design(NETWORK, Recirculation(learning_rate=rule), Spiking(**GRADED, **fields))
        made = bench.fabricate(design, chips)
        bench.train_chips(label, made, task, epochs=bench.pick(1, 10), until="end")
        for readout, band in zip(("curve", "counts"), bands, strict=True):
            answers = [chip.reconstruct(task.test, bench.backend, readout) for chip in made]
            errors = [squared_error(task.test, answer) for answer in answers]
            band = None if bench.quick else band
            lines.append(mean_line(f"{label}, by {readout}: error", errors, band=band))
        pictures[label] = answers[0][:10]
    settings = {
        "network": "64-16-64, Glorot start, output biases at the data's mean",
        "chips": "shunting clamp, rate .1, tau_v 100 ms, released for 150 ms; counts over 1 s",
        "training": f"case by case, {bench.pick(1, 10)} epochs; squared error per pixel",
        "bands": "n = 4: the goals; others: 15 % around an independent build",
    }
    return settings, lines, picture_rows(pictures, (8, 8), "Digits, and what comes back")


def _digit_rows(bench):
    """Return (label, substrate fields, chips, learning rates, bands by curve and counts)."""
    frozen = bench.pick(1, 2), (0.0, 2.0)
    return [
        ("n = 4", {"neurons": 4}, bench.pick(1, 5), 2.0, ((None, 0.015), (None, 0.0165))),
        ("n = 1", {}, bench.pick(1, 2), 2.0, (_share(0.0171), _share(0.0187))),
        ("n = 4, visible-to-hidden weights frozen", {"neurons": 4}, *frozen,
         ((0.03, None), (0.03, None))),
    ]  # fmt: skip


def _share(value):
    return 0.85 * value, 1.15 * value


def _yardsticks(bench, task):
    """Return the lines of the mean image, of PCA, and of the discrete rule."""
    lines = [
        Line("mean image: error", float(np.mean((task.test - task.train.mean(axis=0)) ** 2)))
    ]
    for components in (8, 16):
        error = error_along(task.principal_axes, task.test, components)
        lines.append(Line(f"PCA-{components}: error", error))
    rule = Recirculation(combine="RCC", regression=0.5, learning_rate=0.25)
    runs = bench.train(
        "the discrete rule", Design(NETWORK, rule, Ideal()), task, bench.pick(1, 3),
        epochs=bench.pick(1, 10), until="end",
    )  # fmt: skip
    return [*lines, mean_line("the discrete rule, RCC: error", [run.error for run in runs])]


RESULTS = {
    "spiking": (
        "4-2-4 and 8-3-8 in spikes, and what must not be left out",
        "an independent build; no paper has it",
        encoder,
    ),
    "spiking-digits": (
        "Digits in spikes: test error by spike counts and by the neurons' curve",
        "an independent build; no paper has it",
        digits,
    ),
}
