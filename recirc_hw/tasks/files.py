"""Read a user's table of numbers from .npy, .npz or .csv, naming what is wrong."""

import csv
import os
from pathlib import Path

import numpy as np

from recirc_hw.errors import DataError, TaskError

SUFFIXES = (".npy", ".npz", ".csv")


def read_tables(path: Path) -> tuple:
    """Return (cases, test) as the file holds them; test is None where there is none.

    Raises
    ------
    TaskError
        If the suffix is unknown, or the content is not one table of numbers.
    DataError
        If the file is missing or damaged, or holds Python objects.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise TaskError(
            f"file '{path}': suffix '{path.suffix}'; allowed: {', '.join(SUFFIXES)}"
        )
    if os.path.isdir(path):
        raise DataError(f"file '{path}' is a folder")
    if not os.path.isfile(path):
        raise DataError(f"file '{path}' does not exist")
    if suffix == ".csv":
        return read_csv(path), None
    return _pick(_load_numpy(path), path)


def read_arrays(path: Path) -> dict:
    """Return the arrays of an .npz file by name; `DataError` where it is damaged."""
    loaded = _load_numpy(path)
    return loaded if isinstance(loaded, dict) else {"array": loaded}


def _load_numpy(path):
    """Return what NumPy reads: an array, or a dict of them. Never unpickles."""
    try:
        with open(path, "rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            return loaded if isinstance(loaded, np.ndarray) else dict(loaded)
    # A damaged file makes NumPy, zipfile and zlib raise almost any exception.
    except Exception as error:
        raise DataError(
            f"file '{path}' cannot be read as {path.suffix}: it is cut short, damaged, or "
            f"holds Python objects ({error})"
        ) from None


def _pick(loaded, path):
    """Return (cases, test) from an array, or from an archive's names."""
    if isinstance(loaded, np.ndarray):
        return loaded, None
    names = [name for name in ("train", "cases") if name in loaded]
    if not names and len(loaded) == 1:
        names = list(loaded)
    if len(names) != 1:
        found = ", ".join(f"'{name}'" for name in loaded) or "nothing"
        raise TaskError(
            f"file '{path}' holds {found}; allowed: a single array, or 'train' (or 'cases') "
            "and, if there is a test, 'test'"
        )
    return loaded[names[0]], loaded.get("test") if names[0] != "test" else None


def read_csv(path: Path, names: tuple[str, ...] = ()) -> np.ndarray:
    """Return a comma-separated table; its first line may be a header without numbers.

    Where `names` are given, a header must have them, in this order.

    Raises
    ------
    TaskError
        Naming the line, and the text that is not a number or the length that differs.
    DataError
        If the file cannot be read as UTF-8 text.
    """
    rows: list[list[float]] = []
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            reader = csv.reader(stream)
            for cells in reader:
                _add_row(rows, cells, reader.line_num, path, names)
    except csv.Error as error:
        raise TaskError(f"file '{path}', line {reader.line_num}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"file '{path}' cannot be read as text ({error})") from None
    return np.array(rows) if rows else np.empty((0, 0))


def _add_row(rows, cells, line, path, names):
    """Append a line's numbers; skip an empty line, and a header."""
    if not any(cell.strip() for cell in cells):
        return
    if not rows and line == 1 and not any(_is_number(cell) for cell in cells):
        if names and tuple(cell.strip() for cell in cells) != names:
            raise TaskError(
                f"file '{path}': header '{','.join(cells)}'; want {','.join(names)}"
            )
        return
    numbers = [_number(cell, line, i + 1, path) for i, cell in enumerate(cells)]
    if rows and len(numbers) != len(rows[0]):
        raise TaskError(
            f"file '{path}', line {line}: {len(numbers)} values; the lines before it have "
            f"{len(rows[0])}"
        )
    rows.append(numbers)


def _is_number(text):
    """Tell whether Python reads the text as a number; 1_000 is not one here."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _number(text, line, cell, path):
    """Return the text as a float, or say where it stands."""
    if not _is_number(text):
        raise TaskError(f"file '{path}', line {line}, cell {cell}: {text!r} is not a number")
    return float(text)
