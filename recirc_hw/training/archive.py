"""Runs on disk: run.json for people and scripts, weights.npz for chips."""

import io
import json
from pathlib import Path

import numpy as np

from recirc_hw.errors import DataError
from recirc_hw.training.checkpoint import read_arrays, write_whole
from recirc_hw.training.run import Run

FORMAT = 1


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
        If the folder holds no finished run, or a broken one.
    """
    path = Path(folder) / "run.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        runs = record.pop("runs")
        arrays = read_arrays(Path(folder) / "weights.npz")
        layers = range(len(design.program.layout.matrices))
        kept = layers if design.substrate.keeps_remainders else ()
        found = [
            Run.from_record(
                run,
                design,
                [arrays[f"{i}_{k}"] for k in layers],
                [arrays[f"{i}_{k}_sums"] for k in kept],
            )  # fmt: skip
            for i, run in enumerate(runs)
        ]
    except OSError as error:
        reason = error.strerror or "broken"
        raise DataError(f"cannot read run '{folder}': {path.name}: {reason}") from None
    except (ValueError, KeyError, TypeError):
        raise DataError(
            f"cannot read run '{folder}': run.json or weights.npz is broken"
        ) from None
    return found, record
