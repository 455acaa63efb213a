"""Fit a device to a measured pulse response."""

from dataclasses import dataclass, replace

import numpy as np

from recirc_hw.errors import DataError, DesignError, warn
from recirc_hw.substrates.devices.constant_step import ConstantStep
from recirc_hw.substrates.devices.curves import CURVES
from recirc_hw.substrates.devices.exp_step import ExpStep
from recirc_hw.substrates.devices.linear_step import LinearStep
from recirc_hw.substrates.devices.measured import (
    Staircase,
    check_directions,
    read_staircases,
)
from recirc_hw.substrates.devices.noise import (
    cycle_spread,
    off_and_on_bound,
    points_on_the_way,
    scatter,
)
from recirc_hw.substrates.devices.soft_bounds import SoftBounds

MODELS = {"constant_step": ConstantStep, "linear_step": LinearStep,
          "soft_bounds": SoftBounds, "exp_step": ExpStep}  # fmt: skip
POOR = 0.5  # of the values' own spread: a fit that misses them by more is doubtful
NEAREST = 0.02  # of half the range: how near 0 a bound of weights may lie
EXACT = 1e-7  # of half the range: models that come nearer are equally good


@dataclass(frozen=True)
class FitReport:
    """What `fit_device` found, beside the device.

    Parameters
    ----------
    model : str
        The type of the device that was chosen.
    aic : dict of str to float
        Akaike's criterion of each model, no unit; the least is chosen.
    rms : dict of str to float
        Root mean square residual of each model's mean curves, in weight units.
    devices, staircases, points : int
        How many were measured.
    zero, unit : float
        In the file's unit: a measured value x is the weight (x - zero) / unit.
    """

    model: str
    aic: dict
    rms: dict
    devices: int
    staircases: int
    points: int
    zero: float
    unit: float


@dataclass(frozen=True)
class _Measured:
    """A staircase, the lag over which its points are predicted, and which of them.

    Points on a bound are fitted, but do not count: they do not scatter.
    """

    stair: Staircase
    lag: int
    off_bound: np.ndarray
    on_bound: np.ndarray


@dataclass(frozen=True)
class _Found:
    """One model, fitted to one device at a time."""

    vectors: dict  # parameters by device; see `curves`
    errors: dict  # variance of each parameter's estimate, by device
    rss: float  # sum of squares of the residuals fitted
    rms: float  # of the mean curves from each staircase's first point


def fit_device(path, w_max=16.0):
    """Return (device, FitReport): the model that explains a measured pulse response best.

    Each model's mean response, in closed form, is fitted to each device by least squares:
    every point is predicted from the one L points before it, L as small as noise allows
    (1 where only the pulses scatter; see `noise.scatter`). The model of least
    AIC = n ln(mean square) + 2 k is chosen, n the stretches of L points and k the
    parameters, of all devices. The device's lengths are means over devices and its _dtod
    fields their spread, less what the estimates' own errors add; shapes are medians, taken
    as alike in all devices. dw_min_std and write_noise_std come from the scatter of the
    increments.

    A bound that the measurement does not reach is taken to lie at its extreme value. Read
    noise well above the scatter of the pulses drowns it: dw_min_std is then unreliable.

    Parameters
    ----------
    path : path of a CSV file
        Its columns are those that `devices.measured.read_staircases` states. A measured
        `conductance` is centred and scaled so that the measured range becomes
        -w_max..w_max; a `weight` is taken as it is.
    w_max : float
        Half the range of the weights that conductances become, weight units; above 0.

    Returns
    -------
    device : ConstantStep, LinearStep, SoftBounds or ExpStep
        w_max, w_min and dw_min in weight units; dw_min_std relative to a step,
        write_noise_std in steps of dw_min, the _dtod fields and up_down relative.
    FitReport

    Raises
    ------
    DataError
        If the file cannot be read, is ill-formed, holds no staircase in one direction or
        one that goes the other way, values that do not change, weights on one side of 0
        only, or no pulse response: noise that every model's curve misses by as much as
        the values spread. Misses of half as much are warned of.
    TypeError, ValueError
        If w_max is no number, or not finite and above 0.
    """
    _check_half_range(w_max)
    staircases, quantity = read_staircases(path)
    zero, half = _scale(path, staircases, quantity)
    check_directions(path, staircases, quantity)
    scaled = [replace(stair, values=(stair.values - zero) / half) for stair in staircases]
    names = list(dict.fromkeys(stair.device for stair in scaled))
    noise = scatter(scaled)
    devices = {name: _measured(name, scaled, noise) for name in names}
    found = {model: _fit_model(devices, curve) for model, curve in CURVES.items()}
    points = sum(one.off_bound.sum() for own in devices.values() for one in own)
    aic = {model: _aic(one, points, noise.lag) for model, one in found.items()}
    model = min(aic, key=aic.__getitem__)
    fields = _fields(model, found[model], devices)
    scale = w_max if quantity == "conductance" else half
    try:
        device = MODELS[model](**_lengths(fields, scale))
    except DesignError as error:
        raise DataError(f"{path}: no device answers like this: {error}") from None
    rms = {name: one.rms * scale for name, one in found.items()}
    _judge(path, rms[model], scale * _spread_of(scaled), device.dw_min)
    return device, FitReport(
        model, aic, rms, len(names), len(scaled), sum(len(s.values) for s in scaled),
        zero, half / scale,
    )  # fmt: skip


def _check_half_range(w_max):
    """Refuse half a range that is no finite number above 0."""
    if isinstance(w_max, bool) or not isinstance(w_max, int | float | np.number):
        raise TypeError(f"w_max = {w_max!r}: want a number")
    if not (np.isfinite(w_max) and w_max > 0):
        raise ValueError(f"w_max = {w_max!r}: want a finite number above 0")


def _spread_of(staircases):
    """Return the sd of all values about their mean."""
    return float(np.std(np.concatenate([stair.values for stair in staircases])))


def _judge(path, rms, spread, step):
    """Refuse a fit that explains nothing of the values' spread; warn of a doubtful one."""
    if rms <= POOR * spread:
        return
    told = (
        f"{path}: the nearest device's mean curve misses the values by {rms:.3g} rms, "
        f"{rms / step:.3g} of its steps, where the values spread by {spread:.3g}"
    )
    if rms > spread:
        raise DataError(f"{told}: no pulse response")
    warn(f"{told}: doubtful")


def _aic(found, points, lag):
    """Return n ln(mean square) + 2 k; overlapping predictions count once a lag."""
    mean_square = max(found.rss / max(points, 1), EXACT**2)
    size = sum(len(vector) for vector in found.vectors.values())
    return float(points / lag * np.log(mean_square) + 2 * size)


def _scale(path, staircases, quantity):
    """Return (zero, half the range) of what was measured."""
    values = np.concatenate([stair.values for stair in staircases])
    low, high = float(values.min()), float(values.max())
    if not high > low:
        raise DataError(f"{path}: every {quantity} is {low:g}; want values that change")
    if quantity == "conductance":
        return (low + high) / 2.0, (high - low) / 2.0
    half = (high - low) / 2.0
    if min(high, -low) < NEAREST * half:
        raise DataError(
            f"{path}: weights are in {low:g}..{high:g}; want both signs, by {NEAREST:.0%} of "
            "half the range at least, or name the column conductance, which is centred"
        )
    return 0.0, half


def _measured(name, staircases, noise):
    """Return one device's staircases, and which points of each are fitted."""
    own = [stair for stair in staircases if stair.device == name]
    extremes = {
        True: max(stair.values.max() for stair in own),
        False: min(stair.values.min() for stair in own),
    }
    return [
        _Measured(stair, noise.lag, *off_and_on_bound(stair, extremes[stair.up], noise))
        for stair in own
    ]


def _fit_model(devices, curve, shape=None):
    """Return a model fitted to each device, its shape free or given."""
    vectors, errors, rss, plain = {}, {}, 0.0, []
    for name, own in devices.items():
        searches = curve.searches if shape is None else ((shape, shape, shape),)
        best = min((_search(own, curve, s) for s in searches), key=lambda r: r.cost)
        vectors[name] = best.x if shape is None else np.concatenate([best.x, shape])
        count = sum(one.off_bound.sum() for one in own)
        scale = own[0].lag * 2.0 * best.cost / max(count - best.x.size, 1)
        errors[name] = np.diag(np.linalg.pinv(best.jac.T @ best.jac)) * scale
        rss += 2.0 * best.cost
        plain += [_deviation(one.stair, curve, vectors[name]) for one in own]
    rms = float(np.sqrt(np.mean(np.concatenate(plain) ** 2)))
    return _Found(vectors, errors, rss, rms)


def _search(own, curve, search):
    """Return SciPy's least-squares result for one device; a shape without room is fixed."""
    from scipy.optimize import least_squares  # half a second that only a fit should cost

    start, lowest, highest = search
    fixed = start if lowest is highest else ()
    stairs = [one.stair for one in own]
    high = max(NEAREST, *(stair.values.max() for stair in stairs))
    low = min(-NEAREST, *(stair.values.min() for stair in stairs))
    up, down = (_mean_step(stairs, way) for way in (True, False))
    # Hard bounds lie within what was measured, asymptotes beyond but for noise.
    inner, middle = (0.3, 1.0) if curve.reach == 1.0 else (0.7, 1.2)
    outer = curve.reach + 1e-6
    x = [up, down, high * middle, low * middle]
    lower = [up / 50, down / 50, high * inner, low * outer]
    upper = [up * 50, down * 50, high * outer, low * inner]
    if not len(fixed):
        x, lower, upper = [*x, *start], [*lower, *lowest], [*upper, *highest]

    def residuals(x):
        vector = np.concatenate([x, fixed])
        return np.concatenate([_residual(one, curve, vector) for one in own])

    x_scale = np.abs(x) + 0.01 * up
    return least_squares(residuals, np.clip(x, lower, upper), bounds=(lower, upper),
                         x_scale=x_scale, ftol=1e-12, xtol=1e-12, gtol=1e-12)  # fmt: skip


def _residual(one, curve, vector):
    """Return measured - predicted over the lag, for the points that are fitted."""
    p, w, lag = one.stair.pulses, one.stair.values, one.lag
    predicted = curve.after(vector, one.stair.up, p[lag:] - p[:-lag], w[:-lag])
    return (w[lag:] - predicted)[one.off_bound | one.on_bound]


def _deviation(stair, curve, vector):
    """Return measured - the mean curve from the first point."""
    return stair.values[1:] - curve.after(vector, stair.up, stair.pulses[1:], stair.values[0])


def _mean_step(stairs, up):
    """Return about how far a pulse of one direction moves a device."""
    return np.mean([_first_step(stair) for stair in stairs if stair.up == up])


def _first_step(stair):
    """Return about how far one pulse moves, from the first 60 % of the way."""
    reached = points_on_the_way(stair)
    return max(abs(stair.values[reached] - stair.values[0]) / stair.pulses[reached], 1e-9)


def _fields(model, found, devices):
    """Return the fields of the chosen device, lengths in units of half the range."""
    curve, names = CURVES[model], list(found.vectors)
    own = np.array([found.vectors[name][4:] for name in names])
    if own.shape[1]:
        found = _fit_model(devices, curve, np.median(own, axis=0))
    lengths = np.array([found.vectors[name][:4] for name in names])
    errors = np.array([found.errors[name][:4] for name in names])
    if model == "exp_step":  # its dw is the step at w = 0 over 1 - A
        factors = 1.0 / (1.0 - np.median(own, axis=0)[:2])
        lengths[:, :2] *= factors
        errors[:, :2] *= factors**2
    up, down, high, low = lengths.mean(axis=0)
    dw = max(up, down)
    stairs = [one.stair for own in devices.values() for one in own]
    spread, noise = cycle_spread(stairs, found.vectors, curve)
    tilts = np.array([(1, 1), (1, -1)]) / (2.0 * dw)  # gain and tilt, from up and down
    gain, tilt = (
        _spread(lengths[:, :2] @ row, errors[:, :2] @ row**2) for row in tilts
    )  # fmt: skip
    return {
        "w_max": high, "w_min": low, "dw_min": dw,
        "w_max_dtod": _spread(lengths[:, 2], errors[:, 2]) / high,
        "w_min_dtod": _spread(lengths[:, 3], errors[:, 3]) / -low,
        "dw_min_dtod": gain, "up_down_dtod": tilt,
        "up_down": 1.0 - down / up if up > down else up / down - 1.0,
        "dw_min_std": spread, "write_noise_std": noise / dw,
        **_shape_fields(model, own, high - low),
    }  # fmt: skip


def _spread(estimates, errors):
    """Return the sd over devices, less what the estimates' own errors add; 0 for one."""
    if len(estimates) < 2:
        return 0.0
    return float(np.sqrt(max(np.var(estimates, ddof=1) - np.mean(errors), 0.0)))


def _shape_fields(model, own, width):
    """Return the model's own fields, from its parameters of each device."""
    if not own.shape[1]:
        return {}
    shape = np.median(own, axis=0)
    if model == "linear_step":
        return {"gamma_up": shape[0], "gamma_down": shape[1]}
    return {
        "A_up": shape[0], "A_down": shape[1], "a": 0.5, "b": 0.0,
        "gamma_up": shape[2] * width, "gamma_down": shape[3] * width,
    }  # fmt: skip


def _lengths(fields, scale):
    """Return fields with lengths in weight units, as plain floats."""
    lengths = ("w_max", "w_min", "dw_min")
    return {k: float(v * scale if k in lengths else v) for k, v in fields.items()}
