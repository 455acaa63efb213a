"""What the command line shows: progress, tables, errors. Plain text when piped."""

import os
import sys
import textwrap
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from recirc_hw.text_tables import text_table

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

BLOCKS = " .:-=+*#%@"


def failed(message):
    """Print an error, one line, to standard error."""
    err.print("[bold red]error:[/]", end=" ")
    err.print(str(message), markup=False)


def warned(message, *_):
    """Print a warning, one line, to standard error; stands in for `warnings.showwarning`."""
    err.print("[bold yellow]warning:[/]", end=" ")
    err.print(" ".join(str(message).split()), markup=False)


@contextmanager
def _bar(label, *columns, **fields):
    """Yield the update of a live bar on a terminal; None where nobody would see it."""
    if not err.is_terminal:
        yield None
        return
    with Progress(*columns, console=err, transient=True) as bar:
        yield partial(bar.update, bar.add_task(escape(label), total=None, **fields))


@contextmanager
def training_progress(label):
    """Yield a callback for `train`: a live bar on a terminal, silent when piped."""
    start = time.monotonic()
    text = TextColumn("updates  {task.fields[rate]}  error {task.fields[error]}")
    counted = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), text)
    with _bar(label, *counted, TimeRemainingColumn(), rate="", error="") as update:

        def advance(done, total, error):
            rate = f"{done / max(time.monotonic() - start, 1e-6):,.0f}/s"
            update(completed=done, total=total, rate=rate, error=f"{error:.4g}")

        yield update and advance


@contextmanager
def reproduction_progress(name):
    """Yield a callback for `reproduce.run`: which training runs, and how far it is."""
    with _bar("", TextColumn(name), BarColumn(), TextColumn("{task.description}")) as update:
        yield update and (
            lambda label, done, total: update(
                description=escape(label), completed=done, total=total
            )
        )


@contextmanager
def study_progress(label):
    """Yield a callback for studies: how much is done, and what came of it so far."""
    text = TextColumn("{task.fields[text]}")
    counted = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), text)
    with _bar(label, *counted, TimeRemainingColumn(), text="") as update:
        yield update and (
            lambda done, total, text: update(completed=done, total=total, text=escape(text))
        )


def width():
    """Return how many characters a line may have; None where nobody said."""
    return out.width if out.is_terminal or "COLUMNS" in os.environ else None


def lines(text, style=None, beside_bar=False):
    """Print lines of text as they are.

    With `beside_bar` they stand above a live bar: where both are on one screen, the bar's
    own console has to print them.
    """
    console = err if beside_bar and out.is_terminal and err.is_terminal else out
    for line in text:
        console.print(line, style=style, markup=False)


def table_text(title, head, rows):
    """Return a table to print, or to show live; on a narrow terminal one cell a line."""
    found = Text("\n".join(textwrap.wrap(title, width() or len(title))), "bold")
    return found.append("\n" + "\n".join(text_table(head, list(rows), width())), "not bold")


def table(title, head, rows):
    """Print a table."""
    out.print(table_text(title, head, rows), soft_wrap=True)


def pictures(rows, shape):
    """Print rows of images as characters, one row of images under another.

    Parameters
    ----------
    rows : list of float arrays, shape (n_images, height * width), values in 0..1
    shape : (height, width)
    """
    shades = np.array(list(BLOCKS))
    for images in rows:
        levels = np.clip(images, 0, 1) * (len(BLOCKS) - 1)
        grid = shades[np.rint(levels).astype(int)].reshape(len(images), *shape)
        for line in range(shape[0]):
            cells = ("".join(np.repeat(image[line], 2)) for image in grid)
            out.print("  ".join(cells), markup=False)
        out.print("")


def show_devices(records):
    """Print devices: a line each, or every number of a single one."""
    for name, record in records.items():
        if len(records) == 1:
            published = record.get("published", {})
            head = ("field", "value", *(["as published"] if published else []))
            rows = [
                (field, *(one[field] for one in (record["fields"], published) if one))
                for field in record["fields"]
            ]
            table(f"{name}: {record['what']}", head, rows)
            for key in ("source", "numbers"):
                if key in record:
                    out.print(f"{key}: {record[key]}", markup=False)
            out.print(f"picture: {record['picture']}", markup=False)
            return
    models = [(name, r["what"]) for name, r in records.items() if "source" not in r]
    table("models", ("type", "what a pulse or a write does"), models)
    presets = [
        (name, (f := r["fields"])["type"], f"{f['w_min']:.3g}..{f['w_max']:.3g}",
         f"{f['dw_min']:.3g}", f["dw_min_dtod"], f["dw_min_std"], r["source"].partition(",")[0])
        for name, r in records.items() if "source" in r
    ]  # fmt: skip
    head = ("preset", "type", "range", "dw_min", "d2d", "c2c", "source")
    table("presets, scaled to half a range of 16", head, presets)
    folder = Path(next(iter(records.values()))["picture"]).parent
    out.print(
        f"every number and its source: recirc-hw devices NAME; pictures: {folder}", markup=False
    )


def is_interactive():
    """Return whether a person is at both ends."""
    return sys.stdin.isatty() and sys.stdout.isatty()
