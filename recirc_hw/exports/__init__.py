"""Exports: a chip written out as a circuit that others can run.

Each file writes one format, from what backends are given: phases or programs, weights
and the parts of a fabricated chip. Nothing here computes what a chip does.
"""

from recirc_hw.exports.spice import spice_netlist, write_spice

__all__ = ["spice_netlist", "write_spice"]
