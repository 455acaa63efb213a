"""A user's files: .npy, .npz and .csv, whole and broken."""

import contextlib
import io
import os
import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recirc_hw.errors import DataError, TaskError
from recirc_hw.tasks import file

CASES = np.arange(60.0).reshape(20, 3)


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "x.npy", CASES)
    np.savez(tmp_path / "one.npz", anything=CASES)
    np.savez(tmp_path / "two.npz", train=CASES, test=CASES[:4] + 0.5, labels=np.arange(20))
    np.savez_compressed(tmp_path / "cases.npz", cases=CASES, labels=np.arange(20))
    np.savetxt(tmp_path / "x.csv", CASES, delimiter=",")
    np.savetxt(tmp_path / "head.csv", CASES, delimiter=",", header="a,b,c", comments="")
    return tmp_path


@pytest.mark.parametrize("name", ["x.npy", "one.npz", "cases.npz", "x.csv", "head.csv"])
def test_every_kind_of_file_gives_the_same_cases(folder, name):
    task = file(folder / name, test_share=0, batch_size=5)
    assert np.array_equal(task.train, CASES)
    assert task.name == f"file:{folder / name}"
    assert task.source == str(folder / name)
    assert task.batch_size == 5


def test_an_archive_may_bring_its_own_test(folder):
    task = file(str(folder / "two.npz"))
    assert np.array_equal(task.train, CASES)
    assert np.array_equal(task.test, CASES[:4] + 0.5)


def test_an_archive_of_a_lone_test_array_is_its_cases(folder):
    np.savez(folder / "lone.npz", test=CASES)
    assert len(file(folder / "lone.npz").train) == 16


def test_an_option_goes_before_what_the_file_says(folder):
    task = file(folder / "two.npz", test=CASES[:1], name="mine")
    assert (task.name, len(task.test)) == ("mine", 1)


def test_suffixes_may_be_in_capitals(folder):
    (folder / "x.npy").rename(folder / "X.NPY")
    assert file(folder / "X.NPY").n_units == 3


def test_the_home_folder_may_be_written_as_a_tilde(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert file("~/x.npy").n_units == 3


def test_values_that_are_not_finite_are_placed_by_row_and_column(folder):
    wrong = CASES.copy()
    wrong[4, 2] = wrong[5, 0] = np.nan
    wrong[6, 1] = np.inf
    np.save(folder / "wrong.npy", wrong)
    message = r"file '.*wrong.npy': 3 values are NaN or infinite, the first at row 4, column 2"
    with pytest.raises(TaskError, match=message):
        file(folder / "wrong.npy")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("x.txt", TaskError, r"suffix '.txt'; allowed: .npy, .npz, .csv"),
        ("x", TaskError, "suffix ''"),
        ("missing.npy", DataError, "does not exist"),
        ("no/such/missing.csv", DataError, "does not exist"),
        ("nul\0.npy", DataError, "does not exist"),
        ("long" * 2000 + ".npy", DataError, "does not exist"),
        ("dir.npy", DataError, "is a folder"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(folder, name, error, message):
    (folder / "dir.npy").mkdir()
    with pytest.raises(error, match=message):
        file(os.path.join(folder, name))


@pytest.mark.parametrize("path", [None, 3, b"x.npy", ["x.npy"]])
def test_a_path_must_be_text_or_a_path(path):
    with pytest.raises(TaskError, match="path = "):
        file(path)


@pytest.mark.parametrize("name", ["x.npy", "one.npz", "cases.npz"])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.95])
def test_a_file_cut_short_is_named(folder, name, share):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=f"{name}' cannot be read as"):
        file(folder / name)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
@given(st.sampled_from(["x.npy", "cases.npz", "x.csv"]), st.data())
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_never_raises_anything_but_ours(folder, name, data):
    content = bytearray((folder / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = folder / f"damaged.{name.rsplit('.', 1)[1]}"
    damaged.write_bytes(content)
    with contextlib.suppress(TaskError, DataError):
        file(damaged)


def test_python_objects_are_never_unpickled(folder):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    np.save(folder / "bomb.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    np.savez(folder / "bomb.npz", cases=np.array([Bomb()], dtype=object))
    (folder / "raw.npy").write_bytes(pickle.dumps(Bomb()))
    for name in ("bomb.npy", "bomb.npz", "raw.npy"):
        with pytest.raises(DataError, match="Python objects"):
            file(folder / name)


def test_a_header_that_promises_too_much_is_refused(folder):
    stream = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**9)}
    np.lib.format.write_array_header_1_0(stream, header)
    (folder / "huge.npy").write_bytes(stream.getvalue())
    with pytest.raises(DataError, match="huge.npy"):
        file(folder / "huge.npy")


@pytest.mark.parametrize(
    ("arrays", "found"),
    [
        ({"a": CASES, "b": CASES}, "holds 'a', 'b'; allowed: a single array"),
        ({"train": CASES, "cases": CASES}, "holds 'train', 'cases'"),
        ({}, "holds nothing"),
    ],
)
def test_an_archive_must_say_which_array_is_meant(folder, arrays, found):
    np.savez(folder / "many.npz", **arrays)
    with pytest.raises(TaskError, match=found):
        file(folder / "many.npz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,x\n", "line 2, cell 2: 'x' is not a number"),
        ("a,b\n1,2\n3,4,5\n", "line 3: 3 values; the lines before it have 2"),
        ("1,2\n3\n", "line 2: 1 values"),
        ("1,2\n\n3,\n", "line 3, cell 2: '' is not a number"),
        ("1,2.O\n3,4\n", r"line 1, cell 2: '2\.O' is not a number"),
        ("a,b\nc,d\n1,2\n", "line 2, cell 1: 'c' is not a number"),
        ("1_000,2\n", "line 1, cell 1: '1_000' is not a number"),
        ("1;2\n3;4\n", "line 2, cell 1: '3;4' is not a number"),
        ("a,b\n", r"shape \(0, 0\) is empty"),
        ("", "is empty"),
        ("1,2\n3,nan\n", "1 value is NaN or infinite"),
        ("1,2\n3," + "9" * 200_000, "line 2: field larger than field limit"),
    ],
)
def test_a_wrong_csv_is_refused_with_its_line(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(TaskError, match=f"file '.*t.csv'.*{message}"):
        file(tmp_path / "t.csv")


def test_a_csv_may_have_blank_lines_spaces_and_a_byte_order_mark(tmp_path):
    text = "﻿pixel 1,pixel 2\r\n\r\n 1 , 2e0\r\n,\r\n3,-4\r\n"
    (tmp_path / "t.csv").write_bytes(text.encode())
    assert np.array_equal(file(tmp_path / "t.csv").train, [[1, 2], [3, -4]])


def test_a_csv_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"\xff\xfe1\x00")
    with pytest.raises(DataError, match=r"t\.csv' cannot be read as text"):
        file(tmp_path / "t.csv")
