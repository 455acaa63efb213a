"""Arrays that grow row by row, in memory or in a folder of .npy files."""

import json
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

FACTS = "facts.json"


class InMemory:
    """Arrays that grow in memory."""

    def __init__(self):
        self.parts = {}

    def append(self, name, rows):
        """Add rows to the array of that name."""
        self.parts.setdefault(name, []).append(rows)

    def arrays(self):
        """Return every array by name."""
        return {name: np.concatenate(parts) for name, parts in self.parts.items()}


class OnDisk:
    """Arrays that grow in .npy files of a folder; `stack` closes them."""

    def __init__(self, folder, stack):
        self.folder, self.stack, self.files = Path(folder), stack, {}

    def append(self, name, rows):
        """Add rows to the array of that name; OSError where they cannot be written."""
        if name not in self.files:
            path = self.folder / f"{name}.npy"
            self.files[name] = _File(self.stack.enter_context(path.open("wb")), rows)
        self.files[name].append(rows)

    def finish(self):
        """Let every file's header say how long it has become."""
        for file in self.files.values():
            file.finish()


class _File:
    """One .npy file; its header leaves room for any number of rows."""

    def __init__(self, stream, rows):
        self.stream, self.dtype, self.row, self.count = stream, rows.dtype, rows.shape[1:], 0
        self._write_header()
        self.start = stream.tell()

    def _write_header(self):
        header = {
            "descr": np.lib.format.dtype_to_descr(self.dtype), "fortran_order": False,
            "shape": (self.count, *self.row),
        }  # fmt: skip
        np.lib.format.write_array_header_1_0(self.stream, header)

    def append(self, rows):
        self.stream.write(np.ascontiguousarray(rows).data.cast("B") if rows.size else b"")
        self.count += len(rows)

    def finish(self):
        self.stream.seek(0)
        self._write_header()
        if self.stream.tell() != self.start:
            raise RuntimeError(f"{self.stream.name}: the header has outgrown its room")


@contextmanager
def growing_in(folder, facts):
    """Yield arrays that grow in a folder; once the block has ended well they can be read.

    `facts` are what else is to be known of them, as JSON has it.
    """
    with ExitStack() as stack:
        arrays = OnDisk(folder, stack)
        yield arrays
        arrays.finish()
    text = json.dumps({"arrays": list(arrays.files), **facts}, indent=1)
    (Path(folder) / FACTS).write_text(text, encoding="utf-8")


def read_grown(folder):
    """Return (arrays by name, mapped from disk and read-only; the facts).

    Raises
    ------
    OSError, ValueError, KeyError
        If the folder holds no such arrays.
    """
    folder = Path(folder)
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    arrays = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        for name in facts.pop("arrays")
    }
    return arrays, facts
