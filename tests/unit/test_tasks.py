"""The Task itself, and the tasks that need no file from outside: encoder, lowrank, digits."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits

from recirc_hw import tasks
from recirc_hw.errors import TaskError
from recirc_hw.tasks import Task, UnitError, digits, encoder, lowrank

CASES = np.arange(12.0).reshape(4, 3)


def make(**changed):
    fields = {"name": "x", "train": CASES, "test": CASES + 1, "criterion": UnitError()}
    return Task(**(fields | changed))


def test_cases_are_copied_float64_contiguous_and_read_only():
    given = np.asfortranarray(CASES.astype(np.float32))
    task = make(train=given)
    given[0, 0] = 99
    assert task.train[0, 0] == 0
    assert task.train.dtype == np.float64
    assert task.train.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        task.train[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        task.test[0, 0] = 1


def test_a_read_only_view_of_a_writable_array_is_copied():
    owner = CASES.copy()
    view = owner[:]
    view.flags.writeable = False
    task = make(train=view)
    owner[0, 0] = 99
    assert task.train[0, 0] == 0


def test_a_task_is_frozen_and_compares_by_identity():
    task = make()
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.name = "y"
    assert task == task
    assert task != make()
    assert len({task, make()}) == 2


def test_the_representation_leaves_the_cases_out():
    assert "array" not in repr(make())
    assert "name='x'" in repr(make())


def test_every_epoch_presents_the_training_cases():
    task = make()
    assert task.epoch_cases(0) is task.train
    assert task.epoch_cases(7) is task.train
    assert task.n_units == 3
    assert not task.generated


def test_the_fingerprint_follows_name_shape_train_and_test():
    prints = {
        make().fingerprint,
        make(name="y").fingerprint,
        make(train=CASES + 5).fingerprint,
        make(test=CASES + 5).fingerprint,
        make(train=CASES.reshape(6, 2), test=(CASES + 1).reshape(6, 2)).fingerprint,
    }
    assert len(prints) == 5
    assert make().fingerprint == make(batch_size=7).fingerprint
    assert len(make().fingerprint) == 64


@pytest.mark.parametrize(
    "clone", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
def test_a_copied_or_pickled_task_is_the_same_and_read_only(clone):
    task = encoder(4)
    task.fingerprint  # noqa: B018 (computed before, so that it is pickled too)
    again = clone(task)
    assert again.fingerprint == task.fingerprint
    assert again.test is again.train
    assert not again.train.flags.writeable


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": ""}, "name = ''; allowed: text"),
        ({"name": 3}, "name = 3"),
        ({"criterion": 0.1}, "criterion = 0.1; allowed: a UnitError"),
        ({"until": "lerned"}, "until = 'lerned', did you mean 'learned'"),
        ({"batch_size": 0}, "batch_size = 0; allowed: a whole number in 1"),
        ({"batch_size": True}, "batch_size = True"),
        ({"epochs": 1.5}, "epochs = 1.5"),
        ({"image_shape": (2, 2)}, r"image_shape = \(2, 2\) holds 4 units; a case has 3"),
        ({"image_shape": 3}, "image_shape = 3; allowed: "),
        ({"image_shape": (3,)}, r"image_shape = \(3,\); allowed: "),
        ({"image_shape": (1.5, 2)}, "image_shape = 1.5"),
        ({"held_out": False}, "held_out = False, but test is not train"),
        ({"test": CASES}, "held_out = True, but test is train itself"),
        ({"test": np.ones((2, 4))}, "a test case has 4 units, a training case 3"),
        ({"train": np.ones((0, 3))}, "task 'x', train: shape .* is empty"),
        ({"test": np.ones((3, 0))}, "task 'x', test: shape .* is empty"),
    ],
)
def test_a_wrong_field_is_refused_by_name(changed, message):
    with pytest.raises(TaskError, match=message):
        make(**changed)


def test_an_image_shape_is_kept_as_a_pair_of_int():
    assert make(image_shape=[np.int64(1), 3]).image_shape == (1, 3)


def test_a_single_case_of_a_single_unit_is_a_task():
    one = np.ones((1, 1))
    task = make(train=one, test=one, held_out=False)
    assert task.test is task.train
    assert task.train.shape == (1, 1)


def test_numbers_too_large_to_sum_are_still_finite():
    huge = np.full((2, 2), 1e308)
    assert np.array_equal(make(train=huge, test=huge + 0).train, huge)


def test_the_encoder_turns_one_unit_on_in_each_case():
    task = encoder(8)
    assert np.array_equal(task.train, np.eye(8))
    assert (task.name, task.batch_size, task.epochs) == ("encoder(8)", 8, 1000)
    assert (task.until, task.held_out, task.criterion) == ("learned", False, UnitError(0.1))
    assert task.test is task.train


@pytest.mark.parametrize("n", [1, 0, -4, True, 4.0, "4", None, 5000, np.bool_(True)])
def test_the_encoder_refuses_a_wrong_size(n):
    with pytest.raises(TaskError, match="encoder: n = "):
        encoder(n)


def test_the_encoder_takes_a_numpy_integer():
    assert encoder(np.int32(2)).name == "encoder(2)"


def test_lowrank_cases_lie_in_one_subspace_of_the_given_rank():
    task = lowrank(30, 5, cases=200, test_cases=100)
    together = np.vstack([task.train, task.epoch_cases(1), task.test])
    assert np.linalg.matrix_rank(together) == 5
    assert tasks.pca_error(task.train, task.test, 5) < 1e-20
    assert tasks.pca_error(task.train, task.test, 4) > 0.01


def test_lowrank_draws_fresh_cases_for_each_epoch():
    task = lowrank(10, 3, cases=50, test_cases=20)
    assert task.generated
    assert np.array_equal(task.epoch_cases(0), task.train)
    assert not task.epoch_cases(0).flags.writeable
    assert np.array_equal(task.epoch_cases(2), task.epoch_cases(2))
    assert not task.epoch_cases(2).flags.writeable
    parts = [task.epoch_cases(0), task.epoch_cases(1), task.epoch_cases(2), task.test]
    assert len(np.unique(np.vstack(parts), axis=0)) == 170


def test_lowrank_is_the_papers_at_its_defaults():
    task = lowrank()
    assert task.train.shape == (60_000, 100)
    assert task.test.shape == (10_000, 100)
    assert (task.batch_size, task.epochs, task.held_out) == (100, 1, True)
    # E[x^2] = rank over bases; one basis of 2000 N(0,1) squares has sd 20 sqrt(2/2000) = .63,
    # and 5 sd are less than one in a million.
    assert np.mean(task.train**2) == pytest.approx(20, abs=3.2)
    assert task.criterion.threshold(task, 20) == pytest.approx(0.2)


def test_lowrank_follows_its_seed():
    small = {"d": 6, "rank": 2, "cases": 5, "test_cases": 4}
    first, again, other = lowrank(**small), lowrank(**small), lowrank(**small, seed=1)
    assert np.array_equal(first.train, again.train)
    assert first.fingerprint == again.fingerprint
    assert not np.array_equal(first.train, other.train)
    assert first.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rank": 0}, r"lowrank: rank = 0; allowed: a whole number in 1\.\.100"),
        ({"rank": 101}, "lowrank: rank = 101"),
        ({"d": 10}, r"lowrank: rank = 20; allowed: a whole number in 1\.\.10"),
        ({"d": 0}, "lowrank: d = 0"),
        ({"rank": 2.0}, "lowrank: rank = 2.0"),
        ({"seed": -1}, "lowrank: seed = -1"),
        ({"cases": 0}, "lowrank: cases = 0"),
        ({"test_cases": False}, "lowrank: test_cases = False"),
    ],
)
def test_lowrank_refuses_a_wrong_argument(arguments, message):
    with pytest.raises(TaskError, match=message):
        lowrank(**arguments)


def test_lowrank_refuses_an_epoch_before_the_first():
    with pytest.raises(TaskError, match="epoch = -1"):
        lowrank(3, 1, cases=2, test_cases=2).epoch_cases(-1)


def test_lowrank_names_only_what_differs_from_the_defaults():
    assert lowrank(4, 2, cases=3, test_cases=2).name == "lowrank(4,2,0,3,2)"
    assert lowrank(4, 2, 7).name == "lowrank(4,2,7)"


def test_the_shipped_digits_are_scikit_learns_in_another_order():
    task = digits()
    ours = np.vstack([task.train, task.test]) * 16
    theirs = load_digits().data
    assert np.array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_the_digits_have_the_known_errors():
    task = digits()
    assert task.train.shape == (1437, 64)
    assert task.test.shape == (360, 64)
    # The figures are given to four decimals.
    assert tasks.mean_error(task.train, task.test) == pytest.approx(0.0741, abs=5e-5)
    assert tasks.pca_error(task.train, task.test, 8) == pytest.approx(0.0247, abs=5e-5)
    assert tasks.pca_error(task.train, task.test, 16) == pytest.approx(0.0116, abs=5e-5)


def test_the_digits_are_learned_online_to_the_end():
    task = digits()
    assert (task.batch_size, task.epochs, task.until) == (1, 10, "end")
    assert task.image_shape == (8, 8)
    assert (task.train.min(), task.train.max()) == (0, 1)
    assert digits().fingerprint == task.fingerprint
