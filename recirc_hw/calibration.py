"""Weight formats from a calibration run: where each matrix's point goes, and why."""

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from recirc_hw.designs import Design
from recirc_hw.errors import UnsupportedError
from recirc_hw.metrics import squared_error
from recirc_hw.substrates import FixedPoint, Ideal
from recirc_hw.text_tables import counted
from recirc_hw.training import train
from recirc_hw.training.plan import whole

CASES = 500  # on which a format is judged, at most
# Formats whose errors differ by less are as good as each other. Learning makes up for some
# saturation of weights, though not for steps; a bias has one input, whose steps matter less.
ALIKE = {"weights": 1.02, "biases": 1.001}


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


@dataclass(frozen=True)
class _Part:
    """The weights or the biases of one matrix, and the format that is sought for them."""

    k: int
    name: str
    kind: str
    width: int

    @property
    def columns(self):
        """Which columns of the matrix they are: the bias is the last."""
        return slice(None, -1) if self.kind == "weights" else slice(-1, None)


def calibrate_formats(
    design, task, *, chips=3, seed=0, headroom=1.0, max_updates=None, batch_size=None
):
    """Place the binary point of every matrix, and of its biases, where it costs least.

        held(w) = round(clip(w, +-2^integer / headroom) 2^fraction) / 2^fraction

    Floating-point twins of the design learn the task. Then each matrix in turn, and
    apart from it its biases, is held as every format of its word would hold it, and
    the twins' squared error on training cases says what that costs: too few integer
    bits saturate weights, too many leave steps too coarse. The least error wins; of
    formats alike, the one with most fraction bits, as small weight changes need them.

    Parameters
    ----------
    design : Design of a fixed-point substrate
    task : Task
    chips, seed : int
        How many twins learn, and the seed of the first.
    headroom : float in 1..16
        How much larger than in the twins a weight may become.
    max_updates : int, or None for the task's own length
    batch_size : int, or None for the task's own
        As the chips will learn: other batches lead to other weights.

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
    seed = whole("seed", seed, 0)
    twins = _twins(design, task, chips, seed, max_updates=max_updates, batch_size=batch_size)
    cases = task.train[:: -(-len(task.train) // CASES)]
    trial = _Trial(twins, cases, task.targets(cases), headroom)
    found = {part: trial.errors(part) for part in _parts(design)}
    chosen = {part: _fewest_alike(errors, part.kind) for part, errors in found.items()}
    where = f"{counted(chips, 'floating-point chip')} on {task.name}"
    reasons = tuple(
        trial.reason(part, chosen[part], errors, where) for part, errors in found.items()
    )
    fractions = [part.width - 1 - integer for part, integer in chosen.items()]
    substrate = design.substrate.replace(
        weight_bits=tuple(part.width for part in chosen if part.kind == "weights"),
        weight_fraction_bits=tuple(fractions[::2]), bias_fraction_bits=tuple(fractions[1::2]),
    )  # fmt: skip
    return Calibration(Design(design.network, design.rule, substrate), reasons)


def _twins(design, task, chips, seed, **options):
    """Return floating-point twins that have learned the task, or say which diverged."""
    twin = Design(design.network, design.rule, Ideal())
    made = [twin.fabricate(seed + i) for i in range(chips)]
    runs = train(made, task, probes=False, **options)
    if any(run.diverged for run in runs):
        seeds = ", ".join(str(run.seed) for run in runs if run.diverged)
        raise ValueError(
            f"design: its floating-point twins of seed {seeds} diverge on {task.name}, which "
            f"leaves no weights to fit formats to; want a learning_rate below "
            f"{design.rule.learning_rate}"
        )
    return made


def _parts(design):
    """Return what gets a format of its own: each matrix's weights, then its biases."""
    return [
        _Part(k, matrix.name, kind, design.substrate.weight_format(k)[0])
        for k, matrix in enumerate(design.network.matrices)
        for kind in ("weights", "biases")
    ]


class _Trial:
    """Chips that have learned, and their error with one part held in few bits."""

    def __init__(self, chips, cases, targets, headroom):
        self.chips, self.cases, self.targets = chips, cases, targets
        self.headroom, self.plain = headroom, self._error()

    def errors(self, part):
        """Return the mean squared error with each number of integer bits, from 0 up.

        More bits than hold `headroom` times the largest weight only cost resolution:
        those are left out.
        """
        kept = [chip.weights for chip in self.chips]
        most = min(_integer_bits(self.headroom * self.reach(part)), part.width - 1)
        found = []
        for integer in range(most + 1):
            for chip, weights in zip(self.chips, kept, strict=True):
                held = [matrix.copy() for matrix in weights]
                values = held[part.k][:, part.columns]
                values[:] = _held(values, part.width, integer, self.headroom)
                chip.weights = held
            found.append(self._error())
        for chip, weights in zip(self.chips, kept, strict=True):
            chip.weights = weights
        return found

    def reach(self, part):
        """Return the size of the part's largest weight."""
        return max(float(np.abs(values).max(initial=0.0)) for values in self._values(part))

    def reason(self, part, integer, errors, where):
        """Return the sentence that says why a part gets so many integer bits."""
        bits, left = counted(integer, "integer bit"), part.width - 1 - integer
        beyond = np.concatenate([np.abs(v).ravel() for v in self._values(part)]) > 2.0**integer
        rivals = []
        if integer > 0:
            rivals.append(f"{integer - 1} would lose range ({errors[integer - 1]:.4g})")
        if integer + 1 < len(errors):
            rivals.append(f"{integer + 1} resolution ({errors[integer + 1]:.4g})")
        return (
            f"{part.name}: {part.kind} reach {self.reach(part):.3g} in {where}; {bits} "
            f"{'leaves' if integer == 1 else 'leave'} {left} of {part.width} bits for the "
            f"fraction, with which the squared error is {errors[integer]:.4g} (floating point: "
            f"{self.plain:.4g})"
            + (f"; {', '.join(rivals)}" if rivals else "")
            + (f"; {beyond.mean():.2g} of them saturate" if beyond.any() else "")
        )

    def _values(self, part):
        return [chip.weights[part.k][:, part.columns] for chip in self.chips]

    def _error(self):
        outputs = [chip.reconstruct(self.cases) for chip in self.chips]
        return float(np.mean([squared_error(self.targets, output) for output in outputs]))


def _held(values, width, integer, headroom):
    """Return weights as a format holds them whose rails may become that much too small.

    That the upper rail is a step short of 2^integer is left to learning, which makes up
    for it: counted here, it would cost words of 4 and 5 bits an integer bit too many.
    """
    limit, step = 2.0**integer / headroom, 2.0 ** (integer + 1 - width)
    return np.floor(np.clip(values, -limit, limit) / step + 0.5) * step


def _fewest_alike(errors, kind):
    """Return the fewest integer bits with which the error is as good as least."""
    return next(bits for bits, error in enumerate(errors) if error <= ALIKE[kind] * min(errors))


def _headroom(value):
    """Return a factor in 1..16, or refuse it."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not 1 <= value <= 16:
        raise ValueError(f"headroom = {value!r}: want a number in 1..16")
    return float(value)


def _integer_bits(reach):
    """Return the fewest integer bits that hold a size; a format has 0 at least."""
    return max(0, math.ceil(math.log2(reach))) if reach > 0 else 0
