"""The native backend does what the reference does, whatever the machine and the company."""

from functools import cache

import numpy as np
import pytest
from jobs import ARRAYS, Setting, assert_same_bits, run, walk_of

from recirc_hw import (
    Backprop,
    CustomRule,
    ErrorRecirculation,
    Loop,
    RandomFeedback,
    Recirculation,
    TopOnly,
)
from recirc_hw.backends import Job, native, reference
from recirc_hw.backends.native import ISAS

RULES = {
    "PR": Recirculation(combine="PR", presynaptic="first", learning_rate=0.5),
    "CCR": Recirculation(combine="CCR", learning_rate=0.5, batch="mean"),
    "RCC": Recirculation(combine="RCC", regression=0.5, learning_rate=(0.5, 0.25)),
    "CCRCC": Recirculation(learning_rate=0.5),
    "RWCC": Recirculation(combine="RWCC", hidden_regression=0.25, learning_rate=0.5),
    "cycles 3": Recirculation(cycles=3, learning_rate=0.5, batch="mean"),
    "cycles 1, 2": Recirculation(combine="RCC", cycles=(1, 2), learning_rate=0.5),
    "twice": Recirculation(apply_visible_rule_twice=True, learning_rate=0.5),
    "error": ErrorRecirculation(learning_rate=0.5),
    "BP": Backprop(learning_rate=0.5),
    "BP squared": Backprop(loss="squared", learning_rate=0.5, batch="mean"),
    "RBP": RandomFeedback(kind="RBP", learning_rate=0.5),
    "SRBP": RandomFeedback(kind="SRBP", learning_rate=0.5, loss="squared"),
    "ARBP": RandomFeedback(kind="ARBP", learning_rate=0.5, batch="mean"),
    "top": TopOnly(learning_rate=0.5),
}
# None is a multiple of every vector's width; 31-19 and larger are too wide for lanes,
# 64-33 and larger are served by matrix products from batches of 8 cases on.
SIZES = [(1, 1), (3, 2), (17, 5, 9), (31, 19), (64, 33), (130, 20)]
BATCHES = [1, 4, 100]
WALKS = {"lanes": (17, 5, 9), "one lane": (31, 19), "batch": (64, 33)}
FUNCTIONS = ["logistic", "tanh", "identity"]


def loop(sizes, function="logistic"):
    """Return a loop whose matrices are so small that they hardly amplify an error."""
    bound = 2 / (max(sizes) + 1)
    return Loop(*sizes, visible=function, hidden=function, initial_range=bound)


def rates_fit(rule, sizes):
    """Give a rule with a rate per matrix as many as the network has matrices."""
    if isinstance(rule.learning_rate, tuple) and len(sizes) != 2:
        return rule.replace(learning_rate=(0.5, 0.25, 0.125)[: len(sizes)])
    return rule


def one_update_tolerances(setting, dtype):
    """Return how far weights and errors may be off after one update.

    A product over n inputs errs by (n + 1) eps, a response by a few eps; each
    further product multiplies what it is given by the largest row or column sum
    of a matrix. A change adds up products of two such activities, one per case.
    """
    eps = np.finfo(dtype).eps
    program, batch = setting.program, len(setting.cases[setting.order[0]])
    weights = [matrix[0].astype(float) for matrix in setting.weights]
    state = reference.compute(program, weights, setting.cases[setting.order[0]].astype(float))
    reach = max(1.0, np.abs(state).max())
    projects = [op for op in program.ops if op.opcode == "project"]
    inputs = sum(sum(weights[op.matrix].shape) + 8 for op in projects)
    sums = [np.abs(m[:, :-1]).sum(axis=axis).max() for m in weights for axis in (0, 1)]
    activity = eps * inputs * reach * max(1.0, *sums) ** len(projects)
    cases = 1 if setting.mean else batch
    change = 0.5 * cases * reach * (2 * activity + batch * eps * reach)
    largest = max(np.abs(matrix).max() for matrix in weights) + 0.5 * cases * reach**2
    return {
        "weights": change + 4 * eps * largest,
        "error": 2 * reach * activity + eps * batch * setting.cases.shape[1] * reach**2,
        "unit error": 2 * activity,
    }


# In float32 the long suite has the other batches.
KINDS = [("float64", batch) for batch in BATCHES] + [
    pytest.param("float32", batch, marks=[pytest.mark.slow] if batch < BATCHES[-1] else [])
    for batch in BATCHES
]


@pytest.mark.parametrize(("dtype", "batch"), KINDS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_one_update_is_the_reference_s(rule, function, dtype, sizes, batch):
    rule = rates_fit(rule, sizes)
    setting = Setting(loop(sizes, function), rule, dtype, batch=batch, n_cases=2 * batch)
    wanted, allowed = run(setting.job()), one_update_tolerances(setting, dtype)
    outcomes = [run(setting.job(), isa) for isa in ISAS]
    for found in outcomes:
        assert found["updates"] == wanted["updates"] == 1
        for name, values in wanted.items():
            kind = name.split(" ")[0] if name.startswith("weights") else name
            if kind in allowed:
                error = np.abs(found[name].astype(float) - values).max()
                assert error <= allowed[kind], name
    # No walk depends on how wide the vectors are.
    for found in outcomes[1:]:
        assert_same_bits(found, outcomes[0])


def test_the_sizes_above_reach_every_walk():
    for dtype in ("float64", "float32"):
        reached = {
            (sizes, batch): walk_of(
                Setting(loop(sizes), Recirculation(), dtype, batch=batch).job()
            )
            for sizes in SIZES
            for batch in BATCHES
        }
        assert set(reached.values()) == {"lanes", "one lane", "batch"}
        assert reached[(17, 5, 9), 100] == "lanes"
        assert reached[(31, 19), 100] == "one lane"
        assert reached[(64, 33), 1] == reached[(130, 20), 4] == "one lane"
        assert reached[(64, 33), 100] == reached[(130, 20), 100] == "batch"


def test_one_update_changes_every_weight_far_beyond_the_tolerance():
    for sizes in SIZES[1:]:
        setting = Setting(loop(sizes), RULES["BP"], batch=4)
        changes = [a - b[0] for a, b in zip(setting.weights, _weights(setting), strict=True)]
        allowed = one_update_tolerances(setting, "float64")["weights"]
        assert min(np.abs(change).max() for change in changes) > 1e6 * allowed


def _weights(setting, isa=ISAS[-1]):
    found = run(setting.job(), isa)
    return [found[f"weights {k}"] for k in range(len(setting.weights))]


# -- batches of one case, written at once


def uneven(build, network):
    """Emit as many correlates as writes, but two on one matrix and none on the other."""
    slots = network.first_pass(build)
    error = build.subtract(slots[0], slots[-1])
    for _ in network.matrices:
        build.correlate(network.matrices[-1].name, error, slots[-2])
    build.write(*(matrix.name for matrix in network.matrices))


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("rule", [RULES["PR"], RULES["BP"], RULES["ARBP"]], ids=str)
def test_writing_at_once_gives_the_bits_of_writing_after_the_sum(rule, dtype, isa):
    # So small a momentum keeps nothing that could be seen, but asks for the sums.
    network, more = loop((31, 19)), {"batch": 1, "updates": 20}
    at_once = run(Setting(network, rule, dtype, **more).job(), isa)
    by_sums = run(Setting(network, rule.replace(momentum=1e-30), dtype, **more).job(), isa)
    for name, values in at_once.items():
        if not name.startswith("sums"):
            np.testing.assert_array_equal(values, by_sums[name], err_msg=name)


@pytest.mark.parametrize(
    ("sizes", "rule", "batch", "expected"),
    [
        ((31, 19), RULES["PR"], 1, True),
        ((31, 19), RULES["PR"], 2, False),
        ((17, 5), RULES["PR"], 1, False),  # lanes
        ((31, 19), RULES["twice"], 1, False),  # two correlates on one matrix
        ((31, 19), CustomRule(uneven, learning_rate=0.5), 1, False),
        ((31, 19), RULES["PR"].replace(momentum=0.5), 1, False),
        ((31, 19), RULES["PR"].replace(weight_decay=0.1), 1, False),
        ((31, 19), RULES["PR"].replace(norm_cap=1.0), 1, False),
    ],
)
def test_batches_of_one_are_written_at_once_only_where_that_is_the_same(
    sizes, rule, batch, expected
):
    job = Setting(loop(sizes), rule, batch=batch).job()
    for matrix in job.sums:
        matrix[:] = 7.0  # a mark that only a walk which needs no sums leaves
    native.train(job)
    assert all((matrix == 7.0).all() for matrix in job.sums) == expected


# -- the company a chip is in


@pytest.mark.parametrize("per_chip_order", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("walk", "sizes"), WALKS.items(), ids=WALKS)
def test_a_chip_does_not_notice_the_chips_beside_it(walk, sizes, dtype, per_chip_order):
    rule = Recirculation(learning_rate=1, momentum=0.5, norm_cap=0.9)
    more = {"batch": 8, "updates": 5, "threshold": 0.52, "hold": 2}
    more["per_chip_order"] = per_chip_order
    setting = Setting(loop(sizes), rule, dtype, n_chips=33, **more)
    assert walk_of(setting.job()) == walk
    alone = [run(setting.job([chip]), ISAS[-1]) for chip in range(33)]
    assert {int(found["active"][0]) for found in alone} == {0, 1}  # some stop early
    for count in (1, 2, 31, 32, 33):
        chips = list(range(33 - count, 33))  # others come first in every company
        together = run(setting.job(chips), ISAS[-1])
        for place, chip in enumerate(chips):
            mine = {name: values[place : place + 1] for name, values in together.items()}
            if not mine["active"][0]:  # what the sums of a stopped chip hold means nothing
                mine |= {name: alone[chip][name] for name in mine if "sums" in name}
            assert_same_bits(mine, alone[chip])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("walk", "sizes"), WALKS.items(), ids=WALKS)
def test_results_do_not_depend_on_the_number_of_threads(walk, sizes, dtype):
    rule = Recirculation(learning_rate=1, momentum=0.5)
    setting = Setting(loop(sizes), rule, dtype, n_chips=33, batch=8, updates=6)
    wanted = run(setting.job(), ISAS[-1])
    for threads in (2, 3, 7, 64):
        setting.threads = threads
        assert_same_bits(run(setting.job(), ISAS[-1]), wanted)


def run_split(setting, stops, isa):
    """Train the batches up to each stop in a call of its own; return as `run` does."""
    job, start, errors = setting.job(), 0, []
    for stop in stops:
        first = int(job.batch_ends[start - 1]) if start else 0
        part = Job(
            job.program, job.weights, job.sums, job.cases,
            job.order[:, first : job.batch_ends[stop - 1]].copy(),
            job.batch_ends[start:stop] - first, job.watch, job.threads, job.batch_size,
        )  # fmt: skip
        errors.append(native.train(part, isa) if isa else reference.train(part))
        start = stop
    history = [np.concatenate(parts, axis=1) for parts in zip(*errors, strict=True)]
    return {
        **{f"weights {k}": matrix for k, matrix in enumerate(job.weights)},
        **{f"sums {k}": matrix for k, matrix in enumerate(job.sums)},
        **{name: getattr(job.watch, name) for name in ARRAYS},
        **dict(zip(("error", "unit error"), history, strict=True)),
    }


def short_last_batches(setting, per_epoch):
    """Make every `per_epoch`-th batch of a setting short: one case."""
    sizes = np.diff(setting.ends, prepend=0)
    sizes[per_epoch - 1 :: per_epoch] = 1
    setting.ends = np.cumsum(sizes)
    return setting


@pytest.mark.parametrize("isa", [None, *ISAS], ids=str)
@pytest.mark.parametrize("batch", [1, 4, 9])
@pytest.mark.parametrize(("walk", "sizes"), WALKS.items(), ids=WALKS)
def test_results_do_not_depend_on_how_batches_are_split_into_calls(walk, sizes, batch, isa):
    for rule in (RULES["PR"], Recirculation(learning_rate=1, momentum=0.9, batch="mean")):
        setting = Setting(loop(sizes), rule, n_chips=2, batch=batch, updates=9)
        setting = short_last_batches(setting, per_epoch=3)
        assert batch < 9 or walk_of(setting.job()) == walk
        wanted = run(setting.job(), isa)
        for stops in ([9], [1, 9], [3, 6, 9], [2, 3, 5, 6, 9], list(range(1, 10))):
            assert_same_bits(run_split(setting, stops, isa), wanted)


def test_momentum_carries_over_from_call_to_call():
    with_momentum = Recirculation(learning_rate=1, momentum=0.9)
    setting = Setting(loop((5, 3)), with_momentum, updates=4)
    forgetful = run(setting.job([0]), ISAS[-1])
    job = setting.job()
    for stop in range(1, 5):
        part = Job(
            job.program, job.weights, [np.zeros_like(m) for m in job.sums], job.cases,
            job.order[:, stop - 1 : stop].copy(), np.array([1]), job.watch,
        )  # fmt: skip
        native.train(part)
    assert not np.array_equal(job.weights[0], forgetful["weights 0"])


# -- what is written


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
        loop(sizes, "identity"), RULES["PR"], n_chips=3, batch=8, updates=3,
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
    setting = Setting(loop(sizes), RULES["PR"], batch=8, threshold=0.9)
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


# -- inference


@cache
def _forward_setting(sizes, dtype):
    return Setting(loop(sizes, "tanh"), Recirculation(), dtype, n_chips=2, n_cases=1203)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("n_cases", [1, 3, 500, 501, 1203])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_inference_is_the_reference_s(sizes, dtype, n_cases, isa):
    setting = _forward_setting(sizes, dtype)
    cases = setting.cases[:n_cases]
    program = setting.program.without_writes()
    # Two passes of sums over at most 130 products below 1: see `loop`.
    allowed = np.finfo(dtype).eps * 8 * sum(s + 8 for s in sizes)
    for slot in range(len(sizes) + 1):
        found = native.forward(program, setting.weights, cases, slot, isa)
        wanted = reference.forward(program, setting.weights, cases, slot)
        assert found.shape == wanted.shape == (2, n_cases, (*sizes, sizes[0])[slot])
        assert found.dtype == wanted.dtype == dtype
        assert np.abs(found - wanted).max() <= allowed
