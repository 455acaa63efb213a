"""Runs on disk: what is saved comes back, and what is broken is refused."""

import errno
import json
import os
from dataclasses import fields

import numpy as np
import pytest

from recirc_hw import (
    Backprop,
    DataError,
    Design,
    FixedPoint,
    Loop,
    Recirculation,
    Run,
    tasks,
    train,
)
from recirc_hw.training import load_runs, save_runs
from recirc_hw.training.run import versions

DESIGN = Design(Loop(4, 3, 2), Recirculation(learning_rate=5.0))
ARRAYS = ("weights", "history", "probes", "design")


@pytest.fixture(scope="module")
def runs():
    """Return the runs of two chips, with probes; symmetry has no value where shapes differ."""
    chips = [DESIGN.fabricate(seed) for seed in (0, 1)]
    return train(chips, tasks.encoder(4), max_updates=30, probes=True)


@pytest.fixture
def folder(runs, tmp_path):
    save_runs(tmp_path / "deep" / "run", runs, design_file="chip.toml", chips=2)
    return tmp_path / "deep" / "run"


def same(first, second):
    """Compare numbers within lists and dicts; NaN, which JSON has not, equals None."""
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[k], second[k]) for k in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(same, first, second))
    missing = [value is None or value != value for value in (first, second)]
    return all(missing) if any(missing) else first == second


def test_runs_come_back_as_they_were(runs, folder):
    found, settings = load_runs(folder, DESIGN)
    assert settings["design_file"] == "chip.toml"
    assert settings["chips"] == 2
    for mine, wanted in zip(found, runs, strict=True):
        for field in fields(Run):
            if field.name not in ARRAYS:
                assert same(getattr(mine, field.name), getattr(wanted, field.name)), field.name
        assert mine.held == wanted.held
        for a, b in zip(mine.weights, wanted.weights, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
        assert mine.history.keys() == wanted.history.keys()
        for name, values in wanted.history.items():
            np.testing.assert_array_equal(mine.history[name], values)
        assert same(mine.probes, wanted.probes)
        assert np.isnan(mine.probes[0]["symmetry"]).any()


def test_the_record_is_strict_json(folder):
    def refuse(constant):
        raise AssertionError(constant)

    text = (folder / "run.json").read_text(encoding="utf-8")
    record = json.loads(text, parse_constant=refuse)
    assert len(record["runs"]) == 2
    assert record["runs"][0]["versions"] == versions()


def test_a_run_that_diverged_comes_back_too(tmp_path):
    network = Loop(4, 3, visible="identity", hidden="identity")
    design = Design(network, Backprop(learning_rate=50.0))
    task = tasks.from_array(np.eye(4), batch_size=4, test_share=0)
    run = design.fabricate(0).train(task, max_updates=3000, until="end", probes=False)
    assert run.diverged
    save_runs(tmp_path, [run])
    (found,), _ = load_runs(tmp_path, design)
    assert found.diverged
    assert np.isnan(found.error)
    assert np.isnan(found.held_share)
    np.testing.assert_array_equal(found.weights[0], run.weights[0])


@pytest.mark.parametrize("name", ["run.json", "weights.npz"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}", b"PK\x03\x04", b"\xff\xfe"])
def test_a_broken_run_is_refused(folder, name, content):
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(DataError, match="cannot read run"):
        load_runs(folder, DESIGN)


def test_a_truncated_run_is_refused(folder):
    for name in ("run.json", "weights.npz"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
        with pytest.raises(DataError, match="cannot read run"):
            load_runs(folder, DESIGN)
        (folder / name).write_bytes(content)


def changed(folder, place, value):
    """Put a value into run.json at a place such as ("runs", 0, "learned")."""
    record = json.loads((folder / "run.json").read_text())
    *way, last = place
    holder = record
    for step in way:
        holder = holder[step]
    if value is GONE:
        del holder[last]
    else:
        holder[last] = value
    (folder / "run.json").write_text(json.dumps(record))


GONE = object()
WRONG = [
    (("format",), 2, "format = 2"),
    (("runs",), [], "runs = \\[\\]: .* at least 1"),
    (("runs",), {}, "runs = {}"),
    (("runs", 1), 7, "runs\\[1\\] = 7"),
    (("runs", 1, "history"), GONE, "runs\\[1\\].history: field required"),
    (("runs", 1, "learned"), GONE, "runs\\[1\\].learned: field required"),
    (("runs", 0, "learned"), "yes", "runs\\[0\\].learned = 'yes': .* boolean"),
    (("runs", 0, "learned"), 1, "runs\\[0\\].learned = 1: .* boolean"),
    (("runs", 0, "updates"), [], "runs\\[0\\].updates = \\[\\]: .* integer"),
    (("runs", 0, "updates"), 2.5, "runs\\[0\\].updates = 2.5"),
    (("runs", 0, "total_updates"), 10**30, "total_updates = 1000.*: .* less than"),
    (("runs", 0, "updates"), -3, "updates = -3: .* greater than or equal to 0"),
    (("runs", 0, "metric"), "luck", "metric = 'luck': .* 'unit_error' or 'squared_error'"),
    (("runs", 0, "seed"), None, "seed = None"),
    (("runs", 0, "task"), 3, "task = 3: .* string"),
    (("runs", 0, "wall_s"), "long", "wall_s = 'long': .* number"),
    (("runs", 0, "versions"), [], "versions = \\[\\]: .* dict"),
    (("runs", 0, "versions", "numpy"), 2, "versions.numpy = 2: .* string"),
    (("runs", 0, "history", "update"), "many", "history.update = 'many': .* list"),
    (("runs", 0, "history", "train_error", 2), "low", "history.train_error\\[2\\] = 'low'"),
    (("runs", 0, "history", "train_error"), [0.5], "runs\\[0\\]: history: want update, train_"),
    (("runs", 0, "history", "test_error"), GONE, "runs\\[0\\]: history: want test_update"),
    (("runs", 0, "probes"), {}, "probes = {}"),
    (("runs", 0, "probes", 1, "change"), [1.0], "probes\\[1\\].change: want 3 values.* got 1"),
    (("runs", 0, "probes", 1, "change", 0), "x", "probes\\[1\\].change\\[0\\] = 'x'"),
    (("runs", 0, "probes", 1, "update"), GONE, "probes\\[1\\].update: field required"),
    (("runs", 0, "probes", 1, "symmetry"), 0.5, "probes\\[1\\].symmetry = 0.5"),
    (("runs", 0, "counters"), 4, "counters = 4"),
    (("runs", 0, "counters"), {}, "counters: Ideal chips count nothing"),
]


@pytest.mark.parametrize(("place", "value", "words"), WRONG)
def test_a_field_of_a_run_that_is_wrong_is_named(folder, place, value, words):
    changed(folder, place, value)
    with pytest.raises(DataError, match=f"cannot read run '{folder}': run.json: .*{words}"):
        load_runs(folder, DESIGN)


def test_a_run_that_learned_has_a_number_of_updates(folder, runs):
    learned = runs[0].learned
    changed(folder, ("runs", 0, "updates"), None if learned else 3)
    with pytest.raises(DataError, match=rf"runs\[0\]: learned = {learned} with updates"):
        load_runs(folder, DESIGN)


def test_counters_of_other_matrices_are_refused(tmp_path):
    design = Design(Loop(4, 2), Recirculation(), FixedPoint())
    save_runs(tmp_path, [design.fabricate(0).train(tasks.encoder(4), max_updates=2)])
    for place in (("hidden>visible",), ("hidden>visible", "dead_updates")):
        kept = (tmp_path / "run.json").read_text()
        changed(tmp_path, ("runs", 0, "counters", *place), GONE)
        with pytest.raises(DataError, match=r"runs\[0\].counters: want saturated_weights"):
            load_runs(tmp_path, design)
        (tmp_path / "run.json").write_text(kept)


def test_codes_outside_their_format_are_refused(tmp_path):
    design = Design(Loop(4, 2), Recirculation(), FixedPoint(weight_bits=6))
    run = design.fabricate(0).train(tasks.encoder(4), max_updates=2)
    run.weights[1][0, 0] = 32
    save_runs(tmp_path, [run])
    with pytest.raises(DataError, match="weights.npz: weights of 'hidden>visible': codes"):
        load_runs(tmp_path, design)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "[" * 100_000])
def test_what_is_no_json_is_refused(folder, text):
    (folder / "run.json").write_text(text)
    with pytest.raises(DataError, match="cannot read run .*: run.json: "):
        load_runs(folder, DESIGN)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda arrays: arrays.pop("1_2"), "array '1_2' is missing"),
        (
            lambda arrays: arrays.update({"0_1": np.eye(2)}),
            r"array '0_1': want float64 of .* got",
        ),
        (
            lambda arrays: arrays.update({"0_1": arrays["0_1"] > 0}),
            "array '0_1': want .* got bool",
        ),
    ],
)
def test_weights_of_another_design_are_refused(folder, change, words):
    with np.load(folder / "weights.npz") as stored:
        arrays = dict(stored)
    change(arrays)
    np.savez(folder / "weights.npz", **arrays)
    with pytest.raises(DataError, match=f"cannot read run .*: weights.npz: {words}"):
        load_runs(folder, DESIGN)


def test_a_folder_that_cannot_be_written_is_refused(runs, tmp_path, monkeypatch):
    (tmp_path / "plain").write_text("")
    with pytest.raises(DataError, match="cannot write into"):
        save_runs(tmp_path / "plain", runs)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left"):
        save_runs(tmp_path / "run", runs)
    assert list((tmp_path / "run").iterdir()) == []
