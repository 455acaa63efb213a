"""Tasks by their text, as the command line gives them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recirc_hw import tasks
from recirc_hw.errors import DataError, TaskError
from recirc_hw.tasks import names, parse


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("encoder:8", "encoder(8)"),
        ("encoder(8)", "encoder(8)"),
        (" encoder ( 8 ) ", "encoder(8)"),
        ("digits", "digits"),
        ("digits()", "digits"),
        ("digits:", "digits"),
        ("lowrank:6,2,0,3,2", "lowrank(6,2,0,3,2)"),
        ("lowrank(6, 2, 1, 3)", "lowrank(6,2,1,3)"),
        ("addition:3", "addition(3,0,2000,500)"),
        ("addition:1-3", "addition(3,0,2000,500,1)"),
        ("addition(1 - 3)", "addition(3,0,2000,500,1)"),
    ],
)
def test_a_task_is_read_in_either_form(spec, name):
    task = parse(spec)
    assert task.name == name
    assert parse(task.name).fingerprint == task.fingerprint


@pytest.mark.parametrize("form", ["file:{}", "file({})", " file: {} "])
@pytest.mark.parametrize("name", ["x.npy", "a (b), c:d.npy"])
def test_a_file_is_read_by_its_path(tmp_path, form, name):
    np.save(tmp_path / name, np.eye(3))
    task = parse(form.format(tmp_path / name))
    assert np.array_equal(task.train, np.eye(3))
    assert parse(task.name).fingerprint == task.fingerprint


def test_every_name_is_known_and_exported():
    assert names() == (
        "encoder", "lowrank", "digits", "mnist", "fashion", "symmetry", "family_trees",
        "addition", "file", "spikes",
    )  # fmt: skip
    assert all(callable(getattr(tasks, name)) for name in names())
    assert all(hasattr(tasks, name) for name in tasks.__all__)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("digit", "unknown task 'digit', did you mean 'digits'.; allowed: encoder:N, lowrank"),
        ("Encoder:4", "did you mean 'encoder'"),
        ("", "unknown task ''; allowed: "),
        ("xor", "unknown task 'xor'"),
        ("digits.npy", r"unknown task 'digits.npy' \(a file is written file:digits.npy\)"),
        ("encoder", "task 'encoder' takes n; given: nothing"),
        ("encoder:4,5", "task 'encoder' takes n; given: 4,5"),
        ("encoder:four", "encoder: n = 'four'; allowed: a whole number"),
        ("encoder:4.0", "encoder: n = '4.0'"),
        ("encoder:1", r"encoder: n = 1; allowed: a whole number in 2\.\."),
        ("encoder:" + "9" * 5000, "encoder: n = '999"),
        ("encoder(8", r"task 'encoder\(8': a closing '\)' is missing"),
        ("encoder(8)9", "or text follows it"),
        ("encoder:__import__('os')", "encoder: n = "),
        ("lowrank:10,", "lowrank: rank = ''"),
        ("lowrank:10,20", "lowrank: rank = 20"),
        ("lowrank:10,rank=2", "lowrank: rank = 'rank=2'"),
        ("addition:3-1", "addition: fewest_bits = 3; allowed: a whole number in 1..1"),
        ("addition:0-3", "addition: fewest_bits = 0"),
        ("addition:1-", "addition: bits = '1-'; allowed: a whole number"),
        ("encoder:1-8", "encoder: n = '1-8'"),
        ("digits:3", "task 'digits' takes no arguments; given: 3"),
        ("file", "task 'file' takes a path, such as file:cases.npy"),
        ("file:", "takes a path"),
        ("file:x.txt", "suffix '.txt'"),
        (None, "task = None; allowed: text"),
        (8, "task = 8"),
    ],
)
def test_a_wrong_text_is_refused(spec, message):
    with pytest.raises(TaskError, match=message):
        parse(spec)


def test_a_missing_file_is_a_data_error():
    with pytest.raises(DataError, match="nowhere.npy' does not exist"):
        parse("file:nowhere.npy")


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=20))
def test_any_text_is_a_task_or_an_error_of_ours(text):
    try:
        parse(f"encoder{text}")
    except (TaskError, DataError):
        return
    assert text.strip()[0] in ":("
