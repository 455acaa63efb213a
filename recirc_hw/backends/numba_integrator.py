"""The numba backend's integration of analog chips, function by function as the reference's.

Weights lie as w[start + i * (cols + 1) + j], the bias last in each row. Constants are
those of `dynamics.phase_constants`.
"""

import numpy as np
from numba import njit, prange

OFFSET, SIZE, FUNCTION = range(3)
START, SOURCE, TO = range(3)
CLAMPED, MOVING, PLASTIC = range(3)
(STAYS, CORRECTS, NOISES, MOVES, RATES,
 TRACE_STAYS, TRACE_CORRECTS, TRACED, TRACE_RATES) = range(9)  # fmt: skip
HEUN, RUNGE_KUTTA = range(2)
EXACT, CIRCUIT, TRACE = range(3)
LOGISTIC, TANH = 1, 2
LOW_32 = np.uint64(0xFFFFFFFF)


@njit(cache=True, nogil=True)
def _philox(counter, seed):
    """Turn four counter words into random ones, in place; see random_streams.philox."""
    k0, k1 = seed & LOW_32, seed >> np.uint64(32)
    for _ in range(10):
        first = np.uint64(0xD2511F53) * counter[0]
        second = np.uint64(0xCD9E8D57) * counter[2]
        counter[0] = (second >> np.uint64(32)) ^ counter[1] ^ k0
        counter[2] = (first >> np.uint64(32)) ^ counter[3] ^ k1
        counter[1], counter[3] = second & LOW_32, first & LOW_32
        k0 = (k0 + np.uint64(0x9E3779B9)) & LOW_32
        k1 = (k1 + np.uint64(0xBB67AE85)) & LOW_32


@njit(cache=True, nogil=True)
def _draw(seed, purpose, step, moment, place, normals):
    """Fill the normals of one moment of one case; see random_streams.noise."""
    counter = np.empty(4, np.uint64)
    blocks = (len(normals) + 3) // 4
    for block in range(blocks):
        counter[0], counter[1] = moment * blocks + block, place
        counter[2], counter[3] = step, purpose
        _philox(counter, seed)
        for pair in range(2):
            u = (counter[2 * pair] + 0.5) * 2.0**-32
            angle = 2 * np.pi * (counter[2 * pair + 1] + 0.5) * 2.0**-32
            radius, unit = np.sqrt(-2 * np.log(u)), 4 * block + 2 * pair
            if unit < len(normals):
                normals[unit] = radius * np.cos(angle)
            if unit + 1 < len(normals):
                normals[unit + 1] = radius * np.sin(angle)


@njit(cache=True, nogil=True)
def _response(function, x):
    if function == LOGISTIC:
        return 1 / (1 + np.exp(-x))
    return np.tanh(x) if function == TANH else x


@njit(cache=True, nogil=True)
def _slope(function, y):
    if function == LOGISTIC:
        return y * (1 - y)
    return 1 - y * y if function == TANH else 1.0


@njit(cache=True, nogil=True)
def _code(x, function, bits):
    """Make each value what a converter of so many bits gives, in place."""
    if bits == 0:
        return
    low = -1.0 if function == TANH else 0.0
    steps = ((1 << bits) - 1) / (1 - low)
    for i in range(len(x)):
        kept = min(max(x[i], low), 1.0)
        x[i] = low + np.floor((kept - low) * steps + 0.5) / steps


@njit(cache=True, nogil=True)
def _send(groups, settings, lag, past, moment, activity, ahead, sent):
    """Fill what arrives at the synapses, `ahead` of now by a share of a step."""
    if lag:
        now, later = past[max(moment - lag, 0)], past[max(moment - lag + 1, 0)]
        sent[:] = now + ahead * (later - now)
    else:
        sent[:] = activity
    for g in range(len(groups)):
        part = sent[groups[g, OFFSET] : groups[g, OFFSET] + groups[g, SIZE]]
        _code(part, groups[g, FUNCTION], settings[3])


@njit(cache=True, nogil=True)
def _targets(groups, matrices, moving, gain, offset, weights, settings, sent, target, spread):
    """Fill f(gain (M sent - offset)) and the noise of every group that moves."""
    for k in range(len(matrices)):
        source, to = groups[matrices[k, SOURCE]], groups[matrices[k, TO]]
        if not moving[matrices[k, TO]]:
            continue
        width, length = source[SIZE] + 1, 1.0
        for j in range(source[SIZE]):
            length += sent[source[OFFSET] + j] ** 2
        for i in range(to[SIZE]):
            row, unit = matrices[k, START] + i * width, to[OFFSET] + i
            total = weights[row + width - 1]
            for j in range(source[SIZE]):
                total += weights[row + j] * sent[source[OFFSET] + j]
            target[unit] = _response(to[FUNCTION], gain[unit] * (total - offset[unit]))
            read = settings[5] * np.sqrt(length) * gain[unit]
            read *= _slope(to[FUNCTION], target[unit])
            spread[unit] = np.sqrt(settings[4] ** 2 + read**2)


@njit(cache=True, nogil=True)
def _gather(groups, matrix, pre, post, changes):
    """Add - pre (x) post to one matrix's changes."""
    source, to = groups[matrix[SOURCE]], groups[matrix[TO]]
    width = source[SIZE] + 1
    for i in range(to[SIZE]):
        row, change = matrix[START] + i * width, post[to[OFFSET] + i]
        for j in range(source[SIZE]):
            changes[row + j] -= change * pre[source[OFFSET] + j]
        changes[row + width - 1] -= change


@njit(cache=True, nogil=True)
def _heun(network, phase, noise, learning, y, trace, changes):
    """One step of Heun's scheme with the leak solved exactly, in place."""
    groups, matrices, settings, gain, offset, weights, base, shares, last = network
    if learning and len(shares) and phase[1][PLASTIC].any():
        weights[:] = base + shares * (changes + (changes - last) / 2)
        last[:] = changes
    c, flags, lag, dt, past, moment = phase
    units, sensing = len(y), settings[1]
    sent, later = np.empty_like(y), np.empty_like(y)
    target, spread = np.zeros_like(y), np.zeros_like(y)
    _send(groups, settings, lag, past, moment, y, 0.0, sent)
    _targets(groups, matrices, flags[MOVING], gain, offset, weights, settings, sent, target,
             spread)  # fmt: skip
    noisy = settings[4] > 0 or settings[5] > 0
    normals = np.zeros(units)
    if noisy:
        _draw(noise[0], noise[1], noise[2], moment, noise[3], normals)
    guess = y.copy()
    for i in range(units):
        if c[MOVES, i] != 0:
            guess[i] = c[STAYS, i] * y[i] + (1 - c[STAYS, i]) * target[i]
            guess[i] += spread[i] * c[NOISES, i] * normals[i] if noisy else 0.0
    after = np.empty_like(y)
    _send(groups, settings, lag, past, moment, guess, 1.0, after)
    later[:] = target
    _targets(groups, matrices, flags[MOVING], gain, offset, weights, settings, after, later,
             spread)  # fmt: skip
    before, trace_before = y.copy(), trace.copy()
    for i in range(units):
        if c[MOVES, i] != 0:
            y[i] = guess[i] + c[CORRECTS, i] * (later[i] - target[i])
        if c[TRACED, i] != 0:
            trace[i] = c[TRACE_STAYS, i] * trace[i] + (1 - c[TRACE_STAYS, i]) * before[i]
            trace[i] += c[TRACE_CORRECTS, i] * (y[i] - before[i])
    if not learning:
        return
    _send(groups, settings, lag, past, moment, y, 1.0, after)
    # Filled, not assigned: a scalar of double precision would widen single ones.
    pre, post = np.empty_like(y), np.empty_like(y)
    pre[:], post[:] = (sent + after) / 2, y - before
    if sensing == TRACE:
        pre[:], post[:] = (trace_before + trace) / 2, trace - trace_before
    if sensing == CIRCUIT:
        post[:] = dt * ((before - trace_before + y - trace) / 2 * c[TRACE_RATES])
    for k in range(len(matrices)):
        if flags[PLASTIC, k]:
            _gather(groups, matrices[k], pre, post, changes)


@njit(cache=True, nogil=True)
def _runge_kutta(network, phase, learning, y, trace, changes):
    """One step of the classical fourth-order scheme, in place."""
    groups, matrices, settings, gain, offset, weights, base, shares, _ = network
    c, flags, lag, dt, past, moment = phase
    sensing = settings[1]
    before, rates = changes.copy(), np.zeros_like(changes)
    start, start_trace = y.copy(), trace.copy()
    slope, slope_trace = np.zeros_like(y), np.zeros_like(y)
    total, total_trace = np.zeros_like(y), np.zeros_like(y)
    sent, target, spread = np.empty_like(y), np.zeros_like(y), np.zeros_like(y)
    for ahead, share in ((0.0, 1 / 6), (0.5, 1 / 3), (0.5, 1 / 3), (1.0, 1 / 6)):
        y[:] = start + ahead * dt * slope
        trace[:] = start_trace + ahead * dt * slope_trace
        if learning and len(shares):
            weights[:] = base + shares * (before + ahead * dt * rates)
        _send(groups, settings, lag, past, moment, y, ahead, sent)
        _targets(groups, matrices, flags[MOVING], gain, offset, weights, settings, sent, target,
                 spread)  # fmt: skip
        for i in range(len(y)):
            slope[i] = (target[i] - y[i]) * c[RATES, i] if c[MOVES, i] != 0 else 0.0
            slope_trace[i] = (y[i] - trace[i]) * c[TRACE_RATES, i] if c[TRACED, i] != 0 else 0.0
        pre, post = sent, slope
        if sensing == TRACE:
            pre, post = trace, slope_trace
        if sensing == CIRCUIT:
            post = (y - trace) * c[TRACE_RATES]
        rates[:] = 0
        for k in range(len(matrices)):
            if learning and flags[PLASTIC, k]:
                _gather(groups, matrices[k], pre, post, rates)
        changes[:] = changes + share * dt * rates
        total[:] = total + share * slope
        total_trace[:] = total_trace + share * slope_trace
    y[:] = start + dt * total
    trace[:] = start_trace + dt * total_trace


@njit(cache=True, nogil=True)
def _tell(network, lag, past, moment, case, y, values):
    """Fill every slot: the case, hidden activity, the response of the visible units."""
    groups, matrices, settings, gain, offset, weights = network[:6]
    visible, units = groups[0, SIZE], len(y)
    sent, target, spread = np.empty_like(y), np.zeros_like(y), np.zeros_like(y)
    _send(groups, settings, lag, past, moment, y, 0.0, sent)
    only = np.zeros(len(groups), np.bool_)
    only[0] = True
    _targets(groups, matrices, only, gain, offset, weights, settings, sent, target, spread)
    values[:visible] = case
    values[visible:units] = y[visible:]
    values[units:] = target[:visible]
    _code(values[units:], groups[0, FUNCTION], settings[3])


@njit(cache=True, nogil=True)
def _present(network, flags, steps, dts, constants, stuck, case, noise, run, values, changes):
    """Take one case through the phases."""
    groups, settings = network[0], network[2]
    learning, n_phases = run
    y, trace = np.zeros_like(stuck), np.zeros_like(stuck)
    moments = 1 + steps[:n_phases, 0].sum() if steps[:, 1].max() > 0 else 1
    past, moment = np.zeros((moments, len(y)), y.dtype), 0
    weights, base, shares, last = network[5:]
    for f in range(n_phases):
        if learning and len(shares):
            last[:] = changes
            weights[:] = base + shares * changes
        for g in range(len(groups)):
            if flags[f, CLAMPED, g]:
                part = y[groups[g, OFFSET] : groups[g, OFFSET] + groups[g, SIZE]]
                part[:] = case
                _code(part, groups[g, FUNCTION], settings[2])
        for i in range(len(y)):
            if not np.isnan(stuck[i]):
                y[i] = stuck[i]
        if f == 0:
            past[0] = y
        for _ in range(steps[f, 0]):
            phase = constants[f], flags[f], steps[f, 1], dts[f], past, moment
            if settings[0] == HEUN:
                _heun(network, phase, noise, learning, y, trace, changes)
            else:
                _runge_kutta(network, phase, learning, y, trace, changes)
            moment += 1
            if moments > 1:
                past[moment] = y
        if f == 0:
            _tell(network, steps[0, 1], past, moment, case, y, values)


@njit(cache=True, nogil=True, parallel=True)
def present_chips(
    groups, matrices, flags, steps, dts, settings, constants, gain, offset, stuck, weights,
    shares, changes, cases, values, seeds, write, run,
):  # fmt: skip
    """Present a batch of cases to every chip; fill values and changes."""
    first, learning, purpose, n_phases = run
    for chip in prange(len(seeds)):
        network = (
            groups, matrices, settings, gain[chip], offset[chip], weights[chip].copy(),
            weights[chip], shares[chip], np.zeros_like(weights[chip]),
        )  # fmt: skip
        for m in range(cases.shape[1]):
            noise = seeds[chip], purpose, write[chip], first + m
            _present(
                network, flags, steps, dts, constants[:, chip], stuck[chip], cases[chip, m],
                noise, (learning, n_phases), values[chip, m], changes[chip],
            )  # fmt: skip
