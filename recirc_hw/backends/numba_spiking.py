"""The numba backend's spiking chips: one chip a call, weights changed when they are read.

As csrc/spiking.inc has it: while neuron j is silent its trace only decays, and the weight
of its synapse onto i is v_ij + rate S_j G_i(t), with G_i the sum of what i has offered.
"""

from functools import lru_cache
from math import erfc, exp, expm1, sqrt

import numpy as np
from numba import njit

from recirc_hw.programs.firing import HIGHEST
from recirc_hw.programs.spiking import NEURONS, PLASTICITIES, STATE
from recirc_hw.random_streams import PURPOSES

ESCAPE = NEURONS.index("escape")
DIFFERENCE, RAW, STDP, HEBB = range(len(PLASTICITIES))
OFFSET, SOURCE, TARGET, REBASE = range(4)
NO_BYTES, NO_VALUES = np.zeros((0, 0), np.uint8), np.zeros((0, 0))


def advance(dynamics, chip, stretch):
    """Run a stretch, as the reference does."""
    fired = np.zeros(dynamics.n_units, np.int64)
    biases = np.zeros(len(dynamics.sizes), np.int64)
    seed, purpose, step, place = stretch.key
    key = np.array([seed & 0xFFFFFFFF, seed >> 32, place, step, PURPOSES[purpose]], np.uint64)
    window = stretch.record
    recorded = (
        (NO_BYTES, *[NO_VALUES] * 4)
        if window is None
        else (window.raster, window.potential, window.current, window.slow, window.fast)
    )
    _advance(
        *_constants(dynamics), chip.memory, tuple(getattr(chip, name) for name in STATE),
        np.zeros(0) if stretch.drive is None else np.ascontiguousarray(stretch.drive),
        NO_BYTES if stretch.forced is None else stretch.forced,
        np.array(stretch.rates), key, stretch.moment, stretch.steps, recorded, fired, biases,
    )  # fmt: skip
    return fired, biases


@lru_cache(maxsize=64)
def _constants(dynamics):
    """Return (populations, projections, stays and jumps of each, sizes, kinds, reals)."""
    ways, taus = dynamics.projections, dynamics.tau_ms
    jumps = [
        (dynamics.stays(t), dynamics.trace_jump(t), dynamics.trace_jump(t, 1)) for t in taus
    ]
    return (
        np.array(dynamics.first_units),
        np.array([(dynamics.offset(m), s, t, dynamics.rebase(s)) for m, s, t in ways]),
        np.array(jumps),
        np.array([(dynamics.current_jump(s), dynamics.bias_jump(s)) for _, s, _ in ways]),
        (dynamics.neurons, dynamics.refractory_steps, NEURONS.index(dynamics.neuron),
         PLASTICITIES.index(dynamics.plasticity), dynamics.clamp == "shunting"),
        (dynamics.stays(dynamics.membrane_ms), dynamics.stays(dynamics.fast_ms),
         dynamics.trace_jump(dynamics.fast_ms), dynamics.dt_ms / dynamics.refractory_ms,
         dynamics.threshold, dynamics.threshold_noise),
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _draw(key, counter, words):
    """Fill four words with Philox-4x32-10, as random_streams.philox."""
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    c0, c1, c2, c3 = counter & low, key[2], key[3], key[4]
    k0, k1 = key[0], key[1]
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c2 = (b >> shift) ^ c1 ^ k0, (a >> shift) ^ c3 ^ k1
        c1, c3 = b & low, a & low
        k0 = (k0 + np.uint64(0x9E3779B9)) & low
        k1 = (k1 + np.uint64(0xBB67AE85)) & low
    words[0], words[1], words[2], words[3] = c0, c1, c2, c3


@njit(cache=True, nogil=True)
def _chance(kinds, reals, u):
    """Return the chance of a spike in one step, as programs.firing.spike_chance."""
    _, _, _, hazard, threshold, noise = reals
    if kinds[2] == ESCAPE:
        return -expm1(-hazard * exp(min(u, HIGHEST)))
    if noise == 0:
        return 1.0 if u >= threshold else 0.0
    return 0.5 * erfc(-(u - threshold) / noise * sqrt(0.5))


@njit(cache=True, nogil=True)
def _decay(firsts, ways, jumps, kinds, reals, state, drive, total):
    """Take potentials, currents and traces one step on, by their old values."""
    potential, waiting, current, slow, fast, bias_waiting, bias_slow = state
    neurons, stays = kinds[0], reals[0]
    for p in range(len(firsts) - 1):
        first, units = firsts[p], firsts[p + 1] - firsts[p]
        for i in range(units):
            total[i] = current[first + i]
            if p == 0 and len(drive):
                total[i] = drive[i] if kinds[4] else total[i] + drive[i]
            slow[first + i] *= jumps[p, 0]
        for k in range(neurons):
            for i in range(units):
                n = neurons * first + k * units + i
                potential[n] = stays * potential[n] + (1 - stays) * total[i]
        bias_slow[p] *= jumps[p, 0]
        bias_waiting[p] -= bias_waiting[p] > 0
    for k in range(len(ways)):
        for i in range(firsts[ways[k, TARGET]], firsts[ways[k, TARGET] + 1]):
            current[i] *= jumps[ways[k, SOURCE], 0]
    for i in range(len(fast)):
        fast[i] *= reals[1]
    for n in range(len(waiting)):
        waiting[n] -= waiting[n] > 0


@njit(cache=True, nogil=True)
def _fire(firsts, kinds, reals, state, forced, step, draws, count):
    """Note which neurons fire in `count`, spikes of each unit; reset them."""
    potential, waiting = state[0], state[1]
    neurons = kinds[0]
    count[:] = 0
    for p in range(len(firsts) - 1):
        first, units = firsts[p], firsts[p + 1] - firsts[p]
        for k in range(neurons):
            for i in range(units):
                n = neurons * first + k * units + i
                if p == 0 and len(forced):
                    fires = forced[step, i] > 0
                else:
                    draw = (np.float64(draws[n]) + 0.5) * 2.0**-32
                    fires = waiting[n] == 0 and draw < _chance(kinds, reals, potential[n])
                if fires:
                    potential[n] = 0.0
                    waiting[n] = kinds[1]
                    count[first + i] += 1


@njit(cache=True, nogil=True)
def _column(w, x, post, slow, fast, rate, plasticity, now, loss, arrives, spikes):
    """Send one source's spikes to its targets, and change their weights' account."""
    for i in range(len(w)):
        if rate != 0 and plasticity == RAW:
            w[i] += rate * spikes * (slow[i] - fast[i])
        if rate != 0 and plasticity == STDP:
            w[i] -= rate * spikes * slow[i]
        x[i] += arrives * (w[i] + now * post[i])
        w[i] -= loss * post[i]


@njit(cache=True, nogil=True)
def _send(firsts, ways, jumps, arrivals, kinds, memory, state, rates, account, count):
    """Send the step's spikes; learn from spikes, where that is the rule."""
    _, _, current, slow, fast, bias_waiting, _ = state
    posts, pres, scales = account
    for k in range(len(ways)):
        source, target = ways[k, SOURCE], ways[k, TARGET]
        to = slice(firsts[target], firsts[target + 1])
        rows, units = to.stop - to.start, firsts[source + 1] - firsts[source]
        gathers = rates[k] != 0 and (kinds[3] == DIFFERENCE or kinds[3] == HEBB)
        for j in range(units + 1):
            bias = j == units
            spikes = np.int64(bias_waiting[source] == 0) if bias else count[firsts[source] + j]
            if spikes == 0:
                continue
            added = spikes * jumps[source, 2 if bias else 1] / scales[k] if gathers else 0.0
            start = ways[k, OFFSET] + j * rows
            _column(
                memory[start : start + rows], current[to], posts[k], slow[to], fast[to],
                rates[k], kinds[3], rates[k] * pres[k, j] if gathers else 0.0,
                rates[k] * added, spikes * arrivals[k, 1 if bias else 0],
                kinds[0] if bias else spikes,
            )  # fmt: skip
            pres[k, j] += added


@njit(cache=True, nogil=True)
def _after_post(firsts, ways, memory, state, rates, count):
    """Add the senders' traces at each spike of post: pair STDP's other half."""
    slow, bias_slow = state[3], state[6]
    for k in range(len(ways)):
        source, target = ways[k, SOURCE], ways[k, TARGET]
        rows, units = firsts[target + 1] - firsts[target], firsts[source + 1] - firsts[source]
        for i in range(rows):
            spikes = rates[k] * count[firsts[target] + i]
            if spikes == 0:
                continue
            for j in range(units + 1):
                pre = bias_slow[source] if j == units else slow[firsts[source] + j]
                memory[ways[k, OFFSET] + j * rows + i] += spikes * pre


@njit(cache=True, nogil=True)
def _jump(firsts, jumps, kinds, reals, state, count, fired, biases):
    """Add the step's spikes to the traces, and to the counts."""
    _, _, _, slow, fast, bias_waiting, bias_slow = state
    for p in range(len(firsts) - 1):
        for i in range(firsts[p], firsts[p + 1]):
            slow[i] += count[i] * jumps[p, 1]
            fast[i] += count[i] * reals[2]
            fired[i] += count[i]
        if bias_waiting[p] == 0:
            bias_slow[p] += jumps[p, 2]
            bias_waiting[p] = kinds[1]
            biases[p] += 1


@njit(cache=True, nogil=True)
def _restart(k, firsts, ways, state, account):
    """Start to gather afresh: G = 0, q = 1, S = s."""
    slow, bias_slow = state[3], state[6]
    posts, pres, scales = account
    source = ways[k, SOURCE]
    units = firsts[source + 1] - firsts[source]
    posts[k] = 0.0
    scales[k] = 1.0
    pres[k, :units] = slow[firsts[source] : firsts[source + 1]]
    pres[k, units] = bias_slow[source]


@njit(cache=True, nogil=True)
def _flush(k, firsts, ways, memory, rates, account):
    """Bring every weight of a projection up to date."""
    posts, pres, _ = account
    source, target = ways[k, SOURCE], ways[k, TARGET]
    rows = firsts[target + 1] - firsts[target]
    for j in range(firsts[source + 1] - firsts[source] + 1):
        start = ways[k, OFFSET] + j * rows
        for i in range(rows):
            memory[start + i] += rates[k] * pres[k, j] * posts[k, i]


@njit(cache=True, nogil=True)
def _gather(k, firsts, ways, jumps, kinds, state, account):
    """Add what the target's units offer in this step."""
    slow, fast = state[3], state[4]
    posts, _, scales = account
    scales[k] *= jumps[ways[k, SOURCE], 0]
    first = firsts[ways[k, TARGET]]
    minus = 1.0 if kinds[3] == DIFFERENCE else 0.0
    for i in range(firsts[ways[k, TARGET] + 1] - first):
        posts[k, i] += scales[k] * (slow[first + i] - minus * fast[first + i])


@njit(cache=True, nogil=True)
def _record(step, kinds, firsts, state, count, recorded):
    """Note what this step came to; a neuron fired that has just begun to wait."""
    raster, potentials, currents, slows, fasts = recorded
    for n in range(len(state[1])):
        raster[step, n] = state[1][n] == kinds[1]
    potentials[step] = state[0]
    currents[step] = state[2]
    slows[step] = state[3]
    fasts[step] = state[4]


@njit(cache=True, nogil=True)
def _advance(
    firsts, ways, jumps, arrivals, kinds, reals, memory, state, drive, forced, rates, key,
    moment, steps, recorded, fired, biases,
):  # fmt: skip
    """Run the steps of a stretch, in the order that `spiking_life` states."""
    units, blocks = firsts[-1], (kinds[0] * firsts[-1] + 3) // 4
    total, count = np.empty(units), np.zeros(units, np.int64)
    draws = np.empty(4 * blocks, np.uint64)
    account = np.zeros((len(ways), units)), np.zeros((len(ways), units + 1)), np.ones(len(ways))
    gathers = kinds[3] == DIFFERENCE or kinds[3] == HEBB
    for k in range(len(ways)):
        _restart(k, firsts, ways, state, account)
    for step in range(steps):
        for b in range(blocks):
            counter = np.uint64((moment + step) * blocks + b)
            _draw(key, counter, draws[4 * b : 4 * b + 4])
        _decay(firsts, ways, jumps, kinds, reals, state, drive, total)
        for k in range(len(ways)):
            if gathers and rates[k] != 0:
                _gather(k, firsts, ways, jumps, kinds, state, account)
        _fire(firsts, kinds, reals, state, forced, step, draws, count)
        _send(firsts, ways, jumps, arrivals, kinds, memory, state, rates, account, count)
        if kinds[3] == STDP:
            _after_post(firsts, ways, memory, state, rates, count)
        _jump(firsts, jumps, kinds, reals, state, count, fired, biases)
        if len(recorded[0]):
            _record(step, kinds, firsts, state, count, recorded)
        for k in range(len(ways)):
            settles = (step + 1) % ways[k, REBASE] == 0 or step == steps - 1
            if gathers and rates[k] != 0 and settles:
                _flush(k, firsts, ways, memory, rates, account)
                _restart(k, firsts, ways, state, account)
