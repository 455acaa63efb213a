"""What recirc_hw raises, and warns of, on purpose; all else is a built-in exception."""

import sys
import warnings
from difflib import get_close_matches


class DesignError(ValueError):
    """A design, or a file that describes one, names something that cannot be built."""


class TaskError(ValueError):
    """A task's cases cannot be learned from: wrong shape, range, or content."""


class DataError(ValueError):
    """A data file is missing, partial, or not what its checksum says."""


class CheckpointError(ValueError):
    """A checkpoint cannot be read, or belongs to another design, task or chip."""


class StudyError(ValueError):
    """A study's file, folder or workers do not serve; finished cells are kept."""


class UnsupportedError(ValueError):
    """A backend cannot run a program; the message says why, and what can."""


class PriceError(ValueError):
    """A price list cannot be read, or lacks a price that was asked for."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C stopped a training. The chips keep what they learned; `runs` records it."""

    def __init__(self, runs):
        super().__init__("training stopped by Ctrl-C; the chips keep what they learned")
        self.runs = runs


class NativeError(RuntimeError):
    """The compiled core refused a call; one subclass per status code."""


class NativeOpcodeError(NativeError):
    """A program holds an operation that the compiled core does not know."""


class NativeBoundsError(NativeError):
    """A program, or an order of cases, reaches outside its arrays."""


class NativeInstructionSetError(NativeError):
    """The instruction set asked for is not there on this machine."""


def warn(message):
    """Warn of `message` at the line outside this package from which it was called."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and _name(frame).partition(".")[0] == __package__:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)


def _name(frame):
    return frame.f_globals.get("__name__", "")


def nearest(name, allowed):
    """Return ", did you mean 'x'?" for the closest allowed name, or an empty string."""
    close = get_close_matches(str(name), [str(a) for a in allowed], n=1, cutoff=0.5)
    return f", did you mean '{close[0]}'?" if close else ""
