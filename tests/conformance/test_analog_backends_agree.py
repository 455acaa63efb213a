"""Reference, native and numba integrate the same analog chips, whatever their parts."""

from functools import partial

import numpy as np
import pytest
from analog_jobs import AnalogSetting

from recirc_hw import Analog, Design, Interrupted, Loop, Recirculation, tasks, train
from recirc_hw.backends import _native, native, native_analog, numba_jit, reference
from recirc_hw.backends.native import ISAS
from recirc_hw.random_streams import PURPOSES, noise
from recirc_hw.substrates.devices import Codes, ConstantStep, SoftBounds

# Short clamps, and fields a form has no use for.
pytestmark = pytest.mark.filterwarnings("ignore:Analog\\.")

TRAINS = [*(partial(native.train, isa=isa) for isa in ISAS), numba_jit.train]
FORWARDS = [*(partial(native.forward, isa=isa) for isa in ISAS), numba_jit.forward]
FORMS = {
    "ungated": {},
    "circuit": {"form": "derivative_circuit", "derivative_ms": 0.5},
    **{
        f"gated {combine}": {
            "form": "gated", "rule": {"combine": combine, "regression": 0.3},
            "settling": 4.0, "dt_ms": 0.034,
        }
        for combine in ("PR", "RCC", "CCRCC", "CCR")
    },
}  # fmt: skip
MISMATCH = {f"{effect}_mismatch": 0.3 for effect in ("tau", "gain", "offset", "read", "write")}
PULSES = {"dw_min": 0.01, "dw_min_std": 0.3, "dw_min_dtod": 0.3, "up_down_dtod": 0.2}
EFFECTS = {
    "mismatch": MISMATCH,
    "noise": {"unit_noise": 0.05, "read_noise": 0.02},
    "delay": {"delay_ms": 0.3},
    "stuck units": {"stuck_units": 0.4},
    "converters": {"dac_bits": 3, "adc_bits": 4},
    "constant steps": {"device": ConstantStep(**PULSES, write_noise_std=0.5)},
    "soft bounds": {"device": SoftBounds(**PULSES, lifetime=50.0, corrupt_devices_prob=0.2)},
    "codes": {"device": Codes(bits=8)},
    "drift": {"weight_drift": 0.01},
    "everything": MISMATCH
    | {"unit_noise": 0.05, "delay_ms": 0.2, "adc_bits": 6, "stuck_units": 0.1},
}
DEEP = Loop(5, 3, 2, hidden=("tanh", "logistic"))
SIZES = {"1-1": Loop(1, 1), "4-2": Loop(4, 2), "5-3-2": DEEP, "17-9": Loop(17, 9)}
LARGE = Loop(20, 70)  # one chip at a time


def of_dtype(dtype):
    """Return all backends' `train` and `forward`; numba compiles for float64 alone here."""
    last = len(ISAS) if dtype == "float32" else None
    return TRAINS[:last], FORWARDS[:last]


def hold_the_same(setting, trains=TRAINS, forwards=FORWARDS):
    wanted, tolerance = setting.trained(reference.train), setting.tolerance()
    started = setting.job().weights
    assert all(
        np.abs(a - b).max() > 100 * tolerance for a, b in zip(wanted, started, strict=False)
    )
    for train_ in trains:
        for found, right in zip(setting.trained(train_), wanted, strict=True):
            np.testing.assert_allclose(found, right, rtol=0, atol=tolerance)
    answers = setting.answers(reference.forward)
    for forward in forwards:
        np.testing.assert_allclose(setting.answers(forward), answers, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("integrator", "plasticity"),
    [
        ("heun", "gathered"),
        ("rk4", "continuous"),
        pytest.param("heun", "continuous", marks=pytest.mark.slow),
        pytest.param("rk4", "gathered", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_integrated_alike(form, integrator, plasticity):
    fields = FORMS[form] | {"integrator": integrator, "plasticity": plasticity}
    hold_the_same(AnalogSetting(DEEP, n_chips=2, updates=2, **fields))


@pytest.mark.parametrize("effect", EFFECTS)
def test_every_effect_is_felt_alike(effect):
    hold_the_same(AnalogSetting(DEEP, **EFFECTS[effect]))


@pytest.mark.slow
@pytest.mark.parametrize("effect", ["mismatch", "delay", "converters", "stuck units"])
def test_effects_are_felt_alike_by_the_finer_integrator_and_by_weights_that_follow(effect):
    fields = EFFECTS[effect] | {"integrator": "rk4", "plasticity": "continuous"}
    hold_the_same(AnalogSetting(DEEP, **fields))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES)
def test_sizes_that_fill_no_vector_agree(size, dtype):
    setting = AnalogSetting(SIZES[size], dtype=dtype, n_chips=19, updates=1, **MISMATCH)
    hold_the_same(setting, *of_dtype(dtype))


@pytest.mark.parametrize("integrator", ["heun", "rk4"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_networks_which_run_one_chip_at_a_time_agree(dtype, integrator):
    setting = AnalogSetting(LARGE, dtype=dtype, n_chips=2, integrator=integrator, **MISMATCH)
    assert native_analog._Walk(setting.job(), ISAS[-1]).lanes == 1
    hold_the_same(setting, *of_dtype(dtype))


MANY = 27  # cases: two blocks side by side, the second not full


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [MANY, 19])  # 19: a block, and three on their own
def test_cases_side_by_side_learn_what_the_reference_learns(dtype, batch):
    fields = MISMATCH | EFFECTS["noise"] | {"dtype": dtype, "plasticity": "gathered"}
    setting = AnalogSetting(LARGE, n_chips=1, batch=batch, updates=1, **fields)
    hold_the_same(setting, *native_alone())


@pytest.mark.parametrize(
    "fields",
    [
        FORMS["circuit"], FORMS["gated CCR"], {"integrator": "rk4"},
        {"integrator": "rk4"} | FORMS["circuit"],
        EFFECTS["delay"] | EFFECTS["converters"] | {"stuck_units": 0.2},
    ],
    ids=["circuit", "trace", "finer", "finer circuit", "delay, converters, stuck units"],
)  # fmt: skip
def test_cases_side_by_side_feel_every_form_and_effect(fields):
    network = Loop(20, 70, hidden=("tanh",))
    fields = fields | {"plasticity": "gathered"}
    hold_the_same(
        AnalogSetting(network, n_chips=1, batch=MANY, updates=1, **fields), *native_alone()
    )


def native_alone():
    """Return `train` and `forward` of every instruction set."""
    return TRAINS[: len(ISAS)], FORWARDS[: len(ISAS)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("learning", [False, True])
def test_a_case_goes_the_same_way_whichever_others_it_is_presented_with(dtype, learning):
    fields = EFFECTS["everything"] | {"read_noise": 0.1, "plasticity": "gathered"}
    setting = AnalogSetting(LARGE, n_chips=1, dtype=dtype, **fields)
    job, chips = setting.job(), np.array([0])
    cases = np.random.default_rng(5).uniform(0, 1, (1, MANY, 20)).astype(dtype)
    together, _ = native_analog.present(job, chips, cases, learning)
    for k in range(MANY):
        alone, _ = native_analog.present(job, chips, cases[:, k : k + 1], learning, first=k)
        np.testing.assert_array_equal(alone[0, 0], together[0, k])


@pytest.mark.slow
@pytest.mark.parametrize("integrator", ["heun", "rk4"])
def test_numba_agrees_in_single_precision(integrator):
    hold_the_same(AnalogSetting(DEEP, dtype="float32", integrator=integrator, **MISMATCH))


def test_large_networks_hear_the_same_noise():
    hold_the_same(AnalogSetting(LARGE, n_chips=2, **EFFECTS["noise"]))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("effect", EFFECTS)
def test_every_effect_in_every_form_is_felt_alike(form, effect):
    for network in (*SIZES.values(), LARGE):
        hold_the_same(AnalogSetting(network, n_chips=9, **(FORMS[form] | EFFECTS[effect])))


@pytest.mark.parametrize("isa", range(len(ISAS)))
@pytest.mark.parametrize(("dtype", "apart"), [("float64", 1e-13), ("float32", 1e-3)])
def test_the_core_draws_the_noise_of_the_random_streams(isa, dtype, apart):
    # In float32, u = 1 - 2^-25 is rounded to 1, and sqrt(-2 ln u) = 2.4e-4 to 0.
    out = np.empty((40, 37), dtype)
    for seed, step, moment, first in ((0, 0, 0, 0), (2**64 - 1, 2**32 - 1, 12345, 7)):
        _native.noise(isa, seed, PURPOSES["unit noise"], step, moment, first, out)
        places = first + np.arange(40)
        wanted = noise(seed, "unit noise", step, moment, places, 37)
        np.testing.assert_allclose(out, wanted, rtol=0, atol=apart)


@pytest.mark.parametrize("network", [DEEP, LARGE], ids=["lanes", "one chip"])
def test_results_do_not_depend_on_threads_or_company(network):
    setting = AnalogSetting(network, n_chips=11, updates=2, **EFFECTS["everything"])
    for train_ in (native.train, numba_jit.train):
        alone = setting.trained(train_, [5])
        together = setting.trained(train_)
        shared = setting.trained(train_, threads=3)
        for one, all_, threaded in zip(alone, together, shared, strict=True):
            np.testing.assert_array_equal(threaded, all_)
            np.testing.assert_array_equal(one, all_[5:6])


@pytest.mark.parametrize("plasticity", ["gathered", "continuous"])
@pytest.mark.parametrize(
    "sizes",
    [{"network": DEEP, "n_chips": 11}, {"network": LARGE, "n_chips": 1, "batch": 27}],
    ids=["chips", "cases"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_instruction_sets_agree_to_the_bit(plasticity, sizes, dtype):
    fields = EFFECTS["everything"] | {"plasticity": plasticity, "dtype": dtype}
    setting = AnalogSetting(**sizes, updates=2, **fields)
    wanted = setting.trained(TRAINS[0])
    for train_ in TRAINS[1 : len(ISAS)]:
        for found, right in zip(setting.trained(train_), wanted, strict=True):
            np.testing.assert_array_equal(found, right)


def test_a_training_goes_on_from_its_checkpoint_bit_for_bit(tmp_path):
    device = ConstantStep(dw_min_std=0.3, write_noise_std=0.5)
    design = Design(Loop(4, 2), Recirculation(), Analog(unit_noise=0.02, device=device))
    task, options = tasks.encoder(4), {"max_updates": 40, "until": "end", "threads": 1}

    def interrupt(done, total, error):
        raise KeyboardInterrupt

    def chips():
        return [design.fabricate(seed) for seed in range(3)]

    whole, path = chips(), tmp_path / "run.npz"
    train(whole, task, **options)
    with pytest.raises((KeyboardInterrupt, Interrupted)):
        train(chips(), task, checkpoint=path, progress=interrupt, **options)
    rest = chips()
    train(rest, task, checkpoint=path, resume=True, **options)
    for one, other in zip(whole, rest, strict=True):
        for left, right in zip(one.weights, other.weights, strict=True):
            np.testing.assert_array_equal(left, right)
