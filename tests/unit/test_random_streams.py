"""Counter-based randomness: known answers, moments, and independence of everything else."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recirc_hw.random_streams import (
    PURPOSES,
    block_draws,
    normal,
    permutation,
    philox,
    uniform,
)

# kat_vectors of Random123, philox4x32-10: counter, key, result.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip


def words(text):
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_philox_gives_the_known_answers(counter, key, result):
    counters = np.array(words(counter), np.uint32)[:, None]
    assert philox(counters, words(key))[:, 0].tolist() == words(result)


def test_philox_takes_many_counters_at_once():
    counters = np.array([words(counter) for counter, *_ in KNOWN], np.uint32).T
    found = philox(counters, words(KNOWN[2][1]))
    assert found.shape == (4, 3)
    assert found[:, 2].tolist() == words(KNOWN[2][2])


def test_a_draw_is_the_published_generator_s():
    # Counter (index, 0, step, purpose), key (seed, seed >> 32); 27 + 26 bits a double.
    block = philox(np.array([[0], [0], [5], [PURPOSES["order"]]], np.uint32), (9, 1))[:, 0]
    high, low = int(block[0]) >> 5, int(block[1]) >> 6
    seed = (1 << 32) + 9
    assert uniform(seed, "order", 1, step=5)[0] == (high * 2**26 + low) / 2**53


N = 1_000_000


def assert_moments(values, moments, variances):
    """Hold the first four moments to six standard errors of n draws: 2e-9 a moment."""
    for power, (moment, variance) in enumerate(zip(moments, variances, strict=True), start=1):
        assert abs(np.mean(values**power) - moment) < 6 * np.sqrt(variance / len(values))


def test_uniform_draws_have_the_moments_of_a_uniform():
    # E u^k = 1 / (k + 1); var u^k = 1 / (2k + 1) - 1 / (k + 1)^2.
    draws = uniform(1, "weights", N)
    powers = range(1, 5)
    assert_moments(
        draws,
        [1 / (k + 1) for k in powers],
        [1 / (2 * k + 1) - 1 / (k + 1) ** 2 for k in powers],
    )
    assert draws.min() >= 0
    assert draws.max() < 1


def test_normal_draws_have_the_moments_of_a_normal():
    # E z^k = 0, 1, 0, 3; var z^k = 1, 2, 15, 96.
    draws = normal(2, "lowrank cases", N)
    assert_moments(draws, [0, 1, 0, 3], [1, 2, 15, 96])


def test_normal_draws_have_the_tails_of_a_normal():
    draws = normal(3, "lowrank cases", N)
    for bound, share in ((3.0, 2.6998e-3), (4.0, 6.3342e-5)):
        beyond = np.sum(np.abs(draws) > bound)
        assert abs(beyond - N * share) < 6 * np.sqrt(N * share)


def test_neighbours_in_a_stream_are_not_correlated():
    for draw in (uniform, normal):
        draws = draw(4, "weights", N)
        standard = (draws - draws.mean()) / draws.std()
        for lag in (1, 2, 4):
            assert abs(np.mean(standard[lag:] * standard[:-lag])) < 6 / np.sqrt(N)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"seed": 1}, {"seed": 2}),
        ({"seed": 1}, {"seed": 1 + 2**32}),
        ({"step": 0}, {"step": 1}),
        ({"purpose": "weights"}, {"purpose": "feedback"}),
        ({"seed": 1, "step": 2}, {"seed": 2, "step": 1}),
    ],
)
def test_streams_of_other_names_are_independent(first, second):
    n = 100_000
    name = {"seed": 0, "purpose": "weights", "step": 0}
    x, y = (
        uniform(n_["seed"], n_["purpose"], n, step=n_["step"]) - 0.5
        for n_ in (name | first, name | second)
    )
    # The product of two independent draws in +-.5 has mean 0 and sd 1/12.
    assert abs(np.mean(x * y)) < 6 / 12 / np.sqrt(n)
    assert not np.isin(x, y).any()


def test_every_purpose_has_a_number_of_its_own():
    assert len(set(PURPOSES.values())) == len(PURPOSES)
    assert PURPOSES["weights"] == 1  # a chip drawn today is the same chip tomorrow


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**64 - 1),
    step=st.integers(0, 2**32 - 1),
    short=st.integers(0, 50),
    more=st.integers(0, 50),
)
def test_a_shorter_draw_is_the_start_of_a_longer_one(seed, step, short, more):
    for draw in (uniform, normal):
        long = draw(seed, "weights", short + more, step=step)
        np.testing.assert_array_equal(draw(seed, "weights", short, step=step), long[:short])


@settings(derandomize=True, deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**64 - 1), count=st.integers(0, 300), step=st.integers(0, 9))
def test_a_permutation_is_one(seed, count, step):
    found = permutation(seed, "order", count, step=step)
    assert found.dtype == np.int64
    assert sorted(found) == list(range(count))
    np.testing.assert_array_equal(found, permutation(seed, "order", count, step=step))


def test_every_place_of_a_permutation_is_as_likely():
    n, size = 4_000, 5
    counts = np.zeros((size, size))
    for step in range(n):
        counts[np.arange(size), permutation(7, "order", size, step=step)] += 1
    share = 1 / size
    assert np.abs(counts - n * share).max() < 6 * np.sqrt(n * share * (1 - share))


def test_shapes_and_bounds_are_kept():
    draws = uniform(5, "weights", (3, 4), low=-2.0, high=-1.0)
    assert draws.shape == (3, 4)
    assert ((draws >= -2) & (draws < -1)).all()
    np.testing.assert_array_equal(draws.ravel(), uniform(5, "weights", 12, low=-2, high=-1))
    assert normal(5, "weights", (3, 3)).shape == (3, 3)
    assert normal(5, "weights", 1).shape == (1,)


@pytest.mark.parametrize("draw", [uniform, normal, permutation])
@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_outside_64_bits_is_refused(draw, seed):
    with pytest.raises(ValueError, match=rf"seed must be in 0..2\*\*64-1, got {seed}"):
        draw(seed, "weights", 3)


@pytest.mark.parametrize("draw", [uniform, normal, permutation])
@pytest.mark.parametrize("step", [-1, 2**32])
def test_a_step_outside_32_bits_is_refused(draw, step):
    with pytest.raises(ValueError, match=rf"step must be in 0..2\*\*32-1, got {step}"):
        draw(0, "weights", 3, step=step)


def test_an_unknown_purpose_is_refused():
    with pytest.raises(KeyError):
        uniform(0, "luck", 3)


def test_block_draws_are_a_uniform_and_a_normal_of_one_block():
    u, z = block_draws(9, "device pulses", 3, np.arange(N))
    powers = range(1, 5)
    assert_moments(
        u,
        [1 / (k + 1) for k in powers],
        [1 / (2 * k + 1) - 1 / (k + 1) ** 2 for k in powers],
    )
    assert_moments(z, [0, 1, 0, 3], [1, 2, 15, 96])
    assert abs(np.mean((u - 0.5) * z)) < 6 * math.sqrt(1 / 12 / N)
    assert u.min() >= 0
    assert u.max() < 1


def test_block_draws_do_not_depend_on_what_is_drawn_beside_them():
    seeds, steps = np.array([[3], [2**63]], np.uint64), np.array([[0], [7]])
    index = np.array([0, 5, (2 << 32) + 1], np.uint64)
    together = block_draws(seeds, "device pulses", steps, index)
    for chip, (seed, step) in enumerate(((3, 0), (2**63, 7))):
        for place, one in enumerate(index):
            alone = block_draws(np.uint64(seed), "device pulses", step, one)
            assert [part[chip, place] for part in together] == [float(part) for part in alone]


def test_block_draws_refuse_a_step_outside_32_bits():
    with pytest.raises(ValueError, match="step must be in 0..2"):
        block_draws(0, "device pulses", 2**32, 0)
