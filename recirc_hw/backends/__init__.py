"""Backends: who computes a program.

`reference` is plain NumPy and is the meaning; `native` is compiled C; `numba`
runs fixed-point designs and is imported only when asked for. Each is a
module with `train(job)` and `forward(program, weights, cases, slot, body)`. A backend knows
opcodes and arrays, never rules or networks.
"""

from importlib import import_module

from recirc_hw.backends.job import Job, Watch
from recirc_hw.backends.recorder import record
from recirc_hw.errors import UnsupportedError, nearest

BACKENDS = ("native", "reference", "numba")


def backend(name):
    """Return the backend module called `name`."""
    if name not in BACKENDS:
        raise UnsupportedError(
            f"unknown backend {name!r}{nearest(name, BACKENDS)}; "
            f"backends are {', '.join(BACKENDS)}"
        )
    if name == "numba":
        return _numba()
    return import_module(f"recirc_hw.backends.{name}")


def _numba():
    """Return the numba backend, or say how to install it."""
    try:
        return import_module("recirc_hw.backends.numba_jit")
    except ModuleNotFoundError as error:
        if error.name != "numba":
            raise
        raise UnsupportedError(
            "the numba backend needs the package numba: pip install 'recirc_hw[numba]'"
        ) from None


__all__ = ["BACKENDS", "Job", "Watch", "backend", "record"]
