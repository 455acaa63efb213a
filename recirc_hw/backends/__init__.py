"""Backends: who computes a program.

`reference` is plain NumPy and is the meaning; `native` is compiled C; `numba` runs
fixed-point and continuous-time designs, `brian2` spiking ones; both are imported only
when asked for. Each is a module with `train(job)` and
`forward(program, weights, cases, slot, body)`. A backend knows opcodes and arrays, never
rules or networks.
"""

from importlib import import_module

from recirc_hw.backends.job import Job, Watch
from recirc_hw.backends.recorder import record
from recirc_hw.errors import UnsupportedError, nearest

BACKENDS = ("native", "reference", "numba", "brian2")
OPTIONAL = {"numba": "numba_jit", "brian2": "brian2_net"}


def backend(name):
    """Return the backend module called `name`."""
    if name not in BACKENDS:
        raise UnsupportedError(
            f"unknown backend {name!r}{nearest(name, BACKENDS)}; "
            f"backends are {', '.join(BACKENDS)}"
        )
    if name in OPTIONAL:
        return _optional(name)
    return import_module(f"recirc_hw.backends.{name}")


def _optional(name):
    """Return a backend that needs a package of its name, or say how to install it."""
    try:
        return import_module(f"recirc_hw.backends.{OPTIONAL[name]}")
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise UnsupportedError(
            f"the {name} backend needs the package {name}: pip install 'recirc_hw[{name}]'"
        ) from None


__all__ = ["BACKENDS", "Job", "Watch", "backend", "record"]
