"""What every task demands of its numbers and its cases."""

import operator

import numpy as np

from recirc_hw.errors import TaskError


def whole_number(name: str, value, low: int, high: int) -> int:
    """Return value as an int in low..high; booleans and fractions are refused."""
    allowed = f"allowed: a whole number in {low}..{high}"
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TaskError(f"{name} = {value!r}; {allowed}") from None
    if not low <= number <= high:
        raise TaskError(f"{name} = {number}; {allowed}")
    return number


def frozen(array: np.ndarray) -> np.ndarray:
    """Make the array read-only and return it."""
    array.flags.writeable = False
    return array


def as_cases(value, label: str) -> np.ndarray:
    """Return value as read-only, C-contiguous float64 cases, one per row.

    An array that is so already, and owns its memory, is returned as it is;
    anything else is copied, so the caller's array is never shared or changed.

    Parameters
    ----------
    value : array-like of real numbers, shape (n_cases, n_units)
    label : str
        How an error names these cases, for example "file 'x.npy'".

    Raises
    ------
    TaskError
        If value is not numeric, real, finite, two-dimensional and non-empty.
    """
    array = numeric(value, label)
    _check_shape(array, label)
    if not (array.dtype == np.float64 and _is_private(array)):
        with np.errstate(over="ignore"):
            array = frozen(np.array(array, dtype=np.float64, order="C", copy=True, subok=False))
    _check_finite(array, label)
    return array


def numeric(value, label: str) -> np.ndarray:
    """Return value as a NumPy array of booleans, integers or reals.

    Raises
    ------
    TaskError
        If it is ragged, masked, or holds complex numbers, text or objects.
    """
    if np.ma.is_masked(value):
        count = np.ma.count_masked(value)
        raise TaskError(
            f"{label}: {_count(count, 'value')} masked; every case must be complete"
        )
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise TaskError(f"{label}: not a table of numbers ({error})") from None
    if array.dtype.kind not in "biuf":
        raise TaskError(
            f"{label}: values of dtype {array.dtype}; allowed: real numbers "
            "(float, integer or boolean)"
        )
    return array


def as_floats(value, label: str) -> np.ndarray:
    """Return real numbers as float64; what is too large for it becomes infinite.

    Raises
    ------
    TaskError
        As `numeric` does.
    """
    with np.errstate(over="ignore"):
        return numeric(value, label).astype(np.float64, copy=False)


def as_flags(value, label: str, *shapes) -> np.ndarray:
    """Return value as a NumPy array of booleans, of one of these shapes.

    Raises
    ------
    TaskError
        If it is none: numbers are not taken for booleans.
    """
    array = numeric(value, label)
    if array.dtype != bool or array.shape not in shapes:
        allowed = " or ".join(map(str, shapes))
        raise TaskError(
            f"{label}: {array.dtype} of shape {array.shape}; allowed: bool of shape {allowed}"
        )
    return array


def with_targets(value, size: int, n_targets: int) -> np.ndarray:
    """Return cases for a network as finite float64; targets left out are 0.

    Parameters
    ----------
    value : array-like of real numbers, shape (n, size) or (size,)
        Or n_targets fewer, the last of a case.
    size, n_targets : int
        Values of a case, and how many of them are targets.

    Raises
    ------
    TaskError
        If it is not of that shape, or not finite real numbers.
    """
    cases = as_floats(value, "cases")
    if n_targets and cases.shape[-1:] == (size - n_targets,):
        cases = np.concatenate([cases, np.zeros((*cases.shape[:-1], n_targets))], axis=-1)
    if cases.ndim not in (1, 2) or cases.shape[-1] != size or not cases.size:
        raise TaskError(f"cases: want shape (n, {size}) or ({size},), got {cases.shape}")
    if not np.isfinite(cases).all():
        raise TaskError("cases: NaN or infinite values")
    return cases


def _check_shape(array, label):
    """Refuse anything but at least one case of at least one unit."""
    if array.ndim == 1:
        n = len(array)
        raise TaskError(f"{label}: shape ({n},); a single case? pass it as shape (1, {n})")
    if array.ndim != 2:
        raise TaskError(
            f"{label}: shape {array.shape}; allowed: two dimensions (n_cases, n_units), "
            "so flatten each case into one row"
        )
    if 0 in array.shape:
        raise TaskError(
            f"{label}: shape {array.shape} is empty; at least 1 case and 1 unit are needed"
        )


def _check_finite(array, label):
    """Refuse NaN and infinity, naming how many there are and where the first is."""
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum()):
            return
    wrong = ~np.isfinite(array)
    count = int(wrong.sum())
    if count:
        row, column = np.argwhere(wrong)[0]
        raise TaskError(
            f"{label}: {_count(count, 'value')} NaN or infinite, the first at row {row}, "
            f"column {column} (counted from 0)"
        )


def _count(count, noun):
    """Return "1 value is" or "3 values are"."""
    return f"{count} {noun} is" if count == 1 else f"{count} {noun}s are"


def _is_private(array):
    """Tell whether nobody else can change this array, so that no copy is needed."""
    return (
        type(array) is np.ndarray
        and array.flags.c_contiguous
        and array.flags.owndata
        and not array.flags.writeable
    )
