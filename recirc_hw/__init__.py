"""Would this network learn on my chip.

Recirculation learning (Hinton & McClelland 1988; Baldi & Sadowski 2018) as the
physical dynamics of hardware substrates.
"""

from recirc_hw import tasks
from recirc_hw.calibration import calibrate_formats
from recirc_hw.chips import Chip
from recirc_hw.designs import Design
from recirc_hw.errors import (
    CheckpointError,
    DataError,
    DesignError,
    Interrupted,
    NativeError,
    PriceError,
    StudyError,
    TaskError,
    UnsupportedError,
)
from recirc_hw.ledger import Cost, cost
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
from recirc_hw.spike_record import SpikeRecord
from recirc_hw.studies import Yield, ablate, find_limit, learning_yield, study, sweep, transfer
from recirc_hw.substrates import Analog, FixedPoint, Ideal, Spiking, devices
from recirc_hw.substrates.devices import fit_device
from recirc_hw.training import Run, train

__version__ = "0.1.0"

__all__ = [
    "Analog",
    "BPTT",
    "Backprop",
    "Builder",
    "Channels",
    "CheckpointError",
    "Chip",
    "Cost",
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
    "PriceError",
    "Program",
    "RandomFeedback",
    "Recirculation",
    "Recurrent",
    "Run",
    "SpikeRecord",
    "Spiking",
    "StudyError",
    "TaskError",
    "TopOnly",
    "UnsupportedError",
    "Yield",
    "ablate",
    "calibrate_formats",
    "cost",
    "devices",
    "find_limit",
    "fit_device",
    "learning_yield",
    "study",
    "sweep",
    "tasks",
    "train",
    "transfer",
]
