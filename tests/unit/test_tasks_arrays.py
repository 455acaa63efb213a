"""A user's own cases: what from_array takes, changes nothing of, and refuses."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recirc_hw.errors import TaskError
from recirc_hw.tasks import BetterThanPCA, from_array

CASES = np.arange(60.0).reshape(20, 3)


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "given_cases",
    [
        CASES.tolist(),
        tuple(map(tuple, CASES)),
        CASES.astype(np.float32),
        CASES.astype(np.float16),
        CASES.astype(np.longdouble),
        CASES.astype(">f8"),
        CASES.astype(np.uint8),
        CASES.astype(np.int64),
        np.asfortranarray(CASES),
        np.repeat(CASES, 2, axis=1)[:, ::2],
        CASES[::-1][::-1],
        read_only(CASES.copy()),
        np.ma.masked_array(CASES),
        CASES.view(type("Sub", (np.ndarray,), {})),
    ],
)
def test_any_real_numeric_table_becomes_the_same_task(given_cases):
    task = from_array(given_cases, test=given_cases)
    for cases in (task.train, task.test):
        assert np.array_equal(cases, CASES)
        assert type(cases) is np.ndarray
        assert cases.dtype == np.float64
        assert cases.flags.c_contiguous
        assert not cases.flags.writeable


def test_booleans_become_zeros_and_ones():
    assert np.array_equal(from_array(np.eye(3, dtype=bool)).train, np.eye(3))


def test_the_callers_array_is_neither_changed_nor_shared():
    mine = CASES.copy()
    task = from_array(mine, test=mine)
    assert mine.flags.writeable
    assert not np.shares_memory(task.train, mine)
    locked = read_only(CASES.copy())
    assert not np.shares_memory(from_array(locked, test=locked).train, locked)
    assert np.array_equal(mine, CASES)


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        (CASES + 1j, "dtype complex128; allowed: real numbers"),
        (CASES.astype(object), "dtype object"),
        ([[Fraction(1, 2)]], "dtype object"),
        ([["a", "b"]], "dtype <U1"),
        (np.array([["2020-01-01"]], dtype="M8[D]"), "dtype datetime64"),
        ([[1.0, 2.0], [3.0]], "not a table of numbers"),
        (None, "dtype object"),
        (3.0, r"shape \(\); allowed: two dimensions"),
        ([1.0, 2.0, 3.0], r"shape \(3,\); a single case\? pass it as shape \(1, 3\)"),
        (np.ones((2, 3, 4)), r"shape \(2, 3, 4\); .* flatten each case"),
        ([], r"shape \(0,\)"),
        (np.ones((0, 3)), r"shape \(0, 3\) is empty; at least 1 case and 1 unit"),
        (np.ones((3, 0)), "is empty"),
        ([[0.0, np.nan]], "1 value is NaN or infinite, the first at row 0, column 1"),
        ([[0, 1], [np.inf, -np.inf]], "2 values are NaN or infinite, the first at row 1, col"),
        (np.ma.masked_array([[1.0, 2.0]], [[False, True]]), "1 value is masked"),
        (np.full((1, 1), np.longdouble("1e4000")), "1 value is NaN or infinite"),
    ],
)
def test_cases_that_cannot_be_learned_are_refused(cases, message):
    with pytest.raises(TaskError, match=message) as caught:
        from_array(cases, name="mine")
    assert "task 'mine', train" in str(caught.value)
    with pytest.raises(TaskError, match="task 'mine', test"):
        from_array(CASES, test=cases if cases is not None else "no", name="mine")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_share": 1}, "test_share = 1; allowed: a number, 0 <= test_share < 1"),
        ({"test_share": -0.1}, "test_share = -0.1"),
        ({"test_share": float("nan")}, "test_share = nan"),
        ({"test_share": "half"}, "test_share = 'half'"),
        ({"test_share": True}, "test_share = True"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": 1.0}, "seed = 1.0"),
        ({"name": 5}, "name = 5"),
        ({"name": ""}, "name = ''"),
        ({"image_shape": (2, 2)}, "image_shape"),
        ({"batch_size": 0}, "batch_size = 0"),
        ({"test": np.ones((4, 2))}, "a test case has 2 units, a training case 3"),
    ],
)
def test_a_wrong_option_is_refused_by_name(options, message):
    with pytest.raises(TaskError, match=message):
        from_array(CASES, **options)


@settings(max_examples=50, deadline=None)
@given(st.integers(10, 60), st.floats(0.001, 0.999), st.integers(0, 2**64 - 1))
def test_a_split_keeps_every_case_once_and_in_order(n, share, seed):
    task = from_array(np.arange(float(n))[:, None], test_share=share, seed=seed)
    assert len(task.test) == min(max(1, round(share * n)), n - 1)
    assert sorted([*task.train[:, 0], *task.test[:, 0]]) == list(range(n))
    assert (np.diff(task.train[:, 0]) > 0).all()
    assert (np.diff(task.test[:, 0]) > 0).all()
    assert task.held_out


def test_the_split_follows_the_seed():
    assert from_array(CASES).fingerprint == from_array(CASES, seed=0).fingerprint
    assert from_array(CASES).fingerprint != from_array(CASES, seed=1).fingerprint


@pytest.mark.parametrize("cases", [CASES[:9], CASES[:1], CASES[:1, :1]])
def test_few_cases_are_their_own_test(cases):
    task = from_array(cases)
    assert task.test is task.train
    assert not task.held_out


def test_a_share_of_zero_holds_nothing_out():
    assert not from_array(CASES, test_share=0).held_out


def test_a_test_given_by_the_user_is_held_out():
    task = from_array(CASES, test=CASES[:2])
    assert task.held_out
    assert task.test.shape == (2, 3)
    assert len(task.train) == 20


def test_the_options_reach_the_task():
    task = from_array(CASES, name="mine", batch_size=4, epochs=2, image_shape=(1, 3))
    assert (task.name, task.batch_size, task.epochs) == ("mine", 4, 2)
    assert (task.image_shape, task.criterion, task.until) == ((1, 3), BetterThanPCA(0.5), "end")
    assert task.source == "an array"
