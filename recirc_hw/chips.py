"""Chips: fabricated instances of a design."""

import numpy as np

from recirc_hw.backends import Job, Watch, record
from recirc_hw.backends import backend as backend_called
from recirc_hw.errors import DesignError, TaskError, UnsupportedError, nearest
from recirc_hw.programs.spiking import phase_counts
from recirc_hw.substrates import Ideal, Spiking
from recirc_hw.tasks.checks import as_flags, as_floats, whole_number, with_targets
from recirc_hw.training import train


class Chip:
    """One fabricated instance of a design: its own initial weights, from its seed.

    Parameters
    ----------
    design : Design
    seed : int, in 0..2**64-1
        `TypeError` or `ValueError` for any other.
    """

    def __init__(self, design, seed):
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            raise TypeError(f"seed must be a whole number, got {seed!r}")
        self.design, self.seed, self.updates = design, int(seed), 0
        self.steps = 0  # writes ever done, which name the rounding bits of the next
        self.program = design.lowered()  # in whose units the sums are
        design.substrate.check_chip(self.seed, self.program)
        stored = [
            self._stored(step, design.network.initial(matrix, self.seed, step))
            for step, matrix in enumerate(self.program.layout.matrices)
        ]
        self.matrices, self.sums = (list(part) for part in zip(*stored, strict=True))

    def __repr__(self):
        return f"Chip(seed={self.seed}, updates={self.updates}, design={self.design!r})"

    @property
    def weights(self):
        """Copies of the network's weight matrices, shape (rows, cols + 1), bias last.

        Set them to a list of arrays of those shapes; `ValueError` where they are not
        finite real numbers that the substrate can hold, and nothing is changed.
        """
        records = self.program.layout.matrices[: len(self.design.network.matrices)]
        return [
            self.design.substrate.read(codes, record)
            for codes, record in zip(self.matrices, records, strict=False)
        ]

    @weights.setter
    def weights(self, matrices):
        arrays = self._fitting(matrices)
        records = self.program.layout.matrices
        for step, (array, matrix) in enumerate(zip(arrays, records, strict=False)):
            self.design.substrate.check_range(array, matrix, self.seed, step)
        self._give(arrays)

    def load(self, matrices):
        """Give the chip these weights, as nearly as it can hold them.

        Weights beyond its range end at the rails; setting `weights` refuses them.

        Parameters
        ----------
        matrices : list of float arrays, shape (rows, cols + 1), as `weights` returns them

        Raises
        ------
        ValueError
            If they are not of those shapes, or not finite real numbers.
        """
        self._give(map(self.design.substrate.nearest, self._fitting(matrices)))

    def _fitting(self, matrices):
        """Return weights as arrays, once they prove finite and of the network's shapes."""
        wanted = [matrix.shape for matrix in self.weights]
        arrays = [as_floats(matrix, f"weights[{k}]") for k, matrix in enumerate(matrices)]
        given = [array.shape for array in arrays]
        if given != wanted:
            raise ValueError(f"weights: want arrays of shapes {wanted}, got {given}")
        if not all(np.isfinite(array).all() for array in arrays):
            raise ValueError("weights: NaN or infinite values")
        if self.design.network.mirrors and not np.array_equal(
            arrays[0][:, :-1], arrays[1][:, :-1].T
        ):
            raise ValueError("weights: symmetric ones must be each other's transpose")
        return arrays

    def _give(self, arrays):
        for k, array in enumerate(arrays):
            self.matrices[k], self.sums[k] = self._stored(k, array)

    def set_output_biases(self, values):
        """Give the units of the visible group these biases.

        Parameters
        ----------
        values : float array, shape (n_visible,)
            Those that the substrate cannot hold become the nearest that it can.

        Raises
        ------
        ValueError
            If they are not as many, or not finite real numbers.
        """
        k = len(self.design.network.matrices) - 1
        weights = self.weights[k].astype(np.float64)
        values = as_floats(values, "biases")
        if values.shape != (len(weights),) or not np.isfinite(values).all():
            raise ValueError(f"biases: want {len(weights)} finite values, got {values}")
        weights[:, -1] = values
        codes, left = self._stored(k, weights)
        self.matrices[k][:, -1], self.sums[k][:, -1] = codes[:, -1], left[:, -1]

    def start_sums(self, program):
        """Return what each matrix's sums start from in a training, in the program's units."""
        return self.design.substrate.start_sums(self.sums, self.program, program)

    def train(self, task, **options):
        """Train this chip, from the weights it has.

        Every training presents the cases in the same order, which the chip's seed
        sets: two trainings of one epoch are not one training of two.

        Parameters
        ----------
        task : Task
        **options
            Those of `recirc_hw.train`, which also says what is raised.

        Returns
        -------
        Run
        """
        return train([self], task, **options)[0]

    def reconstruct(self, cases, backend="native", readout=None):
        """Return what comes back after one pass round the loop, regression 0.

        Of a network that is given targets: its output.

        Parameters
        ----------
        cases : float array, shape (n_cases, case size) or (case size,)
            The targets at the end of a case may be left out.
        backend : "native", "reference", "numba" or "brian2"
        readout : str, or None
            Another way to tell it than the substrate's own: a spiking chip's "counts"
            of spikes, or "curve", by its neurons' rate against constant drive.

        Returns
        -------
        float array, shape (n_cases, output units) or (output units,)

        Raises
        ------
        TaskError
            If the cases are not finite real numbers of that shape.
        """
        return self._slot(cases, self.design.inference.monitor[1], backend, readout)

    def encode(self, cases, backend="native"):
        """Return the activity of the narrowest hidden group on the first pass.

        Arguments and errors are those of `reconstruct`.

        Returns
        -------
        float array, shape (n_cases, n_units) or (n_units,)
        """
        return self.activity(cases, self.design.network.code.name, backend)

    def complete(self, cases, known, trips=30, backend="native"):
        """Return the visible units trip by trip, from cases of which a part is known.

        Unknown units start at .5 and take what each trip brings back; known ones are
        clamped. Source: Hinton & McClelland 1988, "Using a hierarchy of closed loops".

        Parameters
        ----------
        cases : float array, shape (n_cases, n_visible) or (n_visible,)
        known : bool array, shape (n_cases, n_visible) or (n_visible,)
        trips : int, 0 or more

        Returns
        -------
        float array, shape (trips + 1, n_cases, n_visible): the start, then each trip

        Raises
        ------
        TaskError, or UnsupportedError for networks that are given targets
        """
        if self.design.network.n_targets:
            name = type(self.design.network).__name__
            raise UnsupportedError(
                f"a {name} network completes no cases: its output is not its input again; "
                "Loop and Hierarchy networks complete them"
            )
        cases = np.atleast_2d(self._checked(cases))
        known = as_flags(known, "known", cases.shape[1:], cases.shape)
        trips = whole_number("trips", trips, 0, 2**32 - 1)
        states = [np.where(known, cases, 0.5)]
        for _ in range(trips):
            states.append(np.where(known, cases, self.reconstruct(states[-1], backend)))
        return np.stack(states)

    def activity(self, cases, name, backend="native"):
        """Return what the slot of that name holds after the first pass, a row per case.

        The slots are listed by `design.inference`: all groups, and all steps of them.
        """
        slots = [slot.name for slot in self.design.inference.layout.slots]
        if name not in slots:
            raise DesignError(
                f"no slot '{name}'{nearest(name, slots)}; slots are {', '.join(slots)}"
            )
        return self._slot(cases, slots.index(name), backend)

    def record(self, case, window_ms=None, folder=None):
        """Return what this chip does while one case goes through its phases.

        Parameters
        ----------
        case : float array, shape (n_visible,); of a spiking chip also (n_cases, n_visible)
            Several cases follow one another, and the chip learns as they do.
        window_ms : (from, to), or None for all
            Which part of a spiking chip's time to keep.
        folder : path, or None to keep it in memory
            A folder to be made, to which the record of a spiking chip is written while it
            is made: memory does not grow with its length. `SpikeRecord.load` reads it.

        Returns
        -------
        Trajectory, or of a spiking chip SpikeRecord; the chip is not changed.

        Raises
        ------
        UnsupportedError
            For clocked chips, which have no phases.
        DataError
            If the folder is there already, or cannot be written; nothing half-written
            is left.
        """
        if self.design.is_clocked:
            raise UnsupportedError(
                f"{type(self.design.substrate).__name__} chips are clocked: only those that "
                "live in continuous time can be recorded"
            )
        where = {"window_ms": window_ms, "folder": folder}
        if not isinstance(self.design.substrate, Spiking):
            for name, value in where.items():
                if value is not None:
                    raise UnsupportedError(f"{name}: only a spiking chip's record takes one")
            job = self.presentation(case)
            return record(job.program, job.weights, job.cases, job.body)
        case = np.atleast_2d(self._checked(case))
        codes = self.design.substrate.encode(case, self.design.network)
        weights = [matrix[None] for matrix in self.matrices]
        program = self.design.lowered()
        return record(program, weights, codes, self._body(program), **where)

    def count_events(self, cases, backend="native"):
        """Return what happens on a spiking chip while it is presented with cases.

        They follow one another, and the chip learns as they do; it is not changed.

        Parameters
        ----------
        cases : float array, shape (n_cases, n_visible) or (n_visible,)

        Returns
        -------
        {phase: {what: how often}}, as `programs.spiking.phase_counts` says
        """
        if not isinstance(self.design.substrate, Spiking):
            name = type(self.design.substrate).__name__
            raise UnsupportedError(f"{name} chips count no events: only Spiking ones do")
        cases, program = np.atleast_2d(self._checked(cases)), self.design.lowered()
        codes = self.design.substrate.encode(cases, self.design.network)
        weights = [matrix[None].copy() for matrix in self.matrices]
        sums = [np.zeros_like(matrix) for matrix in weights]
        order, body = np.arange(len(codes)), self._body(program)
        job = Job(
            program, weights, sums, codes, order[None], order + 1, Watch.start(1), body=body
        )
        backend_called(backend).train(job)
        return phase_counts(program, body.counters[0])

    def _stored(self, k, weights):
        """Return (matrix k as the chip holds these weights, what is left in its sums)."""
        record = self.program.layout.matrices[k]
        return self.design.substrate.store(weights, record, self.seed, k)

    def _body(self, program):
        """Return what this chip has besides its weights."""
        body = self.design.substrate.body([self.seed], program)
        body.steps[:] = self.steps
        return body

    def states(self, cases):
        """Return what each slot of the program holds for each case, by the reference backend.

        As the chip holds it (codes on a chip of few bits), nothing being written.

        Returns
        -------
        list of arrays, shape (n_cases, size of the slot), in the order of the layout
        """
        cases = np.atleast_2d(self._checked(cases))
        codes = self.design.substrate.encode(cases, self.design.network)
        weights = [matrix[None] for matrix in self.matrices]
        forward, body = backend_called("reference").forward, self._body(self.program)
        return [
            forward(self.program, weights, codes, slot, body)[0]
            for slot in range(len(self.program.layout.slots))
        ]

    def presentation(self, case):
        """Return what a backend is given to present one case, shape (n_visible,).

        Returns
        -------
        Job, with the weights and parts of this chip; nothing is written. Errors are
        those of `reconstruct`.
        """
        case = self._checked(case)
        if case.ndim != 1:
            raise TaskError(f"case: want one case, shape ({len(case[0])},), got {case.shape}")
        program = self.design.lowered()
        codes = self.design.substrate.encode(case[None], self.design.network)
        weights = [matrix[None] for matrix in self.matrices]
        watch = Watch.start(1)
        return Job(program, weights, [], codes, None, None, watch, body=self._body(program))

    def weight_change(self, cases, rule=None, backend="native"):
        """Return what a rule would add to each weight for a batch, before the rate.

        Parameters
        ----------
        cases : float array, shape (n_cases, n_visible) or (n_visible,)
        rule : a rule, or None for the design's own
            Another rule is asked in floating point, whatever the substrate.
        backend : "native", "reference" or "numba"

        Returns
        -------
        list of float arrays, shape (rows, cols + 1), one per matrix of the network:
        the sum over the cases, or their mean where the rule takes it; the chip is
        not changed. Errors are those of `reconstruct`.
        """
        cases = np.atleast_2d(self._checked(cases))
        network, substrate = self.design.network, self.design.substrate
        arrays = self.matrices
        averaged = len(cases) if (rule or self.design.rule).batch == "mean" else 1
        if rule is None:
            program = self.design.lowered(len(cases))
        else:
            substrate = substrate if isinstance(substrate, Ideal) else Ideal()
            program = type(self.design)(network, rule, substrate).program
            arrays = self._with_feedback(substrate, program.layout.matrices)
        body = self._body(program) if rule is None else substrate.body([self.seed], program)
        job = Job.gathering(program, arrays, substrate.encode(cases, network), body)
        backend_called(backend).train(job)
        return [
            substrate.change(g[0], matrix, averaged)
            for g, matrix in zip(job.sums, program.layout.matrices, strict=True)
        ][: len(network.matrices)]

    def _with_feedback(self, substrate, records):
        """Return the network's weights as `substrate` holds them, and fresh feedback."""
        network, known = self.design.network, self.weights
        fresh = [
            network.initial(record, self.seed, step)
            for step, record in enumerate(records) if step >= len(known)
        ]  # fmt: skip
        return [
            substrate.store(array, None, self.seed, step)[0]
            for step, array in enumerate((*known, *fresh))
        ]

    def _slot(self, cases, index, name, readout=None):
        cases = self._checked(cases)
        design = self.design
        if readout is not None:
            design = design.replace("substrate.readout", readout)
        program = design.lowered_inference
        codes = design.substrate.encode(np.atleast_2d(cases), design.network)
        weights = [matrix[None] for matrix in self.matrices[: len(program.layout.matrices)]]
        body = self._body(program)
        found = backend_called(name).forward(program, weights, codes, index, body=body)[0]
        values = design.substrate.decode(found, program.layout.slots[index])
        return values if cases.ndim == 2 else values[0]

    def _checked(self, cases):
        """Return cases as an array, of the network's shape and finite."""
        return with_targets(cases, self.design.network.case_size, self.design.network.n_targets)
