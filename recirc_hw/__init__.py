"""Would this network learn on my chip.

Recirculation learning (Hinton & McClelland 1988; Baldi & Sadowski 2018) as the
physical dynamics of hardware substrates.
"""

from recirc_hw import tasks
from recirc_hw.calibration import calibrate_formats
from recirc_hw.chips import Chip, Design
from recirc_hw.errors import (
    CheckpointError,
    DataError,
    DesignError,
    Interrupted,
    NativeError,
    TaskError,
    UnsupportedError,
)
from recirc_hw.networks import Hierarchy, Layered, Loop, Recurrent
from recirc_hw.programs import Builder, Program
from recirc_hw.rules import (
    BPTT,
    Backprop,
    Channels,
    CustomRule,
    ErrorRecirculation,
    RandomFeedback,
    Recirculation,
    TopOnly,
)
from recirc_hw.substrates import FixedPoint, Ideal
from recirc_hw.training import Run, train

__version__ = "0.1.0"

__all__ = [
    "BPTT",
    "Backprop",
    "Builder",
    "Channels",
    "CheckpointError",
    "Chip",
    "CustomRule",
    "DataError",
    "Design",
    "DesignError",
    "ErrorRecirculation",
    "Hierarchy",
    "Interrupted",
    "FixedPoint",
    "Ideal",
    "Layered",
    "Loop",
    "NativeError",
    "Program",
    "RandomFeedback",
    "Recirculation",
    "Recurrent",
    "Run",
    "TaskError",
    "TopOnly",
    "UnsupportedError",
    "calibrate_formats",
    "tasks",
    "train",
]
