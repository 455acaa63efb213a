"""Design files with a comment for every field, for people to start from."""

from recirc_hw.chips import Design, toml_line
from recirc_hw.networks import Loop
from recirc_hw.rules import Recirculation
from recirc_hw.substrates import Ideal

COMMENTS = {
    "network.type": "loop, a ring closed on the visible group; layered; recurrent; hierarchy",
    "network.n_visible": "units of the visible group: as many as a case has values",
    "network.n_hidden": "units of each hidden group round the ring, e.g. [100, 20, 100]",
    "network.visible": "response of the visible units: logistic, tanh or identity",
    "network.hidden": "response of the hidden units; one for all, or a list",
    "network.initial_weights": "uniform: weights and biases in +-initial_range; or glorot",
    "network.initial_range": "half the width of the uniform start",
    "network.symmetric": "whether one physical weight serves both ways",
    "network.output_bias": "drawn like the weights; or data_mean, the mean of the cases",
    "network.sizes": "units of each layer, e.g. [6, 2, 1]; [24, 12] for a layer of two groups",
    "network.output": "response of the output units",
    "network.n_inputs": "values that the hidden units are given at each step",
    "network.n_outputs": "units that the hidden ones drive; 0 where they answer themselves",
    "network.steps": "how often the hidden units respond",
    "network.initial_state": "of hidden units: learned; fixed, at rest; or given by the case",
    "network.leaves": "modules on the case: [visible, hidden] units of each",
    "network.upper": "the others: [hidden units, modules below, counted from 0]",
    "network.response": "response of all units",
    "network.taught_steps": "those whose answers have targets; all where not given",
    "network.taught_units": "of hidden units that answer themselves; all where not given",
    "rule.type": "recirculation, error_recirculation, backprop, random_feedback, top_only, ...",
    "rule.learning_rate": "one number, or one per weight matrix in the order of the ring",
    "rule.batch": "sum or mean over the cases of a batch",
    "rule.momentum": "share of the last change added to the next, 0 to below 1",
    "rule.weight_decay": "share of each weight lost at every write, 0 to below 1",
    "rule.norm_cap": "largest norm of a unit's incoming weights; 0 for none",
    "rule.combine": "what units remember of the pass before: PR, CCR, RCC, CCRCC or RWCC",
    "rule.regression": "lambda: share of the earlier activity that a unit keeps",
    "rule.cycles": "recirculations before the comparison; [n, m] compares two of them",
    "rule.presynaptic": "whose activity enters the product: first or second pass",
    "rule.hidden_regression": "lambda of the hidden units, where it differs",
    "rule.loss": "matched: errors are target - output; squared: gated by the output's slope",
    "rule.tolerance": "errors of an output unit up to this size count as none",
    "rule.c1": "whether the input reaches the output, so that the error is there",
    "rule.c2": "output to hidden: none, transposed, random, adaptive or tracking",
    "rule.c3": "output to input: none, identity or random",
    "rule.sends": "what c2 or c3 carries: output or error",
    "rule.kind": "RBP, SRBP (straight from the output) or ARBP (adapting)",
    "rule.apply_visible_rule_twice": "Hinton and McClelland's modified procedure",
    "substrate.type": "ideal: floating point, no hardware limit; fixed_point: integer codes",
    "substrate.weight_bits": "bits of a weight; one number, or one per weight matrix",
    "substrate.weight_fraction_bits": "of them after the binary point; may be negative",
    "substrate.bias_fraction_bits": "the same for biases, where they differ",
    "substrate.activity_bits": "bits of a unit's activity",
    "substrate.identity_integer_bits": "identity units saturate at 2 to this power",
    "substrate.rounding": "of weight changes: floor, half_up, half_even, stochastic or carry",
    "substrate.wide": "whether differences are taken before the blend rounds them",
    "substrate.rate_bits": "bits of the learning rate's whole number; 1: a power of two",
    "substrate.activation": "table of samples, or plan: piecewise linear",
    "substrate.table_fraction_bits": "fraction bits of the table's index",
    "substrate.table_integer_bits": "its integer bits; not given: as many as reach the rail",
    "substrate.table_sha256": "the digest that each table must have",
    "substrate.error_fraction_bits": "fraction bits of errors that other weights carry",
    "substrate.accumulator_bits": "bits of the adder for sums of products",
    "substrate.sum_bits": "bits in which a batch's weight change is summed up",
    "substrate.precision": "float64 or float32",
}
"""What each field means, as a design file says it."""


def starting_design(task):
    """Return a design that learns `task`.

    Encoders: Hinton & McClelland's. Small images: their rule with less
    regression, case by case. Larger cases: Baldi & Sadowski's plain recirculation.
    """
    if task.batch_size == len(task.train):
        hidden = max(1, (task.n_units - 1).bit_length())
        return Design(Loop(task.n_units, hidden), Recirculation(), Ideal())
    bounded = task.train.min() >= 0 and task.train.max() <= 1
    start = {"initial_weights": "glorot", "output_bias": "data_mean"}
    if bounded and task.n_units <= 100:
        network = Loop(task.n_units, max(1, task.n_units // 4), **start)
        return Design(network, Recirculation(regression=0.5, learning_rate=0.25), Ideal())
    units = {"hidden": "tanh"} if bounded else {"hidden": "identity", "visible": "identity"}
    network = Loop(task.n_units, min(20, max(1, task.n_units // 2)), **units, **start)
    rate = 0.01 if bounded else 0.001
    rule = Recirculation(combine="PR", presynaptic="first", learning_rate=rate, batch="mean")
    return Design(network, rule, Ideal(precision="float32"))


def commented(design):
    """Return the text of a design file that says what each field means."""
    lines = ["# A chip on paper. Every field not given takes the default.", ""]
    for section, fields in design.sections().items():
        lines.append(f"[{section}]")
        for name, value in fields.items():
            comment = COMMENTS[f"{section}.{name}"]
            lines.append(f"{toml_line((name, value)):32}  # {comment}")
        lines.append("")
    return "\n".join(lines)
