"""What one case takes of an analog chip, for the ledger."""

from recirc_hw.ledger import Counts, Event, Tally


def analog_tally(program, batch_size):
    """Return how long parts of an analog chip are used for one learned example.

    Every unit is under power in every phase; a synapse conducts while the unit that it
    drives follows its input. Inference is the first phase, in which the case is
    clamped; learning is all that follows, and the writes.

    Parameters
    ----------
    program : Phases of an analog design
    batch_size : int
        Presentations to a write.

    Returns
    -------
    Tally; nothing depends on the cases, so none is asked for
    """
    case, dynamics = Counts(), program.dynamics
    if dynamics.dac_bits:
        loaded = Event("conversions", "inference", bits=(dynamics.dac_bits,))
        case += Counts({loaded: program.layout.slots[0].size})
    for index, phase in enumerate(program.phases):
        during = "learning" if index else "inference"
        case += _spent(program, phase, during)
    plastic = {k for phase in program.phases for k in phase.plastic}
    written = sum(_synapses(program.layout.matrices[k]) for k in plastic)
    batch = Counts({Event("weight_writes", "learning"): written})
    return Tally(case, batch, batch_size, None, "exact", "times of phases, whatever the case")


def _spent(program, phase, during):
    """Return the seconds of one phase: of the chip, its units and its synapses."""
    seconds = phase.duration_ms / 1000
    units = sum(slot.size for slot in program.layout.slots[:-1])
    conducting = sum(
        _synapses(matrix)
        for matrix, (_, target) in zip(
            program.layout.matrices, program.dynamics.wiring, strict=True
        )
        if target in phase.moving
    )
    return Counts(
        {
            Event("seconds", during): seconds,
            Event("unit_seconds", during): units * seconds,
            Event("synapse_seconds", during): conducting * seconds,
        }
    )


def _synapses(matrix):
    return matrix.rows * (matrix.cols + 1)
