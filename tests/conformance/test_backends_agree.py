"""The native backend does what the reference does, whatever the machine and the company."""

from functools import cache

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
    CustomRule,
    ErrorRecirculation,
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
FUNCTIONS = ["logistic", "tanh", "identity"]


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
