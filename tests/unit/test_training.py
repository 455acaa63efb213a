"""Trainings: how long they are, what they record, and that nothing interrupts their course."""

import os
import signal
import threading

import numpy as np
import pytest

from recirc_hw import (
    Backprop,
    Design,
    Ideal,
    Interrupted,
    Loop,
    Recirculation,
    TaskError,
    UnsupportedError,
    tasks,
    train,
)
from recirc_hw.metrics import cosine, unit_error
from recirc_hw.tasks import SquaredError, Task, UnitError
from recirc_hw.training import loop
from recirc_hw.training.plan import Plan
from recirc_hw.training.probe import moments

ENCODER = tasks.encoder(4)
DESIGN = Design(Loop(4, 2), Recirculation())
BACKENDS = ["reference", "native"]
backends = pytest.mark.parametrize("backend", BACKENDS)


def array_task(n_cases=23, n_units=6, **more):
    """Return a task of random cases in 0..1, all of them for training and testing."""
    cases = np.random.default_rng(8).uniform(0, 1, (n_cases, n_units))
    return tasks.from_array(cases, **{"batch_size": 5, "epochs": 4, "test_share": 0, **more})


def easy_task(below=0.075, **more):
    """Return a task that a linear loop learns in a few epochs."""
    cases = np.random.default_rng(8).uniform(0, 1, (24, 4))
    fields = {"criterion": SquaredError(below), "batch_size": 6, "held_out": False}
    return Task("easy", cases, cases, **{**fields, "epochs": 30, **more})


def linear(rate=0.01, **more):
    network = Loop(4, 3, visible="identity", hidden="identity")
    return Design(network, Backprop(learning_rate=rate, **more))


def assert_same_run(run, other):
    """Compare everything that two runs of one training have in common, to the bit."""
    for mine, theirs in zip(run.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert run.history.keys() == other.history.keys()
    for name, values in run.history.items():
        np.testing.assert_array_equal(values, other.history[name], err_msg=name)
    assert repr(run.probes) == repr(other.probes)
    for name in ("learned", "updates", "total_updates", "checks", "unit_error", "error"):
        assert repr(getattr(run, name)) == repr(getattr(other, name)), name
    assert repr(run.held_share) == repr(other.held_share)


# -- how long a training is


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


# -- company, chunks, threads


def test_a_chip_trained_with_others_ends_with_the_same_bits():
    for design, task, more in [
        (DESIGN, ENCODER, {}),
        (Design(Loop(6, 3), Recirculation(learning_rate=0.2)), array_task(), {}),
    ]:
        together = train(
            [design.fabricate(seed) for seed in range(33)], task, probes=False, **more
        )
        for seed in (0, 7, 32):
            alone = design.fabricate(seed).train(task, probes=False, **more)
            assert_same_run(together[seed], alone)


COURSES = {
    "encoder": (DESIGN, ENCODER, {}),
    "encoder, momentum": (
        Design(Loop(4, 2), Recirculation(learning_rate=4.0, momentum=0.75)), ENCODER, {},
    ),
    "short last batches": (
        Design(Loop(6, 3), Recirculation(learning_rate=0.5, momentum=0.5, batch="mean")),
        array_task(), {"until": "end"},
    ),
    "wide, short last batches": (
        Design(Loop(64, 33), Recirculation(learning_rate=0.01, momentum=0.5)),
        array_task(20, 64, batch_size=9), {"until": "end", "epochs": 4},
    ),
    "float32, one case at a time": (
        Design(Loop(6, 3), Recirculation(learning_rate=0.5), Ideal(precision="float32")),
        array_task(), {"batch_size": 1, "epochs": 2, "until": "end"},
    ),
    "generated": (
        Design(Loop(6, 2, visible="identity", hidden="identity"), Backprop(learning_rate=1e-4)),
        tasks.lowrank(6, 2, cases=30, test_cases=10),
        {"batch_size": 7, "epochs": 5, "until": "end"},
    ),
    "generated, whole": (
        Design(Loop(6, 2, visible="identity", hidden="identity"), Backprop(learning_rate=1e-4)),
        tasks.lowrank(6, 2, cases=30, test_cases=10),
        {"batch_size": 30, "epochs": 9, "until": "end"},
    ),
}  # fmt: skip
courses = pytest.mark.parametrize(("design", "task", "more"), COURSES.values(), ids=COURSES)


@courses
@pytest.mark.parametrize("n_chips", [1, 3])
def test_results_do_not_depend_on_how_fast_the_machine_is(
    design, task, more, n_chips, monkeypatch
):
    outcomes = []
    for seconds in (1e-9, 0.2, 1e9):  # an update a call, the usual, and as many as can be
        monkeypatch.setattr(loop, "CHUNK_S", seconds)
        chips = [design.fabricate(seed) for seed in range(n_chips)]
        outcomes.append(train(chips, task, **more))
    for runs in outcomes[1:]:
        for run, other in zip(runs, outcomes[0], strict=True):
            assert_same_run(run, other)


# -- divergence


@backends
@pytest.mark.parametrize("n_chips", [1, 3])
def test_a_chip_that_diverges_is_stopped_and_reported(backend, n_chips):
    chips = [linear(rate=3.0).fabricate(seed) for seed in range(n_chips)]
    runs = train(chips, easy_task(), max_updates=5000, backend=backend)
    for run in runs:
        assert run.diverged
        assert not run.learned
        assert run.total_updates < 5000
        assert run.summary()["error"] is None


def test_a_chip_that_diverges_leaves_the_others_alone():
    design = linear()
    chips = [design.fabricate(seed) for seed in (0, 1, 2)]
    weights = chips[1].weights
    weights[0][:] = 1e200
    chips[1].weights = weights
    runs = train(chips, easy_task(), until="end")
    assert [run.diverged for run in runs] == [False, True, False]
    for seed in (0, 2):
        alone = design.fabricate(seed).train(easy_task(), until="end", probes=False)
        assert_same_run(runs[seed], alone)


# -- Ctrl-C


def interrupt_at(update):
    """Return a progress callback that presses Ctrl-C once `update` updates are done."""

    def press(done, total, error):
        if done >= update:
            os.kill(os.getpid(), signal.SIGINT)

    return press


def until_finished(chips_of, task, path, places, **more):
    """Train with interruptions at the places, resuming each time; return the runs."""
    for place in places:
        with pytest.raises(Interrupted) as caught:
            train(
                chips_of(), task, checkpoint=path, resume=True,
                progress=interrupt_at(place), **more,
            )  # fmt: skip
        assert any(run.interrupted for run in caught.value.runs)
    return train(chips_of(), task, checkpoint=path, resume=True, **more)


@courses
@pytest.mark.parametrize("n_chips", [1, 3])
def test_an_interrupted_training_goes_on_to_the_same_bits(
    design, task, more, n_chips, tmp_path, monkeypatch
):
    def chips_of():
        return [design.fabricate(seed) for seed in range(n_chips)]

    wanted = train(chips_of(), task, **more)
    total = max(run.total_updates for run in wanted)
    # An update a call, so that a training is interrupted anywhere.
    monkeypatch.setattr(Plan, "next_stop", lambda self, done, chunk, stops: done + 1)
    places = np.random.default_rng(n_chips).choice(np.arange(1, total - 1), 4, replace=False)
    runs = until_finished(chips_of, task, tmp_path / "run.npz", sorted(places), **more)
    for run, other in zip(runs, wanted, strict=True):
        assert not run.interrupted
        assert_same_run(run, other)


def test_ctrl_c_leaves_the_chip_with_what_it_learned(tmp_path):
    chip, path = DESIGN.fabricate(0), tmp_path / "deep" / "run.npz"
    before = signal.getsignal(signal.SIGINT)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(Interrupted, match="the chips keep what they learned") as caught:
        chip.train(ENCODER, until="end", max_updates=10**9, checkpoint=path)
    timer.join()
    assert isinstance(caught.value, KeyboardInterrupt)
    (run,) = caught.value.runs
    assert run.interrupted
    assert 0 < run.total_updates < 10**9
    assert chip.updates == run.total_updates
    assert not np.array_equal(chip.weights[0], DESIGN.fabricate(0).weights[0])
    np.testing.assert_array_equal(chip.weights[0], run.weights[0])
    assert path.exists()
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_before_the_first_update_is_no_different(tmp_path, monkeypatch):
    look = loop._Training._look

    def press_and_look(self):
        look(self)
        os.kill(os.getpid(), signal.SIGINT)

    path, design, task = tmp_path / "run.npz", Design(Loop(6, 3), Recirculation()), array_task()
    wanted = design.fabricate(0).train(task, max_updates=7, until="end")
    with monkeypatch.context() as patch:
        patch.setattr(loop._Training, "_look", press_and_look)
        with pytest.raises(Interrupted) as caught:
            design.fabricate(0).train(task, max_updates=7, until="end", checkpoint=path)
    assert caught.value.runs[0].total_updates == 0
    run = design.fabricate(0).train(
        task, max_updates=7, until="end", checkpoint=path, resume=True
    )
    assert_same_run(run, wanted)


def test_a_second_ctrl_c_interrupts_at_once():
    def press_twice(done, total, error):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        DESIGN.fabricate(0).train(ENCODER, until="end", progress=press_twice)
    assert not isinstance(caught.value, Interrupted)


def test_ctrl_c_in_the_last_stretch_interrupts_nothing():
    run = DESIGN.fabricate(0).train(
        ENCODER, until="end", max_updates=30, progress=interrupt_at(30)
    )
    assert run.total_updates == 30
    assert not run.interrupted


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
