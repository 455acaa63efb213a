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
    "study points": 8,
    "rounding": 20,
    "unit noise": 30,
    "test noise": 31,
    "tau mismatch": 32,
    "gain mismatch": 33,
    "offset mismatch": 34,
    "read mismatch": 35,
    "write mismatch": 36,
    "stuck units": 37,
    "stuck values": 38,
    "weight drift": 39,
    "device step": 40,
    "device up_down": 41,
    "device w_max": 42,
    "device w_min": 43,
    "device gamma_up": 44,
    "device gamma_down": 45,
    "device lifetime": 46,
    "device corrupt": 47,
    "device pulses": 48,
    "device write noise": 49,
    "spikes": 50,
    "test spikes": 51,
    "theory start": 60,
    "additions": 61,
    "iterative cases": 62,
    "hierarchy vectors": 63,
}
"""Each use of randomness has a number of its own, which never changes."""

_MULTIPLIERS = np.array([[0xD2511F53], [0xCD9E8D57]], np.uint64)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_WEYLS = np.array(_WEYL, np.uint64)[:, None]
_LOW = np.uint64(0xFFFFFFFF)
_32 = np.uint64(32)


def philox(counter, key):
    """Return Philox-4x32-10 of each counter.

    Parameters
    ----------
    counter : uint32 array, shape (4, n)
    key : pair of int, each in 0..2**32-1, or of uint64 arrays, shape (n,)

    Returns
    -------
    uint64 array, shape (4, n); every value is below 2**32.
    """
    words = np.asarray(counter).astype(np.uint64)
    even, odd = words[0::2], words[1::2]
    keys = np.array(key, np.uint64).reshape(2, -1)
    for _ in range(10):
        product = (_MULTIPLIERS * even)[::-1]
        even, odd = (product >> _32) ^ odd ^ keys, product & _LOW
        keys = (keys + _WEYLS) & _LOW
    return np.stack([even[0], odd[0], even[1], odd[1]])


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
    return _unit_double(high, low)


def _unit_double(high, low):
    """Return doubles in [0, 1): the top 27 bits of `high`, then the top 26 of `low`."""
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


def noise(seed, purpose, step, moment, places, count):
    """Draw the standard normals of one moment of many cases.

    Four come from each Philox block, pairs of words w going through Box and Muller's
    transform with u = (w + 1/2) / 2**32, which reaches 6.7 standard deviations; the
    block's counter is (moment blocks + block, place, step, purpose).

    Parameters
    ----------
    moment : int, the number of the integration step within the case
    places : int array, shape (n,): the cases' positions in the batch
    count : int, how many normals each case draws

    Returns
    -------
    float64 array, shape (n, count)
    """
    blocks = -(-count // 4)
    counter = np.empty((4, len(places), blocks), np.uint32)
    counter[0] = moment * blocks + np.arange(blocks)
    counter[1] = np.asarray(places)[:, None]
    counter[2], counter[3] = step, PURPOSES[purpose]
    words = philox(counter.reshape(4, -1), (seed & 0xFFFFFFFF, seed >> 32))
    u = (words + 0.5) * 2.0**-32
    radius, angle = np.sqrt(-2.0 * np.log(u[::2])), 2.0 * np.pi * u[1::2]
    draws = np.stack([radius * np.cos(angle), radius * np.sin(angle)])  # (2, pairs, blocks)
    draws = draws.transpose(2, 1, 0).reshape(len(places), -1)
    return draws[:, :count]


def block_draws(seed, purpose, step, index):
    """Draw one uniform and one normal double for each name, from one Philox block.

    Of the block's words w0..w3: u = w0 / 2^32, in [0, 1), and

        z = sqrt(-2 ln(1 - r)) cos(2 pi w1 / 2^32),  r the 53-bit double of (w2, w3)

    Parameters
    ----------
    seed, step, index : integer arrays that broadcast
        index below 2^64: its low word is the counter's first, its high word the second.

    Returns
    -------
    two float64 arrays of the common shape
    """
    arrays = (np.asarray(part).astype(np.uint64) for part in (seed, step, index))
    seed, step, index = np.broadcast_arrays(*arrays)
    shape = index.shape
    seed, step, index = seed.reshape(-1), step.reshape(-1), index.reshape(-1)
    if (step > _LOW).any():
        raise ValueError(f"step must be in 0..2**32-1, got {step.max()}")
    number = np.full(index.shape, PURPOSES[purpose], np.uint64)
    counter = np.stack([index & _LOW, index >> _32, step, number])
    words = philox(counter, (seed & _LOW, seed >> _32))
    radius = np.sqrt(-2.0 * np.log1p(-_unit_double(words[2], words[3])))
    angle = 2.0 * np.pi * (words[1].astype(np.float64) * 2.0**-32)
    u = words[0].astype(np.float64) * 2.0**-32
    return u.reshape(shape), (radius * np.cos(angle)).reshape(shape)


def chances(seed, purpose, step, place, moments, count):
    """Draw the uniforms that decide which neurons fire, at each of several moments.

    Four come from each Philox block, one from each word w: u = (w + 1/2) / 2**32. The
    block's counter is (moment blocks + block, place, step, purpose).

    Parameters
    ----------
    place : int, which case of a test; 0 in training, where each case has its own step
    moments : range, the numbers of the integration steps within the case
    count : int, how many neurons draw at each moment

    Returns
    -------
    float64 array, shape (len(moments), count), inside (0, 1)
    """
    blocks = -(-count // 4)
    first = np.arange(moments.start * blocks, moments.stop * blocks, dtype=np.uint64)
    counter = np.empty((4, len(first)), np.uint32)
    counter[0] = first & _LOW
    counter[1], counter[2], counter[3] = place, step, PURPOSES[purpose]
    words = philox(counter, (seed & 0xFFFFFFFF, seed >> 32))
    u = (words.T.reshape(len(moments), 4 * blocks)[:, :count] + 0.5) * 2.0**-32
    return np.ascontiguousarray(u)


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
