"""What a chip does for one case, as data.

A layout names the slots of one state vector and the weight matrices; a program
is a short table of primitive operations over it. Rules emit programs through
the builder; substrates give them meaning; backends run them. A chip that is never
clocked has phases instead. Nothing here computes.
"""

from recirc_hw.programs.body import Body, FixedState
from recirc_hw.programs.builder import Builder
from recirc_hw.programs.integer import IntegerProgram
from recirc_hw.programs.layout import Layout, Matrix, Slot, WritePolicy
from recirc_hw.programs.phases import Phase, Phases, group_slots
from recirc_hw.programs.table import FUNCTIONS, OPCODES, Op, Program

__all__ = [
    "FUNCTIONS",
    "OPCODES",
    "Body",
    "Builder",
    "FixedState",
    "IntegerProgram",
    "Layout",
    "Matrix",
    "Op",
    "Phase",
    "Phases",
    "Program",
    "Slot",
    "WritePolicy",
    "group_slots",
]
