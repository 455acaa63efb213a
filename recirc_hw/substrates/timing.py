"""When an analog chip's groups are clamped, move and learn: a rule as phases.

How the papers' variants are limits of the gated loop's time constants, with
lambda = exp(-T / tau): units that remember have tau = T / ln(1 / lambda), the
others T / settling. CCR has fast units, and slow traces of them.
"""

import math
import warnings
from functools import lru_cache

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
ENOUGH = 4.0  # below which a clamp is too short for learning
COARSEST = 0.2  # of a time constant, the largest step of integration
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
    slots = group_slots(network)
    matrices = rule.compile(network).layout.matrices[: len(groups)]
    layout = Layout(slots, matrices, slots[-1].offset + slots[-1].size)
    name = f"{rule.name} on {type(network).__name__}, {substrate.form}"
    return Phases(name, layout, tuple(phases), dynamics)


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
        self.clamp_ms = self._clamp(substrate)
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

    def _clamp(self, substrate):
        """Return how long a case is held: until the last of a chain has settled."""
        slowest = max(*self.tau_ms[1:], *self.trace_ms)
        if substrate.clamp_ms is None:
            return self.hidden * SETTLED * slowest + substrate.delay_ms * self.hidden
        if substrate.clamp_ms < ENOUGH * slowest:
            warnings.warn(
                f"Analog.clamp_ms = {substrate.clamp_ms:g}: hidden units settle to "
                f"{math.exp(-substrate.clamp_ms / slowest):.0%} only; {ENOUGH * slowest:g} ms "
                "or more leave 2%",
                stacklevel=2,
            )
        return substrate.clamp_ms

    def _step(self, substrate):
        """Return the largest step of integration."""
        shortest = min(*self.tau_ms, *(trace for trace in self.trace_ms if trace), math.inf)
        if substrate.dt_ms is None:
            return shortest / FINE
        # Room for the rounding of the number in the message, which has to do.
        if substrate.dt_ms > COARSEST * shortest * (1 + 1e-6):
            raise DesignError(
                f"Analog.dt_ms = {substrate.dt_ms:g} is too large for a time constant of "
                f"{shortest:g} ms; at most {COARSEST * shortest:g} will do"
            )
        return substrate.dt_ms

    def phase(self, name, duration_ms, clamped, moving, plastic=()):
        """Return a phase of so many whole steps."""
        steps = max(1, math.ceil(duration_ms / self.dt_ms - 1e-9))
        return Phase(name, duration_ms, steps, clamped, moving, plastic)


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
