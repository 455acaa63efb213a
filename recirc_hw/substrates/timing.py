"""When an analog chip's groups are clamped, move and learn: a rule as phases.

How the papers' variants are limits of the gated loop's time constants, with
lambda = exp(-T / tau): units that remember have tau = T / ln(1 / lambda), the
others T / settling. CCR has fast units, and slow traces of them.
"""

import math
from functools import lru_cache

import numpy as np

from recirc_hw.errors import DesignError
from recirc_hw.programs import Layout, Phase, Phases, group_slots
from recirc_hw.programs.analog import AnalogDynamics
from recirc_hw.substrates.locality import check_local
from recirc_hw.substrates.networks import refuse_all_but_loops

REMEMBERS = {  # combine: (visible units, hidden units, traces) that keep lambda
    "PR": (False, False, False),
    "RCC": (True, False, False),
    "CCRCC": (True, True, False),
    "CCR": (False, False, True),
}
SETTLED = math.log(1e5)  # time constants until all but 1e-5 of a step is done
ENOUGH = 6.0  # below which a clamp is too short for learning
SLOW = 2.326  # standard deviations above which lie the slowest 1 % of units
FAST = 4.0  # and as many below it, 3 in 100,000: for them a step still is short enough
UNUSED = {  # form: fields that mean nothing to it
    "ungated": ("settling", "derivative_ms"),
    "derivative_circuit": ("settling",),
    "gated": ("tau_hidden_ms", "derivative_ms"),
}
COARSEST = 0.2  # of a time constant, the largest step of integration
FABRICATED = 0.5  # the same of a fabricated unit's, for 'rk4': off by 2e-4 of its way
ROUNDED = 1 + 1e-6  # room for the rounding of a number in a message, which has to do
FINE = 50  # steps to the shortest time constant, where none are asked for


@lru_cache(maxsize=256)
def phases_of(substrate, rule, network):
    """Return the phases and dynamics of `rule` for an analog substrate.

    Raises
    ------
    UnsupportedError
        For networks and rules that no such chip can follow; the message says why.
    DesignError
        Where a time is out of reach; the message says what would do.
    """
    refuse_all_but_loops(network, "an analog chip")
    learns = rule.learning_rate != 0
    if learns:
        gated = substrate.form == "gated"
        hint = "" if gated else ", or form 'gated'"
        check_local(
            rule,
            f"an analog chip of form '{substrate.form}'",
            tuple(REMEMBERS) if gated else ("CCRCC",),
            hint,
        )
    _check_converters(substrate, network)
    times = _Times(substrate, rule, network, learns)
    groups = range(len(network.groups))
    wiring = tuple((k, (k + 1) % len(groups)) for k in groups)
    phases = [times.phase("clamp", times.clamp_ms, (0,), tuple(groups)[1:])]
    if learns:
        phases += _learning(substrate, times, len(groups))
    dynamics = AnalogDynamics(
        functions=tuple(group.function for group in network.groups),
        wiring=wiring,
        integrator=substrate.integrator,
        tau_ms=times.tau_ms,
        learning=_sensing(substrate, times),
        trace_ms=times.trace_ms,
        unit_noise=substrate.unit_noise,
        read_noise=substrate.read_noise,
        delay_ms=substrate.delay_ms,
        dac_bits=substrate.dac_bits or 0,
        adc_bits=substrate.adc_bits or 0,
        continuous=substrate.plasticity == "continuous",
    )
    if dynamics.continuous and substrate.device.type != "ideal":
        raise DesignError(
            f"Analog.plasticity = 'continuous' with device '{substrate.device.type}': its "
            "pulses come after a batch; want 'gathered', or device 'ideal'"
        )
    if dynamics.noisy and dynamics.integrator == "rk4":
        raise DesignError("Analog.integrator = 'rk4': noise needs integrator 'heun'")
    _check_delay(substrate, phases)
    slots = group_slots(network)
    matrices = rule.compile(network).layout.matrices[: len(groups)]
    layout = Layout(slots, matrices, slots[-1].offset + slots[-1].size)
    name = f"{rule.name} on {type(network).__name__}, {substrate.form}"
    return Phases(name, layout, tuple(phases), dynamics)


def cautions(substrate, rule, network):
    """Return what a learning design is warned of: a clamp too short, fields without use."""
    if rule.learning_rate == 0:
        return ()
    times, found = _Times(substrate, rule, network, True), []
    if times.clamp_ms * ROUNDED < times.enough_ms:
        found.append(
            f"Analog.clamp_ms = {times.clamp_ms:g} ends before the hidden units have settled: "
            "synapses take the rest for a change, and chips learn late or never; want at "
            f"least {times.enough_ms:g} ms, {ENOUGH:g} time constants of {_chain(substrate)}; "
            f"not given, it is {times.settled_ms:g} ms"
        )
    for field in UNUSED[substrate.form]:
        value, default = getattr(substrate, field), type(substrate).model_fields[field].default
        if value != default:
            found.append(f"Analog.{field} = {value!r} has no effect in form '{substrate.form}'")
    return tuple(found)


def _chain(substrate):
    """Return in words what has to settle one after another."""
    parts = ["all hidden groups"]
    if substrate.tau_mismatch:
        parts[0] += f" as slow as 1 % of units are by tau_mismatch = {substrate.tau_mismatch:g}"
    if substrate.form != "ungated":
        parts.append("what lags behind them")
    return " and ".join(parts) + (", and delay_ms" if substrate.delay_ms else "")


def check_chip(substrate, seed, program, tau_ms):
    """Refuse a chip with a unit that is too fast for Runge and Kutta's steps.

    Heun's scheme solves the leak exactly: a fast unit follows its input, at any step.

    Parameters
    ----------
    tau_ms : float array: every unit's time constant, as fabricated

    Raises
    ------
    DesignError
        Naming the chip's seed, the time constant and the largest step that would do.
    """
    step, shortest = max(phase.dt_ms for phase in program.phases), tau_ms.min()
    if substrate.integrator == "rk4" and step > FABRICATED * shortest * ROUNDED:
        raise DesignError(
            f"Analog.dt_ms: a unit of the chip of seed {seed} has, by tau_mismatch = "
            f"{substrate.tau_mismatch:g}, a time constant of {shortest:g} ms, too short for "
            f"'rk4' in steps of {step:g}; at most {FABRICATED * shortest:g} will do, or "
            "integrator 'heun'"
        )


def _learning(substrate, times, n_groups):
    """Return the phases in which weights learn."""
    groups = tuple(range(n_groups))
    if substrate.form != "gated":
        return [times.phase("release", times.release_ms, (), groups, groups)]
    into = [(k - 1) % n_groups for k in groups]  # the matrix into each group
    return [
        times.phase(f"release {k}" if k else "release", times.release_ms, (), (k,), (into[k],))
        for k in groups
    ]


def _sensing(substrate, times):
    """Return how a synapse tells the change of its unit."""
    if substrate.form == "derivative_circuit":
        return "circuit"
    return "trace" if any(times.trace_ms) else "exact"


def release_ms(substrate, rule):
    """Return how long a loop runs free: until a unit remembers the rule's regression.

    Raises
    ------
    DesignError
        If the substrate does not say and the rule has no regression.
    """
    if substrate.release_ms is not None:
        return substrate.release_ms
    if not rule.regression:
        raise DesignError(
            f"{type(substrate).__name__}.release_ms is missing: it follows from "
            "rule.regression, and 0 of that would take forever"
        )
    return substrate.tau_ms * math.log(1 / rule.regression)


class _Times:
    """Every time of a design, in ms."""

    def __init__(self, substrate, rule, network, learns):
        self.hidden = len(network.groups) - 1
        hidden = substrate.tau_hidden_ms
        hidden = substrate.tau_ms if hidden is None else hidden
        hidden = hidden if isinstance(hidden, tuple) else (hidden,) * self.hidden
        if len(hidden) != self.hidden:
            raise DesignError(
                f"Analog.tau_hidden_ms gives {len(hidden)} times "
                f"for {self.hidden} hidden groups"
            )
        self.tau_ms = (substrate.tau_ms, *hidden)
        self.trace_ms = (0.0,) * (self.hidden + 1)
        self.release_ms = release_ms(substrate, rule) if learns else 0.0
        if substrate.form == "derivative_circuit":
            lag = substrate.derivative_ms or substrate.tau_ms / 10
            self.trace_ms = (lag,) * (self.hidden + 1)
        if substrate.form == "gated" and learns:
            self._gate(substrate, rule)
        self.enough_ms, settled_ms = self._settling(substrate)
        self.clamp_ms = settled_ms if substrate.clamp_ms is None else substrate.clamp_ms
        self.settled_ms = settled_ms
        self.dt_ms = self._step(substrate)

    def _gate(self, substrate, rule):
        """Set the time constants that make the variant of the rule."""
        visible, hidden, traces = REMEMBERS[rule.combine]
        slow = self.release_ms / math.log(1 / rule.regression) if rule.regression else 0.0
        fast = self.release_ms / substrate.settling
        remembers = slow or fast  # a unit that is to keep nothing is a fast one
        self.tau_ms = (
            remembers if visible else fast,
            *((remembers if hidden else fast,) * self.hidden),
        )
        if traces:
            self.trace_ms = (slow,) * (self.hidden + 1)

    def _settling(self, substrate):
        """Return (clamp that suffices for learning, clamp that is the default), in ms.

        The hidden groups settle one after another, and what lags behind the last of them
        after it. Enough counts the slowest 1 % of units, as mismatch makes them.
        """
        lag, slow = max(self.trace_ms), lognormal(SLOW, substrate.tau_mismatch)
        delay = self.hidden * substrate.delay_ms
        chain = sum(self.tau_ms[1:])
        enough = ENOUGH * (slow * chain + lag) + delay
        return enough, max(enough, SETTLED * (chain + lag) + delay)

    def _step(self, substrate):
        """Return the largest step of integration."""
        shortest = min(*self.tau_ms, *(trace for trace in self.trace_ms if trace), math.inf)
        if substrate.dt_ms is None:
            step = shortest / FINE
            if substrate.integrator == "rk4":  # it blows up where a unit is too fast for it
                fast = min(self.tau_ms) * lognormal(-FAST, substrate.tau_mismatch)
                step = min(step, FABRICATED * fast)
            return step
        if substrate.dt_ms > COARSEST * shortest * ROUNDED:
            raise DesignError(
                f"Analog.dt_ms = {substrate.dt_ms:g} is too large for a time constant of "
                f"{shortest:g} ms; at most {COARSEST * shortest:g} will do"
            )
        return substrate.dt_ms

    def phase(self, name, duration_ms, clamped, moving, plastic=()):
        """Return a phase of so many whole steps."""
        steps = max(1, math.ceil(duration_ms / self.dt_ms - 1e-9))
        return Phase(name, duration_ms, steps, clamped, moving, plastic)


def _check_delay(substrate, phases):
    """Refuse a delay that would be rounded to none."""
    delay, step = substrate.delay_ms, max(phase.dt_ms for phase in phases)
    if delay and not round(delay / step):
        raise DesignError(
            f"Analog.delay_ms = {delay:g} is less than half a step of {step:g} and would be "
            f"none; want 0, or dt_ms = {delay:g}"
        )


def lognormal(draws, spread):
    """Return exp(sd z - sd^2 / 2), of mean 1 and relative standard deviation `spread`."""
    sd = math.sqrt(math.log1p(spread**2))
    return np.exp(sd * draws - sd * sd / 2)


def _check_converters(substrate, network):
    """Refuse converters of units whose activity has no bounds."""
    for field, groups in (("dac_bits", network.groups[:1]), ("adc_bits", network.groups)):
        bits = getattr(substrate, field)
        for group in groups if bits else ():
            if group.function == "identity":
                raise DesignError(
                    f"Analog.{field} = {bits}: units of '{group.name}' are identity, which has "
                    "no range to divide into codes; want logistic or tanh"
                )
