"""Design files with a comment for every field, for people to start from."""

from recirc_hw.designs import Design
from recirc_hw.networks import Loop
from recirc_hw.rules import Recirculation
from recirc_hw.sections import SECTIONS, toml_line
from recirc_hw.substrates import Analog, FixedPoint, Ideal


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


def default_chips(task):
    """Return the chips that a study asks about where none is given, by their names.

    Both have the network and the rule of `starting_design`: one is digital, of 8-bit
    weights and activities, the other analog, every part of it off by 20 %.
    """
    start = starting_design(task)
    whole_batches = task.batch_size == len(task.train)
    digital = FixedPoint() if whole_batches else FixedPoint(weight_fraction_bits=4)
    analog = Analog(
        tau_mismatch=0.2, gain_mismatch=0.2, offset_mismatch=0.2, read_mismatch=0.2,
        write_mismatch=0.2, dt_ms=0.1, precision="float32",
    )  # fmt: skip
    substrates = {"digital, 8 bits": digital, "analog, 20 % mismatch": analog}
    return {
        name: Design(start.network, start.rule, substrate)
        for name, substrate in substrates.items()
    }


def commented(design):
    """Return the text of a design file that says what each field means."""
    lines = ["# A chip on paper. Every field not given takes the default.", ""]
    for section, fields in design.sections().items():
        lines.append(f"[{section}]")
        for name, value in fields.items():
            comment = _comment(section, getattr(design, section), name)
            lines.append(f"{toml_line((name, value)):32}  # {comment}")
        lines.append("")
    return "\n".join(lines)


def _comment(section, part, name):
    """Return what a field means, as its model says it; of a type, what others there are."""
    comment = type(part).model_fields[name].description
    others = [kind for kind in SECTIONS[section] if kind != part.type]
    return f"{comment}; or {', '.join(others)}" if name == "type" and others else comment
