"""Mirror symmetry: whether a row of bits is the same read backwards."""

import numpy as np

from recirc_hw.tasks.checks import frozen, whole_number
from recirc_hw.tasks.criteria import UnitError
from recirc_hw.tasks.task import Task


def symmetry(n: int = 6) -> Task:
    """Return all 2^n rows of n bits, the target 1 where the row is symmetric.

        target = 1 if x_i = x_(n+1-i) for all i, else 0

    All cases are seen before each weight update. It counts as learned once the output
    is within .2 of its target in every case.

    Source: Rumelhart, Hinton & Williams 1986, figure 1.

    Parameters
    ----------
    n : int, in 2..16

    Raises
    ------
    TaskError
        If n is not a whole number in that range.
    """
    n = whole_number("symmetry: n", n, 2, 16)
    bits = (np.arange(2**n)[:, None] >> np.arange(n - 1, -1, -1)) & 1
    target = (bits == bits[:, ::-1]).all(axis=1)
    cases = frozen(np.column_stack([bits, target]).astype(np.float64))
    return Task(
        name=f"symmetry({n})",
        train=cases,
        test=cases,
        criterion=UnitError(0.2),
        batch_size=len(cases),
        epochs=10_000,
        until="learned",
        n_targets=1,
        held_out=False,
        source="Rumelhart, Hinton & Williams 1986, figure 1",
    )
