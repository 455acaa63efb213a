"""Trainings: how long they are, and what they record."""

import threading

import numpy as np
import pytest
from courses import DESIGN, ENCODER, array_task, assert_same_run, backends, easy_task, linear

from recirc_hw import (
    Backprop,
    Design,
    Loop,
    Recirculation,
    TaskError,
    UnsupportedError,
    tasks,
    train,
)
from recirc_hw.metrics import cosine, unit_error
from recirc_hw.tasks import Task, UnitError
from recirc_hw.training.probe import moments


@backends
def test_updates_is_the_number_of_updates_before_the_first_crossing(backend):
    run = DESIGN.fabricate(0).train(ENCODER, backend=backend)
    assert run.learned
    assert run.held == (run.held_share == 1.0)
    # Done again, one update at a time and looking at the weights themselves.
    chip, errors = DESIGN.fabricate(0), []
    for _ in range(run.updates + 1):
        errors.append(unit_error(ENCODER.train, chip.reconstruct(np.eye(4), backend=backend)))
        chip.train(ENCODER, max_updates=1, until="end", backend=backend, probes=False)
    assert errors[-1] < 0.1 <= min(errors[:-1])
    assert run.total_updates == run.updates + 20  # the task's hold
    assert run.checks == 20


@backends
@pytest.mark.parametrize("hold", [0, 1, 30])
def test_a_learned_chip_is_trained_on_for_as_long_as_it_must_hold(hold, backend):
    runs = [DESIGN.fabricate(0).train(ENCODER, hold=h, backend=backend) for h in (hold, 5)]
    run, other = runs
    assert run.updates == other.updates
    assert run.total_updates == run.updates + hold
    assert run.checks == hold
    assert np.isnan(run.held_share) == (hold == 0)


def test_until_the_end_goes_on_after_learning():
    run = DESIGN.fabricate(0).train(ENCODER, until="end", max_updates=300)
    short = DESIGN.fabricate(0).train(ENCODER)
    assert run.learned
    assert run.updates == short.updates
    assert run.total_updates == 300
    assert run.checks == 300 - run.updates  # one at every update since, and one at the end
    assert run.held


@backends
def test_a_chip_that_crosses_with_the_last_update_has_learned(backend):
    whole = DESIGN.fabricate(0).train(ENCODER, backend=backend)
    just = DESIGN.fabricate(0).train(ENCODER, max_updates=whole.updates, backend=backend)
    assert just.updates == whole.updates == just.total_updates
    short = DESIGN.fabricate(0).train(ENCODER, max_updates=whole.updates - 1, backend=backend)
    assert not short.learned
    assert short.updates is None


def test_updates_and_epochs_are_counted_in_batches():
    task = array_task()  # 23 cases in batches of 5: five a pass
    design = Design(Loop(6, 3), Recirculation(learning_rate=0.1))
    for asked, wanted in [
        ({}, 20),
        ({"epochs": 2}, 10),
        ({"max_updates": 7}, 7),
        ({"epochs": 3, "batch_size": 23}, 3),
        ({"epochs": 3, "batch_size": 1000}, 3),
        ({"epochs": 1, "batch_size": 1}, 23),
    ]:
        run = design.fabricate(0).train(task, until="end", **asked)
        assert run.total_updates == wanted, asked
        assert run.batch_size == min(asked.get("batch_size", 5), 23)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"max_updates": 0}, "max_updates must be a whole number, 1 or more, got 0"),
        ({"max_updates": -3}, "max_updates must be .* got -3"),
        ({"max_updates": 2.5}, "max_updates must be .* got 2.5"),
        ({"max_updates": True}, "max_updates must be .* got True"),
        ({"epochs": 0}, "epochs must be a whole number, 1 or more, got 0"),
        ({"epochs": "3"}, "epochs must be .* got '3'"),
        ({"epochs": 2, "max_updates": 2}, "give max_updates or epochs, not both"),
        ({"batch_size": 0}, "batch_size must be .* got 0"),
        ({"batch_size": 1.0}, "batch_size must be .* got 1.0"),
        ({"hold": -1}, "hold must be a whole number, 0 or more, got -1"),
        ({"until": "done"}, "until must be 'learned' or 'end', got 'done'"),
        ({"threads": 0}, "threads must be .* got 0"),
    ],
)
def test_an_argument_out_of_range_is_refused(asked, message):
    chip = DESIGN.fabricate(0)
    before = chip.weights
    with pytest.raises(ValueError, match=message):
        chip.train(ENCODER, **asked)
    np.testing.assert_array_equal(chip.weights[0], before[0])


def test_an_unknown_backend_is_refused():
    with pytest.raises(UnsupportedError, match="did you mean 'native'"):
        DESIGN.fabricate(0).train(ENCODER, backend="nativ")


def test_chips_must_be_of_one_design():
    other = Design(Loop(4, 2), Recirculation(regression=0.5)).fabricate(1)
    with pytest.raises(ValueError, match="all must be of the same design"):
        train([DESIGN.fabricate(0), other], ENCODER)
    with pytest.raises(ValueError, match="none given"):
        train([], ENCODER)


@pytest.mark.parametrize(
    ("network", "cases", "parts"),
    [
        (Loop(5, 2), np.eye(4), ["4 values", "5 units"]),
        (Loop(2, 1), np.array([[0.0, 1.5], [0.0, 1.0]]), ["0..1.5", "logistic", "0..1"]),
        (Loop(2, 1, visible="tanh"), np.array([[-2.0, 1.0], [0.0, 1.0]]), ["-2..1", "tanh"]),
    ],
)
def test_a_task_that_does_not_fit_is_refused(network, cases, parts):
    task = tasks.from_array(cases, test_share=0)
    with pytest.raises(TaskError) as caught:
        Design(network, Recirculation()).fabricate(0).train(task)
    for part in parts:
        assert part in str(caught.value)


def test_linear_units_take_cases_of_any_range():
    task = tasks.from_array(np.array([[-20.0, 15.0], [3.0, 1.0]]), test_share=0)
    network = Loop(2, 1, visible="identity", hidden="identity")
    design = Design(network, Backprop(learning_rate=1e-5))
    assert np.isfinite(design.fabricate(0).train(task, max_updates=3).error)


# -- criteria that are checked after every epoch


@backends
def test_a_criterion_on_held_out_cases_is_checked_after_every_epoch(backend):
    run = linear().fabricate(0).train(easy_task(), until="learned", hold=3, backend=backend)
    errors, at = run.history["test_error"], run.history["test_update"]
    crossing = int(np.flatnonzero(errors[1:] < 0.075)[0]) + 1
    assert at.tolist() == [4.0 * epoch for epoch in range(len(at))]
    assert crossing > 1
    assert run.updates == 4 * crossing
    assert run.total_updates == 4 * (crossing + 3)
    assert run.checks == 3


@backends
def test_a_criterion_of_epochs_is_checked_in_batches_of_all_cases_too(backend):
    task = easy_task(batch_size=24)
    run = linear().fabricate(0).train(task, until="learned", hold=3, backend=backend)
    errors = run.history["test_error"]
    crossing = int(np.flatnonzero(errors[1:] < 0.075)[0]) + 1
    assert run.updates == crossing
    assert run.checks == 3


def test_unit_errors_are_checked_on_all_training_cases_where_batches_are_smaller():
    fields = {"batch_size": 2, "epochs": 400, "held_out": False}
    task = Task("mini", ENCODER.train, ENCODER.train, UnitError(0.1), **fields)
    run = DESIGN.replace("rule.learning_rate", 5.0).fabricate(0).train(task, until="learned")
    assert run.learned
    assert run.updates % 2 == 0
    assert run.unit_error < 0.1


def test_generated_epochs_are_each_trained_on():
    task = tasks.lowrank(6, 2, cases=40, test_cases=20)
    network = Loop(6, 2, visible="identity", hidden="identity", initial_weights="glorot")
    design = Design(network, Backprop(learning_rate=1e-3, batch="mean"))
    for batch_size in (8, 40):  # several batches an epoch, and one
        run = design.fabricate(0).train(
            task, epochs=6, batch_size=batch_size, until="end", probes=False
        )
        chip = design.fabricate(0)
        for epoch in range(6):
            order = None if batch_size == 40 else _order(0, 40, epoch)
            _descend(chip, task.epoch_cases(epoch), order, batch_size, 1e-3)
        for mine, wanted in zip(run.weights, chip.weights, strict=True):
            # 30 updates of size 1e-3, each right to an ulp of the weights.
            np.testing.assert_allclose(mine, wanted, rtol=0, atol=1e-13)
        assert len(run.history["test_error"]) == 7
        assert run.history["test_update"].tolist() == [40 // batch_size * k for k in range(7)]


def _order(seed, count, epoch):
    from recirc_hw.random_streams import permutation

    return permutation(seed, "order", count, step=epoch)


def _descend(chip, cases, order, batch_size, rate):
    """Train a chip through one epoch by asking for weight changes."""
    cases = cases if order is None else cases[order]
    for start in range(0, len(cases), batch_size):
        batch = cases[start : start + batch_size]
        changes = chip.weight_change(batch, backend="reference")
        chip.weights = [
            weights + rate * change / len(batch) * (1 if _summed(chip) else len(batch))
            for weights, change in zip(chip.weights, changes, strict=True)
        ]


def _summed(chip):
    """Return whether a weight change is a sum over the cases (a mean is not asked for)."""
    return chip.design.rule.batch == "sum"


@backends
def test_each_epoch_presents_every_case_once_in_the_chip_s_own_order(backend):
    # Without learning, the training errors of one epoch are those of its batches.
    task = array_task()
    design = Design(Loop(6, 3), Recirculation(learning_rate=0.0))
    chips = [design.fabricate(seed) for seed in (0, 1)]
    runs = train(chips, task, epochs=2, until="end", backend=backend)
    for chip, run in zip(chips, runs, strict=True):
        error = np.mean((task.train - chip.reconstruct(task.train)) ** 2, axis=1)
        batches = [
            np.mean(error[_order(chip.seed, 23, epoch)[k : k + 5]])
            for epoch in range(2)
            for k in range(0, 23, 5)
        ]
        # A mean of 30 squares below 1.
        np.testing.assert_allclose(run.history["train_error"], batches, rtol=0, atol=1e-14)


# -- the record


@backends
def test_histories_have_a_point_a_stretch(backend):
    run = DESIGN.fabricate(0).train(ENCODER, max_updates=40, until="end", backend=backend)
    assert run.history["update"].tolist() == [k + 1.0 for k in range(40)]
    assert run.history["train_error"].shape == run.history["train_unit_error"].shape == (40,)
    assert (run.history["train_unit_error"] ** 2 >= run.history["train_error"]).all()
    assert run.history["test_update"].shape == (0,)


def test_long_histories_are_means_over_stretches():
    fine = DESIGN.fabricate(0).train(ENCODER, max_updates=1000, until="end", probes=False)
    long = DESIGN.fabricate(0).train(ENCODER, max_updates=2500, until="end", probes=False)
    assert len(fine.history["update"]) == 1000
    assert len(long.history["update"]) == 834  # stretches of three updates, the last of one
    pairs = fine.history["train_error"][:999].reshape(333, 3)
    # Sums of three numbers below 1.
    np.testing.assert_allclose(
        long.history["train_error"][:333], pairs.mean(axis=1), rtol=1e-14
    )
    worst = fine.history["train_unit_error"][:999].reshape(333, 3).max(axis=1)
    np.testing.assert_array_equal(long.history["train_unit_error"][:333], worst)
    assert long.history["update"][:2].tolist() == [2.0, 5.0]
    assert long.history["update"][-1] == 2500.0


def test_probes_are_taken_at_the_moments_and_at_the_end():
    run = DESIGN.fabricate(0).train(ENCODER, max_updates=30, until="end")
    assert [p["update"] for p in run.probes] == [0, 1, 2, 5, 10, 20, 30] == moments(30)
    assert moments(1) == [0, 1]
    chip = DESIGN.fabricate(0)
    first = run.probes[0]
    steepest = chip.weight_change(np.eye(4), Backprop(loss="squared"))
    for k, change in enumerate(chip.weight_change(np.eye(4))):
        assert first["change"][k] == pytest.approx(np.sqrt(np.mean(change**2)), rel=1e-14)
        assert first["alignment"][k] == pytest.approx(cosine(change, steepest[k]), abs=1e-14)
    a, b = chip.weights
    wanted = cosine(a[:, :-1], b[:, :-1].T)
    assert first["symmetry"] == pytest.approx([wanted, wanted], abs=1e-14)


def test_probes_change_nothing():
    runs = [DESIGN.fabricate(0).train(ENCODER, probes=probes) for probes in (False, True)]
    assert runs[0].probes == []
    runs[1].probes = []
    assert_same_run(*runs)


def test_the_last_probe_tells_when_the_chip_stopped():
    run = DESIGN.fabricate(0).train(ENCODER)
    assert run.probes[-1]["update"] == run.total_updates


def test_a_run_tells_what_it_was():
    chip = DESIGN.fabricate(0)
    run = chip.train(ENCODER)
    assert (run.seed, run.task, run.backend) == (0, "encoder(4)", "native")
    assert run.threshold == 0.1
    assert "within 0.1" in run.criterion
    assert run.unit_error == unit_error(np.eye(4), chip.reconstruct(np.eye(4)))
    assert chip.updates == run.total_updates
    assert not run.interrupted
    assert not run.diverged
    assert f"learned after {run.updates}" in repr(run)
    assert run.summary()["learned"] is True
    assert run.versions["numpy"] == np.__version__
    for mine, chip_s in zip(run.weights, chip.weights, strict=True):
        np.testing.assert_array_equal(mine, chip_s)


def test_cross_entropy_is_told_only_where_there_is_one():
    run = Design(Loop(6, 3), Recirculation(learning_rate=0.1)).fabricate(0).train(array_task())
    assert 0 < run.cross_entropy < 5
    assert len(run.history["test_cross_entropy"]) == len(run.history["test_error"]) == 5
    run = linear().fabricate(0).train(easy_task(), epochs=2)
    assert run.cross_entropy is None
    assert np.isnan(run.history["test_cross_entropy"]).all()


def test_progress_is_told_of_every_stretch():
    seen = []
    DESIGN.fabricate(0).train(
        ENCODER, max_updates=100, until="end", progress=lambda *now: seen.append(now)
    )
    done = [now[0] for now in seen]
    assert done == sorted(done)
    assert done[-1] == 100
    assert all(now[1] == 100 and 0 < now[2] < 1 for now in seen)


def test_training_works_outside_the_main_thread():
    runs = []
    worker = threading.Thread(target=lambda: runs.append(DESIGN.fabricate(0).train(ENCODER)))
    worker.start()
    worker.join()
    assert_same_run(runs[0], DESIGN.fabricate(0).train(ENCODER))


def test_a_chip_may_be_trained_in_several_trainings():
    chip = DESIGN.fabricate(0)
    chip.train(ENCODER, max_updates=10, until="end")
    chip.train(ENCODER, max_updates=15, until="end")
    once = DESIGN.fabricate(0)
    once.train(ENCODER, max_updates=25, until="end")
    assert chip.updates == once.updates == 25
    np.testing.assert_array_equal(chip.weights[0], once.weights[0])


def test_a_run_gives_back_the_chip_as_it_was_left():
    trained = DESIGN.fabricate(3)
    run = trained.train(ENCODER, max_updates=20, until="end")
    chip = run.chip()
    trained.train(ENCODER, max_updates=5, until="end")
    assert (chip.seed, chip.updates) == (3, 20)
    for mine, wanted in zip(chip.weights, run.weights, strict=True):
        np.testing.assert_array_equal(mine, wanted)
    chip.train(ENCODER, max_updates=5, until="end")
    for mine, wanted in zip(chip.weights, trained.weights, strict=True):
        np.testing.assert_array_equal(mine, wanted)


def test_what_is_no_chip_is_refused():
    with pytest.raises(TypeError, match=r"chips: want Chips, .* got 1"):
        train([1], ENCODER)


@pytest.mark.parametrize("name", ["max_updates", "epochs", "hold", "batch_size"])
def test_numbers_that_no_counter_holds_are_refused(name):
    chip = Design(Loop(4, 2), Recirculation()).fabricate(0)
    with pytest.raises(ValueError, match="at most 2"):
        chip.train(ENCODER, **{name: 10**30})
