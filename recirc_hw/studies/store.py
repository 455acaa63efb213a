"""A study's results on disk: one SQLite file that can be read while it is written.

Every cell's result is one transaction in write-ahead mode: whatever kills the process,
what was finished stays, and nothing is there in part. Results are kept by the content of
their cells, so that a study file may grow and keep what was computed for it.
"""

import csv
import json
import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from recirc_hw.errors import StudyError
from recirc_hw.metrics import wilson_interval
from recirc_hw.studies.outcomes import Outcomes

FORMAT = 1
NAME = "study.sqlite"
WAIT_S = 30.0  # for another program's lock

SCHEMA = """
CREATE TABLE study (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE cells (number INTEGER PRIMARY KEY, key TEXT NOT NULL, vary TEXT NOT NULL);
CREATE INDEX cells_by_key ON cells (key);
CREATE TABLE results (
    key TEXT PRIMARY KEY, status TEXT NOT NULL, chips INTEGER, learned INTEGER,
    share REAL, low REAL, high REAL, held INTEGER, held_share REAL, diverged INTEGER,
    mean_updates REAL, median_updates REAL, mean_error REAL, mean_unit_error REAL,
    problem TEXT, trace TEXT, wall_s REAL, worker TEXT, finished TEXT
) WITHOUT ROWID;
CREATE TABLE outcomes (key TEXT PRIMARY KEY, content BLOB NOT NULL);
"""

MEASURED = (
    "status", "chips", "learned", "share", "low", "high", "held", "held_share", "diverged",
    "mean_updates", "median_updates", "mean_error", "mean_unit_error", "problem",
)  # fmt: skip
CIRCUMSTANCES = ("wall_s", "worker", "finished")  # differ from one computation to the next


class Store:
    """The database of one study's folder; read with `Store.open(folder)`."""

    def __init__(self, path, connection):
        self.path, self._connection = path, connection
        self.interrupted = False

    @classmethod
    def open(cls, folder):
        """Return the results of a study's folder, to be read, now or while it runs.

        Raises
        ------
        StudyError
            If the folder holds no study, or a broken one.
        """
        path = Path(folder) / NAME
        if not path.is_file():
            raise StudyError(f"'{folder}' holds no study")
        with _told(path):
            try:
                connection = _connected(f"{path.resolve().as_uri()}?mode=ro")
            except sqlite3.OperationalError:
                # In a folder that cannot be written there is no room for a shared index.
                connection = _connected(f"{path.resolve().as_uri()}?mode=ro&immutable=1")
        store = cls(path, connection)
        store._check_format()
        return store

    @classmethod
    def create(cls, folder, resume=False):
        """Return the store of a folder, to be written; made where there is none.

        Raises
        ------
        StudyError
            If the folder holds a study and `resume` is not given, or cannot be written.
        """
        path = Path(folder) / NAME
        there = path.exists()
        if there and not resume:
            raise StudyError(f"'{folder}' holds a study already; --resume goes on with it")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StudyError(f"cannot write into '{folder}': {error.strerror}") from None
        with _told(path):
            if not there:
                _make(path)
            connection = sqlite3.connect(path, timeout=WAIT_S)
            connection.execute("PRAGMA synchronous = NORMAL")
        store = cls(path, connection)
        store._check_format()
        return store

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Close the file."""
        self._connection.close()

    def __repr__(self):
        counts = ", ".join(f"{count} {status}" for status, count in self.counts().items())
        return f"Store('{self.path.parent}': {counts} of {self.total} cells)"

    def _check_format(self):
        with _told(self.path):
            found = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if found != FORMAT:
            raise StudyError(f"'{self.path}' is of format {found}; want {FORMAT}")

    def _rows(self, query, *values):
        with _told(self.path):
            return self._connection.execute(query, values).fetchall()

    # -- writing -----------------------------------------------------------------------

    def describe(self, **terms):
        """Note what the study is; which cells it has is forgotten where that changed."""
        texts = {name: json.dumps(value) for name, value in terms.items()}
        if texts.items() <= dict(self._rows("SELECT name, value FROM study")).items():
            return
        with _told(self.path), self._connection:
            self._connection.execute("DELETE FROM cells")
            rows = texts.items()
            self._connection.executemany("INSERT OR REPLACE INTO study VALUES (?, ?)", rows)

    def place(self, number, key, values):
        """Note that cell `number` of the study is the one of this key."""
        with _told(self.path), self._connection:
            self._place(number, key, values)

    def _place(self, number, key, values):
        row = (number, key, json.dumps(values))
        self._connection.execute("INSERT OR REPLACE INTO cells VALUES (?, ?, ?)", row)

    def add(self, number, key, values, result, count):
        """Write one cell's result, whole or not at all."""
        record = {"key": key, "status": result.status, "problem": result.problem}
        record |= {name: getattr(result, name) for name in ("trace", "wall_s", "worker")}
        record["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
        if result.status == "done":
            record |= _measures(Outcomes.from_bytes(result.outcomes, count))
        names, marks = ", ".join(record), ", ".join("?" * len(record))
        with _told(self.path), self._connection as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO results ({names}) VALUES ({marks})",
                tuple(record.values()),
            )
            if result.status == "done":
                content = (key, result.outcomes)
                connection.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?)", content)
            self._place(number, key, values)

    # -- reading -----------------------------------------------------------------------

    def finished(self, key):
        """Return whether there is a result for a key; that of a failure does not count."""
        found = self._rows("SELECT status FROM results WHERE key = ?", key)
        return bool(found) and found[0][0] != "failed"

    def done(self, count):
        """Return which of `count` cells have a result, as a bytearray of 0 and 1."""
        flags = bytearray(count)
        query = (
            "SELECT number FROM cells JOIN results USING (key) "
            "WHERE status <> 'failed' AND number < ?"
        )
        with _told(self.path):
            for (number,) in self._connection.execute(query, (count,)):
                flags[number] = 1
        return flags

    @property
    def terms(self):
        """What the study is, as `describe` noted it."""
        rows = self._rows("SELECT name, value FROM study")
        return {name: json.loads(value) for name, value in rows}

    @property
    def total(self):
        """How many cells the study has."""
        return self.terms.get("cells", 0)

    @property
    def names(self):
        """The names of the fields that vary."""
        return tuple(self.terms.get("names", ()))

    def counts(self):
        """Return how many cells there are of each status."""
        query = (
            "SELECT status, COUNT(*) FROM cells JOIN results USING (key) GROUP BY status "
            "ORDER BY status"
        )
        return dict(self._rows(query))

    @property
    def complete(self):
        """Whether every cell has a result."""
        return sum(self.counts().values()) == self.total > 0

    @property
    def columns(self):
        """The names of the table's columns."""
        return ("cell", *self.names, *MEASURED, *CIRCUMSTANCES)

    def rows(self, last=None):
        """Yield the table's rows in the order of cells; only the `last` ones if asked."""
        names = ", ".join((*MEASURED, *CIRCUMSTANCES))
        latest = "SELECT * FROM cells ORDER BY number DESC LIMIT ?"
        query = f"SELECT number, vary, {names} FROM ({latest}) JOIN results USING (key)"
        limit = -1 if last is None else last  # SQLite's word for no limit
        with _told(self.path):
            found = self._connection.execute(f"{query} ORDER BY number", (limit,))
            for number, vary, *rest in found:
                yield (number, *json.loads(vary), *rest)

    def outcomes(self, number):
        """Return the `Outcomes` of the chips of a cell."""
        query = (
            "SELECT content, chips FROM cells JOIN results USING (key) "
            "JOIN outcomes USING (key) WHERE number = ?"
        )
        found = self._rows(query, number)
        if not found:
            raise StudyError(f"'{self.path.parent}' has no finished cell {number}")
        return Outcomes.from_bytes(*found[0])

    def trace(self, number):
        """Return the traceback of a failed cell; an empty text where there is none."""
        query = "SELECT trace FROM cells JOIN results USING (key) WHERE number = ?"
        found = self._rows(query, number)
        return found[0][0] or "" if found else ""

    def to_csv(self, path):
        """Write the table as CSV."""
        try:
            with open(path, "w", newline="", encoding="utf-8") as stream:
                writer = csv.writer(stream)
                writer.writerow(self.columns)
                writer.writerows(self.rows())
        except OSError as error:
            raise StudyError(f"cannot write '{path}': {error.strerror}") from None

    def to_pandas(self):
        """Return the table as a pandas DataFrame."""
        try:
            import pandas
        except ModuleNotFoundError:
            raise StudyError("tables need pandas: pip install 'recirc_hw[parquet]'") from None
        return pandas.DataFrame.from_records(list(self.rows()), columns=list(self.columns))

    def to_parquet(self, path):
        """Write the table as a Parquet file."""
        try:
            self.to_pandas().to_parquet(path, index=False)
        except ImportError:
            raise StudyError("pyarrow is missing: pip install 'recirc_hw[parquet]'") from None
        except OSError as error:
            raise StudyError(f"cannot write '{path}': {error.strerror or error}") from None


def _make(path):
    """Make an empty database, whole or not at all."""
    new = path.with_name(f".{path.name}-new")
    new.unlink(missing_ok=True)
    connection = sqlite3.connect(new)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
    connection.close()
    new.rename(path)


def _connected(address):
    """Return a connection that only reads, and has read."""
    connection = sqlite3.connect(address, uri=True, timeout=WAIT_S)
    connection.execute("PRAGMA user_version").fetchone()
    return connection


def _measures(outcomes):
    """Return what the table says of the chips of a cell."""
    learned, held = int(outcomes.learned.sum()), int(outcomes.held.sum())
    chips, updates = len(outcomes), outcomes.updates[outcomes.learned]
    low, high = wilson_interval(learned, chips)
    return {
        "chips": chips, "learned": learned, "share": learned / chips, "low": low, "high": high,
        "held": held, "held_share": held / chips, "diverged": int(outcomes.diverged.sum()),
        "mean_updates": float(updates.mean()) if learned else None,
        "median_updates": float(np.median(updates)) if learned else None,
        "mean_error": _finite(outcomes.error), "mean_unit_error": _finite(outcomes.unit_error),
    }  # fmt: skip


def _finite(values):
    """Return the mean, None where a chip's value is no number."""
    mean = float(np.mean(values))
    return mean if np.isfinite(mean) else None


PROBLEMS = {
    "database is locked": "another program holds a lock on it",
    "attempt to write a readonly database": "it is read-only",
    "unable to open database file": "it cannot be opened or written",
    "database or disk is full": "the disk is full",
    "disk I/O error": "the disk does not take it; it may be full",
    "file is not a database": "it is no database, or broken",
    "database disk image is malformed": "it is broken",
}


@contextmanager
def _told(path):
    """Turn SQLite's errors into ones that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        reason = PROBLEMS.get(str(error), str(error))
        raise StudyError(
            f"study '{path}': {reason}. Finished cells are kept; mend it, then --resume"
        ) from None
