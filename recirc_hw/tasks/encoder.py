"""The n-m-n encoder: one unit of n is on, and a narrow code must tell which."""

import numpy as np

from recirc_hw.tasks.checks import frozen, whole_number
from recirc_hw.tasks.criteria import UnitError
from recirc_hw.tasks.task import Task


def encoder(n: int) -> Task:
    """Return the n cases of n units in which a single unit is on.

        case_i = the i-th unit vector, i = 0..n-1

    All n cases are seen before each weight update, and training stops once every
    unit is within .1 of its target.

    Source: Ackley, Hinton & Sejnowski 1985; Hinton & McClelland 1988, "A simulation
    of recirculation".

    Parameters
    ----------
    n : int, in 2..4096

    Raises
    ------
    TaskError
        If n is not a whole number in that range.
    """
    n = whole_number("encoder: n", n, 2, 4096)
    cases = frozen(np.eye(n))
    return Task(
        name=f"encoder({n})",
        train=cases,
        test=cases,
        criterion=UnitError(0.1),
        batch_size=n,
        epochs=1000,
        until="learned",
        held_out=False,
        source="Ackley, Hinton & Sejnowski 1985; Hinton & McClelland 1988",
    )
