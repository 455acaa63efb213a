"""The comment at the head of a netlist: which chip, in which units, with what left out."""

from recirc_hw.sections import written
from recirc_hw.training.run import versions

LEFT_OUT = {  # a field that is not 0: why the circuit of one case lacks it
    "unit_noise": "the circuit is that without noise",
    "read_noise": "the circuit is that without noise",
    "weight_drift": "it comes with writes, after the case",
}


def header(chip, circuit, table):
    """Return the lines at the head, every one a comment."""
    design, phases = chip.design, circuit.program.phases
    spans = ", ".join(f"{phase.name} {phase.duration_ms:g} ms" for phase in phases)
    found = [
        f"recirc_hw: chip {chip.seed} of {circuit.program.name}, one case",
        f"ngspice -b runs it and writes the table {table}: time, then a column a node",
        "Versions: " + ", ".join(f"{name} {number}" for name, number in versions().items()),
        f"Chip: seed {chip.seed}, after {chip.updates} weight updates",
        f"Phases: {spans}",
        "Units: s, V, ohm, F. 1 V of v1, h1 or h1_1 is an activity of 1",
        "Nodes: x_v1 the net input of v1, f_v1 its response" + _more_nodes(circuit),
        *(f"Left out: {line}" for line in _left_out(design.substrate)),
        "Design:",
        *written(_plain(design)).splitlines(),
    ]
    return [comment(line) for line in found]


def _plain(design):
    """Return a design's sections without the function that a rule of one's own is."""
    return {
        section: {name: value for name, value in fields.items() if not callable(value)}
        for section, fields in design.sections().items()
    }


def comment(line):
    """Return a comment of one line, in ASCII that no simulator takes for more."""
    plain = " ".join(line.split()).encode("ascii", "backslashreplace").decode()
    return f"* {plain}".rstrip()


def _more_nodes(circuit):
    """Return what the nodes are that only some circuits have."""
    copies = any(circuit.copied(k) for k in range(len(circuit.groups)))
    changes = any(circuit.learns(k) for k in range(len(circuit.dynamics.wiring)))
    return (
        (", p_v1 a copy that lags behind it" if copies else "")
        + (", dw_v1_h1 the change of the weight from h1" if changes else "")
    )  # fmt: skip


def _left_out(substrate):
    """Return what the chip has and the circuit has not."""
    found = [
        f"{field} = {getattr(substrate, field):g}: {why}"
        for field, why in LEFT_OUT.items() if getattr(substrate, field)
    ]  # fmt: skip
    if substrate.device.type != "ideal":
        found.append(
            f"device '{substrate.device.type}': its pulses come after the case; weights are "
            "those it holds, weight changes those it would be asked for"
        )
    return found
