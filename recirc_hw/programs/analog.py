"""Analog dynamics: the constants and the fabricated parts that backends integrate.

Units of one chip lie side by side, group after group, as the layout's slots say.
"""

from dataclasses import dataclass, field

import numpy as np

from recirc_hw.programs.body import Body


@dataclass(frozen=True)
class AnalogDynamics:
    """The constants of a design's continuous-time equations; times in ms.

    `wiring` gives each matrix's (source group, target group). `learning` is what the
    change of a postsynaptic unit is told from: "exact" its derivative, "circuit"
    the difference from a copy that lags behind it, "trace" the derivative of a trace.
    A trace time of 0 means the activity itself; bits of 0 no converter.
    """

    functions: tuple[str, ...]  # response of each group
    wiring: tuple[tuple[int, int], ...]
    integrator: str
    tau_ms: tuple[float, ...]  # of each group, before mismatch
    learning: str
    trace_ms: tuple[float, ...]  # of each group's trace or lagging copy
    unit_noise: float
    read_noise: float
    delay_ms: float
    dac_bits: int
    adc_bits: int
    continuous: bool  # whether weights follow their change while a case runs

    @property
    def noisy(self):
        """Whether any draw is made while a case runs."""
        return self.unit_noise > 0 or self.read_noise > 0


@dataclass
class AnalogBody(Body):
    """The parts of fabricated analog chips; none of them changes in training.

    Arrays of units have shape (n_chips, n_units), those of synapses, one a matrix,
    (n_chips, rows, cols + 1).
    """

    tau_ms: np.ndarray
    gain: np.ndarray
    offset: np.ndarray
    stuck: np.ndarray  # what a stuck unit always holds; NaN where it works
    read_gain: list[np.ndarray]
    write_gain: list[np.ndarray]
    synapses: object  # how weights are written and seen, see substrates.devices.Synapses
    prepared: dict = field(default_factory=dict)  # what a backend has worked out of these
