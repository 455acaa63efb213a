"""Principal components: the best any linear code can do, and so the bar to clear.

    x' = mean + W W^t (x - mean),   W the leading eigenvectors of cov(train)

Mean and eigenvectors come from the training cases, the error from the test cases.

Source: Baldi & Hornik 1989, "Neural networks and principal component analysis".
"""

import numpy as np

from recirc_hw.tasks.checks import as_cases, whole_number


def principal_axes(train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean, shape (d,), and the axes, shape (d, d), widest column first."""
    mean = train.mean(axis=0)
    centred = train - mean
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return mean, vectors[:, ::-1]


def error_along(axes: tuple, test: np.ndarray, components: int) -> float:
    """Return the mean squared error per unit that these leading axes leave.

    error = mean over cases and units of (x - x')^2
    """
    mean, vectors = axes
    # The columns are orthonormal: what the other axes hold is all that is lost.
    lost = (test - mean) @ vectors[:, components:]
    return float(np.sum(lost * lost) / test.size)


def pca_error(train, test, components: int) -> float:
    """Return PCA's mean squared error per unit on the test cases.

    Parameters
    ----------
    train, test : array-like of real numbers, shape (n_cases, n_units)
        PCA is fitted on train and measured on test.
    components : int, in 0..n_units
        Length of the code; 0 leaves the mean alone.

    Raises
    ------
    TaskError
        If the cases are not numeric, or components is outside its range.
    """
    train, test = as_cases(train, "train"), as_cases(test, "test")
    components = whole_number("components", components, 0, train.shape[1])
    return error_along(principal_axes(train), test, components)


def pca_reconstruct(train, test, components: int) -> np.ndarray:
    """Return the test cases as PCA rebuilds them, shape (n_cases, n_units).

    Parameters and errors are those of `pca_error`.
    """
    train, test = as_cases(train, "train"), as_cases(test, "test")
    components = whole_number("components", components, 0, train.shape[1])
    mean, vectors = principal_axes(train)
    leading = vectors[:, :components]
    return mean + (test - mean) @ leading @ leading.T


def mean_error(train, test) -> float:
    """Return the mean squared error per unit of answering the mean training case."""
    train, test = as_cases(train, "train"), as_cases(test, "test")
    return float(np.mean((test - train.mean(axis=0)) ** 2))
