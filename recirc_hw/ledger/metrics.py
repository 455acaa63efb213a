"""NeuroBench's metrics of a chip's inference, by its names and definitions.

Source: Yik et al. 2025, The NeuroBench framework for benchmarking neuromorphic
computing algorithms and systems, Nature Communications 16, 1545; version 2.3.
What it lacks, the bits a chip stores when each takes its own width and the
weights written while it learns, stands with the ledger's counts.
"""

import numpy as np


def neurobench(chip, cases):
    """Return NeuroBench's metrics of one pass over `cases`, shape (n_cases, n_units).

    Returns
    -------
    dict
        footprint : bytes of the network's weights and biases, as arrays hold them
        parameter_count : weights and biases
        connection_sparsity : share of weights (no biases) that are 0, to 4 decimals
        activation_sparsity : share of responses that are 0; identity units have none
        synaptic_operations : for one case, biases left out
            Dense : every weight; Effective_MACs : weight and input not 0;
            Effective_ACs : the same, where every input of all cases is 0, 1 or -1
    """
    states = chip.states(cases)
    program, count = chip.program, len(chip.design.network.matrices)
    weights = chip.matrices[:count]
    passes = [op for op in program.case_ops if op.opcode == "project" and not op.learning]
    return {
        "footprint": sum(matrix.nbytes for matrix in weights),
        "parameter_count": sum(matrix.size for matrix in weights),
        "connection_sparsity": _connection_sparsity(weights),
        "activation_sparsity": _activation_sparsity(chip.design, program, states),
        "synaptic_operations": _synaptic_operations(chip, passes, states),
    }


def _connection_sparsity(weights):
    zeros = sum(np.count_nonzero(matrix[:, :-1] == 0) for matrix in weights)
    return round(zeros / sum(matrix[:, :-1].size for matrix in weights), 4)


def _activation_sparsity(design, program, states):
    """Return the share of responses that are 0, over units with a non-linearity."""
    responses = [
        states[op.dst]
        for op in design.program.case_ops
        if op.opcode == "project" and not op.learning and op.function != "identity"
    ]
    size = sum(response.size for response in responses)
    return sum(np.count_nonzero(r == 0) for r in responses) / size if size else 0.0


def _synaptic_operations(chip, passes, states):
    """Return NeuroBench's three counts, means over the cases."""
    found = {"Effective_MACs": 0.0, "Effective_ACs": 0.0, "Dense": 0.0}
    for op in passes:
        inputs = states[op.first]
        strong = np.count_nonzero(chip.matrices[op.matrix][:, :-1], axis=0)
        busy = np.count_nonzero(inputs, axis=0) / len(inputs)
        slot = chip.program.layout.slots[op.first]
        values = chip.design.substrate.decode(inputs, slot)
        kind = "Effective_ACs" if np.isin(values, (-1, 0, 1)).all() else "Effective_MACs"
        found[kind] += float(busy @ strong)
        found["Dense"] += float(chip.matrices[op.matrix][:, :-1].size)
    return found
