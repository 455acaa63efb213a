"""Reference, native and numba hold the same integers after every write."""

from functools import partial

import numpy as np
import pytest
from fixed_jobs import FixedSetting, assert_same, outcome, settings_of_jobs
from hypothesis import HealthCheck, assume, given, settings

from recirc_hw import Design, FixedPoint, Loop, Recirculation
from recirc_hw.backends import native, native_fixed, numba_jit, reference
from recirc_hw.backends.native import ISAS


def examples(count):
    """Draw that many designs and jobs, the same ones every time."""
    return settings(
        max_examples=count, deadline=None, derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )  # fmt: skip


NATIVE = [partial(native.train, isa=isa) for isa in ISAS]
NATIVE_FORWARD = [partial(native.forward, isa=isa) for isa in ISAS]


def hold_the_same_integers(setting, trains):
    assume(setting is not None)
    leave_the_same_integers(setting, trains)


def leave_the_same_integers(setting, trains):
    wanted = outcome(reference.train, setting.job())
    for train in trains:
        assert_same(outcome(train, setting.job(2)), wanted)


def answer_with_the_same_codes(setting, forwards):
    assume(setting is not None)
    program = setting.design.lowered_inference
    weights = setting.weights[: len(program.layout.matrices)]
    question = (program, weights, setting.cases, program.monitor[1])
    wanted = reference.forward(*question)
    for forward in forwards:
        np.testing.assert_array_equal(forward(*question), wanted)


@examples(40)
@given(settings_of_jobs())
def test_every_instruction_set_holds_the_same_integers(setting):
    hold_the_same_integers(setting, NATIVE)


@examples(40)
@given(settings_of_jobs())
def test_every_instruction_set_answers_with_the_same_codes(setting):
    answer_with_the_same_codes(setting, NATIVE_FORWARD)


@examples(40)
@given(settings_of_jobs())
def test_numba_holds_the_same_integers(setting):
    hold_the_same_integers(setting, [numba_jit.train])


@examples(40)
@given(settings_of_jobs())
def test_numba_answers_with_the_same_codes(setting):
    answer_with_the_same_codes(setting, [numba_jit.forward])


@pytest.mark.slow
@examples(400)
@given(settings_of_jobs())
def test_hundreds_of_designs_hold_the_same_integers(setting):
    hold_the_same_integers(setting, [*NATIVE, numba_jit.train])


@pytest.mark.slow
@examples(400)
@given(settings_of_jobs())
def test_hundreds_of_designs_answer_with_the_same_codes(setting):
    answer_with_the_same_codes(setting, [*NATIVE_FORWARD, numba_jit.forward])


def setting_of(**fields):
    design = Design(
        Loop(5, 3), Recirculation(learning_rate=2.0), FixedPoint(rounding="stochastic")
    )
    options = {
        "seed": 1, "n_chips": 40, "batch": 3, "updates": 9, "rails": False, "threshold": 0.5,
        "hold": 1,
    }  # fmt: skip
    return FixedSetting(design, **(options | fields))


def test_integers_do_not_depend_on_threads():
    assert_same(
        outcome(native.train, setting_of().job(4)), outcome(native.train, setting_of().job(1))
    )


def test_a_chip_alone_does_as_in_company():
    setting = setting_of()
    together = outcome(native.train, setting.job())
    job = setting.job()
    job.weights, job.sums = [w[7:8] for w in job.weights], [g[7:8] for g in job.sums]
    job.order = job.order[7:8]
    for record in (job.watch, job.body):
        for name, value in vars(record).items():
            if isinstance(value, np.ndarray):
                setattr(record, name, value[7:8])
    assert native_fixed._Walk(setting.job()).lanes > native_fixed._Walk(job).lanes == 1
    assert_same(outcome(native.train, job), [array[7:8] for array in together])


def written_at_once(visible, bits, rounding, rails):
    """Return one chip that learns from one case after another."""
    substrate = FixedPoint(
        weight_bits=bits, weight_fraction_bits=bits // 2, bias_fraction_bits=0,
        rounding=rounding,
    )  # fmt: skip
    design = Design(Loop(visible, 17), Recirculation(learning_rate=2.0), substrate)
    return FixedSetting(
        design, seed=visible, n_chips=1, batch=1, updates=5, rails=rails, threshold=-1.0, hold=0
    )


@pytest.mark.parametrize("rails", [False, True])
@pytest.mark.parametrize("rounding", ["floor", "half_up", "half_even", "stochastic", "carry"])
@pytest.mark.parametrize("bits", [2, 8, 12, 16])
def test_a_case_written_at_once_leaves_the_same_integers(bits, rounding, rails):
    for visible in (1, 31, 33, 65):
        setting = written_at_once(visible, bits, rounding, rails)
        assert native_fixed._Walk(setting.job()).at_once
        leave_the_same_integers(setting, NATIVE)


def test_more_columns_than_a_short_counter_holds_are_counted():
    setting = written_at_once(2**15 + 100, 16, "stochastic", True)
    setting.cases = np.maximum(setting.cases, 1)
    leave_the_same_integers(setting, NATIVE)


def test_updates_beyond_16_bits_reach_16_bit_weights():
    substrate = FixedPoint(weight_bits=16, weight_fraction_bits=15, rounding="half_up")
    design = Design(Loop(40, 17), Recirculation(learning_rate=64.0), substrate)
    setting = FixedSetting(
        design, seed=1, n_chips=1, batch=1, updates=5, rails=True, threshold=-1.0, hold=0
    )
    rows = native_fixed._matrix_rows(setting.program, 1)
    assert not rows["short_updates"].all()
    leave_the_same_integers(setting, NATIVE)


class Seen:
    """A function of a backend's core that notes what arrays it is handed."""

    def __init__(self, monkeypatch, module, name):
        self.real, self.arrays = getattr(module, name), []
        monkeypatch.setattr(module, name, self)

    def __call__(self, *arguments):
        self.arrays += [a for a in arguments if isinstance(a, np.ndarray)]
        return self.real(*arguments)

    @property
    def largest(self):
        """The types of the arrays of eleven thousand cells or more: weights and sums."""
        return {array.dtype.name for array in self.arrays if array.size >= 11_000}


@pytest.mark.parametrize(
    ("bits", "dtype"), [(8, "int8"), (9, "int16"), (16, "int16"), (17, "int32")]
)
def test_weights_are_stored_at_their_natural_width(bits, dtype, monkeypatch):
    design = Design(Loop(110, 50), Recirculation(), FixedPoint(weight_bits=bits))
    setting = FixedSetting(
        design, seed=0, n_chips=1, batch=1, updates=2, rails=False, threshold=-1.0, hold=0
    )
    assert all(matrix.dtype == dtype for matrix in design.fabricate(0).matrices)
    cores = {
        native.train: Seen(monkeypatch, native_fixed._native, "FixedCall"),
        numba_jit.train: Seen(monkeypatch, numba_jit, "train_chips"),
    }
    for train, core in cores.items():
        train(setting.job())
        assert core.largest == {dtype, f"int{setting.program.word}"}


def test_sums_of_a_wide_image_network_take_64_bits_and_its_words_32():
    design = Design(Loop(784, 20), Recirculation(), FixedPoint(weight_bits=16))
    program = design.lowered()
    assert (program.word, program.accumulator) == (32, 64)
    assert design.widths()["sum into hidden"].bits == 34
