"""Recording spiking chips, step by step, within a window of time."""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from recirc_hw.backends.spiking_life import Life
from recirc_hw.errors import DataError
from recirc_hw.growing import InMemory, growing_in
from recirc_hw.programs.firing import clamp_drive
from recirc_hw.programs.spiking import Recorded
from recirc_hw.spike_record import KINDS, SpikeRecord, Window
from recirc_hw.whole_files import whole_folder

ROOM = 2**22  # bytes that are recorded before they are passed on


def record_spikes(program, matrices, cases, body, advance, window_ms=None, folder=None):
    """Return what one chip does while it is presented with cases, one after another.

    It learns as it goes; what it learned is not kept. Of a record in a folder no more
    than ROOM is ever in memory.
    """
    window = _window(program, len(cases), window_ms)
    recorder = _Recorder(program, window)
    life = Life(program, body, 0, advance)
    if folder is None:
        recorder.into = InMemory()
        recorder.present(life, matrices, cases)
        return SpikeRecord.of(window, recorder.into.arrays())
    try:
        with (
            whole_folder(Path(folder)) as unfinished,
            growing_in(unfinished, asdict(window)) as recorder.into,
        ):
            recorder.present(life, matrices, cases)
    except OSError as error:
        raise DataError(f"cannot write record '{folder}': {error.strerror}") from None
    return SpikeRecord.load(folder)


def _window(program, n_cases, window_ms):
    """Return the window, in whole steps."""
    dynamics, dt = program.dynamics, program.dynamics.dt_ms
    phases = [phase for phase in program.phases if phase.steps]
    last = sum(phase.steps for phase in phases) * n_cases
    try:
        from_ms, to_ms = (0.0, last * dt) if window_ms is None else map(float, window_ms)
    except (TypeError, ValueError):
        raise ValueError(f"window_ms = {window_ms!r}: want (from, to) in ms") from None
    if not max(from_ms, 0) < min(to_ms, last * dt):
        raise ValueError(f"window_ms = {window_ms}: want (from, to) within 0..{last * dt:g} ms")
    first, stop = (int(np.clip(np.rint(ms / dt), 0, last)) for ms in (from_ms, to_ms))
    stop = max(stop, first + 1)  # a step at least
    groups = {
        slot.name: (units, dynamics.neurons)
        for slot, units in zip(program.layout.slots, dynamics.sizes, strict=False)
    }
    spans = tuple((phase.name, phase.duration_ms) for phase in phases)
    return Window(dt, first, stop, spans, groups)


class _Recorder:
    """Presents cases, and passes on what happens in the window."""

    def __init__(self, program, window):
        self.dynamics, self.window, self.now, self.into = program.dynamics, window, 0, None
        row = 9 * self.dynamics.n_neurons + 24 * self.dynamics.n_units
        self.most = max(1, ROOM // row)

    def present(self, life, matrices, cases):
        """Take a chip through the cases, one after another."""
        for case in cases:
            drive = clamp_drive(self.dynamics, case)
            matrices = life.take_case(matrices, drive, divide=self._parts)

    def _parts(self, stretch):
        """Yield the parts of a stretch that lie before, in and behind the window."""
        window = self.window
        bounds = (window.first_step - self.now, window.stop_step - self.now)
        begin, end = (int(np.clip(bound, 0, stretch.steps)) for bound in bounds)
        inside = range(begin, end, self.most)
        cuts = [0, *inside, end, stretch.steps] if begin < end else [0, stretch.steps]
        for first, stop in zip(cuts, cuts[1:], strict=False):
            if first == stop:
                continue
            room = None
            if begin <= first < end:
                room = Recorded.empty(self.dynamics, stop - first)
            yield stretch.part(first, stop, room)
            if room is not None:
                self._pass_on(room, self.now + first)
        self.now += stretch.steps

    def _pass_on(self, room, first_step):
        """Add what has been recorded to the arrays of each group."""
        dynamics = self.dynamics
        for p, (name, (units, neurons)) in enumerate(self.window.groups.items()):
            own = dynamics.units(p)
            columns = slice(neurons * own.start, neurons * own.stop)
            step, neuron = np.nonzero(room.raster[:, columns])
            self.into.append(f"time_ms_{name}", (first_step + step) * dynamics.dt_ms)
            self.into.append(f"unit_{name}", neuron % units)
            shape = (len(room.raster), neurons, units)
            potential = room.potential[:, columns].reshape(shape).swapaxes(1, 2)
            self.into.append(f"potential_{name}", potential)
            for kind in KINDS[1:]:
                self.into.append(f"{kind}_{name}", getattr(room, kind)[:, own])
