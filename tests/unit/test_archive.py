"""Runs on disk: what is saved comes back, and what is broken is refused."""

import errno
import json
import os
from dataclasses import fields

import numpy as np
import pytest

from recirc_hw import Backprop, DataError, Design, Loop, Recirculation, Run, tasks, train
from recirc_hw.training import load_runs, save_runs
from recirc_hw.training.run import versions

DESIGN = Design(Loop(4, 3, 2), Recirculation(learning_rate=5.0))
ARRAYS = ("weights", "sums", "history", "probes", "design")


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


def test_a_run_without_all_its_fields_is_refused(folder):
    record = json.loads((folder / "run.json").read_text())
    del record["runs"][1]["history"]
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(DataError, match="cannot read run"):
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
