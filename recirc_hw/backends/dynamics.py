"""What compiled code is told of the dynamics: settings, and constants of each unit."""

import numpy as np

INTEGRATORS = ("heun", "rk4")  # in the order of the core's RH_HEUN and on
SENSING = ("exact", "circuit", "trace")  # of RH_EXACT and on


def settings(dynamics):
    """Return what holds for all phases, names as numbers, as compiled code reads it."""
    return (
        INTEGRATORS.index(dynamics.integrator), SENSING.index(dynamics.learning),
        dynamics.dac_bits, dynamics.adc_bits, dynamics.unit_noise, dynamics.read_noise,
    )  # fmt: skip


def lagging(dt, time):
    """Return (E, 1 - (1 - E) time / dt) with E = exp(-dt / time).

    A leaky unit whose drive goes from a to b in a line over dt ends at
    E y + (1 - E) a + (1 - (1 - E) time / dt) (b - a).
    """
    stays = np.exp(-dt / time)
    return stays, 1 + np.expm1(-dt / time) * time / dt


def phase_constants(program, phase, tau_ms, stuck):
    """Return the constants of one phase, in the order of the core's RH_STAYS and on.

    Parameters
    ----------
    tau_ms, stuck : float arrays, shape (n_chips, n_units)

    Returns
    -------
    list of float arrays, shape (n_chips, n_units): what stays of the activity, the
    corrector's share, the noise's share, whether the unit moves, 1 / tau; then for its
    trace what stays, the corrector's share, whether it follows, 1 / time.
    """
    moves, traced = moving_units(program, phase)
    time = np.repeat(program.dynamics.trace_ms, _sizes(program))
    time = np.where(time > 0, time, 1.0)
    stays, corrects = lagging(phase.dt_ms, tau_ms)
    trace_stays, trace_corrects = lagging(phase.dt_ms, time)
    rows = (
        stays, corrects, np.sqrt(1 - stays**2), moves & np.isnan(stuck), 1 / tau_ms,
        trace_stays, trace_corrects, traced, 1 / time,
    )  # fmt: skip
    return [np.broadcast_to(row, tau_ms.shape) for row in rows]


def moving_units(program, phase):
    """Return (units that follow their input, units whose trace follows them) in a phase.

    A trace stands still with its unit, but follows a clamped one.
    """
    groups = range(len(program.layout.slots) - 1)
    trace = np.array(program.dynamics.trace_ms)
    moves = np.isin(groups, phase.moving)
    traced = (moves | np.isin(groups, phase.clamped)) & (trace > 0)
    return np.repeat(moves, _sizes(program)), np.repeat(traced, _sizes(program))


def _sizes(program):
    return [slot.size for slot in program.layout.slots[:-1]]
