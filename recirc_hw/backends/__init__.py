"""Backends: who computes a program.

`reference` is plain NumPy and is the meaning; `native` is compiled C. Each is a
module with `train(job)` and `forward(program, weights, cases)`. A backend knows
opcodes and arrays, never rules or networks.
"""

from importlib import import_module

from recirc_hw.backends.job import FixedState, Job, Watch
from recirc_hw.errors import UnsupportedError, nearest

BACKENDS = ("native", "reference")


def backend(name):
    """Return the backend module called `name`."""
    if name not in BACKENDS:
        raise UnsupportedError(
            f"unknown backend {name!r}{nearest(name, BACKENDS)}; "
            f"backends are {', '.join(BACKENDS)}"
        )
    return import_module(f"recirc_hw.backends.{name}")


__all__ = ["BACKENDS", "FixedState", "Job", "Watch", "backend"]
