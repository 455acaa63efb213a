"""When a neuron fires: its chance at each step, and its rate against a constant drive."""

from functools import lru_cache

import numpy as np
from scipy.special import ndtr

HIGHEST = 20.0  # potential above which the hazard grows no more
REACH, GRID = 40.0, 8001  # of the table of the curve, in units of net input
SETTLED = 40.0  # membrane time constants until a potential stands still


def spike_chance(dynamics, potential):
    """Return the chance that a neuron that may fire does so in one step.

    escape           1 - exp(-(dt / t_ref) exp(u))
    noisy_threshold  P(u > threshold + noise z), z standard normal, drawn at each step

    Source: Gerstner & Kistler 2002, "Spiking neuron models", section 5.3.
    """
    if dynamics.neuron == "escape":
        hazard = dynamics.dt_ms / dynamics.refractory_ms
        return -np.expm1(-hazard * np.exp(np.minimum(potential, HIGHEST)))
    over = np.asarray(potential) - dynamics.threshold
    if not dynamics.threshold_noise:
        return np.where(over >= 0, 1.0, 0.0)
    return ndtr(over / dynamics.threshold_noise)


def activity(dynamics, drive):
    """Return the mean activity (rate times t_ref) under a constant drive, exactly.

        a = (t_ref / dt) / E[steps from spike to spike]
        E = R + sum_(m >= R) prod_(l = R..m) (1 - p(u_l)),   u_l = drive (1 - e^(-l dt / tau_m))

    with R the refractory steps: spikes are a renewal process, the potential starting
    from 0 after each. Until the potential stands still the sum is taken as it is, and
    then as a geometric series.
    """
    drive = np.asarray(drive, np.float64)
    first = dynamics.refractory_steps
    last = first + int(np.ceil(SETTLED * dynamics.membrane_ms / dynamics.dt_ms))
    steps, silent = np.full(drive.shape, float(first)), np.ones(drive.shape)
    for m in range(first, last):
        reached = drive * -np.expm1(-m * dynamics.dt_ms / dynamics.membrane_ms)
        silent = silent * (1 - spike_chance(dynamics, reached))
        steps = steps + silent
    chance = spike_chance(dynamics, drive)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.where(silent > 0, silent * (1 - chance) / chance, 0.0)
    return dynamics.refractory_ms / dynamics.dt_ms / (steps + rest)


@lru_cache(maxsize=32)
def _table(dynamics):
    drives = np.linspace(-REACH, REACH, GRID)
    return drives, activity(dynamics, drives)


def curve(dynamics, drive):
    """Return `activity` from a table, by lines between drives .01 apart."""
    return np.interp(drive, *_table(dynamics))


def inverse_curve(dynamics, wanted):
    """Return the drive, within +-clamp_strength, that gives an activity."""
    drives, activities = _table(dynamics)
    found = np.interp(wanted, activities, drives)
    return np.clip(found, -dynamics.clamp_strength, dynamics.clamp_strength)


def clamp_drive(dynamics, cases):
    """Return the drive of the clamped units, shape (n_cases, units).

    current   strength (2 case - 1), on top of what the network sends;
    shunting  what gives the case's activity, in place of it.
    """
    if dynamics.clamp == "shunting":
        drive = inverse_curve(dynamics, cases)
    else:
        drive = dynamics.clamp_strength * (2 * np.asarray(cases, np.float64) - 1)
    return np.repeat(drive, dynamics.copies, axis=-1)


def passed_on(dynamics, projection, weights, sent):
    """Return the activity of a projection's target, its source's given, by the curve.

    a = F(e^(dt / tau) (W sent / copies + b)); the factor, since a step's drive is read
    before it decays. Arrays end in the units of the two; `weights` may be of many chips.
    """
    total = np.matmul(sent, weights[..., :-1].swapaxes(-1, -2)) / dynamics.copies
    total = total + weights[..., None, :, -1]
    return curve(dynamics, total / dynamics.stays(dynamics.tau_ms[projection[1]]))
