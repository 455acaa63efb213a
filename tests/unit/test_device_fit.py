"""Fitting devices to pulse-response measurements, made by devices of known parameters."""

import math

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.substrates.devices import (
    ConstantStep,
    ExpStep,
    LinearStep,
    SoftBounds,
    pulse_response,
)

POINTS, CYCLES, PULSES = 80, 2, 4
SPREAD = {"dw_min_dtod": 0.15, "up_down_dtod": 0.05, "w_max_dtod": 0.1, "w_min_dtod": 0.1}
SCATTER = {"dw_min": 0.2, "dw_min_std": 0.3}
DEVICES = 8


def measure(path, device, column="weight", zero=0.0, unit=1.0, **options):
    """Write what a measurement of devices would be; return their number of steps' looks."""
    options = {
        "devices": DEVICES,
        "points": POINTS,
        "cycles": CYCLES,
        "pulses": PULSES,
    } | options
    pulses, weights = pulse_response(device, seed=5, **options)
    lines = [f"device,direction,pulse,{column}"]
    for number, row in enumerate(weights):
        for look in range(len(pulses) - 1):
            way = "down" if (look // options["points"]) % 2 else "up"
            ends = (look, look + 1) if look % options["points"] == 0 else (look + 1,)
            lines += [f"{number},{way},{pulses[k]},{zero + unit * row[k]:.17g}" for k in ends]
    path.write_text("\n".join(lines) + "\n")
    return path


DEVICES_MEASURED = {
    "constant_step": ConstantStep(**SCATTER, **SPREAD, up_down=0.2),
    "soft_bounds": SoftBounds(**SCATTER, **SPREAD, up_down=-0.2),
    "linear_step": LinearStep(**SCATTER, **SPREAD, gamma_up=0.4, gamma_down=0.7),
    "exp_step": ExpStep(
        **SCATTER,
        **SPREAD,
        A_up=-1.2,
        A_down=-0.1,
        gamma_up=3.0,
        gamma_down=3.0,
        a=-0.5,
        b=-0.5,
    ),
}


def relative(values):
    return np.std(values, ddof=1) / np.abs(np.mean(values))


@pytest.mark.slow
@pytest.mark.parametrize("name", DEVICES_MEASURED)
def test_a_fit_finds_the_model_and_the_parameters_that_made_the_data(name, tmp_path):
    made = DEVICES_MEASURED[name]
    cells = made.draw(5, 0, (DEVICES, 1))  # the very devices measured
    found, report = rh.fit_device(measure(tmp_path / "a.csv", made))
    assert found.type == report.model == name
    assert report.devices == DEVICES
    # Pulses of sd 0.3 dw, over 200 of them before a bound: 2 % a device, 1 % their mean;
    # the exponential's steps are shared with its shape.
    ups, downs = steps_at(made, 0.0)
    up, down = steps_at(found, 0.0)
    larger = max(cells.dw_up.mean(), cells.dw_down.mean())
    assert up == pytest.approx(ups * cells.dw_up.mean() / made_steps(made)[0], rel=0.04)
    assert down == pytest.approx(downs * cells.dw_down.mean() / made_steps(made)[1], rel=0.04)
    for field in ("w_max", "w_min"):
        bounds = getattr(cells, field)
        assert getattr(found, field) == pytest.approx(bounds.mean(), rel=0.03)
        assert getattr(found, f"{field}_dtod") == pytest.approx(relative(bounds), abs=0.03)
    assert found.dw_min_std == pytest.approx(0.3, rel=0.1)
    gain = np.std((cells.dw_up + cells.dw_down) / 2, ddof=1) / larger
    tilt = np.std((cells.dw_up - cells.dw_down) / 2, ddof=1) / larger
    assert found.dw_min_dtod == pytest.approx(gain, abs=0.04)
    assert found.up_down_dtod == pytest.approx(tilt, abs=0.04)
    if name == "linear_step":
        assert found.gamma_up == pytest.approx(0.4, abs=0.08)
        assert found.gamma_down == pytest.approx(0.7, abs=0.08)
    if name == "exp_step":
        for w in (-10.0, 0.0, 10.0):
            np.testing.assert_allclose(steps_at(found, w), steps_at(made, w), rtol=0.12)


def made_steps(device):
    """Return dw_up and dw_down of the mean device."""
    ratios = 1 + min(device.up_down, 0), 1 - max(device.up_down, 0)
    return tuple(device.dw_min * ratio for ratio in ratios)


def steps_at(device, w):
    """Return the mean steps up and down at w; but for the exponential's, at w = 0."""
    up, down = made_steps(device)
    if not isinstance(device, ExpStep):
        return up, down
    z = 2 * device.a * w / (device.w_max - device.w_min) + device.b
    return (
        up * (1 - device.A_up * math.exp(device.gamma_up * z)),
        down * (1 - device.A_down * math.exp(-device.gamma_down * z)),
    )


@pytest.mark.parametrize("name", ["constant_step", "soft_bounds", "linear_step"])
def test_an_exact_measurement_of_one_device_gives_it_back(name, tmp_path):
    kept = {"dw_min": 0.2, "up_down": 0.25}
    shape = {"gamma_up": 0.3, "gamma_down": 0.6} if name == "linear_step" else {}
    made = type(DEVICES_MEASURED[name])(**kept, **shape)
    found, report = rh.fit_device(measure(tmp_path / "a.csv", made, devices=1, cycles=1))
    assert found.type == name
    for field, value in (kept | shape | {"w_max": 16.0, "w_min": -16.0}).items():
        assert getattr(found, field) == pytest.approx(value, rel=1e-4), field
    assert found.dw_min_std == pytest.approx(0.0, abs=1e-3)
    assert found.dw_min_dtod == found.w_max_dtod == 0.0
    assert report.rms[name] < 1e-4
    assert min(report.aic, key=report.aic.get) == name


def test_noise_that_passes_is_told_from_noise_that_stays(tmp_path):
    noisy = SoftBounds(dw_min=0.2, dw_min_std=0.3, write_noise_std=2.0)
    found, _ = rh.fit_device(measure(tmp_path / "a.csv", noisy))
    assert found.type == "soft_bounds"
    # 8 devices x 320 looks: 3 % for the sd of the noise from products of neighbours.
    assert found.write_noise_std == pytest.approx(2.0, rel=0.15)
    assert found.dw_min == pytest.approx(0.2, rel=0.05)
    quiet, _ = rh.fit_device(measure(tmp_path / "b.csv", noisy.replace(write_noise_std=0.0)))
    assert quiet.write_noise_std == 0.0


def test_conductances_are_centred_and_scaled_to_the_range_asked_for(tmp_path):
    made = DEVICES_MEASURED["constant_step"]
    path = measure(tmp_path / "a.csv", made, "conductance", zero=20e-6, unit=1e-6, devices=3)
    found, report = rh.fit_device(path, w_max=2.0)
    weights, _ = rh.fit_device(measure(tmp_path / "b.csv", made, devices=3))
    lowest, highest = (20e-6 + 1e-6 * w for w in extremes(made))
    assert report.zero == pytest.approx((lowest + highest) / 2)
    assert report.unit == pytest.approx((highest - lowest) / 4)
    assert found.dw_min * report.unit == pytest.approx(weights.dw_min * 1e-6, rel=1e-3)
    assert found.dw_min_std == pytest.approx(weights.dw_min_std, rel=1e-2)


def extremes(device):
    size = {"devices": 3, "points": POINTS, "cycles": CYCLES, "pulses": PULSES}
    weights = pulse_response(device, seed=5, **size)[1]
    return weights.min(), weights.max()


def test_directions_are_read_from_the_curves_where_they_are_not_given(tmp_path):
    path = measure(tmp_path / "a.csv", ConstantStep(**SCATTER), devices=1)
    lines = [line.split(",") for line in path.read_text().splitlines()[1:]]
    restarted, start, way = ["pulse,weight"], 0, None
    for _, direction, pulse, weight in lines:
        if direction != way:
            start, way = int(pulse), direction
        restarted.append(f"{int(pulse) - start},{weight}")
    bare = tmp_path / "b.csv"
    bare.write_text("\n".join(restarted))
    assert rh.fit_device(bare) == rh.fit_device(path)


GOOD = "pulse,weight,direction\n" + "".join(
    f"{k},{v},{way}\n"
    for way, sign in (("up", 1), ("down", -1))
    for k, v in enumerate(sign * np.linspace(-1, 1, 6))
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["no measurements", "pulse, conductance (or weight)"]),
        ("pulse,weight\n", ["no measurements"]),
        ("pulse,current\n0,1\n", ["line 1: column 'current' is unknown"]),
        ("pulse,pulse,weight\n0,0,1\n", ["line 1: column 'pulse' is twice"]),
        ("weight,device\n0,a\n", ["line 1: columns are weight, device; want pulse"]),
        ("pulse,weight,conductance\n0,1,1\n", ["line 1: columns are"]),
        (GOOD.replace("0,-1.0,up", "0,,up"), ["line 2: weight = ''; want a finite number"]),
        (GOOD.replace("1,-0.6,up", "1,nan,up"), ["line 3: weight = 'nan'"]),
        (GOOD.replace("1,-0.6,up", "x,-0.6,up"), ["line 3: pulse = 'x'"]),
        (GOOD.replace("1,-0.6,up", "1,-0.6"), ["line 3: 2 cells; want 3"]),
        (GOOD.replace("1,-0.6,up", "1,-0.6,north"), ["line 3: direction = 'north'; want up"]),
        (GOOD.replace(",down", ",up"), ["no staircase down; want pulses both up and down"]),
        ("\n".join(GOOD.splitlines()[:9]), ["line 8: a staircase of 2 points; want"]),
        ("pulse,weight,direction\n" + "".join(f"{k},3,{w}\n" for w in ("up", "down")
         for k in range(5)), ["every weight is 3; want values that change"]),
        (GOOD.replace(",-", ","), ["weights are in 0.2..1; want both signs"]),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_by_line(text, words, tmp_path):
    path = tmp_path / "measured.csv"
    path.write_text(text)
    with pytest.raises(rh.DataError) as refused:
        rh.fit_device(path)
    assert str(path) in str(refused.value)
    assert all(word in str(refused.value) for word in words), refused.value


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(rh.DataError, match=r"cannot read pulse response '.*none.csv': No such"):
        rh.fit_device(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(rh.DataError, match="not a text file"):
        rh.fit_device(tmp_path / "bytes.csv")
