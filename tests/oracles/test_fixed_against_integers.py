"""The reference's fixed point is held to exact Python integers, and to fxpmath."""

import numpy as np
import pytest
from fixed_jobs import settings_of_jobs
from fxpmath import Fxp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from integers import Interpreter, contract_update, rounded, rounding_key

from recirc_hw import Design, FixedPoint, Loop, Recirculation
from recirc_hw.backends import reference, reference_fixed
from recirc_hw.programs.tables import entries
from recirc_hw.random_streams import rounding_bits
from recirc_hw.random_streams import rounding_key as our_key

MANY = settings(
    deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip


def hold_to_integers(setting):
    assume(setting is not None)
    setting.watch.threshold = -1.0
    job = setting.job()
    reference.train(job)
    for chip in range(min(job.n_chips, 2)):
        exact = Interpreter(
            setting.program,
            [w[chip] for w in setting.weights], [g[chip] for g in setting.sums],
            int(setting.fixed.seeds[chip]), int(setting.fixed.steps[chip]),
        )  # fmt: skip
        start = 0
        for end in setting.ends:
            exact.batch(setting.cases[setting.order[chip, start:end]])
            start = end
        for k, matrix in enumerate(job.weights):
            assert matrix[chip].tolist() == exact.weights[k]
            assert job.sums[k][chip].tolist() == exact.sums[k]
        assert job.body.counters[chip].tolist() == exact.counters


@pytest.mark.parametrize("designs", [150, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_reference_is_exact(designs):
    settings(MANY, max_examples=designs)(given(settings_of_jobs())(hold_to_integers))()


@pytest.mark.parametrize(("bits", "fraction"), [(8, 3), (6, 2), (16, 10)])
def test_lowering_gives_the_contract_of_the_design(bits, fraction):
    """For H&M's loop the program does what DESIGN.md section 5 says, written out."""
    substrate = FixedPoint(weight_bits=bits, weight_fraction_bits=fraction)
    design = Design(Loop(4, 2), Recirculation(learning_rate=16), substrate)
    chip = design.fabricate(3)
    table = entries(substrate.table("logistic")).tolist()
    A, B = (matrix.tolist() for matrix in chip.matrices)  # noqa: N806
    gA, gB = (matrix.tolist() for matrix in chip.sums)  # noqa: N806
    cases = np.random.default_rng(1).integers(0, 256, (4, 4))
    for _ in range(30):
        contract_update(
            A, B, gA, gB, cases.tolist(), table,
            bits=bits, fraction=fraction, activity=8, k=2, rate_log2=4,
        )  # fmt: skip
    from recirc_hw.backends import Job, Watch
    from recirc_hw.programs import FixedState

    program = design.lowered(4)
    job = Job(
        program, [m[None].copy() for m in chip.matrices],
        [m[None].astype(np.int64) for m in chip.sums], cases, np.tile(np.arange(4), 30)[None],
        np.arange(1, 31) * 4, Watch.start(1), body=FixedState.start([3], 2),
    )  # fmt: skip
    reference.train(job)
    assert [m[0].tolist() for m in job.weights] == [A, B]
    assert [m[0].tolist() for m in job.sums] == [gA, gB]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.integers(-(2**40), 2**40), st.integers(0, 40), st.integers(0, 2**31),
    st.sampled_from(["floor", "half_up", "half_even", "stochastic"]),
)  # fmt: skip
def test_rounding_is_exact(g, shift, index, rounding):
    key = rounding_key(12345678901234567, 7, 2)
    bits = rounding_bits(key, np.array([index]))
    found = reference_fixed.rounded(np.array([g]), np.array([shift]), rounding, bits)
    assert found[0] == rounded(g, shift, rounding, key, index)


def test_rounding_keys_are_the_ones_documented():
    for words in ((0, 0, 0), (2**64 - 1, 2**40 + 3, 5), (7, 1, 0)):
        assert our_key(*words) == rounding_key(*words)


@pytest.mark.parametrize(("bits", "fraction"), [(8, 3), (8, 7), (12, 4), (6, -1), (16, 15)])
def test_weights_are_quantised_as_fxpmath_does(bits, fraction):
    """Half up is the floor of the value half a step higher; fxpmath saturates likewise."""
    substrate = FixedPoint(weight_bits=bits, weight_fraction_bits=fraction)
    design = Design(Loop(4, 2), Recirculation(learning_rate=1), substrate)
    matrix = design.lowered().layout.matrices[0]
    random = np.random.default_rng(2)
    weights = random.normal(0, 2.0 ** (bits - fraction - 2), (50, 5))
    weights[0] = np.arange(5) * 2.0**-fraction / 2  # ties
    wanted = Fxp(
        weights + 2.0 ** -(fraction + 1), signed=True, n_word=bits, n_frac=fraction,
        rounding="floor", overflow="saturate",
    )  # fmt: skip
    codes, _ = substrate.store(weights, matrix, seed=0, step=0)
    np.testing.assert_array_equal(codes, wanted.val)
    np.testing.assert_array_equal(substrate.read(codes, matrix), wanted.get_val())


@pytest.mark.parametrize(("rounding", "theirs"), [("floor", "floor"), ("half_even", "around")])
def test_shifts_round_as_fxpmath_does(rounding, theirs):
    g = np.arange(-300, 300)
    found = reference_fixed.rounded(
        g, np.full(g.shape, 4), rounding, np.zeros(g.shape, np.uint32)
    )
    wanted = Fxp(g / 16, signed=True, n_word=16, n_frac=0, rounding=theirs)
    np.testing.assert_array_equal(found, wanted.val)
