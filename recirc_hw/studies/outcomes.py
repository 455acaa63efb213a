"""What came of each of many chips, as arrays; and the training that finds it out."""

import os
import time
from dataclasses import dataclass, fields

import numpy as np

from recirc_hw.training import train
from recirc_hw.training.loop import interruptible

BATCH_S = 1.0  # seconds of work between looks at the clock and the keyboard
LARGEST_BATCH = 1024  # chips trained side by side, at most,
BATCH_BYTES = 64 * 2**20  # and what their weights and training curves may take
CURVE_BYTES = 24_000  # of one chip's training curve


@dataclass(frozen=True)
class Outcomes:
    """The ends of many trainings; one value a chip, in the order of their seeds.

    `updates` is the weight updates until the criterion first held, -1 where it never
    did; `held` whether it held at every later check; errors are those at the end.
    """

    seeds: np.ndarray  # uint64
    updates: np.ndarray  # int64
    held: np.ndarray  # bool
    diverged: np.ndarray  # bool
    error: np.ndarray  # float64, mean squared error per unit
    unit_error: np.ndarray  # float64, the largest of a unit

    @property
    def learned(self):
        """Whether each chip learned."""
        return self.updates >= 0

    def __len__(self):
        return len(self.seeds)

    @classmethod
    def of(cls, runs):
        """Return the outcomes of runs."""
        return cls(
            np.array([run.seed for run in runs], np.uint64),
            np.array([run.updates if run.learned else -1 for run in runs], np.int64),
            np.array([run.held for run in runs], bool),
            np.array([run.diverged for run in runs], bool),
            np.array([run.error for run in runs], np.float64),
            np.array([run.unit_error for run in runs], np.float64),
        )

    @classmethod
    def joined(cls, parts=()):
        """Return several outcomes as one."""
        names = [field.name for field in fields(cls)]
        parts = (cls.of([]), *parts)
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))

    def to_bytes(self):
        """Return the arrays one after another, little-endian."""
        arrays = (getattr(self, field.name) for field in fields(self))
        return b"".join(a.astype(a.dtype.newbyteorder("<")).tobytes() for a in arrays)

    @classmethod
    def from_bytes(cls, content, count):
        """Return the outcomes of `count` chips that `to_bytes` wrote."""
        found, start = [], 0
        for kind in ("<u8", "<i8", "?", "?", "<f8", "<f8"):
            found.append(np.frombuffer(content, kind, count, start))
            start += found[-1].nbytes
        return cls(*found)


class Bench:
    """Trains more and more chips of one design; the first of seed `seed`.

    Chips are trained side by side, as many at once as take about a second; results
    do not depend on how many. `before` and `after` are given each chip at these times.
    `training` is what `train` takes.
    """

    def __init__(self, design, task, seed, before=None, after=None, **training):
        self.design, self.task, self.seed, self.training = design, task, seed, training
        self.before, self.after = before, after
        if training.get("threads") is None:
            self.training = training | {"threads": len(os.sched_getaffinity(0))}
        self.parts, self.batch = [], 32
        chip = 4 * sum(8 * (m.cols + 1) * m.rows for m in design.network.matrices)
        self.largest = max(1, min(LARGEST_BATCH, BATCH_BYTES // (chip + CURVE_BYTES)))

    def go_to(self, count, progress=None):
        """Train until `count` chips are done; return the outcomes of all of them.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C; the chips of the batch that was under way are not counted,
            for those of them that had stopped are the quick ones.
        """
        with interruptible() as stopped:
            while self.done < count:
                self._train(min(self.batch, self.largest, count - self.done))
                if progress is not None:
                    progress(self.done)
                if stopped.is_set():
                    raise KeyboardInterrupt
        return self.outcomes

    def _train(self, count):
        """Train the next `count` chips, and note how many to train at once after them."""
        start, first = time.monotonic(), self.seed + self.done
        chips = [self.design.fabricate(first + i) for i in range(count)]
        for chip in chips if self.before else ():
            self.before(chip)
        runs = train(chips, self.task, probes=False, **self.training)
        for chip in chips if self.after else ():
            self.after(chip)
        self.parts.append(Outcomes.of(runs))
        spent = max(time.monotonic() - start, 1e-6)
        self.batch = max(1, min(4 * self.batch, int(count * BATCH_S / spent)))

    @property
    def done(self):
        """How many chips are done."""
        return sum(len(part) for part in self.parts)

    @property
    def outcomes(self):
        """The outcomes of the chips that are done."""
        return Outcomes.joined(self.parts)
