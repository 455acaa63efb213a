"""The record of one training."""

import platform
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import numpy as np


@cache
def versions():
    """Return the versions that a result depends on."""
    names = ("recirc_hw", "numpy", "scipy")
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@dataclass
class Run:
    """What one chip did in one training.

    It has learned once its `metric` ("unit_error" or "squared_error") is below
    `threshold`; `criterion` says so in words.
    `updates` counts weight updates until the pass criterion first held (None if
    it never did); `total_updates` all of them. `held` tells whether the
    criterion passed at every later check, `held_share` at what share of them
    (NaN where there were none). Errors are those of the chip at the end, on
    held-out cases where the task has any. `wall_s` is the time of the whole
    training, all chips that were trained side by side. `updates_before` counts the
    chip's updates in earlier trainings, `batch_size` the cases of an update.

    `weights` are the network's matrices, then those that only carry errors, shape
    (rows, cols + 1), bias last: floats, or on a fixed-point chip codes in steps of
    2^-fraction_bits. `sums` are what is carried beside each weight, where the substrate
    keeps it: of the same shapes, in steps of 2^-shift of a weight's (biases: of
    2^-bias_shift), as `design.lowered(batch_size).layout.matrices` has them.
    `counters` are {matrix: {what: count}} of a fixed-point chip (see
    `programs.integer.COUNTERS`; None: not counted, as updates are where they are carried),
    {phase: {what: count}} of a spiking one, None of others. `probes` are what
    `training.probe` found, one dict for each moment, where it was asked for.
    """

    design: object
    seed: int
    task: str
    backend: str
    metric: Literal["unit_error", "squared_error"]
    criterion: str
    threshold: float
    learned: bool
    updates: int | None
    total_updates: int
    checks: int
    held_share: float
    unit_error: float
    error: float
    cross_entropy: float | None
    interrupted: bool
    diverged: bool
    wall_s: float
    weights: list[np.ndarray]
    history: dict[str, np.ndarray]
    probes: list[dict] = field(default_factory=list)
    batch_size: int = 1
    counters: dict[str, dict[str, int | None]] | None = None
    updates_before: int = 0
    sums: list[np.ndarray] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=versions)

    @property
    def held(self):
        """Whether the criterion still held at every check after the first crossing."""
        return self.learned and self.held_share == 1.0

    def __repr__(self):
        what = f"learned after {self.updates}" if self.learned else "not learned after"
        count = "" if self.learned else f" {self.total_updates}"
        return (
            f"Run(seed={self.seed}, {what}{count} updates, "
            f"error={self.error:.4g}, unit_error={self.unit_error:.3g}, held={self.held})"
        )

    def summary(self):
        """Return the record without arrays, as JSON takes it.

        Returns
        -------
        dict of str to plain value; a number that is not finite is None
        """
        record = {name: _finite(getattr(self, name)) for name in SUMMARY}
        return record | {"held": self.held}

    def record(self):
        """Return the whole record but the design and the weights, as JSON takes it.

        Returns
        -------
        dict: what `summary` returns, and "history" and "probes" as lists
        """
        history = {name: _finite(values.tolist()) for name, values in self.history.items()}
        return self.summary() | {"history": history, "probes": _finite(self.probes)}

    def chip(self):
        """Return the chip as the training left it.

        Returns
        -------
        Chip; what momentum kept is not recorded, carried remainders are.

        Raises
        ------
        ValueError
            If `weights` or `sums` are not what the design's formats hold.
        """
        chip = self.design.fabricate(self.seed)
        program = self.design.lowered(self.batch_size)
        self.design.substrate.check_codes(self.weights, self.sums, program)
        chip.matrices, chip.program = [matrix.copy() for matrix in self.weights], program
        chip.sums = [matrix.copy() for matrix in self.sums or (m * 0 for m in chip.sums)]
        chip.updates = chip.steps = self.updates_before + self.total_updates
        return chip

    def plot(self):
        """Return a figure of the error over updates, both axes logarithmic.

        Returns
        -------
        matplotlib.figure.Figure, which belongs to no window: `figure.savefig(path)`
        """
        from recirc_hw.reports.plots import error_curve

        return error_curve(self)


SUMMARY = tuple(
    name
    for name in Run.__dataclass_fields__
    if name not in ("design", "weights", "sums", "history", "probes")
)


def _finite(value):
    """Return `value` with every number that JSON cannot hold as None."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
