"""The analog substrate: leaky units with memory in continuous time."""

from operator import attrgetter
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PositiveFloat

from recirc_hw.programs import Phases
from recirc_hw.programs.analog import AnalogBody
from recirc_hw.random_streams import normal, uniform
from recirc_hw.substrates.devices import AnyDevice, IdealDevice, Synapses
from recirc_hw.substrates.energy import analog_tally
from recirc_hw.substrates.held import Held
from recirc_hw.substrates.timing import cautions, check_chip, lognormal, phases_of

Spread = Annotated[float, Field(ge=0, le=2)]
Deviation = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Bits = Annotated[int, Field(ge=1, le=24)]
Times = PositiveFloat | tuple[PositiveFloat, ...]


class Analog(Held):
    """Leaky units in continuous time: regression is what a unit still remembers.

        tau_i dy_i/dt = -y_i + f(gain_i (x_i - offset_i)) + noise
        x_i = sum_j w_ij y_j + b_i
        dw_ij/dt = -rate y_j dy_i/dt        while its units are released

    Visible units are clamped to the case until the hidden ones settle, then released:
    after release_ms they keep the share regression = exp(-release_ms / tau_ms) of the
    case. For each number of the fabricated chip a field gives its spread over devices
    (d2d); noise is drawn at every moment (c2c).

    Source: Hinton & McClelland 1988, eqs. 3 to 6, with the regression of eq. 5 as the
    charge left on a leaky unit.

    Parameters
    ----------
    form : "ungated", "derivative_circuit" or "gated"
        How the loop runs free and how a synapse senses a change. Ungated: all
        units move at once, the exact derivative is sensed. Derivative circuit: the
        same, but a unit's change is its distance from a copy of itself that lags by
        derivative_ms. Gated: groups move one after another, the others held; the
        rule's `combine` says which units are slow. A held group's trace stands still.
    tau_ms : float
        Time constant of the visible units (gated: of all that remember).
    tau_hidden_ms : float, or one per hidden group, or None for tau_ms
    clamp_ms : float, or None
        How long the case is held; None for what the slowest chain needs to settle
        to 1e-5: the rest would be taken for a change, and unlearned. Below 6 time
        constants of the chain a design is warned of.
    release_ms : float, or None
        How long the loop runs free; None for tau_ms ln(1 / rule.regression).
    derivative_ms : float, or None for tau_ms / 10
        Lag of the derivative circuit's copy.
    plasticity : "continuous" or "gathered"
        Whether weights follow their change while a case runs, or the changes of a batch
        are gathered and written after it.
    settling : float
        Gated: how many of its time constants a unit that remembers nothing has, to
        follow its input.
    dt_ms : float, or None
        Largest step of integration; None for 1/50 of the shortest time constant, and
        less for "rk4" where mismatch makes units too fast for that.
    integrator : "heun" or "rk4"
        Heun's scheme with the leak solved exactly, of second order and with the same
        statistics of noise at any step; or Runge and Kutta's of fourth order, noise-free.
    device : a device of `recirc_hw.devices`
        How a synapse takes a change, and what it holds.
    tau_mismatch, gain_mismatch, read_mismatch, write_mismatch : float
        Relative standard deviation, lognormal with mean 1, of time constants, of the
        units' gain, and of the synapses' weight as read and as written (d2d).
    offset_mismatch : float
        Standard deviation of the units' offset, in units of net input (d2d).
    unit_noise : float
        Standard deviation that white noise gives a unit's activity (c2c).
    read_noise : float
        The same for each synapse's weight: a unit gets the sum of its synapses', in one
        draw with its own noise.
    weight_drift : float
        Standard deviation of the random walk that weights do from write to write (c2c).
    delay_ms : float
        How long an activity takes to its synapses, to the nearest step.
    stuck_units : float in 0..1
        Share of units that always hold 0 or 1 (d2d).
    dac_bits, adc_bits : int, or None
        Bits of the case as clamped, and of activities as sent round the loop.
    """

    type: Literal["analog"] = Field(
        "analog", description="leaky units with memory, in continuous time"
    )
    form: Literal["ungated", "derivative_circuit", "gated"] = Field(
        "ungated", description="how the loop runs free: ungated, derivative_circuit or gated"
    )
    tau_ms: PositiveFloat = Field(
        1.0, description="time constant of the visible units' memory, ms"
    )
    tau_hidden_ms: Times | None = Field(
        None, description="of the hidden units; one for all, or a list; not given: the same"
    )
    clamp_ms: PositiveFloat | None = Field(
        None, description="how long a case is held; not given: until all has settled"
    )
    release_ms: PositiveFloat | None = Field(
        None, description="how long the loop runs free; not given: from rule.regression"
    )
    derivative_ms: PositiveFloat | None = Field(
        None, description="lag of the derivative circuit; not given: tau_ms / 10"
    )
    plasticity: Literal["continuous", "gathered"] = Field(
        "gathered", description="when weights change: gathered, after a batch; or continuous"
    )
    settling: Annotated[float, Field(ge=1, le=100)] = Field(
        10.0, description="gated: time constants a unit has to follow its input"
    )
    dt_ms: PositiveFloat | None = Field(
        None, description="largest step of integration; not given: 1/50 of the shortest time"
    )
    integrator: Literal["heun", "rk4"] = Field(
        "heun", description="heun, also with noise, or rk4 without"
    )
    device: AnyDevice = Field(
        IdealDevice(), description="what a synapse is made of; see recirc-hw devices"
    )
    tau_mismatch: Spread = Field(
        0.0, description="relative spread of time constants from unit to unit"
    )
    gain_mismatch: Spread = Field(0.0, description="relative spread of gains from unit to unit")
    offset_mismatch: Deviation = Field(
        0.0, description="spread of offsets from unit to unit, in net input"
    )
    read_mismatch: Spread = Field(
        0.0, description="relative spread of weights as read, from synapse to synapse"
    )
    write_mismatch: Spread = Field(
        0.0, description="relative spread of weight changes, from synapse to synapse"
    )
    unit_noise: Deviation = Field(
        0.0, description="standard deviation of a unit's activity from white noise"
    )
    read_noise: Deviation = Field(
        0.0, description="the same of the weight that a unit reads, for each synapse"
    )
    weight_drift: Deviation = Field(
        0.0, description="standard deviation of a weight's random walk per write"
    )
    delay_ms: Deviation = Field(0.0, description="time an activity takes to its synapses")
    stuck_units: Share = Field(0.0, description="share of units that always hold 0 or 1")
    dac_bits: Bits | None = Field(
        None, description="bits of a case as clamped; not given: exact"
    )
    adc_bits: Bits | None = Field(
        None, description="bits of activities as sent round the loop; not given: exact"
    )

    def effects(self):
        """Return what real parts add to the equations, each with what turns it off.

        "synapse device" are its steps and bounds; its spread and pulse noise are relative
        to those, and go with them. Its leak and its dead synapses stay.
        """
        off = {
            "time constants": {"tau_mismatch": 0.0},
            "gains": {"gain_mismatch": 0.0},
            "offsets": {"offset_mismatch": 0.0},
            "weights as read": {"read_mismatch": 0.0},
            "weights as written": {"write_mismatch": 0.0},
            "unit noise": {"unit_noise": 0.0},
            "read noise": {"read_noise": 0.0},
            "weight drift": {"weight_drift": 0.0},
            "delay": {"delay_ms": 0.0},
            "stuck units": {"stuck_units": 0.0},
            "case converters": {"dac_bits": None},
            "activity converters": {"adc_bits": None},
            "synapse device": {"device": IdealDevice.in_place_of(self.device)},
        }
        for name, fields in self.device.effects().items():
            off[name] = {f"device.{field}": value for field, value in fields.items()}
        return {
            name: fields for name, fields in off.items()
            if any(attrgetter(field)(self) != value for field, value in fields.items())
        }  # fmt: skip

    def lower(self, rule, network, batch_size=1) -> Phases:
        """Return the phases of one case under `rule`; see `timing.phases_of`."""
        return phases_of(self, rule, network)

    def cautions(self, rule, network):
        """Return what a design is warned of; see `timing.cautions`."""
        return cautions(self, rule, network)

    def check_chip(self, seed, program):
        """Refuse a chip too fast for its steps; see `timing.check_chip`."""
        if self.tau_mismatch:
            check_chip(self, seed, program, self._times([seed], program))

    def body(self, seeds, program):
        """Return the parts of the chips that `seeds` stand for, as fabricated.

        Every effect has a random stream of its own: the strength of one does not
        re-draw another.
        """
        times = self._times(seeds, program)
        return AnalogBody.start(
            seeds,
            tau_ms=times,
            gain=_units(seeds, "gain mismatch", times.shape[1], self.gain_mismatch),
            offset=self.offset_mismatch * _drawn(seeds, "offset mismatch", times.shape[1]),
            stuck=self._stuck(seeds, times.shape[1]),
            read_gain=_synapses(seeds, "read mismatch", program, self.read_mismatch),
            write_gain=_synapses(seeds, "write mismatch", program, self.write_mismatch),
            synapses=Synapses.fabricate(
                self.device, seeds, program.layout.matrices, self.weight_drift
            ),
        )

    def tally(self, chip, cases, batch_size):
        """Return what one learned example takes; see `energy.analog_tally`."""
        return analog_tally(chip.design.lowered(), batch_size)

    def _times(self, seeds, program):
        """Return each unit's time constant in ms, shape (n_chips, n_units)."""
        groups = program.layout.slots[:-1]
        nominal = np.repeat(program.dynamics.tau_ms, [group.size for group in groups])
        return nominal * _units(seeds, "tau mismatch", nominal.size, self.tau_mismatch)

    def _stuck(self, seeds, units):
        """Return what stuck units hold, NaN for those that work."""
        picked = np.stack([uniform(seed, "stuck units", units) for seed in seeds])
        values = np.stack([uniform(seed, "stuck values", units) for seed in seeds])
        return np.where(picked < self.stuck_units, np.floor(2 * values), np.nan)


def _units(seeds, purpose, count, spread):
    """Return one lognormal factor a unit, shape (n_chips, count)."""
    return lognormal(_drawn(seeds, purpose, count), spread)


def _synapses(seeds, purpose, program, spread):
    """Return one lognormal factor a synapse for each matrix."""
    return [
        lognormal(_drawn(seeds, purpose, (matrix.rows, matrix.cols + 1), step), spread)
        for step, matrix in enumerate(program.layout.matrices)
    ]


def _drawn(seeds, purpose, shape, step=0):
    """Return standard normals of each chip, shape (n_chips, *shape)."""
    return np.stack([normal(int(seed), purpose, shape, step=step) for seed in seeds])
