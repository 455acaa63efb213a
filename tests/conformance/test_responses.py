"""The compiled core's own exp, against exact decimal arithmetic."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest

from recirc_hw import Design, Ideal, Loop
from recirc_hw.backends import Job, Watch, native, reference
from recirc_hw.backends.native import ISAS

DTYPES = ["float64", "float32"]
isas = pytest.mark.parametrize("isa", ISAS)
dtypes = pytest.mark.parametrize("dtype", DTYPES)

# A logistic is one exp (2 ulp), one sum and one quotient (half an ulp each).
ULPS = 3
# exp is cut off where it would overflow, so a logistic never falls below this.
FLOOR = {"float64": math.exp(-709), "float32": math.exp(-88)}


def points(dtype):
    """Return arguments over -800..800, dense near 0, with every edge there is."""
    tiny = np.finfo(dtype).smallest_subnormal
    edges = [0.0, -0.0, tiny, -tiny, np.finfo(dtype).tiny, np.finfo(dtype).eps, 1.0, -1.0]
    edges += [87.0, -87.0, 88.0, -88.0, 88.7, -88.7, 708.0, -708.0, 709.0, -709.0, 745.0]
    near = [k * math.log(2) / 2 for k in range(-60, 61)]  # where the reduction changes over
    spread = np.random.default_rng(0).uniform(-1, 1, 900) * np.repeat([800, 40, 2], 300)
    values = np.array([*edges, *near, *spread], dtype)
    assert values.min() < -750
    assert values.max() > 750
    return values


def exact(function, x):
    """Return f(x) to 40 digits, rounded to the nearest double."""
    with localcontext() as context:
        context.prec = 60
        if function == "logistic":
            return float(1 / (1 + (-Decimal(float(x))).exp()))
        if abs(x) < 1e-20:  # the next term, x^3 / 3, is below an ulp
            return float(x)
        grown = (2 * Decimal(float(x))).exp()
        return float((grown - 1) / (grown + 1))


def by_batch(function, x, isa):
    """Return f(x) as the batch walk of `forward` computes it, through a weight of 1."""
    network = Loop(1, 1, visible=function, hidden="identity")
    program = Design(network, lambda build, net: net.first_pass(build)).inference
    one = np.array([[[1.0, 0.0]]], x.dtype)
    return native.forward(program, [one, one], x[:, None], program.monitor[1], isa)[0, :, 0]


def response_as_bias(build, network):
    """Emit a program that adds each unit's response to the bias's sum."""
    source = build.clamp(network.groups[0])
    response = build.project("visible>hidden", source)
    build.monitor(source, source)
    with build.learning():
        build.correlate("visible>hidden", response, source)


def by_lanes(function, x, isa):
    """Return f(x) as the lane walk computes it: one argument a chip, 1 unit each."""
    network = Loop(1, 1, visible="identity", hidden=function)
    return _biases(network, x, np.ones((1, 1)), isa, x[:, None])[:, 0]


def by_one_lane(function, x, isa):
    """Return f(x) as the walk of one wide chip computes it, 40 units at a time."""
    network = Loop(40, 40, visible="identity", hidden=function)
    cases = np.resize(x, (-(-len(x) // 40), 40))
    return _biases(network, x, np.eye(40), isa, cases).reshape(-1)[: len(x)]


def _biases(network, x, matrix, isa, cases):
    """Return each chip's biases' sums, chip c having seen case c."""
    program = Design(network, response_as_bias).program
    size, count = len(matrix), len(cases)
    weights = np.zeros((count, size, size + 1), x.dtype)
    weights[:, :, :-1] = matrix
    unused = np.zeros_like(weights)
    sums = [np.zeros_like(weights), np.zeros_like(weights)]
    order = np.arange(count)[:, None]
    job = Job(program, [weights, unused], sums, cases, order, np.array([1]), Watch.start(count))
    native.train(job, isa)
    return sums[0][:, :, -1]


WALKS = {"batch": by_batch, "lanes": by_lanes, "one lane": by_one_lane}
walks = pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)


@isas
@dtypes
@walks
def test_logistic_is_right_to_three_ulp(walk, dtype, isa):
    x = points(dtype)
    wanted = np.array([exact("logistic", value) for value in x])
    error = np.abs(walk("logistic", x, isa).astype(float) - wanted)
    allowed = ULPS * np.spacing(wanted.astype(dtype)).astype(float)
    assert (error <= np.maximum(allowed, 1.01 * FLOOR[dtype])).all()


@isas
@dtypes
@walks
def test_tanh_is_right_to_three_ulp(walk, dtype, isa):
    x = points(dtype)
    wanted = np.array([exact("tanh", value) for value in x])
    error = np.abs(walk("tanh", x, isa).astype(float) - wanted)
    kept = np.abs(wanted) > np.finfo(dtype).tiny
    assert (error[kept] <= ULPS * np.finfo(dtype).eps * np.abs(wanted[kept])).all()


@isas
@dtypes
@walks
def test_responses_at_zero_are_exact(walk, dtype, isa):
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([0.0, -0.0, tiny, -tiny], dtype)
    assert walk("logistic", x, isa).tolist() == [0.5] * 4
    assert walk("tanh", x, isa).tolist() == x.tolist()


@isas
@dtypes
@walks
def test_responses_never_leave_their_range_and_never_fall(walk, dtype, isa):
    x = np.sort(points(dtype))
    logistic, tanh = walk("logistic", x, isa), walk("tanh", x, isa)
    assert ((logistic > 0) & (logistic <= 1)).all()
    assert ((tanh >= -1) & (tanh <= 1)).all()
    for values in (logistic, tanh):
        # Two neighbours may each be off by 3 ulp.
        assert np.diff(values.astype(float)).min() >= -2 * ULPS * np.finfo(dtype).eps


@isas
@dtypes
@pytest.mark.parametrize("walk", [by_batch, by_lanes])
def test_infinities_saturate_and_nan_stays(walk, dtype, isa):
    x = np.array([np.inf, -np.inf, np.nan, 3e38, -3e38], dtype)
    low = FLOOR[dtype] * 1.01
    with np.errstate(over="ignore"):
        logistic, tanh, identity = (walk(f, x, isa) for f in ("logistic", "tanh", "identity"))
    assert logistic[[0, 3]].tolist() == [1.0, 1.0]
    assert (logistic[[1, 4]] <= low).all()
    assert tanh[[0, 1, 3, 4]].tolist() == [1.0, -1.0, 1.0, -1.0]
    assert np.isnan([logistic[2], tanh[2], identity[2]]).all()
    np.testing.assert_array_equal(identity, x)


@dtypes
@pytest.mark.parametrize("function", ["logistic", "tanh"])
def test_every_walk_and_instruction_set_gives_the_same_bits(function, dtype):
    x = points(dtype)
    outcomes = [walk(function, x, isa) for walk in WALKS.values() for isa in ISAS]
    for found in outcomes[1:]:
        np.testing.assert_array_equal(found, outcomes[0])


@dtypes
@pytest.mark.parametrize("function", ["identity", "logistic", "tanh"])
def test_the_reference_is_right_too(function, dtype):
    x = points(dtype)
    network = Loop(1, 1, visible=function, hidden="identity")
    program = Design(
        network, lambda build, net: net.first_pass(build), Ideal(precision=dtype)
    ).inference
    one = np.array([[[1.0, 0.0]]], dtype)
    found = reference.forward(program, [one, one], x[:, None], program.monitor[1])[0, :, 0]
    wanted = x if function == "identity" else np.array([exact(function, v) for v in x])
    spacing = np.spacing(np.abs(wanted).astype(dtype)).astype(float)
    # exp overflows at 709.8 (float64) and 88.7 (float32): below, 1 / (1 + exp) is 0.
    allowed = np.maximum(ULPS * spacing, FLOOR[dtype])
    assert (np.abs(found.astype(float) - wanted) <= allowed).all()
