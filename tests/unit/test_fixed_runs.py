"""Fixed-point chips that go on: from a checkpoint, from a saved run, in a second training."""

import signal

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw import Design, FixedPoint, Loop, Recirculation, train
from recirc_hw.errors import Interrupted
from recirc_hw.reports.words import counters_table
from recirc_hw.training import load_runs, save_runs
from recirc_hw.training.checkpoint import load_checkpoint, save_checkpoint

ENCODER = rh.tasks.encoder(4)
ROUNDINGS = ["floor", "half_even", "stochastic", "carry"]
BACKENDS = ["native", "reference", "numba"]
KEPT = ("weights0", "weights1", "sums0", "sums1", "steps", "counters", "updates")


def design(rounding):
    substrate = FixedPoint(weight_bits=7, weight_fraction_bits=2, rounding=rounding)
    return Design(Loop(4, 2), Recirculation(learning_rate=4.0), substrate)


def same_chip(first, second):
    """Require two chips to hold the same bits, and to have done as many writes."""
    assert (first.seed, first.updates, first.steps) == (
        second.seed, second.updates, second.steps,
    )  # fmt: skip
    for mine, theirs in zip(
        (*first.matrices, *first.sums), (*second.matrices, *second.sums), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def interrupted_at(update):
    """Return a progress callback that presses Ctrl-C at an update."""

    def progress(done, total, error):
        if done >= update:
            signal.raise_signal(signal.SIGINT)

    return progress


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_resumed_training_ends_in_the_same_bits(tmp_path, rounding, backend):
    if backend == "numba":
        pytest.importorskip("numba")
    options = {"max_updates": 60, "until": "end", "backend": backend}
    made = design(rounding)
    whole, broken = ([made.fabricate(seed) for seed in (3, 4)] for _ in range(2))
    wanted = train(whole, ENCODER, checkpoint=tmp_path / "whole.npz", **options)
    path = tmp_path / "broken.npz"
    with pytest.raises(Interrupted):
        train(broken, ENCODER, checkpoint=path, progress=interrupted_at(5), **options)
    assert 0 < broken[0].updates < 60
    again = [made.fabricate(seed) for seed in (3, 4)]
    found = train(again, ENCODER, checkpoint=path, resume=True, **options)
    for mine, theirs in zip(again, whole, strict=True):
        same_chip(mine, theirs)
    assert [run.counters for run in found] == [run.counters for run in wanted]
    mine, theirs = (
        load_checkpoint(tmp_path / f"{name}.npz")[1] for name in ("broken", "whole")
    )
    for name in KEPT:
        np.testing.assert_array_equal(mine[name], theirs[name])


def test_a_checkpoint_holds_remainders_and_counters_that_matter(tmp_path):
    path = tmp_path / "run.npz"
    design("carry").fabricate(0).train(ENCODER, max_updates=20, until="end", checkpoint=path)
    assert load_checkpoint(path)[1]["sums0"].any()
    design("floor").fabricate(0).train(ENCODER, max_updates=20, until="end", checkpoint=path)
    assert load_checkpoint(path)[1]["counters"].any()


@pytest.mark.parametrize("batch", ["sum", "mean"])
@pytest.mark.parametrize("rounding", ["stochastic", "carry"])
def test_a_chip_from_a_saved_run_goes_on_in_the_same_bits(tmp_path, rounding, batch):
    made = design(rounding).replace("rule.batch", batch)
    chip = made.fabricate(3)
    chip.train(ENCODER, max_updates=7, until="end")
    run = chip.train(ENCODER, max_updates=13, until="end")  # the second of two trainings
    save_runs(tmp_path, [run])
    loaded = load_runs(tmp_path, made)[0][0].chip()
    same_chip(loaded, chip)
    same_chip(run.chip(), chip)
    for one in (chip, loaded):
        one.train(ENCODER, max_updates=15, until="end")
    assert loaded.updates == 35
    same_chip(loaded, chip)


def test_the_remainders_of_a_saved_run_change_what_is_learned():
    chip = design("carry").fabricate(3)
    run = chip.train(ENCODER, max_updates=13, until="end")
    assert any(matrix.any() for matrix in run.sums)
    run.sums = [matrix * 0 for matrix in run.sums]
    without = run.chip()
    for one in (chip, without):
        one.train(ENCODER, max_updates=15, until="end")
    assert any(
        (mine != theirs).any()
        for mine, theirs in zip(chip.matrices, without.matrices, strict=True)
    )


def test_only_carried_remainders_are_stored():
    run = design("stochastic").fabricate(0).train(ENCODER, max_updates=3, until="end")
    assert run.sums == []
    ideal = Design(Loop(4, 2), Recirculation(momentum=0.5)).fabricate(0)
    assert ideal.train(ENCODER, max_updates=3, until="end").sums == []


def outside(matrix):
    """Return the least value too large for a carried remainder of a weight, and the range."""
    half = 1 << (matrix.shift - 1)
    return half, rf"{half} is outside {-half}\.\.{half - 1}"


def test_a_checkpoint_with_remainders_that_no_write_leaves_is_refused(tmp_path):
    path, made = tmp_path / "run.npz", design("carry")
    made.fabricate(0).train(ENCODER, max_updates=9, until="end", checkpoint=path)
    value, words = outside(made.lowered(4).layout.matrices[0])
    meta, arrays = load_checkpoint(path)
    meta.pop("format")
    for wrong in (value, 2**31 - 1):
        arrays["sums0"][0, 1, 2] = wrong
        save_checkpoint(path, meta, arrays)
        words = words if wrong == value else f"{wrong} is outside"
        with pytest.raises(rh.CheckpointError, match=f"sums of 'visible>hidden': {words}"):
            made.fabricate(0).train(
                ENCODER, max_updates=9, until="end", checkpoint=path, resume=True
            )


def test_a_checkpoint_with_sums_where_nothing_is_carried_is_refused(tmp_path):
    path, made = tmp_path / "run.npz", design("floor")
    made.fabricate(0).train(ENCODER, max_updates=9, until="end", checkpoint=path)
    meta, arrays = load_checkpoint(path)
    meta.pop("format")
    arrays["sums1"][0, 0, 0] = -1
    save_checkpoint(path, meta, arrays)
    with pytest.raises(rh.CheckpointError, match=r"'hidden>visible': -1 is outside 0\.\.0"):
        made.fabricate(0).train(
            ENCODER, max_updates=9, until="end", checkpoint=path, resume=True
        )


def test_a_saved_run_with_remainders_that_no_write_leaves_is_refused(tmp_path):
    made = design("carry")
    run = made.fabricate(0).train(ENCODER, max_updates=9, until="end")
    value, words = outside(made.lowered(4).layout.matrices[1])
    run.sums[1][0, 0] = value
    with pytest.raises(ValueError, match=f"sums of 'hidden>visible': {words}"):
        run.chip()
    save_runs(tmp_path, [run])
    with pytest.raises(rh.DataError, match=f"sums of 'hidden>visible': {words}"):
        load_runs(tmp_path, made)


def test_carried_updates_are_not_counted_as_dead(tmp_path):
    run = design("carry").fabricate(0).train(ENCODER, max_updates=9, until="end")
    counts = run.record()["counters"]["visible>hidden"]
    assert (counts["asked_updates"], counts["dead_updates"]) == (None, None)
    assert counts["saturated_weights"] is not None
    save_runs(tmp_path, [run])
    assert load_runs(tmp_path, run.design)[0][0].counters == run.counters
    assert counters_table(run).rows[0][3:] == ("-", "-")
