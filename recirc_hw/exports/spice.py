"""The SPICE netlist of one analog chip and one case, as ngspice runs it.

A unit's response is a behavioural source that charges a capacitor through a resistor,
and the capacitor's voltage is its activity; a synapse is a conductance that sends a
current into the 1 ohm on which its unit's net input is summed. Switches clamp groups,
hold groups, and open. No text that a user wrote reaches a line that SPICE executes.
"""

from pathlib import Path

import numpy as np

from recirc_hw.backends.continuous import weights_as_read, write_shares
from recirc_hw.errors import DesignError, UnsupportedError
from recirc_hw.exports.spice_header import header
from recirc_hw.programs.analog import AnalogDynamics
from recirc_hw.substrates.timing import FINE
from recirc_hw.whole_files import write_whole

RESISTANCE = 1e6  # ohm, of every unit and copy; capacitors make the time constants
CLOSED, OPEN = 1.0, 1e15  # ohm, of a switch: 1e-6 and 1e9 of a unit's resistance
FINER = 4  # times, where weights move too: learning makes the loop that much faster
RAMP = 2e-6  # time a switch takes, of the shortest time constant; ngspice drops 1e-6
RESPONSES = {  # by tanh, which no net input overflows
    "logistic": "0.5+0.5*tanh(0.5*{u})",
    "tanh": "tanh({u})",
    "identity": "{u}",
}


def write_spice(folder, chip, case, plasticity=False):
    """Write `chipSEED.cir` into a folder, which is made where it is missing.

    Parameters, but for the folder, and errors are those of `spice_netlist`; OSError
    where the file cannot be written.

    Returns
    -------
    path of the file
    """
    name = f"chip{chip.seed}"
    text = spice_netlist(chip, case, plasticity, table=f"{name}.txt")
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder) / f"{name}.cir"
    write_whole(path, text.encode("ascii"))
    return path


def spice_netlist(chip, case, plasticity=False, table="activity.txt"):
    """Return the circuit of an analog chip that goes through one case's phases.

        C_i dV_i/dt = (f(gain_i (x_i - offset_i)) - V_i) / R,     R C_i = tau_i

    with mismatch and the weights as the chip's units read them. `ngspice -b` runs it and
    writes a table of time (s) and every unit's activity (V): v1, v2, ... of the visible
    group, h1, ... or h1_1, ... of the hidden ones.

    Source: SPICE's elements as in the ngspice manual, version 39.

    Parameters
    ----------
    chip : Chip of an `Analog` design, as fabricated or trained
    case : float array, shape (n_visible,)
    plasticity : bool
        Whether each synapse's weight change, as it would be written, is a node too:
        dw_h1_v1 is that from v1 to h1, dw_h1_bias that of h1's bias. Always so where
        weights follow their changes while the case runs.
    table : str
        File that ngspice writes, of letters, digits, "_", "." and "-".

    Returns
    -------
    str, ASCII lines

    Raises
    ------
    UnsupportedError
        For chips that are not analog, and those with delay or converters.
    DesignError
        Where a weight is not finite.
    ValueError
        For a table of another name.
    """
    if not table or not set(table) <= _SAFE:
        raise ValueError(f"table = {table!r}: want letters, digits, '_', '.' and '-' only")
    job = chip.presentation(case)
    _check(job, type(chip.design.substrate).__name__)
    circuit = _Circuit(job, plasticity)
    return "\n".join([*header(chip, circuit, table), *circuit.lines(), *circuit.run(table), ""])


_SAFE = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


def _check(job, kind):
    """Refuse what has no circuit here, with the reason."""
    dynamics = getattr(job.program, "dynamics", None)
    if dynamics is None:
        raise UnsupportedError(
            f"{kind} chips are clocked: SPICE runs circuits in continuous time; those of the "
            "Analog substrate can be written as one"
        )
    if not isinstance(dynamics, AnalogDynamics):
        raise UnsupportedError(f"{kind} chips as SPICE netlists: only Analog chips can be")
    for field in ("delay_ms", "dac_bits", "adc_bits"):
        if getattr(dynamics, field):
            raise UnsupportedError(
                f"Analog.{field} = {getattr(dynamics, field):g} as a SPICE netlist: delay "
                "lines and converters are not written; leave it out"
            )
    for matrix, weights in zip(job.program.layout.matrices, job.weights, strict=True):
        if not np.isfinite(weights).all():
            raise DesignError(f"weights of '{matrix.name}' are not finite: nothing to write")


class _Circuit:
    """The elements of one chip's circuit, group after group."""

    def __init__(self, job, plasticity):
        self.program, self.dynamics = job.program, job.program.dynamics
        self.plasticity = plasticity or self.dynamics.continuous
        self.case, self.body = job.cases[0], job.body
        self.read = [weights[0] for weights in weights_as_read(job, [0])]
        self.written = [shares[0] for shares in write_shares(job, [0], 1)]
        groups = self.program.layout.slots[:-1]
        self.groups = ["v", *(_hidden(k, len(groups)) for k in range(1, len(groups)))]
        self.units = [
            [unit_name(group, i) for i in range(slot.size)]
            for group, slot in zip(self.groups, groups, strict=True)
        ]
        self.places = [slice(slot.offset, slot.offset + slot.size) for slot in groups]
        tau, traces = self.body.tau_ms[0], [ms for ms in self.dynamics.trace_ms if ms]
        self.shortest = 1e-3 * min([*tau, *traces])
        self.ends = 1e-3 * np.cumsum([phase.duration_ms for phase in self.program.phases])

    def lines(self):
        """Return every element, a line each."""
        found = [f".model switch SW(VT=0.5 VH=0 RON={CLOSED:g} ROFF={OPEN:g})"]
        for k in range(len(self.groups)):
            found += ["", f"* group {self.program.layout.slots[k].name}", *self._controls(k)]
            for i in range(len(self.units[k])):
                found += [*self._unit(k, i), *self._copy(k, i)]
        for k, matrix in enumerate(self.program.layout.matrices):
            found += ["", f"* synapses {matrix.name}", *self._synapses(k)]
            if self.learns(k):
                found += ["", f"* weight changes {matrix.name}", *self._changes(k)]
        return found

    def run(self, table):
        """Return the analysis and the block that writes the table."""
        steps = FINE * (FINER if self.dynamics.continuous else 1)
        step, stop = _number(self.shortest / steps), _number(self.ends[-1])
        # Charges are told apart to 1e-6 of a volt on the smallest capacitor.
        charge = _number(1e-6 * self.shortest / RESISTANCE)
        return [
            "", ".options method=trap reltol=1e-6 abstol=1e-15 vntol=1e-9 chgtol=" + charge,
            f".tran {step} {stop} 0 {step} uic",
            "", ".control", "set numdgt=12", "set wr_singlescale", "set wr_vecnames", "run",
            f"wrdata {table} " + " ".join(f"v({node})" for node in self.nodes()),
            "quit", ".endc", ".end",
        ]  # fmt: skip

    def nodes(self):
        """Return the nodes of the table: activities, copies, weight changes."""
        units = [unit for group in self.units for unit in group]
        copies = [
            f"p_{unit}"
            for k, group in enumerate(self.units)
            if self.copied(k)
            for unit in group
        ]
        changes = [
            f"dw_{unit}_{sender}"
            for k, (source, to) in enumerate(self.dynamics.wiring) if self.learns(k)
            for unit in self.units[to] for sender in (*self.units[source], "bias")
        ]  # fmt: skip
        return [*units, *copies, *changes]

    def copied(self, k):
        """Return whether a group's activity has a copy that lags behind it."""
        return self.dynamics.trace_ms[k] > 0

    def learns(self, k):
        """Return whether a matrix's weight changes are nodes."""
        return self.plasticity and any(k in phase.plastic for phase in self.program.phases)

    def _held(self, k):
        """Return for each phase whether a group keeps what it has."""
        return [k not in (*phase.clamped, *phase.moving) for phase in self.program.phases]

    def _controls(self, k):
        """Return the voltages, 0 or 1, that switch a group and the learning into it."""
        name, phases, found = self.groups[k], self.program.phases, []
        if any(k in phase.clamped for phase in phases):
            found.append(self._control(f"clamp_{name}", [k in p.clamped for p in phases]))
        if any(self._held(k)):
            found.append(self._control(f"free_{name}", [not held for held in self._held(k)]))
        for m, (_, to) in enumerate(self.dynamics.wiring):
            if to == k and self.learns(m):
                found.append(self._control(f"learn_{name}", [m in p.plastic for p in phases]))
        return found

    def _control(self, node, on):
        """Return a source that changes between phases where `on` does."""
        points = [0.0, int(on[0])]
        for before, after, end in zip(on, on[1:], self.ends, strict=False):
            if before != after:
                points += [end, int(before), end + RAMP * self.shortest, int(after)]
        return f"V_{node} {node} 0 PWL({' '.join(_number(point) for point in points)})"

    def _unit(self, k, i):
        """Return a unit: its sum, its response, its memory, and the switch that clamps it."""
        unit, place = self.units[k][i], self.places[k].start + i
        stuck = self.body.stuck[0, place]
        if not np.isnan(stuck):
            return [f"V_{unit} {unit} 0 DC {_number(stuck)}", f"R_x_{unit} x_{unit} 0 1"]
        gain, offset = (_number(part[0, place]) for part in (self.body.gain, self.body.offset))
        response = RESPONSES[self.dynamics.functions[k]]
        response = response.format(u=f"({gain}*(V(x_{unit})-({offset})))")
        clamped = any(k in phase.clamped for phase in self.program.phases)
        start = _number(self.case[i]) if clamped else "0"
        found = [
            f"R_x_{unit} x_{unit} 0 1",
            f"B_f_{unit} f_{unit} 0 V={response}",
            *self._memory(k, f"f_{unit}", unit, self.body.tau_ms[0, place], start),
        ]
        if clamped:
            found += [
                f"V_case_{unit} case_{unit} 0 DC {start}",
                f"S_{unit} case_{unit} {unit} clamp_{self.groups[k]} 0 switch",
            ]
        return found

    def _copy(self, k, i):
        """Return the lagging copy of a unit, buffered from it, where its group has one."""
        if not self.copied(k):
            return []
        unit, lag = self.units[k][i], self.dynamics.trace_ms[k]
        return [
            f"E_{unit} q_{unit} 0 {unit} 0 1",
            *self._memory(k, f"q_{unit}", f"p_{unit}", lag, "0"),
        ]

    def _memory(self, k, source, node, tau_ms, start):
        """Return a capacitor behind a resistor, and a switch where its group is ever held."""
        found, joint = [], node
        if any(self._held(k)):
            joint = f"r_{node}"
            found = [f"S_r_{node} {joint} {node} free_{self.groups[k]} 0 switch"]
        return [
            f"R_{node} {source} {joint} {RESISTANCE:g}", *found,
            f"C_{node} {node} 0 {_farad(tau_ms)} IC={start}",
        ]  # fmt: skip

    def _synapses(self, k):
        """Return the currents that synapses and biases send into their unit's sum."""
        weights, found = self.read[k], []
        for unit, sender, place in self._pairs(k):
            name, weight = f"{unit}_{sender}", _number(weights[place])
            if self.dynamics.continuous and self.learns(k):
                gain = _number(self.body.read_gain[k][0][place])
                sent = "" if sender == "bias" else f"*V({sender})"
                found.append(f"B_{name} 0 x_{unit} I=({weight}+{gain}*V(dw_{name})){sent}")
            elif sender == "bias":
                found.append(f"I_{name} 0 x_{unit} DC {weight}")
            else:
                found.append(f"G_{name} 0 x_{unit} {sender} 0 {weight}")
        return found

    def _changes(self, k):
        """Return the integrators of weight changes: - rate pre dpost/dt, with write gains.

        A unit's change is told from the current into its capacitor, or into its copy's;
        an integrator's capacitor is as large as that, so that volts count weights.
        """
        found, to = [], self.dynamics.wiring[k][1]
        senses_copy = self.dynamics.learning != "exact"
        for unit, sender, place in self._pairs(k):
            name, index = f"dw_{unit}_{sender}", self.places[to].start + place[0]
            tau_ms = self.dynamics.trace_ms[to] if senses_copy else self.body.tau_ms[0, index]
            factors = [f"({_number(-self.written[k][place] / RESISTANCE)})"]
            if sender != "bias":
                traced = "p_" if self.dynamics.learning == "trace" else ""
                factors.append(f"V({traced}{sender})")
            sensed = f"V({unit})-V(p_{unit})" if senses_copy else f"V(f_{unit})-V({unit})"
            factors += [f"({sensed})", f"V(learn_{self.groups[to]})"]
            if senses_copy or np.isnan(self.body.stuck[0, index]):
                found.append(f"B_{name} 0 {name} I={'*'.join(factors)}")
            found.append(f"C_{name} {name} 0 {_farad(tau_ms)} IC=0")
        return found

    def _pairs(self, k):
        """Yield (unit, sender, (row, column)) of a matrix; the bias sends last."""
        source, to = self.dynamics.wiring[k]
        for row, unit in enumerate(self.units[to]):
            for column, sender in enumerate((*self.units[source], "bias")):
                yield unit, sender, (row, column)


def _hidden(k, n_groups):
    """Return the letter of a hidden group, numbered where there are several."""
    return "h" if n_groups == 2 else f"h{k}"


def unit_name(group, i):
    """Return the node of a unit, such as v1, h1, or h2_1 of several hidden groups."""
    return f"{group}{'_' if group[1:] else ''}{i + 1}"


def _farad(tau_ms):
    """Return the capacitor that makes a time constant."""
    return _number(1e-3 * tau_ms / RESISTANCE)


def _number(value):
    """Return a number with every digit that tells it from its neighbours; no -0."""
    return repr(float(value) + 0.0)
