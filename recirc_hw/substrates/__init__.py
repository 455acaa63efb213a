"""Substrates: what units and synapses are made of.

A substrate gives meaning to the primitives of a program: the arithmetic they
are done in, and its limits. It names its hardware effects, and what turns each off.
"""

from recirc_hw.substrates.analog import Analog
from recirc_hw.substrates.effects import Substrate
from recirc_hw.substrates.fixed_point import FixedPoint
from recirc_hw.substrates.ideal import Ideal
from recirc_hw.substrates.spiking import Spiking

SUBSTRATES = {"ideal": Ideal, "fixed_point": FixedPoint, "analog": Analog, "spiking": Spiking}

__all__ = ["SUBSTRATES", "Analog", "FixedPoint", "Ideal", "Spiking", "Substrate"]
