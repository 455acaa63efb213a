"""Commands of studies kept on disk: `sweep`, and what `report` shows of them."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from recirc_hw.cli.common import AsJson, Scheduler, app, exit_code, print_json
from recirc_hw.errors import DataError, StudyError
from recirc_hw.studies import Store, sweep
from recirc_hw.terminal import err, out, study_progress, table_text

SHOWN = 30  # rows of a study's table


@app.command("sweep")
def sweep_command(
    path: Annotated[Path, typer.Argument(metavar="STUDY.toml", help="What varies, and how.")],
    folder: Annotated[
        Path | None, typer.Option("--out", help="Study folder; default studies/NAME.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on where the study folder stopped.")] = False,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Workers here; default one a processor."),
    ] = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
):
    """Train chips at many values of many fields; every result is kept as it comes."""
    with study_progress(path.stem) as progress:
        store = sweep(
            path, out=folder, resume=resume, processes=processes, scheduler=scheduler,
            progress=progress,
        )  # fmt: skip
    with store:
        _show(store, as_json)
        if store.interrupted and not as_json:
            out.print(
                f"stopped by Ctrl-C; finished cells are kept. Go on with --resume and "
                f"--out {store.path.parent}",
                markup=False,
            )
        raise typer.Exit(exit_code(store.interrupted, store.counts().get("failed", 0)))


def show_study(folder, watch, export, as_json):
    """Show a study's table and write its page, as it stands or once complete; export it."""
    with Store.open(folder) as store:
        if export is not None:
            _export(store, export)
        if watch and not as_json:
            _watch(store)
        _show(store, as_json)


def _show(store, as_json):
    """Write a study's page, and print its table."""
    page = _page(store)
    if as_json:
        print_json(_study_record(store) | {"report": page and str(page)})
        return
    _print_study(store)
    if page is not None:
        out.print(f"report: {page}", markup=False)


def _page(store):
    """Return the page of a study, written into its folder; None where nothing can be."""
    from recirc_hw.reports import sweep_report

    try:
        return sweep_report(store.path.parent, store)
    except DataError as error:
        err.print(f"no page: {error}", markup=False)
        return None


def _export(store, path):
    """Write the table as CSV or Parquet, as the file's name says."""
    writers = {".csv": store.to_csv, ".parquet": store.to_parquet}
    if path.suffix not in writers:
        raise StudyError(f"--export {path}: want a name that ends with .csv or .parquet")
    writers[path.suffix](path)


def _watch(store, every_s=0.5):
    """Show the running study until every cell has a result, or Ctrl-C."""
    try:
        if not out.is_terminal:
            while not store.complete:
                time.sleep(every_s)
            return
        with Live(_study_table(store), console=out, transient=True) as live:
            while not store.complete:
                time.sleep(every_s)
                live.update(_study_table(store))
    except KeyboardInterrupt:
        err.print("no longer watching; the study goes on", markup=False)


def _study_record(store):
    """Return a study as JSON takes it: what it is, how far, and the folder of its table."""
    return {
        "folder": str(store.path.parent), "cells": store.total, **store.counts(),
        "complete": store.complete, "study": store.terms.get("file"),
        "columns": store.columns, "rows": list(store.rows()),
    }  # fmt: skip


def _print_study(store):
    out.print(_study_table(store))
    for row in store.rows(SHOWN):
        record = dict(zip(store.columns, row, strict=True))
        if record["status"] == "failed":
            out.print(f"cell {record['cell']}: {record['problem']}", markup=False)


def _study_table(store):
    """Return the study's latest rows as a table, under how far it is."""
    counts = store.counts()
    told = ", ".join(f"{count} {status}" for status, count in counts.items()) or "none yet"
    shown = f"; the last {SHOWN}" if sum(counts.values()) > SHOWN else ""
    title = f"{store.path.parent}: {told} of {store.total} cells{shown}"
    short = [name.partition(".")[2] or name for name in store.names]
    names = short if len(set(short)) == len(short) else store.names
    head = ("cell", *names, "chips", "learned, %", "95 %", "held, %", "updates")
    return table_text(title, head, (_study_row(store, row) for row in store.rows(SHOWN)))


def _study_row(store, row):
    """Return one cell's row as people read it."""
    record = dict(zip(store.columns, row, strict=True))
    varied = [record[name] for name in store.names]
    if record["status"] != "done":
        return (record["cell"], *varied, record["status"], "-", "-", "-", "-")
    median = record["median_updates"]
    return (
        record["cell"], *varied, record["chips"], f"{100 * record['share']:.1f}",
        f"{100 * record['low']:.1f}-{100 * record['high']:.1f}",
        f"{100 * record['held_share']:.1f}", "-" if median is None else f"{median:g}",
    )  # fmt: skip
