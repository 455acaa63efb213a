"""PCA against scikit-learn's, and the criteria that rest on it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from recirc_hw import tasks
from recirc_hw.errors import TaskError
from recirc_hw.tasks import BetterThanPCA, SquaredError, UnitError

RNG = np.random.default_rng(1)
TRAIN = RNG.normal(size=(60, 12)) @ RNG.normal(size=(12, 12)) + 3
TEST = RNG.normal(size=(25, 12)) @ RNG.normal(size=(12, 12)) + 3


def sklearn_reconstruct(train, test, components):
    model = PCA(components, svd_solver="full").fit(train)
    return model.inverse_transform(model.transform(test))


@pytest.mark.parametrize("components", [1, 2, 5, 11, 12])
def test_pca_agrees_with_scikit_learn(components):
    theirs = sklearn_reconstruct(TRAIN, TEST, components)
    ours = tasks.pca_reconstruct(TRAIN, TEST, components)
    # eigh of a covariance of condition < 1e6 keeps 12 - 6 = at least 6 digits; it keeps 9.
    np.testing.assert_allclose(ours, theirs, atol=1e-9 * np.abs(TEST).max())
    error = np.mean((TEST - theirs) ** 2)
    assert tasks.pca_error(TRAIN, TEST, components) == pytest.approx(error, rel=1e-9, abs=1e-20)


def test_pca_without_components_is_the_mean_case():
    assert tasks.pca_error(TRAIN, TEST, 0) == pytest.approx(tasks.mean_error(TRAIN, TEST))
    assert tasks.mean_error(TRAIN, TEST) == pytest.approx(np.mean((TEST - TRAIN.mean(0)) ** 2))
    assert np.allclose(tasks.pca_reconstruct(TRAIN, TEST, 0), TRAIN.mean(0))


def test_pca_of_a_single_case_is_that_case():
    assert tasks.pca_error([[1.0, 2.0]], [[1.0, 2.0]], 1) == 0
    assert tasks.mean_error([[1.0, 2.0]], [[2.0, 4.0]]) == 2.5


@pytest.mark.parametrize("components", [-1, 13, 2.0, True, None])
def test_a_wrong_number_of_components_is_refused(components):
    for function in (tasks.pca_error, tasks.pca_reconstruct):
        with pytest.raises(
            TaskError, match=r"components = .*; allowed: a whole number in 0\.\.12"
        ):
            function(TRAIN, TEST, components)


def test_more_components_never_leave_a_larger_error():
    errors = [tasks.pca_error(TRAIN, TEST, k) for k in range(13)]
    assert all(later <= earlier for earlier, later in zip(errors, errors[1:], strict=False))
    assert errors[-1] < 1e-20


def test_the_bar_is_pca_of_half_the_code():
    task = tasks.from_array(TRAIN, TEST)
    criterion = BetterThanPCA(0.5)
    assert criterion.metric == "squared_error"
    for code_size, components in [(1, 1), (2, 1), (3, 1), (8, 4), (9, 4), (24, 12), (99, 12)]:
        expected = tasks.pca_error(TRAIN, TEST, components)
        assert criterion.threshold(task, code_size) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 1000), st.integers(1, 1000))
def test_a_share_is_taken_as_written_not_as_rounded_in_binary(numerator, code_size):
    task = type("Wide", (), {"n_units": 10**6})()
    components = BetterThanPCA(numerator / 1000).components(task, code_size)
    assert components == max(1, numerator * code_size // 1000)


def test_fixed_thresholds_ask_neither_task_nor_code():
    assert UnitError(0.2).threshold(None, 0) == 0.2
    assert SquaredError(0.3).threshold(None, 0) == 0.3
    assert UnitError.metric == "unit_error"
    assert SquaredError.metric == "squared_error"


@pytest.mark.parametrize("below", [0, -1, float("nan"), float("inf"), True, "0.1", None])
def test_a_threshold_must_be_a_positive_number(below):
    for kind in (UnitError, SquaredError):
        with pytest.raises(TaskError, match=r"below = .*; allowed: a finite number above 0"):
            kind(below)


@pytest.mark.parametrize("share", [0, 1.01, float("nan"), True])
def test_a_share_must_lie_between_0_and_1(share):
    with pytest.raises(TaskError, match=r"share = .*above 0 and at most 1"):
        BetterThanPCA(share)


@pytest.mark.parametrize("code_size", [0, 2.5, True])
def test_a_wrong_code_size_is_refused(code_size):
    with pytest.raises(TaskError, match="code_size = "):
        BetterThanPCA().threshold(tasks.encoder(4), code_size)


def test_each_criterion_describes_itself_in_one_sentence():
    task, encoder = tasks.digits(), tasks.encoder(4)
    sentences = [
        UnitError().describe(encoder, 2),
        SquaredError(0.25).describe(encoder, 2),
        BetterThanPCA().describe(task, 16),
        BetterThanPCA().describe(task, 2),
    ]
    assert "within 0.1 of its target" in sentences[0]
    assert "on the training cases is below 0.25." in sentences[1]
    assert "on the held-out cases is below 0.02466, what PCA with 8 components" in sentences[2]
    assert "PCA with 1 component reaches" in sentences[3]
    assert all(s.startswith("Learned when") and s.endswith(".") for s in sentences)
