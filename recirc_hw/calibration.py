"""Weight formats from a calibration run: where each matrix's point goes, and why."""

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.errors import UnsupportedError
from recirc_hw.substrates import FixedPoint, Ideal
from recirc_hw.text_tables import counted
from recirc_hw.training import train
from recirc_hw.training.plan import whole

OUTSIDE = 0.001  # share of weights that a format may leave to saturation


@dataclass(frozen=True)
class Calibration:
    """A design with formats fitted to a task, and a sentence on each.

    Parameters
    ----------
    design : Design
        The one that was given, with a format of its own for each matrix and its biases.
    reasons : tuple of str
    """

    design: Design
    reasons: tuple[str, ...]

    def __str__(self):
        return "\n".join(self.reasons)


def calibrate_formats(design, task, *, chips=3, seed=0, headroom=1.25, max_updates=None):
    """Place the binary point of every matrix where the weights of a trained chip lie.

        2^integer_bits >= headroom |w|   for all but one weight in a thousand

    A floating-point twin of the design learns the task. Each matrix then gets the
    fewest integer bits that its largest weights need, and so the most fraction
    bits that its word has left; its biases likewise, apart.

    Parameters
    ----------
    design : Design of a fixed-point substrate
    task : Task
    chips, seed : int
        How many twins learn, and the seed of the first.
    headroom : float
        How much larger than in the twins a weight may become.
    max_updates : int, or None for the task's own length

    Returns
    -------
    Calibration

    Raises
    ------
    UnsupportedError
        If the design's substrate is not a fixed-point one.
    TypeError, ValueError
        For arguments of the wrong kind or out of range, or twins that diverge;
        `TaskError` where the task does not fit the network.
    """
    if not isinstance(design, Design):
        raise TypeError(f"design: want a Design, got {design!r}")
    if not isinstance(design.substrate, FixedPoint):
        raise UnsupportedError(
            f"{type(design.substrate).__name__} has no formats: calibrate a FixedPoint design"
        )
    chips, headroom = whole("chips", chips), _headroom(headroom)
    twin = Design(design.network, design.rule, Ideal())
    made = [twin.fabricate(seed + i) for i in range(chips)]
    runs = train(made, task, max_updates=max_updates, probes=False)
    if any(run.diverged for run in runs):
        seeds = ", ".join(str(run.seed) for run in runs if run.diverged)
        raise ValueError(
            f"design: its floating-point twins of seed {seeds} diverge on {task.name}, which "
            f"leaves no weights to fit formats to; want a learning_rate below "
            f"{design.rule.learning_rate}"
        )
    bits, weights, biases, reasons = [], [], [], []
    for k, matrix in enumerate(design.network.matrices):
        found = np.concatenate([chip.weights[k] for chip in made])
        width = design.substrate.weight_format(k)[0]
        bits.append(width)
        for values, kind, into in (
            (found[:, :-1], "weights", weights), (found[:, -1], "biases", biases),
        ):  # fmt: skip
            reach = _reach(values)
            wanted = _integer_bits(headroom * reach)
            into.append(width - 1 - min(wanted, width - 1))
            reasons.append(
                f"{matrix.name}: {kind} reach {reach:.3g} in "
                f"{counted(chips, 'floating-point chip')} on {task.name}; "
                + _fit(wanted, width, headroom)
            )
    substrate = design.substrate.replace(
        weight_bits=tuple(bits), weight_fraction_bits=tuple(weights),
        bias_fraction_bits=tuple(biases),
    )  # fmt: skip
    return Calibration(Design(design.network, design.rule, substrate), tuple(reasons))


def _headroom(value):
    """Return a factor of at least 1, or refuse it."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not 1 <= value < math.inf:
        raise ValueError(f"headroom = {value!r}: want a finite number of at least 1")
    return float(value)


def _fit(integer, width, headroom):
    """Return how a weight of `width` bits holds what needs so many integer bits."""
    bits = counted(integer, "integer bit")
    if integer > width - 1:
        return (
            f"{headroom:g} times that does not fit: it needs {bits}, a weight of {integer + 1} "
            f"bits; {width} bits, all of them integer, saturate at {2 ** (width - 1)}"
        )
    return (
        f"{bits} {'holds' if integer == 1 else 'hold'} {headroom:g} times that, which leaves "
        f"{width - 1 - integer} of {width} bits for the fraction"
    )


def _reach(values):
    """Return the size that all but the largest thousandth of values stay within."""
    sizes = np.sort(np.abs(values), axis=None)
    return float(sizes[len(sizes) - 1 - int(OUTSIDE * len(sizes))])


def _integer_bits(reach):
    """Return the fewest integer bits that hold a size; a format has 0 at least."""
    return max(0, math.ceil(math.log2(reach))) if reach > 0 else 0
