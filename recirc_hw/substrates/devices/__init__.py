"""Synapse devices: how a wanted change becomes a new weight on an analog synapse.

One file per model, named and parametrised as the analog-hardware literature does; their
spread (`cells`), published parameter sets (`presets`), and the fit of a measured pulse
response (`fit`). Substrates use them; nothing here knows of networks or rules.
"""

from typing import Annotated

from pydantic import Field

from recirc_hw.substrates.devices.cells import Cells, WriteKey
from recirc_hw.substrates.devices.codes import Codes
from recirc_hw.substrates.devices.constant_step import ConstantStep
from recirc_hw.substrates.devices.device import Device
from recirc_hw.substrates.devices.exp_step import ExpStep
from recirc_hw.substrates.devices.fit import FitReport, fit_device
from recirc_hw.substrates.devices.ideal import IdealDevice
from recirc_hw.substrates.devices.linear_step import LinearStep
from recirc_hw.substrates.devices.presets import PRESETS, Preset, preset
from recirc_hw.substrates.devices.response import pulse_response
from recirc_hw.substrates.devices.soft_bounds import SoftBounds
from recirc_hw.substrates.devices.synapses import Synapses

AnyDevice = Annotated[
    IdealDevice | ConstantStep | LinearStep | SoftBounds | ExpStep | Codes,
    Field(discriminator="type"),
]
DEVICES = {
    "ideal": IdealDevice,
    "constant_step": ConstantStep,
    "linear_step": LinearStep,
    "soft_bounds": SoftBounds,
    "exp_step": ExpStep,
    "codes": Codes,
}

__all__ = [
    "DEVICES",
    "PRESETS",
    "AnyDevice",
    "Cells",
    "Codes",
    "ConstantStep",
    "Device",
    "ExpStep",
    "FitReport",
    "IdealDevice",
    "LinearStep",
    "Preset",
    "SoftBounds",
    "Synapses",
    "WriteKey",
    "fit_device",
    "preset",
    "pulse_response",
]
