"""Jobs for the conformance tests: the same one, made afresh for every backend."""

import numpy as np

from recirc_hw import Design, Ideal, Loop
from recirc_hw.backends import Job, Watch, native, reference

# The widths of a loop that each walk serves: 31-19 is too wide for lanes, 64-33 is served
# by matrix products from batches of 8 cases on.
WALKS = {"lanes": (17, 5, 9), "one lane": (31, 19), "batch": (64, 33)}
ARRAYS = ("updates", "crossed", "checked", "passed", "active")


class Setting:
    """Everything a job starts from; `job()` copies it, so that no run sees another's.

    Cases lie in 0..1; chip c is fabricated from the seed `first_seed + c`.
    """

    def __init__(
        self, network, rule, dtype="float64", *, n_chips=1, n_cases=6, batch=1, updates=1,
        per_chip_order=False, threshold=-1.0, hold=0, threads=1, first_seed=0,
    ):  # fmt: skip
        design = Design(network, rule, Ideal(precision=dtype))
        chips = [design.fabricate(first_seed + c) for c in range(n_chips)]
        self.program, self.mean = design.program, rule.batch == "mean"
        self.weights = [np.stack(m) for m in zip(*(c.matrices for c in chips), strict=True)]
        random = np.random.default_rng(5)
        self.cases = random.uniform(0, 1, (n_cases, network.case_size)).astype(dtype)
        rows = n_chips if per_chip_order else 1
        self.order = random.integers(0, n_cases, (rows, batch * updates))
        self.ends = np.arange(1, updates + 1) * batch
        self.n_chips, self.threads = n_chips, threads
        self.threshold, self.hold = threshold, hold

    def job(self, chips=None):
        """Return a fresh job, of all chips or of the ones listed."""
        chips = list(range(self.n_chips)) if chips is None else chips
        weights = [matrix[chips].copy() for matrix in self.weights]
        order = self.order if len(self.order) == 1 else self.order[chips]
        return Job(
            self.program,
            weights,
            [np.zeros_like(matrix) for matrix in weights],
            self.cases.copy(),
            order.copy(),
            self.ends.copy(),
            Watch.start(len(chips), self.threshold, self.hold),
            self.threads,
            int(np.diff(self.ends, prepend=0).max()),
        )


def run(job, isa=None):
    """Train a job, by the reference where no instruction set is named.

    Returns weights, sums, the watch's five arrays, and both error records.
    """
    history = reference.train(job) if isa is None else native.train(job, isa)
    return {
        **{f"weights {k}": matrix for k, matrix in enumerate(job.weights)},
        **{f"sums {k}": matrix for k, matrix in enumerate(job.sums)},
        **{name: getattr(job.watch, name) for name in ARRAYS},
        **dict(zip(("error", "unit error"), history, strict=True)),
    }


def assert_same_bits(found, wanted, chips=slice(None)):
    """Compare two outcomes of `run`; NaN equals NaN."""
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values[chips], err_msg=name)


def walk_of(job, isa="portable"):
    """Return which walk of the core serves a job: "lanes", "one lane" or "batch"."""
    if native._batched(job):
        return "batch"
    walk = native._LaneWalk(job, native.VECTOR_BYTES[isa])
    return "lanes" if walk.lanes > 1 else "one lane"


def loop(sizes, function="logistic"):
    """Return a loop whose matrices are so small that they hardly amplify an error."""
    bound = 2 / (max(sizes) + 1)
    return Loop(*sizes, visible=function, hidden=function, initial_range=bound)


def short_last_batches(setting, per_epoch):
    """Make every `per_epoch`-th batch of a setting short: one case."""
    sizes = np.diff(setting.ends, prepend=0)
    sizes[per_epoch - 1 :: per_epoch] = 1
    setting.ends = np.cumsum(sizes)
    return setting
