"""Whatever interrupts a training, its course is the same to the bit."""

import os
import signal
import threading

import numpy as np
import pytest
from courses import (
    DESIGN,
    ENCODER,
    array_task,
    assert_same_run,
    backends,
    courses,
    easy_task,
    linear,
)

from recirc_hw import (
    Design,
    Interrupted,
    Loop,
    Recirculation,
    train,
)
from recirc_hw.training import loop
from recirc_hw.training.plan import Plan


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
