"""What the native backend writes, and when it stops, is as the reference has it."""

import numpy as np
import pytest
from jobs import (
    ARRAYS,
    WALKS,
    Setting,
    assert_same_bits,
    loop,
    run,
    short_last_batches,
    walk_of,
)

from recirc_hw import (
    Backprop,
    Loop,
    RandomFeedback,
    Recirculation,
    TopOnly,
)
from recirc_hw.backends import reference
from recirc_hw.backends.native import ISAS

PR = Recirculation(combine="PR", presynaptic="first", learning_rate=0.5)


def whole_run_tolerance(setting, updates):
    """Return how far apart two correct runs may end.

    Each update rounds like a change of the weights by eps times the inputs of a
    unit; the reference itself tells what such a change at the start grows to.
    """
    job, other = setting.job(), setting.job()
    random = np.random.default_rng(1)
    for matrix in other.weights:
        eps = np.finfo(matrix.dtype).eps * sum(matrix.shape[1:])
        matrix += (eps * random.choice([-1, 1], matrix.shape)).astype(matrix.dtype)
    reference.train(job)
    reference.train(other)
    return [
        4 * updates * np.abs(a.astype(float) - b).max()
        for a, b in zip(job.weights, other.weights, strict=True)
    ]


POLICIES = {
    "sum": {},
    "mean": {"batch": "mean"},
    "momentum": {"momentum": 0.9},
    "decay": {"weight_decay": 0.05},
    "cap": {"norm_cap": 0.4},
    "everything": {"batch": "mean", "momentum": 0.5, "weight_decay": 0.01, "norm_cap": 0.5},
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize(("walk", "sizes"), WALKS.items(), ids=WALKS)
def test_write_policies_are_the_reference_s(walk, sizes, policy, dtype):
    for rule in (Recirculation(learning_rate=0.1), RandomFeedback(kind="ARBP")):
        rule = rule.replace(learning_rate=0.1, **policy)
        setting = Setting(loop(sizes), rule, dtype, n_chips=2, batch=9, updates=9)
        setting = short_last_batches(setting, per_epoch=3)
        assert walk_of(setting.job()) == walk
        wanted, allowed = run(setting.job()), whole_run_tolerance(setting, 9)
        for isa in ISAS:
            found = run(setting.job(), isa)
            for k, tolerance in enumerate(allowed):
                difference = found[f"weights {k}"].astype(float) - wanted[f"weights {k}"]
                assert np.abs(difference).max() <= tolerance


@pytest.mark.parametrize("backend", [None, *ISAS], ids=str)
def test_a_write_is_the_sum_the_momentum_the_decay_and_the_cap(backend):
    # One linear unit of weight w and bias b, top only: g = (x - y) y for a case x.
    network = Loop(1, 1, visible="identity", hidden="identity", initial_range=0.25)
    rule = TopOnly(learning_rate=0.5, momentum=0.5, weight_decay=0.25, norm_cap=0.3)
    setting = Setting(network, rule, batch=3, updates=3, n_cases=3)
    setting.ends = np.array([3, 5, 9])[:2]
    setting.order = np.array([[0, 1, 2, 0, 1]])
    (a, a0), (w, b) = (matrix[0, 0] for matrix in setting.weights)
    g = np.zeros(2)
    for batch in ([0, 1, 2], [0, 1]):
        for case in setting.cases[batch, 0]:
            h = a * case + a0
            g += (case - (w * h + b)) * np.array([h, 1.0])
        w, b = 0.75 * w + 0.5 * g[0], 0.75 * b + 0.5 * g[1]
        w = np.sign(w) * min(abs(w), 0.3)
        g *= 0.5
    found = run(setting.job(), backend)
    # A dozen roundings of numbers below 1.
    np.testing.assert_allclose(found["weights 1"][0, 0], [w, b], rtol=0, atol=1e-14)
    np.testing.assert_allclose(found["sums 1"][0, 0], g, rtol=0, atol=1e-14)


@pytest.mark.parametrize("backend", [None, *ISAS], ids=str)
def test_a_short_last_batch_is_averaged_over_its_own_cases(backend):
    for sizes in WALKS.values():
        rule = Backprop(learning_rate=0.5, batch="mean")
        setting = Setting(loop(sizes), rule, batch=9, updates=1)
        setting.order = np.array([[0, 1, 2, 0, 1, 2, 0, 1, 2]])
        short = Setting(loop(sizes), rule, batch=3, updates=1)
        short.order = np.array([[0, 1, 2]])
        three, nine = run(short.job(), backend), run(setting.job(), backend)
        for k in range(len(sizes)):
            # A mean of at most 9 products below 1, over up to 130 inputs.
            np.testing.assert_allclose(
                three[f"weights {k}"], nine[f"weights {k}"], rtol=0, atol=1e-13
            )


# -- the watch


def encoder_setting(n_chips, dtype="float64", updates=55, **more):
    rule = Recirculation(learning_rate=16.0)
    setting = Setting(Loop(4, 2), rule, dtype, n_chips=n_chips, **more)
    setting.cases = np.eye(4, dtype=dtype)
    setting.order = np.tile(np.arange(4), updates)[None]
    setting.ends = np.arange(1, updates + 1) * 4
    return setting


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("hold", [0, 1, 7])
def test_the_watch_counts_as_the_reference_s_does(hold, isa):
    setting = encoder_setting(35, threshold=0.1, hold=hold)
    wanted, found = run(setting.job()), run(setting.job(), isa)
    for name in ARRAYS:
        np.testing.assert_array_equal(found[name], wanted[name], err_msg=name)
    stopped = wanted["active"] == 0
    assert 10 < stopped.sum() < 35  # both kinds are seen
    allowed = whole_run_tolerance(setting, 55)
    for k, tolerance in enumerate(allowed):
        assert np.abs(found[f"weights {k}"] - wanted[f"weights {k}"]).max() <= tolerance
    for name in ("error", "unit error"):
        np.testing.assert_array_equal(np.isnan(found[name]), np.isnan(wanted[name]))


@pytest.mark.parametrize("backend", [None, *ISAS], ids=str)
def test_a_chip_stops_when_it_has_crossed_and_held(backend):
    hold, threshold = 5, 0.1
    found = run(encoder_setting(35, threshold=threshold, hold=hold).job(), backend)
    for chip in range(35):
        errors, crossed = found["unit error"][chip], found["crossed"][chip]
        if crossed < 0:
            assert found["active"][chip] == 1
            assert found["updates"][chip] == 55
            assert not (errors < threshold).any()
            continue
        assert errors[crossed] < threshold <= errors[:crossed].min()
        checked = errors[crossed + 1 : crossed + 1 + hold]
        seen = min(hold, 54 - crossed)
        assert found["checked"][chip] == seen
        assert found["passed"][chip] == (checked[:seen] < threshold).sum()
        assert found["active"][chip] == (seen < hold)
        assert found["updates"][chip] == crossed + hold if seen == hold else 55
        assert np.isnan(errors[crossed + 1 + hold :]).all()


@pytest.mark.parametrize("backend", [None, *ISAS], ids=str)
@pytest.mark.parametrize("sizes", WALKS.values(), ids=WALKS)
def test_a_stopped_chip_is_left_alone(sizes, backend):
    rule = Recirculation(learning_rate=1, momentum=0.5, norm_cap=0.01, weight_decay=0.1)
    setting = Setting(loop(sizes), rule, n_chips=3, batch=8, updates=4)
    job = setting.job()
    job.watch.active[1] = 0
    found = run(job, backend)
    for k, before in enumerate(setting.weights):
        np.testing.assert_array_equal(found[f"weights {k}"][1], before[1])
        assert not np.array_equal(found[f"weights {k}"][0], before[0])
    assert found["updates"].tolist() == [4, 0, 4]
    assert np.isnan(found["error"][1]).all()


@pytest.mark.parametrize("backend", [None, *ISAS], ids=str)
@pytest.mark.parametrize("sizes", WALKS.values(), ids=WALKS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_chip_that_is_not_finite_never_learns_and_stops(sizes, bad, backend):
    setting = Setting(
        loop(sizes, "identity"), PR, n_chips=3, batch=8, updates=3,
        threshold=1e300, hold=1,
    )  # fmt: skip
    job = setting.job()
    job.weights[0][1, 0, 0] = bad
    with np.errstate(invalid="ignore", over="ignore"):
        found = run(job, backend)
    assert not (found["error"][1] < np.inf).any()
    assert not (found["unit error"][1] < np.inf).any()
    assert found["crossed"].tolist() == [0, -1, 0]
    assert found["active"].tolist() == [0, 0, 0]
    assert np.isfinite(found["weights 0"][[0, 2]]).all()


@pytest.mark.parametrize("backend", [None, *ISAS], ids=str)
@pytest.mark.parametrize("sizes", WALKS.values(), ids=WALKS)
def test_a_nan_anywhere_in_the_weights_shows_in_the_errors(sizes, backend):
    setting = Setting(loop(sizes), PR, batch=8, threshold=0.9)
    for k in range(len(sizes)):
        job = setting.job()
        job.weights[k][0, -1, -1] = np.nan
        found = run(job, backend)
        assert np.isnan([found["error"], found["unit error"]]).all()
        assert found["crossed"] == -1


# -- orders


@pytest.mark.parametrize("backend", [None, *ISAS], ids=str)
@pytest.mark.parametrize("sizes", WALKS.values(), ids=WALKS)
def test_a_shared_order_is_the_same_order_for_every_chip(sizes, backend):
    rule = Recirculation(learning_rate=1)
    shared = Setting(loop(sizes), rule, n_chips=3, batch=8, updates=3)
    wanted = run(shared.job(), backend)
    shared.order = np.tile(shared.order, (3, 1))
    assert_same_bits(run(shared.job(), backend), wanted)


@pytest.mark.parametrize("sizes", WALKS.values(), ids=WALKS)
def test_every_chip_follows_its_own_order(sizes):
    rule = Recirculation(learning_rate=1)
    setting = Setting(loop(sizes), rule, n_chips=5, updates=6, per_chip_order=True)
    wanted, allowed = run(setting.job()), whole_run_tolerance(setting, 6)
    for isa in ISAS:
        found = run(setting.job(), isa)
        for k, tolerance in enumerate(allowed):
            difference = np.abs(found[f"weights {k}"] - wanted[f"weights {k}"])
            assert difference.max() <= tolerance
