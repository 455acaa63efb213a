"""The numba backend's loops: one chip's walk, and its parallel loop over chips.

All arithmetic is in 64-bit integers; weights and sums keep their own widths.
Weights lie as w[start + i * (cols + 1) + j], the bias last in each row.
"""

import numpy as np
from numba import njit, prange

CLAMP, PROJECT, COMBINE, GATE, CORRELATE, WRITE = range(6)
(OPCODE, DST, FIRST, SECOND, MATRIX, TABLE, FUNCTION, GAIN_FIRST, GAIN_SECOND, SHIFT, LOW, HIGH,
 ONE, BIAS, BIAS_ALIGN, TRANSPOSED, CASE_OFFSET) = range(17)  # fmt: skip
START, ROWS, COLS, W_LOW, W_HIGH, ROUNDING, W_SHIFT, B_SHIFT = range(8)
FLOOR, HALF_UP, HALF_EVEN, STOCHASTIC, CARRY = range(5)
SATURATED, CLIPPED, ASKED, DEAD = range(4)
WEYL, PURPOSE_ROUNDING = 0x9E3779B9, 20
LOW_32 = 0xFFFFFFFF


@njit(cache=True, nogil=True)
def _shifted(x, shift):
    """Return floor(x / 2^shift + 1/2); a negative shift multiplies."""
    if shift > 0:
        return (x + (1 << (shift - 1))) >> shift
    return x * (1 << -shift)


@njit(cache=True, nogil=True)
def _mix(x):
    """Return lowbias32 of x, as random_streams.mix32."""
    x = np.uint32(x)
    x = np.uint32(np.uint32(x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D))
    x = np.uint32(np.uint32(x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(x ^ (x >> np.uint32(16)))


@njit(cache=True, nogil=True)
def _key(seed, step, matrix):
    """Return the key of one write's rounding bits, as random_streams.rounding_key."""
    key = np.uint32(PURPOSE_ROUNDING)
    seed, step = np.uint64(seed), np.uint64(step)
    words = (seed, seed >> np.uint64(32), step, step >> np.uint64(32), np.uint64(matrix))
    for word in words:
        key = _mix(np.uint32((key ^ np.uint32(word & np.uint64(LOW_32))) + np.uint32(WEYL)))
    return key


@njit(cache=True, nogil=True)
def _sum(op, m, i, weights, state, source):
    """Return one unit's sum of products (transposed: along a column)."""
    width, total = m[COLS] + 1, np.int64(0)
    if op[TRANSPOSED]:
        for k in range(m[ROWS]):
            total += np.int64(weights[m[START] + k * width + i]) * state[source + k]
        return total
    row = m[START] + i * width
    for j in range(m[COLS]):
        total += np.int64(weights[row + j]) * state[source + j]
    if op[BIAS]:
        total += np.int64(weights[row + m[COLS]]) * (1 << op[BIAS_ALIGN])
    return total


@njit(cache=True, nogil=True)
def _project(op, slots, m, weights, entries, starts, state, counters):
    """Compute a projection of one case."""
    dst, source, clipped = slots[op[DST], 0], slots[op[FIRST], 0], 0
    for i in range(slots[op[DST], 1]):
        code = _shifted(_sum(op, m, i, weights, state, source), op[SHIFT])
        if op[LOW] != op[HIGH]:
            clipped += code < op[LOW] or code > op[HIGH]
            code = min(max(code, op[LOW]), op[HIGH])
        if op[TABLE] >= 0:
            code = np.int64(entries[starts[op[TABLE]] + code - op[LOW]])
        state[dst + i] = code
    counters[op[MATRIX], CLIPPED] += clipped


@njit(cache=True, nogil=True)
def _elementwise(op, slots, state):
    """Compute a combine or a gate of one case."""
    dst, first, second = slots[op[DST], 0], slots[op[FIRST], 0], slots[op[SECOND], 0]
    for i in range(slots[op[DST], 1]):
        a, b = state[first + i], state[second + i]
        if op[OPCODE] == COMBINE:
            value = op[GAIN_FIRST] * a + op[GAIN_SECOND] * b
        elif op[FUNCTION] == 1:
            value = a * (b * (op[ONE] - b))
        elif op[FUNCTION] == 2:
            value = a * (op[ONE] * op[ONE] - b * b)
        else:
            value = a
        state[dst + i] = _shifted(value, op[SHIFT])


@njit(cache=True, nogil=True)
def _compute(ops, slots, matrices, entries, starts, weights, case, state, counters):
    """Run the operations of one case."""
    for k in range(len(ops)):
        op = ops[k]
        if op[OPCODE] == CLAMP:
            for i in range(slots[op[DST], 1]):
                state[slots[op[DST], 0] + i] = case[op[CASE_OFFSET] + i]
        elif op[OPCODE] == PROJECT:
            _project(op, slots, matrices[op[MATRIX]], weights, entries, starts, state, counters)
        elif op[OPCODE] == COMBINE or op[OPCODE] == GATE:
            _elementwise(op, slots, state)


@njit(cache=True, nogil=True)
def _correlate(op, slots, m, sums, state):
    """Add one case's products to the sums of a matrix."""
    post, pre, width = slots[op[FIRST], 0], slots[op[SECOND], 0], m[COLS] + 1
    for i in range(m[ROWS]):
        value, row = op[GAIN_FIRST] * state[post + i], m[START] + i * width
        for j in range(m[COLS]):
            sums[row + j] += value * state[pre + j]
        sums[row + m[COLS]] += value * (1 << op[BIAS_ALIGN])


@njit(cache=True, nogil=True)
def _rounded(g, shift, rounding, key, index):
    """Return g / 2^shift as programs.rounding.rounded."""
    if rounding == FLOOR or shift == 0:
        return g >> shift
    half = np.int64(1) << (shift - 1)
    if rounding == STOCHASTIC:
        bits = np.int64(_mix(np.uint32(key + np.uint32(index) * np.uint32(WEYL))))
        return (g + (bits >> (32 - shift) if shift <= 32 else bits << (shift - 32))) >> shift
    if rounding == HALF_EVEN:
        down = g >> shift
        rest = g - (down << shift)
        return down + (rest > half or (rest == half and down & 1 == 1))
    return (g + half) >> shift


@njit(cache=True, nogil=True)
def _write(m, key, weights, sums, counters):
    """Write one matrix: w <- saturate(w + round(g / 2^shift))."""
    width, rounding = m[COLS] + 1, m[ROUNDING]
    saturated, asked, dead = 0, 0, 0
    for i in range(m[ROWS]):
        for j in range(width):
            at = m[START] + i * width + j
            shift = m[W_SHIFT] if j < m[COLS] else m[B_SHIFT]
            g = np.int64(sums[at])
            change = _rounded(g, shift, rounding, key, j * m[ROWS] + i)
            wanted = np.int64(weights[at]) + change
            kept = min(max(wanted, m[W_LOW]), m[W_HIGH])
            weights[at] = kept
            saturated += kept != wanted
            if rounding == CARRY:
                sums[at] = g - (change << shift) if kept == wanted else 0
            else:
                asked += g != 0
                dead += g != 0 and change == 0
                sums[at] = 0
    counters[SATURATED] += saturated
    counters[ASKED] += asked
    counters[DEAD] += dead


@njit(cache=True, nogil=True)
def _errors(slots, monitor, states):
    """Return (sum of squares, largest) of target - output over a batch."""
    target, output = slots[monitor[0]], slots[monitor[1]]
    squared, largest = np.int64(0), np.int64(0)
    for c in range(len(states)):
        for i in range(target[1]):
            e = states[c, target[0] + i] - states[c, output[0] + i]
            squared += e * e
            largest = max(largest, abs(e))
    return squared, largest


@njit(cache=True, nogil=True)
def _learn(ops, slots, matrices, states, weights, sums, seed, step, counters):
    """Gather a batch's products and write them."""
    for c in range(len(states)):
        for k in range(len(ops)):
            if ops[k][OPCODE] == CORRELATE:
                _correlate(ops[k], slots, matrices[ops[k][MATRIX]], sums, states[c])
    for k in range(len(ops)):
        if ops[k][OPCODE] == WRITE:
            matrix = ops[k][MATRIX]
            key = _key(seed, step, matrix)
            _write(matrices[matrix], key, weights, sums, counters[matrix])


@njit(cache=True, nogil=True)
def _judge(chip, unit, updates, crossed, checked, passed, active, threshold, hold):
    """Count one check of a chip; return whether it goes on, as Watch.judge."""
    passes = unit < threshold
    if crossed[chip] >= 0:
        checked[chip] += 1
        passed[chip] += passes
    elif passes:
        crossed[chip] = updates[chip]
    stops = crossed[chip] >= 0 and checked[chip] >= hold
    active[chip] = not stops
    updates[chip] += not stops
    return not stops


@njit(cache=True, nogil=True)
def _train_chip(
    chip, ops, slots, matrices, entries, starts, monitor, weights, sums, cases, turns, ends,
    seed, steps, counters, error, unit_error, watch, states,
):  # fmt: skip
    """Train one chip through every batch, until it stops."""
    one, first, active = np.float64(monitor[2]), 0, watch[4]
    for batch in range(len(ends)):
        if not active[chip]:
            return
        count = ends[batch] - first
        for c in range(count):
            case = cases[turns[first + c]]
            _compute(ops, slots, matrices, entries, starts, weights, case, states[c], counters)
        squared, largest = _errors(slots, monitor, states[:count])
        size = np.float64(count * slots[monitor[0], 1])
        error[batch] = np.float64(squared) / size / (one * one)
        unit_error[batch] = np.float64(largest) / one
        if not _judge(chip, unit_error[batch], *watch):
            return
        _learn(
            ops, slots, matrices, states[:count], weights, sums, seed, steps[chip], counters
        )  # fmt: skip
        steps[chip] += 1
        first = ends[batch]


@njit(cache=True, parallel=True)
def train_chips(
    ops, slots, matrices, entries, starts, monitor, weights, sums, cases, order, ends, seeds,
    steps, counters, error, unit_error, watch,
):  # fmt: skip
    """Train every chip through every batch, as reference_fixed.train.

    `watch` is (updates, crossed, checked, passed, active, threshold, hold).
    """
    largest_batch, start = np.int64(0), np.int64(0)
    for end in ends:
        largest_batch, start = max(largest_batch, end - start), end
    for index in prange(len(weights)):
        chip = np.int64(index)
        states = np.zeros((largest_batch, monitor[3]), np.int64)
        _train_chip(
            chip, ops, slots, matrices, entries, starts, monitor, weights[chip], sums[chip],
            cases, order[min(chip, len(order) - 1)], ends, seeds[chip], steps, counters[chip],
            error[chip], unit_error[chip], watch, states,
        )  # fmt: skip


@njit(cache=True, nogil=True)
def forward_chip(ops, slots, matrices, entries, starts, monitor, weights, cases, offset, out):
    """Run the operations of every case of one chip; copy a slice of the state to `out`."""
    state = np.zeros(monitor[3], np.int64)
    counters = np.zeros((len(matrices), 4), np.int64)
    for c in range(len(cases)):
        _compute(ops, slots, matrices, entries, starts, weights, cases[c], state, counters)
        out[c] = state[offset : offset + out.shape[1]]
