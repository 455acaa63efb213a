"""Counter-based randomness: every number is a pure function of its name.

A draw is named by (seed, purpose, step, index). No generator object is carried
from call to call, so results do not depend on threads, chunks, call order,
backend or resumption. The generator is Philox-4x32-10.

Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as
1, 2, 3", section 3.3 and table 2.
"""

import math

import numpy as np

PURPOSES = {
    "weights": 1,
    "feedback": 2,
    "order": 3,
    "lowrank basis": 4,
    "lowrank cases": 5,
    "lowrank test": 6,
    "split": 7,
    "rounding": 20,
    "theory start": 60,
    "additions": 61,
    "iterative cases": 62,
    "hierarchy vectors": 63,
}
"""Each use of randomness has a number of its own, which never changes."""

_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def philox(counter, key):
    """Return Philox-4x32-10 of each counter.

    Parameters
    ----------
    counter : uint32 array, shape (4, n)
    key : pair of int, each in 0..2**32-1

    Returns
    -------
    uint64 array, shape (4, n); every value is below 2**32.
    """
    c0, c1, c2, c3 = (word.astype(np.uint64) for word in np.asarray(counter))
    k0, k1 = key
    for _ in range(10):
        product_0, product_1 = _MULTIPLIER_0 * c0, _MULTIPLIER_1 * c2
        c0, c2 = (
            (product_1 >> _32) ^ c1 ^ np.uint64(k0),
            (product_0 >> _32) ^ c3 ^ np.uint64(k1),
        )
        c1, c3 = product_1 & _LOW, product_0 & _LOW
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3])


def _blocks(seed, purpose, step, count):
    """Return `count` Philox blocks of the stream (seed, purpose, step)."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed must be in 0..2**64-1, got {seed}")
    if not 0 <= step < 2**32:
        raise ValueError(f"step must be in 0..2**32-1, got {step}")
    index = np.arange(count, dtype=np.uint64)
    counter = np.empty((4, count), dtype=np.uint32)
    counter[0] = (index & _LOW).astype(np.uint32)
    counter[1] = (index >> _32).astype(np.uint32)
    counter[2] = step
    counter[3] = PURPOSES[purpose]
    return philox(counter, (seed & 0xFFFFFFFF, seed >> 32))


def _unit_doubles(seed, purpose, step, count):
    """Return `count` doubles in [0, 1) with 53 random bits each."""
    words = _blocks(seed, purpose, step, (count + 1) // 2)
    high = np.stack([words[0], words[2]], axis=1).reshape(-1)[:count]
    low = np.stack([words[1], words[3]], axis=1).reshape(-1)[:count]
    bits = ((high >> np.uint64(5)) << np.uint64(26)) | (low >> np.uint64(6))
    return bits.astype(np.float64) * 2.0**-53


def uniform(seed, purpose, shape, *, step=0, low=0.0, high=1.0):
    """Draw doubles, uniform in [low, high), of the stream (seed, purpose, step)."""
    count = math.prod(np.atleast_1d(shape))
    draws = _unit_doubles(seed, purpose, step, count)
    return low + (high - low) * draws.reshape(shape)


def normal(seed, purpose, shape, *, step=0):
    """Draw standard normal doubles by Box and Muller's transform.

        z = sqrt(-2 ln(1 - u1)) (cos, sin)(2 pi u2)

    1 - u1 lies in (0, 1] with 53 bits, so the tail reaches 8.5 standard deviations.
    """
    count = math.prod(np.atleast_1d(shape))
    u = _unit_doubles(seed, purpose, step, 2 * ((count + 1) // 2)).reshape(-1, 2)
    radius, angle = np.sqrt(-2.0 * np.log1p(-u[:, 0])), 2.0 * np.pi * u[:, 1]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return pairs.reshape(-1)[:count].reshape(shape)


def permutation(seed, purpose, count, *, step=0):
    """Return the numbers 0..count-1 in a random order, as int64."""
    words = _blocks(seed, purpose, step, (count + 1) // 2)
    keys = np.stack([words[0] << _32 | words[1], words[2] << _32 | words[3]], axis=1)
    return np.argsort(keys.reshape(-1)[:count], kind="stable")


def mix32(x):
    """Return a 32-bit mixing hash of each value of a uint32 array.

    Source: Wellons 2018, "Prospecting for hash functions" (lowbias32).
    """
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def rounding_key(seed, step, matrix):
    """Return the 32-bit key of the rounding bits of one write of one matrix.

    key <- mix32((key ^ word) + 0x9E3779B9), from the purpose's number, over the
    words seed low, seed high, step low, step high, matrix
    """
    key = np.array([PURPOSES["rounding"]], np.uint32)
    words = (seed, seed >> 32, step, step >> 32, matrix)
    for word in words:
        key = mix32((key ^ np.uint32(word & 0xFFFFFFFF)) + np.uint32(_WEYL[0]))
    return key[0]


def rounding_bits(key, index):
    """Return the 32 random bits of each index (uint32 array) under a key.

    bits = mix32(key + index 0x9E3779B9)
    """
    return mix32(np.uint32(key) + np.asarray(index, np.uint32) * np.uint32(_WEYL[0]))
