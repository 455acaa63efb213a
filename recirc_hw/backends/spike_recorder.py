"""Recording spiking chips, step by step, within a window of time."""

import numpy as np

from recirc_hw.backends import spiking
from recirc_hw.programs.firing import clamp_drive
from recirc_hw.programs.spiking import Window
from recirc_hw.spike_record import SpikeRecord, Spikes


def record_spikes(program, matrices, cases, body, advance, window_ms=None):
    """Return what one chip does while it is presented with cases, one after another.

    It learns as it goes; what it learned is not kept. Only the window takes memory.
    """
    dynamics, dt = program.dynamics, program.dynamics.dt_ms
    lengths = [phase.steps for phase in program.phases]
    last = sum(lengths) * len(cases)
    bounds = (0, last * dt) if window_ms is None else window_ms
    first, stop = (int(np.clip(np.rint(ms / dt), 0, last)) for ms in bounds)
    if first >= stop:
        raise ValueError(f"window_ms = {window_ms}: want (from, to) within 0..{last * dt:g} ms")
    state, windows, now = body.chip(0, matrices), [], 0
    for place, drive in enumerate(clamp_drive(dynamics, cases)):
        key = int(body.seeds[0]), "spikes", int(body.steps[0]) + place, 0
        for _, stretch in spiking.stretches(program, drive, key):
            for part in _parts(stretch, first - now, stop - now, dynamics):
                advance(dynamics, state, part)
                windows += [part.record] if part.record is not None else []
            now += stretch.steps
    return _record(program, windows, first, stop, len(cases))


def _parts(stretch, first, stop, dynamics):
    """Yield what lies before, in and behind the steps first..stop-1, where not empty."""
    cuts = [0, *(int(np.clip(cut, 0, stretch.steps)) for cut in (first, stop)), stretch.steps]
    for k in range(3):
        steps = cuts[k + 1] - cuts[k]
        if steps:
            window = Window.empty(dynamics, steps) if k == 1 else None
            yield stretch.part(cuts[k], cuts[k + 1], window)


def _record(program, windows, first, stop, n_cases):
    """Return the windows end to end, by group."""
    dynamics, dt = program.dynamics, program.dynamics.dt_ms
    names = [slot.name for slot in program.layout.slots][: len(dynamics.sizes)]
    arrays = {
        kind: np.concatenate([getattr(window, kind) for window in windows])
        for kind in ("raster", "potential", "current", "slow", "fast")
    }
    by_unit = {kind: {} for kind in ("current", "slow", "fast")}
    spikes, potential = {}, {}
    for p, name in enumerate(names):
        units = dynamics.units(p)
        neurons = slice(dynamics.neurons * units.start, dynamics.neurons * units.stop)
        step, neuron = np.nonzero(arrays["raster"][:, neurons])
        spikes[name] = Spikes((first + step) * dt, neuron % dynamics.sizes[p])
        shape = (len(arrays["raster"]), dynamics.neurons, dynamics.sizes[p])
        potential[name] = arrays["potential"][:, neurons].reshape(shape).swapaxes(1, 2)
        for kind, values in by_unit.items():
            values[name] = arrays[kind][:, units]
    return SpikeRecord(
        np.arange(first + 1, stop + 1) * dt, spikes, potential, **by_unit,
        phases=_spans(program, n_cases), window_ms=(first * dt, stop * dt),
        refractory_ms=dynamics.refractory_ms,
    )  # fmt: skip


def _spans(program, n_cases):
    """Return (name, first ms, last ms) of every phase of every case."""
    phases = [phase for phase in program.phases if phase.steps] * n_cases
    ends = np.cumsum([0.0, *(phase.duration_ms for phase in phases)])
    return tuple(
        (phase.name, float(start), float(end))
        for phase, start, end in zip(phases, ends, ends[1:], strict=False)
    )
