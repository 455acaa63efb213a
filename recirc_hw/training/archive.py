"""Runs on disk: run.json for people and scripts, weights.npz for chips."""

import io
import json
from itertools import repeat
from pathlib import Path

import numpy as np

from recirc_hw.errors import DataError
from recirc_hw.programs import IntegerProgram, Phases
from recirc_hw.programs.integer import COUNTERS
from recirc_hw.programs.spiking import COUNTS, SpikingDynamics, phase_counts
from recirc_hw.training.checkpoint import read_arrays
from recirc_hw.training.run import Run
from recirc_hw.training.stored import FORMAT, MAY_BE_NAN, Alignments, RunFile, checked
from recirc_hw.whole_files import write_whole


def save_runs(folder, runs, **settings):
    """Write the runs of one training, and `settings` beside them, into `folder`.

    Raises
    ------
    DataError
        If the folder cannot be written; nothing half-written is left.
    """
    records = [run.record() for run in runs]
    record = {"format": FORMAT, **settings, "runs": records}
    arrays = {f"{i}_{k}": w for i, run in enumerate(runs) for k, w in enumerate(run.weights)}
    arrays |= {f"{i}_{k}_sums": g for i, run in enumerate(runs) for k, g in enumerate(run.sums)}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        write_whole(Path(folder) / "weights.npz", stream.getvalue())
        text = json.dumps(record, indent=1, allow_nan=False)
        write_whole(Path(folder) / "run.json", text.encode())
    except OSError as error:
        raise DataError(f"cannot write into '{folder}': {error.strerror}") from None


def load_runs(folder, design):
    """Return (runs, settings) that `save_runs` wrote for chips of `design`.

    Raises
    ------
    DataError
        If the folder holds no finished run, or a broken one; the message names
        the folder, the file, and the field that is wrong.
    """
    path = Path(folder) / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
        stored = checked(RunFile, record)
        _match_design(stored.runs, design)
        path = Path(folder) / "weights.npz"
        arrays = read_arrays(path)
        weights = [_weights_of(arrays, i, design) for i in range(len(stored.runs))]
        sums = [_sums_of(arrays, i, run, design) for i, run in enumerate(stored.runs)]
        for run, codes, left in zip(stored.runs, weights, sums, strict=True):
            design.substrate.check_codes(codes, left, design.lowered(run.batch_size))
    except OSError as error:
        reason = error.strerror or "broken"
        raise DataError(f"cannot read run '{folder}': {path.name}: {reason}") from None
    except RecursionError:
        raise DataError(f"cannot read run '{folder}': {path.name}: nested too deep") from None
    except ValueError as error:
        raise DataError(f"cannot read run '{folder}': {path.name}: {error}") from None
    settings = {name: value for name, value in record.items() if name != "runs"}
    return list(map(_run, stored.runs, repeat(design), weights, sums)), settings


def _refuse_constant(name):
    """Refuse NaN and infinities, which JSON does not have."""
    raise ValueError(f"{name} is no JSON")


def _match_design(runs, design):
    """Refuse runs that chips of `design` cannot have made."""
    for i, run in enumerate(runs):
        for k, probe in enumerate(run.probes):
            _match_probe(f"runs[{i}].probes[{k}]", probe, len(design.network.matrices))
        if run.counters is not None:
            _match_counters(f"runs[{i}].counters", run.counters, design)


def _match_probe(where, probe, n_matrices):
    """Refuse a probe that has not one value per weight matrix."""
    for name in Alignments.model_fields:
        count = len(getattr(probe, name))
        if count != n_matrices:
            raise ValueError(
                f"{where}.{name}: want {n_matrices} values, one per weight matrix, got {count}"
            )


def _match_counters(where, counters, design):
    """Refuse counters of other matrices or phases, or of a chip that counts nothing."""
    wanted = _counted(design)
    if wanted is None:
        raise ValueError(f"{where}: {type(design.substrate).__name__} chips count nothing")
    names, whats = wanted
    if {name: set(counts) for name, counts in counters.items()} != dict.fromkeys(
        names, set(whats)
    ):
        raise ValueError(f"{where}: want {', '.join(whats)} for each of {', '.join(names)}")


def _counted(design):
    """Return (matrices or phases, what is counted for each), or None: nothing is."""
    program = design.lowered()
    if isinstance(program, IntegerProgram):
        return [matrix.name for matrix in program.layout.matrices], COUNTERS
    if isinstance(program, Phases) and isinstance(program.dynamics, SpikingDynamics):
        none = np.zeros((len(program.phases), len(COUNTS)), int)
        counts = phase_counts(program, none)
        return list(counts), list(next(iter(counts.values())))
    return None


def _weights_of(arrays, i, design):
    """Return the matrices of the i-th run, of the shapes and types that the design has."""
    matrices = design.lowered().layout.matrices
    return [
        _array_of(arrays, f"{i}_{k}", matrix, design.substrate.dtype)
        for k, matrix in enumerate(matrices)
    ]


def _sums_of(arrays, i, run, design):
    """Return what the i-th run left beside its weights; nothing where nothing is kept."""
    if not design.substrate.keeps_remainders:
        return []
    program = design.lowered(run.batch_size)
    return [
        _array_of(arrays, f"{i}_{k}_sums", matrix, np.dtype(f"int{program.word}"))
        for k, matrix in enumerate(program.layout.matrices)
    ]


def _array_of(arrays, name, matrix, dtype):
    """Return an array of a file, once it proves to be as one of a matrix should be."""
    shape = (matrix.rows, matrix.cols + 1)
    if name not in arrays:
        raise ValueError(f"array '{name}' is missing")
    array = arrays[name]
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(
            f"array '{name}': want {dtype} of shape {shape}, "
            f"got {array.dtype} of shape {array.shape}"
        )
    return array


def _run(stored, design, weights, sums):
    """Return the run that a record describes; numbers that were not finite are NaN."""
    fields = stored.model_dump()
    history = {name: _floats(values) for name, values in fields.pop("history").items()}
    probes = [
        {"update": probe.pop("update")} | {k: _floats(v).tolist() for k, v in probe.items()}
        for probe in fields.pop("probes")
    ]
    for name in MAY_BE_NAN:
        fields[name] = float("nan") if fields[name] is None else fields[name]
    return Run(
        design=design, weights=weights, sums=sums, history=history, probes=probes, **fields
    )


def _floats(values):
    """Return a list as an array, None as NaN."""
    return np.array(values, float)
