"""The reference backend's continuous time: the equations of analog chips, step by step.

Not intended to be fast. A state is an array of shape (cases, units), the groups
side by side.
"""

from dataclasses import dataclass

import numpy as np

from recirc_hw.backends.continuous import weights_as_read, write_shares
from recirc_hw.backends.dynamics import lagging, moving_units
from recirc_hw.backends.responses import RESPONSES, SLOPES
from recirc_hw.random_streams import noise


def present(job, chips, cases, learning, first=0, watcher=None):
    """Take each chip's batch of cases through the phases; see `continuous`."""
    program = job.program
    values, gathered = [], []
    for chip, batch in zip(chips, cases, strict=True):
        changes = [np.zeros_like(weights[chip]) for weights in job.weights]
        # Weights that follow their changes make each case depend on those before it.
        alone = learning and program.dynamics.continuous
        blocks = np.split(batch, len(batch)) if alone else [batch]
        shares = write_shares(job, chip, len(batch))
        values.append(
            np.vstack(
                [
                    _Presentation(job, chip, block, learning, first + m, changes, shares).run(
                        watcher
                    )
                    for m, block in enumerate(blocks)
                ]
            )
        )
        gathered.append(changes)
    return np.stack(values), [np.stack(matrices) for matrices in zip(*gathered, strict=True)]


@dataclass
class _State:
    """Activities, and their traces (or lagging copies), at one moment."""

    activity: np.ndarray
    trace: np.ndarray


class _Presentation:
    """Cases on one chip, side by side; `changes` are added to."""

    def __init__(self, job, chip, cases, learning, first, changes, shares):
        self.program, self.dynamics = job.program, job.program.dynamics
        self.changes, self.shares = changes, shares
        self.learning, self.first = learning, first
        self.key = int(job.body.seeds[chip]), int(job.body.steps[chip])
        self.cases, body = cases, job.body
        self.read = [weights[0] for weights in weights_as_read(job, [chip])]
        self.read_gain = [gains[chip] for gains in body.read_gain]
        self.tau, self.gain = body.tau_ms[chip], body.gain[chip]
        self.offset, self.stuck = body.offset[chip], body.stuck[chip]
        groups = self.program.layout.slots[:-1]
        self.slices = [slice(g.offset, g.offset + g.size) for g in groups]
        sizes = [group.size for group in groups]
        self.trace_ms = np.repeat(self.dynamics.trace_ms, sizes)
        self.moment = 0  # steps since the case began
        self.past = []  # activities of earlier moments, where there is a delay

    def run(self, watcher=None):
        """Return the values of every slot at the end of the first phase."""
        state = _State(*np.zeros((2, len(self.cases), len(self.tau)), self.cases.dtype))
        values = None
        for phase in self.program.phases:
            self._enter(phase, state)
            if watcher is not None and not self.moment:
                watcher(phase, state, self.changes)
            for _ in range(phase.steps):
                state = self._step(phase, state)
                self.moment += 1
                if watcher is not None:
                    watcher(phase, state, self.changes)
            if values is None:
                values = self._values(state)
            if not self.learning:
                break
        return values

    def _weights(self, changes):
        """Return the weights as read; with continuous plasticity, after these changes."""
        return [
            read + self.dynamics.continuous * share * gain * change
            for read, share, gain, change in zip(
                self.read, self.shares, self.read_gain, changes, strict=True
            )
        ]

    def _enter(self, phase, state):
        """Clamp groups at the start of a phase; stuck units hold what they hold."""
        self.weights = self._weights(self.changes)
        self.before = [change.copy() for change in self.changes]  # a step ago
        for group in phase.clamped:
            state.activity[:, self.slices[group]] = _coded(
                self.cases, self.dynamics.functions[group], self.dynamics.dac_bits
            )
        self._keep_stuck(state.activity)
        if not self.past:
            self.past.append(state.activity)
        moves, self.traced = moving_units(self.program, phase)
        self.moves = moves & np.isnan(self.stuck)
        self.lags = int(np.rint(self.dynamics.delay_ms / phase.dt_ms))

    def _keep_stuck(self, activity):
        works = np.isnan(self.stuck)
        activity[:] = np.where(works, activity, np.where(works, 0, self.stuck))

    def _values(self, state):
        """Return every slot: the groups, then the response of the visible units."""
        target, _ = self._targets(self._sent(state.activity, 0))
        output = target[:, self.slices[0]]
        activity = state.activity.copy()
        activity[:, self.slices[0]] = self.cases  # the reconstruction's error is told from it
        function = self.dynamics.functions[0]
        return np.hstack([activity, _coded(output, function, self.dynamics.adc_bits)])

    def _sent(self, activity, ahead):
        """Return what arrives at the synapses now (0), half a step (.5) or one (1) ahead."""
        if self.lags:
            place = self.moment - self.lags
            now, later = (self.past[max(0, place + k)] for k in (0, 1))
            activity = now + ahead * (later - now)
        sent = np.empty_like(activity)
        for group, function in zip(self.slices, self.dynamics.functions, strict=True):
            sent[:, group] = _coded(activity[:, group], function, self.dynamics.adc_bits)
        return sent

    def _targets(self, sent):
        """Return (f(gain (x - offset)), standard deviation of the noise) of every unit."""
        target, spread = np.zeros_like(sent), np.zeros_like(sent)
        for (source, to), weights in zip(self.dynamics.wiring, self.weights, strict=True):
            units, arriving = self.slices[to], sent[:, self.slices[source]]
            total = arriving @ weights[:, :-1].T + weights[:, -1]
            function = self.dynamics.functions[to]
            target[:, units] = RESPONSES[function](
                self.gain[units] * (total - self.offset[units])
            )
            slope = self.gain[units] * SLOPES[function](target[:, units])
            length = np.sqrt(1 + np.sum(arriving**2, axis=1, keepdims=True))
            spread[:, units] = np.hypot(
                self.dynamics.unit_noise, self.dynamics.read_noise * length * slope
            )
        return target.astype(sent.dtype), spread

    def _step(self, phase, state):
        """Return the state one step later; gather the changes of plastic matrices."""
        scheme = self._heun if self.dynamics.integrator == "heun" else self._runge_kutta
        new = scheme(phase, state)
        if self.dynamics.delay_ms:
            self.past.append(new.activity)
        return new

    def _heun(self, phase, state):
        """Solve the leak exactly and let the drive change linearly over a step.

            y' = E y + (1 - E) f0 + sd sqrt(1 - E^2) z + (1 - (1 - E) tau / dt) (f1 - f0)

        with E = exp(-dt / tau). Source: Cox & Matthews 2002, "Exponential time
        differencing for stiff systems", eq. 22 (ETD2RK).
        """
        if self.dynamics.continuous and phase.plastic:
            self._look_ahead()
        before = self._sent(state.activity, 0)
        target, spread = self._targets(before)
        stays, corrects = lagging(phase.dt_ms, self.tau)
        guess = stays * state.activity + (1 - stays) * target
        if self.dynamics.noisy:
            guess = guess + spread * np.sqrt(1 - stays**2) * self._noise()
        guess = self._kept(state.activity, guess)
        later, _ = self._targets(self._sent(guess, 1))
        activity = self._kept(state.activity, guess + corrects * (later - target))
        new = _State(activity, self._follow(phase, state, activity))
        after = self._sent(activity, 1)
        for k in phase.plastic if self.learning else ():
            self._gather(k, phase, state, new, before, after)
        return new

    def _look_ahead(self):
        """Take the weights of half a step from now, as if they went on as in the last one."""
        pairs = zip(self.changes, self.before, strict=True)
        self.weights = self._weights([now + (now - then) / 2 for now, then in pairs])
        self.before = [change.copy() for change in self.changes]

    def _noise(self):
        """Return this moment's standard normals, shape (cases, units)."""
        places = self.first + np.arange(len(self.cases))
        purpose = "unit noise" if self.learning else "test noise"
        draws = noise(self.key[0], purpose, self.key[1], self.moment, places, len(self.tau))
        return draws.astype(self.cases.dtype)

    def _kept(self, before, after):
        """Return `after` for units that move, `before` for the others."""
        return np.where(self.moves, after, before).astype(before.dtype)

    def _follow(self, phase, state, activity):
        """Return the traces one step later, activity having gone there in a line."""
        time = np.where(self.trace_ms > 0, self.trace_ms, 1.0)
        stays, corrects = lagging(phase.dt_ms, time)
        follows = stays * state.trace + (1 - stays) * state.activity
        follows += corrects * (activity - state.activity)
        return np.where(self.traced, follows, state.trace).astype(activity.dtype)

    def _gather(self, k, phase, state, new, before, after):
        """Add - pre (x) change of post over a step to the changes of matrix k."""
        source, to = (self.slices[group] for group in self.dynamics.wiring[k])
        pre, post = (before + after)[:, source] / 2, (new.activity - state.activity)[:, to]
        if self.dynamics.learning == "trace":
            pre, post = (
                (state.trace + new.trace)[:, source] / 2,
                (new.trace - state.trace)[:, to],
            )
        if self.dynamics.learning == "circuit":
            apart = (state.activity - state.trace + new.activity - new.trace) / 2
            post = phase.dt_ms * (apart / self.trace_ms)[:, to]
        self.changes[k] -= np.column_stack([post.T @ pre, post.sum(axis=0)])

    def _runge_kutta(self, phase, state):
        """The classical fourth-order scheme, for activities, traces and changes alike."""
        total, slope = [0, 0], [0, 0]
        before = [change.copy() for change in self.changes]
        rates = [np.zeros_like(change) for change in self.changes]
        for ahead, share in ((0, 1 / 6), (0.5, 1 / 3), (0.5, 1 / 3), (1, 1 / 6)):
            self.weights = self._weights(
                [
                    then + ahead * phase.dt_ms * rate
                    for then, rate in zip(before, rates, strict=True)
                ]
            )
            activity = state.activity + ahead * phase.dt_ms * slope[0]
            trace = state.trace + ahead * phase.dt_ms * slope[1]
            sent = self._sent(activity, ahead)
            slope = self._slopes(sent, activity, trace)
            for k in phase.plastic if self.learning else ():
                rates[k] = self._rate(k, sent, activity, trace, slope)
                self.changes[k] += share * phase.dt_ms * rates[k]
            total = [total[i] + share * slope[i] for i in range(2)]
        return _State(
            state.activity + phase.dt_ms * total[0], state.trace + phase.dt_ms * total[1]
        )

    def _slopes(self, sent, activity, trace):
        """Return the time derivatives of activities and traces."""
        target, _ = self._targets(sent)
        moves = np.where(self.moves, (target - activity) / self.tau, 0)
        time = np.where(self.trace_ms > 0, self.trace_ms, 1.0)
        return moves, np.where(self.traced, (activity - trace) / time, 0)

    def _rate(self, k, sent, activity, trace, slope):
        """Return - pre (x) dpost/dt of matrix k at one stage."""
        source, to = (self.slices[group] for group in self.dynamics.wiring[k])
        pre, post = sent[:, source], slope[0][:, to]
        if self.dynamics.learning == "trace":
            pre, post = trace[:, source], slope[1][:, to]
        if self.dynamics.learning == "circuit":
            post = ((activity - trace) / self.trace_ms)[:, to]
        return -np.column_stack([post.T @ pre, post.sum(axis=0)])


def _coded(values, function, bits):
    """Return values as a converter of so many bits gives them; 0 bits: as they are."""
    if not bits:
        return values
    low = {"logistic": 0.0, "tanh": -1.0}[function]
    steps = (2**bits - 1) / (1 - low)
    return low + np.floor((np.clip(values, low, 1) - low) * steps + 0.5) / steps
