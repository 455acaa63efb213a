"""Bodies: what fabricated chips have besides their weights, chips side by side."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Body:
    """What chips have besides weights and sums; `steps` changes in place."""

    seeds: np.ndarray  # uint64, shape (n_chips,)
    steps: np.ndarray  # int64, shape (n_chips,): writes done, the key of random draws

    @classmethod
    def start(cls, seeds, **rest):
        """Return the body of chips that have not been trained."""
        return cls(np.array(seeds, np.uint64), np.zeros(len(seeds), np.int64), **rest)

    def changing(self):
        """Return the arrays that training changes, by name."""
        return {"steps": self.steps}


@dataclass
class FixedState(Body):
    """What fixed-point chips have besides weights and sums; changed in place."""

    counters: np.ndarray  # int64, shape (n_chips, n_matrices, 4), as COUNTERS names them

    @classmethod
    def start(cls, seeds, n_matrices):
        """Return the state of chips that have not been trained."""
        return super().start(seeds, counters=np.zeros((len(seeds), n_matrices, 4), np.int64))

    def changing(self):
        """Return the arrays that training changes, by name."""
        return super().changing() | {"counters": self.counters}
