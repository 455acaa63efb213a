"""Checkpoints: whole or not at all, of this training or refused, and nothing in them runs."""

import errno
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from recirc_hw import (
    Backprop,
    CheckpointError,
    Design,
    FixedPoint,
    Loop,
    Recirculation,
    tasks,
    train,
)
from recirc_hw.training import loop
from recirc_hw.training.checkpoint import FORMAT, load_checkpoint, save_checkpoint

ENCODER = tasks.encoder(4)
DESIGN = Design(Loop(4, 2), Recirculation())
SHORT = {"max_updates": 12, "until": "end"}


@pytest.fixture
def path(tmp_path):
    """Return the checkpoint of a finished training."""
    path = tmp_path / "run.npz"
    DESIGN.fabricate(0).train(ENCODER, checkpoint=path, **SHORT)
    return path


def resume(path, design=DESIGN, seeds=(0,), task=ENCODER, **options):
    chips = [design.fabricate(seed) for seed in seeds]
    return train(chips, task, checkpoint=path, resume=True, **{**SHORT, **options})


def test_arrays_and_text_survive(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([True, False])}
    save_checkpoint(tmp_path / "x", {"done": 3, "names": ["a", None]}, arrays)
    meta, found = load_checkpoint(tmp_path / "x")
    assert meta == {"format": FORMAT, "done": 3, "names": ["a", None]}
    for name, values in arrays.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].dtype == values.dtype


def test_a_finished_training_is_not_trained_again(path):
    again, wanted = resume(path)[0], DESIGN.fabricate(0).train(ENCODER, **SHORT)
    assert again.total_updates == 12
    np.testing.assert_array_equal(again.weights[0], wanted.weights[0])
    assert repr(again.probes) == repr(wanted.probes)


def test_without_resume_a_training_starts_anew(path):
    chip = DESIGN.fabricate(0)
    run = chip.train(ENCODER, checkpoint=path, **SHORT)
    assert run.total_updates == chip.updates == 12


def test_resuming_where_there_is_no_file_starts_at_the_beginning(tmp_path):
    assert resume(tmp_path / "none.npz")[0].total_updates == 12


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            {"design": Design(Loop(4, 3), Recirculation())},
            r"network.n_hidden: it has \[2\], this training \[3\]",
        ),
        (
            {"design": DESIGN.replace("network.initial_range", 0.25)},
            "network.initial_range: it has 0.5, this training 0.25",
        ),
        (
            {"design": DESIGN.replace("substrate.precision", "float32")},
            'substrate.precision: it has "float64", this training "float32"',
        ),
        (
            {"design": Design(DESIGN.network, DESIGN.rule, FixedPoint())},
            'substrate.type: it has "ideal", this training "fixed_point"',
        ),
        (
            {"design": Design(DESIGN.network, Backprop())},
            'rule.type: it has "recirculation", this training "backprop"',
        ),
        (
            {"design": DESIGN.replace("rule.regression", 0.5)},
            "rule.regression: it has 0.75, this training 0.5",
        ),
        (
            {"design": DESIGN.replace("rule.hidden_regression", 0.5)},
            "rule.hidden_regression: it has none, this training 0.5",
        ),
        ({"design": DESIGN.replace("rule.learning_rate", 19.0)}, "rule.learning_rate"),
        (
            {"task": tasks.from_array(np.eye(4), batch_size=4, test_share=0)},
            r'task: it has "encoder\(4\)", this training "array"',
        ),
        (
            {
                "task": tasks.from_array(
                    np.eye(4)[::-1], name="encoder(4)", batch_size=4, test_share=0
                )
            },
            "set of cases",
        ),
        ({"seeds": (1,)}, "chip seeds"),
        ({"seeds": (0, 1), "probes": True}, "chip seeds"),
        ({"batch_size": 2}, "batch size"),
        ({"max_updates": 13}, "number of updates: it has 12, this training 13"),
        ({"until": "learned"}, "until"),
        ({"hold": 3}, "hold"),
        ({"probes": False}, "probes"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(path, change, what):
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=f"is of another {what}"):
        resume(path, **change)
    assert path.read_bytes() == before


def rewritten(path, change):
    """Save a checkpoint again after a change of its meta and arrays."""
    meta, arrays = load_checkpoint(path)
    change(meta, arrays)
    meta.pop("format", None)
    save_checkpoint(path, meta, arrays)


@pytest.mark.parametrize("identity", [None, 3, [], {}])
def test_a_checkpoint_without_an_identity_is_refused(path, identity):
    rewritten(path, lambda meta, arrays: meta.update(identity=identity))
    with pytest.raises(CheckpointError, match="is of another network.type: it has none"):
        resume(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda meta, arrays: arrays.pop("weights0"), "array 'weights0' is missing"),
        (lambda meta, arrays: arrays.pop("active"), "array 'active' is missing"),
        (lambda meta, arrays: meta.pop("done"), "done: field required"),
        (lambda meta, arrays: meta.pop("tests"), "tests: field required"),
        (lambda meta, arrays: meta.update(done="many"), "done = 'many': .* valid integer"),
        (lambda meta, arrays: meta.update(done=-1), "done = -1: .* greater than or equal"),
        (lambda meta, arrays: meta.update(done=10**6), "done = 1000000: want at most 12"),
        (lambda meta, arrays: meta.update(wall_s="1"), "wall_s = '1': .* valid number"),
        (lambda meta, arrays: meta.update(before=[0, 0]), "before: want 1 values.* got 2"),
        (lambda meta, arrays: meta.update(before=[0.5]), r"before\[0\] = 0.5"),
        (lambda meta, arrays: meta.update(probes=3), "probes = 3: .* valid list"),
        (lambda meta, arrays: meta["probes"][0].pop("chips"), r"probes\[0\].chips: field"),
        (lambda meta, arrays: meta["probes"][1]["chips"].clear(), r"probes\[1\].chips: want 1"),
        (
            lambda meta, arrays: meta["probes"][0]["chips"][0].update(change=[1.0, "2"]),
            r"probes\[0\].chips\[0\].change\[1\] = '2'",
        ),
        (
            lambda meta, arrays: meta["tests"].append(
                {"update": 3, "error": [0.5], "cross_entropy": []}
            ),
            r"tests\[0\].cross_entropy: want 1 values, one per chip, got 0",
        ),
        (
            lambda meta, arrays: arrays.update(weights0=np.zeros((1, 2, 4))),
            r"array 'weights0': want float64 of shape \(1, 2, 5\), got .* \(1, 2, 4\)",
        ),
        (
            lambda meta, arrays: arrays.update(sums1=arrays["sums1"].astype(np.float32)),
            "array 'sums1': want float64 of .* got float32",
        ),
        (
            lambda meta, arrays: arrays.update(updates=arrays["updates"].astype(float)),
            "array 'updates': want int64 .* got float64",
        ),
    ],
)
def test_a_checkpoint_with_a_part_missing_or_wrong_is_refused(path, change, words):
    rewritten(path, change)
    chip = DESIGN.fabricate(0)
    with pytest.raises(CheckpointError, match=f"run.npz': {words}"):
        chip.train(ENCODER, checkpoint=path, resume=True, **SHORT)
    np.testing.assert_array_equal(chip.weights[0], DESIGN.fabricate(0).weights[0])


def test_a_checkpoint_with_codes_outside_their_format_is_refused(tmp_path):
    design = Design(Loop(4, 2), Recirculation(), FixedPoint(weight_bits=6))
    path = tmp_path / "run.npz"
    design.fabricate(0).train(ENCODER, checkpoint=path, **SHORT)
    rewritten(path, lambda meta, arrays: arrays["weights1"].fill(32))
    with pytest.raises(
        CheckpointError, match="run.npz': weights of 'hidden>visible': codes 32"
    ):
        resume(path, design)


def test_a_truncated_checkpoint_is_refused(path):
    content = path.read_bytes()
    for length in [0, 1, 3, 4, 22, 100, len(content) // 2, len(content) - 23, len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match="run.npz"):
            resume(path)


def test_a_damaged_checkpoint_is_refused_or_harmless(path):
    content = path.read_bytes()
    wanted = resume(path)[0].weights[0]
    random, refused = np.random.default_rng(4), 0
    for place in random.choice(len(content), 250, replace=False):
        damaged = bytearray(content)
        damaged[place] ^= 1 << random.integers(8)
        path.write_bytes(damaged)
        try:
            found = resume(path)[0].weights[0]
        except CheckpointError:
            refused += 1
        else:  # a bit that says nothing, such as a date in the archive
            np.testing.assert_array_equal(found, wanted)
    assert refused > 50


class Trap:
    """Where this is unpickled, a file appears."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_what_is_no_checkpoint_is_refused_and_never_run(tmp_path):
    def stored(name, write):
        with open(tmp_path / name, "wb") as stream:
            write(stream)
        return tmp_path / name

    sprung = tmp_path / "sprung"
    trap = np.array([Trap(sprung)], dtype=object)
    text = np.frombuffer(b'{"format": 1}', np.uint8)
    paths = [
        stored("text", lambda s: s.write(b"[network]\nn_visible = 4\n")),
        stored("array.npy", lambda s: np.save(s, np.eye(3))),
        stored("pickle.npy", lambda s: np.save(s, trap, allow_pickle=True)),
        stored("pickle.npz", lambda s: np.savez(s, meta=text, weights0=trap)),
        stored("meta.npz", lambda s: np.savez(s, meta=trap)),
        stored("bare.npz", lambda s: np.savez(s, weights0=np.eye(3))),
        stored("json.npz", lambda s: np.savez(s, meta=np.frombuffer(b"{", np.uint8))),
        stored("list.npz", lambda s: np.savez(s, meta=np.frombuffer(b"[1]", np.uint8))),
        stored("late.npz", lambda s: np.savez(s, meta=np.frombuffer(b'{"format": 2}', "u1"))),
        tmp_path,
    ]
    for path in paths:
        with pytest.raises(CheckpointError, match=str(path)):
            resume(path)
    assert not sprung.exists()


# -- places where nothing can be written


def leftovers(folder):
    return [entry.name for entry in folder.iterdir() if entry.name.startswith(".")]


def test_a_path_below_a_file_is_refused_before_anything_is_trained(tmp_path):
    (tmp_path / "plain").write_text("kept")
    chip = DESIGN.fabricate(0)
    for path in (tmp_path / "plain" / "run.npz", tmp_path / "plain" / "deep" / "run.npz"):
        with pytest.raises(CheckpointError, match="cannot write checkpoint"):
            chip.train(ENCODER, checkpoint=path, **SHORT)
    np.testing.assert_array_equal(chip.weights[0], DESIGN.fabricate(0).weights[0])
    assert (tmp_path / "plain").read_text() == "kept"


def test_a_folder_that_is_not_there_yet_is_made(tmp_path):
    DESIGN.fabricate(0).train(ENCODER, checkpoint=tmp_path / "a" / "b" / "run.npz", **SHORT)
    assert resume(tmp_path / "a" / "b" / "run.npz")[0].total_updates == 12


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_checkpoint_and_no_rest(path, call, monkeypatch):
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(CheckpointError, match="cannot write checkpoint .*No space left"):
            DESIGN.fabricate(0).train(ENCODER, checkpoint=path, max_updates=5)
    assert path.read_bytes() == before
    assert leftovers(path.parent) == []
    assert resume(path)[0].total_updates == 12


def test_a_checkpoint_is_saved_with_the_mode_of_any_other_file(path):
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask
    assert leftovers(path.parent) == []


def test_checkpoints_are_saved_while_training(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_S", 0.0)
    path, seen = tmp_path / "run.npz", []

    def look(done, total, error):
        seen.append(load_checkpoint(path)[0]["done"])

    DESIGN.fabricate(0).train(ENCODER, checkpoint=path, progress=look, **SHORT)
    assert seen[0] == 0
    assert len(set(seen)) > 3


# -- sudden death

VICTIM = """
import sys
from recirc_hw import Design, Loop, Recirculation, tasks, train
from recirc_hw.training import loop
loop.SAVE_S, loop.CHUNK_S = 0.0, 1e-3
design = Design(Loop(4, 2), Recirculation(learning_rate=4.0, momentum=0.5))
chips = [design.fabricate(seed) for seed in range(3)]
train(chips, tasks.encoder(4), until="end", max_updates=30_000, probes=False,
      checkpoint=sys.argv[1], resume=True)
"""


def test_sudden_death_leaves_a_checkpoint_that_can_be_resumed(tmp_path):
    path = tmp_path / "run.npz"
    progress = [0]
    for _ in range(2):
        victim = subprocess.Popen([sys.executable, "-c", VICTIM, str(path)])
        while victim.poll() is None:
            done = load_checkpoint(path)[0]["done"] if path.exists() else 0
            if done > progress[-1] + 500:
                break
            time.sleep(0.01)
        victim.send_signal(signal.SIGKILL)
        assert victim.wait() == -signal.SIGKILL
        progress.append(load_checkpoint(path)[0]["done"])
    assert 0 < progress[1] < progress[2] < 30_000
    design = Design(Loop(4, 2), Recirculation(learning_rate=4.0, momentum=0.5))
    options = {"until": "end", "max_updates": 30_000, "probes": False}
    found = resume(path, design, (0, 1, 2), **options)
    wanted = train([design.fabricate(seed) for seed in range(3)], ENCODER, **options)
    for mine, theirs in zip(found, wanted, strict=True):
        for a, b in zip(mine.weights, theirs.weights, strict=True):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(
            mine.history["train_error"], theirs.history["train_error"]
        )
        assert mine.updates == theirs.updates
