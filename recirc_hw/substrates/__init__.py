"""Substrates: what units and synapses are made of.

A substrate gives meaning to the primitives of a program: the arithmetic they
are done in, and its limits.
"""

from recirc_hw.substrates.ideal import Ideal

SUBSTRATES = {"ideal": Ideal}

__all__ = ["SUBSTRATES", "Ideal"]
