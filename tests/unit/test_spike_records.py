"""Records of spiking chips: in memory or on disk, whole or of a window, and their files."""

import json
import resource
import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.backends import Job, Watch, native, spike_recorder
from recirc_hw.spike_record import KINDS

SHORT = {
    "tau_ms": 20.0, "tau_hidden_ms": 12.0, "release_ms": 40.0, "readout_ms": 60.0,
}  # fmt: skip
CASES = np.eye(4)[:3]


def chip_of(sizes=(4, 2), **fields):
    rule, substrate = rh.Recirculation(learning_rate=40.0), rh.Spiking(**{**SHORT, **fields})
    return rh.Design(rh.Loop(*sizes), rule, substrate).fabricate(3)


def assert_same(found, wanted):
    # Weights are settled where a part of a record ends: sums in another order.
    assert found.window == wanted.window
    np.testing.assert_array_equal(found.time_ms, wanted.time_ms)
    for name, spikes in wanted.spikes.items():
        for mine, theirs in zip(found.spikes[name], spikes, strict=True):
            np.testing.assert_array_equal(mine, theirs)
            assert mine.dtype == theirs.dtype
        for kind in KINDS:
            np.testing.assert_allclose(
                getattr(found, kind)[name], getattr(wanted, kind)[name], 0, 1e-12, err_msg=kind
            )


@pytest.mark.parametrize("window_ms", [None, (70.0, 153.0), (81.0, 82.0)])
def test_a_record_in_a_folder_is_the_one_in_memory(window_ms, tmp_path, monkeypatch):
    chip = chip_of((5, 3, 2), neurons=2)
    cases = np.random.default_rng(0).random((3, 5))
    wanted = chip.record(cases, window_ms)
    monkeypatch.setattr(spike_recorder, "ROOM", 10_000)  # some twenty steps
    found = chip.record(cases, window_ms, tmp_path / "record")
    assert isinstance(found.potential["visible"], np.memmap)
    assert found.potential["visible"].shape == (len(wanted.time_ms), 5, 2)
    assert_same(found, wanted)
    assert_same(rh.SpikeRecord.load(tmp_path / "record"), wanted)
    assert_same(chip.record(cases, window_ms), wanted)  # in parts, too
    with pytest.raises(ValueError, match="read-only"):
        found.slow["visible"][0] = 1


def test_the_phases_of_a_record_are_those_in_its_window():
    chip = chip_of()
    assert chip.record(CASES, (90.0, 200.0)).phases == (
        ("release", 80.0, 120.0), ("clamp", 120.0, 200.0)
    )  # fmt: skip
    assert len(chip.record(CASES).phases) == 6
    fine = chip_of(dt_ms=0.1).record(np.tile(CASES, (7, 1)), (120.0 * 7, 120.0 * 14))
    assert len(fine.phases) == 14


def peak_of(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_length_of_a_record_in_a_folder(tmp_path, monkeypatch):
    # 40 cases are 4800 steps of 3 x 6 x 8 bytes and more, .7 MB; what may differ between
    # 5 and 40 cases are lists and strings.
    monkeypatch.setattr(spike_recorder, "ROOM", 20_000)
    chip, cases = chip_of(), np.tile(np.eye(4), (10, 1))
    chip.record(cases[:2], folder=tmp_path / "first")  # what is made once
    peaks = [
        peak_of(lambda n=n: chip.record(cases[:n], folder=tmp_path / f"record {n}"))
        for n in (5, 40)
    ]
    written = sum(path.stat().st_size for path in (tmp_path / "record 40").iterdir())
    assert written > 900_000
    assert abs(peaks[1] - peaks[0]) < 20_000, peaks
    assert peak_of(lambda: chip.record(cases)) > written / 2
    assert peak_of(lambda: chip.record(cases, (4700.0, 4800.0))) < written / 4


@contextmanager
def files_of_at_most(n_bytes):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_nothing_half_written(tmp_path):
    chip = chip_of()
    with files_of_at_most(10_000), pytest.raises(rh.DataError, match="cannot write record"):
        chip.record(CASES, folder=tmp_path / "record")
    (tmp_path / "spikes.csv").write_text("before")
    record = chip.record(np.tile(CASES, (20, 1)))
    for name in ("spikes.csv", "spikes.npz"):
        with files_of_at_most(100), pytest.raises(rh.DataError, match="File too large"):
            record.save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["spikes.csv"]
    assert (tmp_path / "spikes.csv").read_text() == "before"


def test_a_folder_that_is_there_or_cannot_be_made_is_refused(tmp_path):
    chip, taken = chip_of(), tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("all of it")
    with pytest.raises(rh.DataError, match="taken': something is there already"):
        chip.record(CASES, folder=taken)
    assert (taken / "thesis.txt").read_text() == "all of it"
    for folder in (tmp_path / "none" / "record", taken / "thesis.txt" / "record"):
        with pytest.raises(rh.DataError, match=f"cannot write record '{folder}'"):
            chip.record(CASES, folder=folder)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_record_that_fails_on_the_way_leaves_nothing(tmp_path, monkeypatch):
    def fail(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(spike_recorder._Recorder, "_pass_on", fail)
    with pytest.raises(KeyboardInterrupt):
        chip_of().record(CASES, folder=tmp_path / "record")
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_record_is_refused(tmp_path):
    with pytest.raises(rh.DataError, match="cannot read record .*No such file"):
        rh.SpikeRecord.load(tmp_path / "none")
    chip_of().record(CASES, folder=tmp_path / "record")
    facts = json.loads((tmp_path / "record" / "facts.json").read_text())
    for broken in ({}, facts | {"arrays": []}, [], facts | {"groups": 3}):
        (tmp_path / "record" / "facts.json").write_text(json.dumps(broken))
        with pytest.raises(rh.DataError, match="holds no record of spikes"):
            rh.SpikeRecord.load(tmp_path / "record")
    (tmp_path / "record" / "facts.json").write_text(json.dumps(facts))
    (tmp_path / "record" / "slow_visible.npy").write_bytes(b"")
    with pytest.raises(rh.DataError, match="record"):
        rh.SpikeRecord.load(tmp_path / "record")


def test_only_a_spiking_chip_takes_a_window_or_a_folder(tmp_path):
    chip = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Analog()).fabricate(0)
    with pytest.raises(rh.UnsupportedError, match="window_ms: only a spiking chip's record"):
        chip.record(CASES[0], window_ms=(0, 1))
    with pytest.raises(rh.UnsupportedError, match="folder: only a spiking chip's record"):
        chip.record(CASES[0], folder=tmp_path / "record")


@pytest.mark.parametrize("write", ["presentation", "step"])
def test_a_record_shows_the_chip_as_it_learns_devices_and_all(write):
    chip = chip_of(device=rh.devices.Codes(bits=5, w_max=16.0), write=write)
    record = chip.record(CASES)
    program, substrate = chip.design.lowered(), chip.design.substrate
    weights = [matrix[None].copy() for matrix in chip.matrices]
    body = substrate.body([3], program)
    job = Job(
        program, weights, [np.zeros_like(w) for w in weights], CASES, np.arange(3)[None],
        np.arange(1, 4), Watch.start(1), body=body,
    )  # fmt: skip
    native.train(job)
    assert any((a[0] != b).any() for a, b in zip(weights, chip.matrices, strict=True))
    np.testing.assert_array_equal(
        np.concatenate([record.slow[name][-1] for name in record.slow]), body.slow[0]
    )
    fired = sum(len(spikes.unit) for spikes in record.spikes.values())
    biases = 2 * 36  # every 10 ms of 360
    assert body.counters[0, :, 0].sum() == fired + biases
