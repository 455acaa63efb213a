"""Each model's mean pulse response in closed form, as the fit of measurements needs it.

Parameters of one device are a vector, lengths in units in which the measured range is
about -1..1: step up and down at w = 0, upper and lower bound, then the model's own. The
exponential step is dw (1 - A e^(+-k w)) / (1 - A), dw too that at w = 0.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Curve:
    """The mean response of a model: w after n pulses from w_0, and its parameters' limits."""

    after: Callable  # (parameters, up, n, w_0) -> w
    step: Callable  # (parameters, up, w) -> length of one step
    searches: tuple  # (start, lowest, highest) of the model's own parameters, each search
    reach: float  # how far beyond the measured extremes the bounds may lie, as a factor


def _clip(parameters, w):
    return np.clip(w, parameters[3], parameters[2])


def _dw(parameters, up):
    return parameters[0] if up else -parameters[1]


def constant_after(parameters, up, n, start):
    """Return w_0 +- n dw, within bounds."""
    return _clip(parameters, start + n * _dw(parameters, up))


def constant_step(parameters, up, w):
    """Return dw."""
    return np.full_like(w, abs(_dw(parameters, up)))


def _linear_slope(parameters, up):
    return parameters[4] / parameters[2] if up else parameters[5] / parameters[3]


def _soft_slope(parameters, up):
    return 1.0 / (parameters[2] if up else parameters[3])


def linear_after(slope):
    """Return `after` for w <- w + dw (1 - slope w): w_0 + step(w_0) (1 - (1 - s)^n) / s."""

    def after(parameters, up, n, start):
        dw, share = _dw(parameters, up), slope(parameters, up)
        lost = np.clip(dw * share, 1e-12, 0.99)
        grown = -np.expm1(n * np.log1p(-lost)) / lost
        return _clip(parameters, start + dw * np.maximum(1.0 - share * start, 0.0) * grown)

    return after


def linear_step(slope):
    """Return `step` for a slope."""

    def step(parameters, up, w):
        return abs(_dw(parameters, up)) * np.maximum(1.0 - slope(parameters, up) * w, 0.0)

    return step


def exp_after(parameters, up, n, start):
    """Return w after n pulses of +-d (1 - A e^(+-k w)), n taken as continuous.

    q = e^(-+k w) obeys dq/dn = -k d (q - A), so q = A + (q_0 - A) e^(-k d n).
    """
    sign = 1.0 if up else -1.0
    weight, k = _exponential(parameters, up)
    d = abs(_dw(parameters, up)) / (1.0 - weight)
    first = np.exp(-sign * k * start)
    q = weight + (first - weight) * np.exp(np.minimum(-k * d * n, 50.0))
    moved = -sign * np.log(np.maximum(q, 1e-30)) / k
    stuck = weight >= first  # 1 - A e^(+-k w_0) <= 0: no step at all
    return _clip(parameters, np.where(stuck, start, moved))


def exp_step(parameters, up, w):
    """Return d max(1 - A e^(+-k w), 0)."""
    weight, k = _exponential(parameters, up)
    grown = weight * np.exp(k * w if up else -k * w)
    return abs(_dw(parameters, up)) / (1.0 - weight) * np.maximum(1.0 - grown, 0.0)


def _exponential(parameters, up):
    return (parameters[4], parameters[6]) if up else (parameters[5], parameters[7])


NONE = ((), (), ())

CURVES = {
    "constant_step": Curve(constant_after, constant_step, (NONE,), 1.0),
    "linear_step": Curve(
        linear_after(_linear_slope), linear_step(_linear_slope),
        (((0.3, 0.3), (0.0, 0.0), (1.0, 1.0)),), 1.0,
    ),
    "soft_bounds": Curve(
        linear_after(_soft_slope), linear_step(_soft_slope), (NONE,), 10.0
    ),
    "exp_step": Curve(
        exp_after, exp_step,
        (
            ((0.2, 0.2, 2.0, 2.0), (-20.0, -20.0, 0.5, 0.5), (0.9, 0.9, 8.0, 8.0)),
            ((-1.0, -1.0, -2.0, -2.0), (-20.0, -20.0, -8.0, -8.0), (0.9, 0.9, -0.5, -0.5)),
        ),
        1.0,
    ),
}  # fmt: skip
