"""Checkpoints: everything a training needs to go on, in one file, written whole."""

import fcntl
import io
import json
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from recirc_hw.errors import CheckpointError
from recirc_hw.whole_files import write_whole

FORMAT = 1


@contextmanager
def alone_at(path, what="training"):
    """Refuse a second training (or `what` it is) that would write at `path` meanwhile.

    With None for `path`, do nothing.
    """
    if path is None:
        yield
        return
    lock = Path(f"{path}.lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        stream = _locked(lock)
    except BlockingIOError:
        raise CheckpointError(
            f"another {what} is writing '{path}'; give this one a folder of its own"
        ) from None
    except OSError as error:
        raise CheckpointError(f"cannot write '{path}': {error.strerror}") from None
    with stream:
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _locked(lock):
    """Return the lock file, open and locked; BlockingIOError where another holds it."""
    while True:
        stream = open(lock, "w")  # noqa: SIM115
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who held it before may have removed it since it was opened.
            if os.path.samestat(os.fstat(stream.fileno()), os.stat(lock)):
                return stream
        except FileNotFoundError:
            pass
        except BaseException:
            stream.close()
            raise
        stream.close()


def save_checkpoint(path, meta, arrays):
    """Save a training's state: `meta` as JSON, `arrays` as NumPy arrays by name."""
    text = json.dumps({"format": FORMAT, **meta})
    stream = io.BytesIO()
    np.savez(stream, meta=np.frombuffer(text.encode(), np.uint8), **arrays)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, stream.getvalue())
    except OSError as error:
        raise CheckpointError(f"cannot write checkpoint '{path}': {error.strerror}") from None


def read_arrays(path):
    """Return the arrays of an .npz file by name; ValueError where it is broken."""
    content = Path(path).read_bytes()
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except Exception as error:  # on a broken file zipfile and NumPy raise nearly anything
        raise ValueError(f"'{path}' holds no arrays: {error}") from None


def load_checkpoint(path):
    """Return (meta, arrays) of a checkpoint; nothing in it is executed.

    Raises
    ------
    CheckpointError
        If the file is missing, broken, or of another format.
    """
    try:
        arrays = read_arrays(path)
        meta = json.loads(arrays.pop("meta").tobytes())
    except OSError as error:
        raise CheckpointError(f"cannot read checkpoint '{path}': {error.strerror}") from None
    except (ValueError, KeyError, RecursionError):
        raise CheckpointError(
            f"cannot read checkpoint '{path}': it is no checkpoint of recirc_hw, or broken"
        ) from None
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise CheckpointError(f"checkpoint '{path}': want format {FORMAT}")
    return meta, arrays


def match(path, found, wanted):
    """Refuse a checkpoint whose identity differs, naming the first field that does."""
    found = found if isinstance(found, dict) else {}
    wanted = json.loads(json.dumps(wanted))  # tuples are lists in the file
    for name in {**wanted, **found}:
        if name not in found or name not in wanted or found[name] != wanted[name]:
            raise CheckpointError(
                f"checkpoint '{path}' is of another {name}: "
                f"it has {_short(found, name)}, this training {_short(wanted, name)}"
            )


def _short(identity, name):
    """Return one field of an identity as text of at most 200 characters."""
    text = json.dumps(identity[name]) if name in identity else "none"
    return text if len(text) <= 200 else text[:197] + "..."
