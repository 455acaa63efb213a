"""Tasks made of the user's own cases, in memory or in a file."""

import os
from numbers import Real
from pathlib import Path

import numpy as np

from recirc_hw.errors import TaskError
from recirc_hw.random_streams import permutation
from recirc_hw.tasks.checks import as_cases, whole_number
from recirc_hw.tasks.criteria import BetterThanPCA
from recirc_hw.tasks.files import read_tables
from recirc_hw.tasks.task import Task, case_label

FEWEST_TO_SPLIT = 10


def from_array(
    cases,
    test=None,
    *,
    name: str = "array",
    batch_size: int = 1,
    epochs: int = 10,
    image_shape: tuple[int, int] | None = None,
    test_share: float = 0.2,
    seed: int = 0,
    source: str = "an array",
) -> Task:
    """Return a task made of these cases, which are copied.

    Without `test`, a random `test_share` of the cases is held out, if there are at
    least 10 of them; of fewer, or with a share of 0, the training cases are the test.

    Parameters
    ----------
    cases, test : array-like of real numbers, shape (n_cases, n_units)
    name : str
    batch_size, epochs, image_shape, source
        As in `Task`.
    test_share : float, 0 <= test_share < 1
    seed : int, in 0..2**64-1
        Which cases are held out.

    Raises
    ------
    TaskError
        If the cases are not real, finite numbers in two dimensions, or an option is
        outside its range.
    """
    _check_share(test_share)
    seed = whole_number("seed", seed, 0, 2**64 - 1)
    # Copied even if read-only: its owner may still make it writable.
    train = np.array(as_cases(cases, case_label(name, "train")))
    if test is not None:
        test = np.array(as_cases(test, case_label(name, "test")))
    else:
        train, test = _split(train, test_share, seed)
    return Task(
        name=name,
        train=train,
        test=test,
        criterion=BetterThanPCA(),
        batch_size=batch_size,
        epochs=epochs,
        image_shape=image_shape,
        held_out=test is not train,
        source=source,
    )


def file(path, **options) -> Task:
    """Return a task made of the cases in a .npy, .npz or .csv file.

    An .npz file holds one array, or arrays named 'train' (or 'cases') and, if there
    is a test, 'test'. A .csv file has one case per line and may start with a header.

    Parameters
    ----------
    path : str or path
    **options
        Those of `from_array`.

    Raises
    ------
    TaskError
        If the kind of file is unknown, or its cases cannot be learned from.
    DataError
        If the file is missing, damaged, or holds Python objects.
    """
    if not isinstance(path, str | os.PathLike):
        raise TaskError(f"path = {path!r}; allowed: text, or a path object")
    cases, test = read_tables(Path(os.path.expanduser(path)))
    options = {"test": test, "name": f"file:{path}", "source": str(path)} | options
    return from_array(cases, **options)


def _check_share(share):
    """Refuse a share that leaves nothing to learn."""
    is_number = isinstance(share, Real) and not isinstance(share, bool)
    if not (is_number and 0 <= share < 1):
        raise TaskError(f"test_share = {share!r}; allowed: a number, 0 <= test_share < 1")


def _split(cases, share, seed):
    """Return (train, test): a random share apart, or the same array twice."""
    n = len(cases)
    if n < FEWEST_TO_SPLIT or share == 0:
        return cases, cases
    n_test = min(max(1, round(share * n)), n - 1)
    order = permutation(seed, "split", n)
    # Sorted, so that each part keeps the order in which its cases came.
    return cases[np.sort(order[n_test:])], cases[np.sort(order[:n_test])]
