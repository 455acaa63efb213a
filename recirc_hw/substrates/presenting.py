"""When a spiking chip's units are clamped, run free and learn: a rule as phases."""

import math
from dataclasses import replace
from functools import lru_cache

from recirc_hw.errors import DesignError
from recirc_hw.programs import Layout, Phase, Phases, group_slots
from recirc_hw.programs.spiking import SpikingDynamics
from recirc_hw.substrates.devices import IdealDevice
from recirc_hw.substrates.locality import check_local
from recirc_hw.substrates.networks import refuse_all_but_loops
from recirc_hw.substrates.timing import release_ms

ENOUGH = 4.0  # time constants below which a clamp is too short for learning


@lru_cache(maxsize=256)
def phases_of(substrate, rule, network):
    """Return the phases and dynamics of `rule` for a spiking substrate.

    Without learning, a case is clamped for clamp_ms and then for readout_ms, in which
    a second set of visible neurons, not clamped, shows what the hidden ones send.

    Raises
    ------
    UnsupportedError
        For networks, rules and units that no such chip has; the message says why.
    DesignError
        Where a time is out of reach; the message says what would do.
    """
    refuse_all_but_loops(network, "a spiking chip")
    learns = rule.learning_rate != 0
    if learns:
        check_local(rule, "a spiking chip", ("CCRCC",))
    _check_units(network)
    _check_steps(substrate)
    groups = tuple(range(len(network.groups)))
    tau_ms = (substrate.tau_ms, *_hidden_times(substrate, len(groups) - 1))
    phases = _learning(substrate, rule, groups) if learns else _reading(substrate, groups)
    dynamics = _dynamics(substrate, network, tau_ms, with_output=not learns)
    slots = group_slots(network)
    matrices = [
        replace(m, rows=m.rows * substrate.copies, cols=m.cols * substrate.copies)
        for m in rule.compile(network).layout.matrices[: len(groups)]
    ]
    name = f"{rule.name} on {type(network).__name__}, {substrate.plasticity}"
    return Phases(
        name,
        Layout(slots, tuple(matrices), slots[-1].offset + slots[-1].size),
        tuple(phases),
        dynamics,
    )


def _dynamics(substrate, network, tau_ms, *, with_output):
    """Return the constants; the reconstruction is a population of its own where read."""
    count = len(network.groups)
    sizes = [group.size * substrate.copies for group in network.groups]
    projections = [(k, k, (k + 1) % count) for k in range(count)]
    if with_output:
        sizes.append(sizes[0])
        tau_ms = (*tau_ms, tau_ms[0])
        projections.append((count - 1, count - 1, count))
    return SpikingDynamics(
        tau_ms=tau_ms,
        sizes=tuple(sizes),
        projections=tuple(projections),
        fast_ms=substrate.fast_ms,
        neurons=substrate.neurons if substrate.shared_weights else 1,
        copies=substrate.copies,
        gain=substrate.plasticity_gain,
        write="never" if substrate.device == IdealDevice() else substrate.write,
        **{name: getattr(substrate, name) for name in SAME},
    )


SAME = (
    "dt_ms", "membrane_ms", "refractory_ms", "neuron", "threshold", "threshold_noise",
    "clamp", "clamp_strength", "plasticity", "jump", "readout",
)  # fmt: skip


def _check_units(network):
    """Refuse units whose response spikes cannot give."""
    for group in network.groups:
        if group.function != "logistic":
            raise DesignError(
                f"network.{group.name} = '{group.function}' on a spiking chip: a rate lies "
                "between 0 and 1 / t_ref; want 'logistic'"
            )


def _check_steps(substrate):
    """Refuse a step that loses spikes or traces."""
    dt = substrate.dt_ms
    for name in ("refractory_ms", "fast_ms"):
        if dt > getattr(substrate, name):
            why = {
                "refractory_ms": "a neuron would fire more than once a step",
                "fast_ms": "the fast trace would be gone before it is read",
            }[name]
            raise DesignError(
                f"Spiking.dt_ms = {dt:g} is above {name} = {getattr(substrate, name):g}: {why}"
            )
    steps = substrate.refractory_ms / dt
    if abs(steps - round(steps)) > 1e-9:
        raise DesignError(
            f"Spiking.refractory_ms = {substrate.refractory_ms:g} is {steps:g} steps of "
            f"dt_ms = {dt:g}: want a whole number of them"
        )


def _hidden_times(substrate, count):
    """Return the time constant of each hidden group."""
    hidden = substrate.tau_hidden_ms
    hidden = hidden if isinstance(hidden, tuple) else (hidden,) * count
    if len(hidden) != count:
        raise DesignError(
            f"Spiking.tau_hidden_ms gives {len(hidden)} times for {count} hidden groups"
        )
    return hidden


def _learning(substrate, rule, groups):
    """Return the clamp and the release, in which weights learn."""
    clamp_ms, free_ms = _clamp_ms(substrate), release_ms(substrate, rule)
    release = _phase(substrate, "release", free_ms, (), groups, groups)
    if substrate.plasticity != "two_phase_hebb":
        return [_phase(substrate, "clamp", clamp_ms, (0,), groups), release]
    return [
        _phase(substrate, "clamp", max(clamp_ms - free_ms, 0), (0,), groups),
        _phase(substrate, "clamp, learning", free_ms, (0,), groups, groups),
        release,
    ]


def _reading(substrate, groups):
    """Return the phases of a case that is only answered."""
    groups = (*groups, len(groups))
    return [
        _phase(substrate, "clamp", _clamp_ms(substrate), (0,), groups),
        _phase(substrate, "read out", substrate.readout_ms, (0,), groups),
    ]


def _phase(substrate, name, duration_ms, clamped, moving, plastic=()):
    """Return a phase of so many whole steps."""
    steps = math.ceil(duration_ms / substrate.dt_ms - 1e-9)
    return Phase(name, steps * substrate.dt_ms, steps, clamped, moving, plastic)


def _clamp_ms(substrate):
    """Return how long a case is clamped."""
    return ENOUGH * substrate.tau_ms if substrate.clamp_ms is None else substrate.clamp_ms


def cautions(substrate):
    """Return the warning of a clamp so short that synapses keep much of the last case."""
    if _clamp_ms(substrate) >= ENOUGH * substrate.tau_ms:
        return ()
    left = math.exp(-substrate.clamp_ms / substrate.tau_ms)
    return (
        f"Spiking.clamp_ms = {substrate.clamp_ms:g}: traces keep {left:.0%} of the case "
        f"before, and weights learn from that; {ENOUGH * substrate.tau_ms:g} ms or more "
        "leave 2%, at 2 tau_ms or less nothing is learned",
    )
