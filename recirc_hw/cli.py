"""The command line: `recirc-hw --help`.

Exit codes: 0 done (and, for a training, learned; for a reproduction, inside its
bands); 2 bad input; 3 done, but not learned or outside a band; 130 Ctrl-C.
"""

import importlib.util
import json
import os
import platform
import traceback
from pathlib import Path
from typing import Annotated

import typer

from recirc_hw import tasks
from recirc_hw.backends import BACKENDS, native
from recirc_hw.chips import Design
from recirc_hw.design_file import commented, starting_design
from recirc_hw.errors import DataError, DesignError, Interrupted, TaskError, nearest
from recirc_hw.rules import CustomRule
from recirc_hw.substrates.devices.catalogue import catalogue
from recirc_hw.terminal import (
    failed,
    out,
    reproduction_progress,
    show_devices,
    table,
    training_progress,
    width,
)
from recirc_hw.training import load_runs, save_runs, train
from recirc_hw.training.checkpoint import write_whole
from recirc_hw.training.run import versions

DONE, BAD_INPUT, NOT_LEARNED, INTERRUPTED = 0, 2, 3, 130

app = typer.Typer(
    help="Would this network learn on my chip?",
    epilog="Exit codes: 0 done and learned; 2 bad input; 3 done, not learned; 130 Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

DesignFile = Annotated[Path, typer.Argument(metavar="DESIGN.toml", help="The chip on paper.")]
TaskSpec = Annotated[
    str | None,
    typer.Option(
        "--task",
        help="encoder:N, digits, mnist, fashion, lowrank:D,RANK or file:PATH; "
        "by default what fits the visible group.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]
Seed = Annotated[int, typer.Option(min=0, help="Which chip; with --chips, the first of them.")]
Backend = Annotated[str, typer.Option(help=f"Who computes: {' or '.join(BACKENDS)}.")]


def main():
    """Run the command line; errors that a user can mend are one line, exit code 2."""
    try:
        app()
    except OSError as error:
        failed(f"'{error.filename}': {error.strerror}" if error.filename else error)
        raise SystemExit(BAD_INPUT) from None
    except (ValueError, OverflowError) as error:
        failed(error)
        raise SystemExit(BAD_INPUT) from None
    except MemoryError as error:
        failed(f"not enough memory for a design of this size ({error})")
        raise SystemExit(BAD_INPUT) from None
    except KeyboardInterrupt:
        failed("interrupted")
        raise SystemExit(INTERRUPTED) from None


def _print_json(record):
    typer.echo(json.dumps(record, indent=1, allow_nan=False))


def _version(wanted: bool):
    if wanted:
        typer.echo(versions()["recirc_hw"])
        raise typer.Exit


@app.callback(help="Would this network learn on my chip?")
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")
    ] = False,
):
    """Handle what stands before a command."""


@app.command()
def init(
    path: DesignFile,
    task: Annotated[str, typer.Option(help="What the chip should learn.")] = "digits",
    force: Annotated[bool, typer.Option(help="Replace a file that is there.")] = False,
):
    """Write a commented design file to start from."""
    if path.exists() and not force:
        raise DesignError(f"'{path}' is there already; --force replaces it")
    design = starting_design(tasks.parse(task))
    write_whole(path, commented(design).encode())
    out.print(f"wrote {path}; next: recirc-hw train {path} --task {task}", markup=False)


@app.command("train")
def train_command(
    path: DesignFile,
    task: TaskSpec = None,
    seed: Seed = 0,
    chips: Annotated[int, typer.Option(min=1, help="How many chips to train.")] = 1,
    epochs: Annotated[int | None, typer.Option(help="Passes over the cases.")] = None,
    max_updates: Annotated[int | None, typer.Option(help="Or weight updates.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Cases per weight update.")] = None,
    backend: Backend = "native",
    threads: Annotated[int | None, typer.Option(help="Chips in parallel.")] = None,
    rule: Annotated[
        str | None,
        typer.Option(metavar="FILE.py:FUNCTION", help="Your own rule, instead of the file's."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--out", help="Run folder; default runs/DESIGN-TASK-SEED.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on where the run folder stopped.")] = False,
    report: Annotated[bool, typer.Option(help="Write the page and the pictures.")] = True,
    as_json: AsJson = False,
):
    """Train chips of a design, live, and leave a run folder with a report."""
    design = Design.load(path)
    if rule is not None:
        design = _with_own_rule(design, rule)
    spec = _fitting_task(design) if task is None else task
    found = tasks.parse(spec)
    folder = _run_folder(folder, path, spec, seed, resume)
    fabricated = [design.fabricate(seed + i) for i in range(chips)]
    with training_progress(f"{path.stem} on {spec}") as progress:
        try:
            runs = train(
                fabricated, found, epochs=epochs, max_updates=max_updates,
                batch_size=batch_size, backend=backend, threads=threads, progress=progress,
                resume=resume, checkpoint=folder / "checkpoint.npz",
            )  # fmt: skip
        except Interrupted as stop:
            runs = stop.runs
    if rule is None:
        write_whole(folder / "design.toml", commented(design).encode())
    save_runs(folder, runs, task_spec=spec)
    page = _write_page(folder, runs, fabricated, found) if report else None
    _show_runs(runs, folder, page, as_json)
    raise typer.Exit(_exit_code(runs))


def _with_own_rule(design, place):
    """Return the design with the rule that FILE.py:FUNCTION holds."""
    rule = _own_rule(place, design.rule)
    try:
        return Design(design.network, rule, design.substrate)
    except ValueError:
        raise  # what we refuse names the operation
    except Exception as error:
        file = place.rpartition(":")[0]
        frames = traceback.extract_tb(error.__traceback__)
        line = next((f.lineno for f in reversed(frames) if f.filename.endswith(file)), "?")
        raise DesignError(
            f"--rule {place}: line {line}: {type(error).__name__}: {error}"
        ) from error


def _own_rule(place, settings):
    """Return the rule that FILE.py:FUNCTION holds, with the file's rates and policies."""
    file, _, name = place.rpartition(":")
    if not Path(file).is_file():
        raise DesignError(f"--rule {place}: want FILE.py:FUNCTION with a file that is there")
    spec = importlib.util.spec_from_file_location("own_rule", file)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise DesignError(f"--rule {place}: '{file}' cannot be loaded: {error}") from error
    if not callable(getattr(module, name, None)):
        raise DesignError(f"--rule {place}: '{file}' has no function '{name}'")
    kept = ("learning_rate", "batch", "momentum", "weight_decay", "norm_cap")
    return CustomRule(getattr(module, name), **{k: getattr(settings, k) for k in kept})


def _fitting_task(design):
    """Return the task that a visible group of this size is usually given."""
    size = design.network.case_size
    if size in (64, 784):
        return "digits" if size == 64 else "mnist"
    if 2 <= size <= 32:
        return f"encoder:{size}"
    raise TaskError(
        f"no built-in task has cases of {size} values; name one with --task, "
        "for your own data --task file:PATH"
    )


def _run_folder(folder, path, spec, seed, resume):
    """Return the folder of a run; one that holds a run is kept unless resumed."""
    chosen = folder
    if folder is None:
        safe = "".join(c if c.isalnum() else "-" for c in spec).strip("-")
        folder = chosen = Path("runs") / f"{path.stem}-{safe}-{seed}"
        number = 2
        while not resume and (chosen / "checkpoint.npz").exists():
            chosen = folder.with_name(f"{folder.name}-{number}")
            number += 1
    elif (chosen / "checkpoint.npz").exists() and not resume:
        raise DesignError(f"--out {folder} holds a run already; --resume goes on with it")
    if resume and not (chosen / "checkpoint.npz").exists():
        raise DesignError(f"--resume: '{chosen}' holds no checkpoint")
    return chosen


def _write_page(folder, runs, chips, task):
    """Write the report of one run, or of many chips."""
    from recirc_hw.reports import population_report, run_report

    if len(runs) == 1:
        return run_report(folder, runs[0], chips[0], task)
    return population_report(folder, runs, chips, task)


def _show_runs(runs, folder, page, as_json):
    """Print what came of a training."""
    interrupted = any(run.interrupted for run in runs)
    if as_json:
        _print_json({
            "folder": str(folder), "report": str(page) if page else None,
            "interrupted": interrupted, "runs": [run.summary() for run in runs],
        })  # fmt: skip
        return
    rows = [
        (run.seed, _outcome(run), run.updates if run.learned else "-",
         "yes" if run.held else "no", f"{run.error:.4g}", f"{run.unit_error:.3g}")
        for run in runs[:20]
    ]  # fmt: skip
    head = ("chip", "learned", "after updates", "held", "squared error", "largest unit error")
    table(runs[0].criterion, head, rows)
    if len(runs) > 1:
        learned = sum(run.learned for run in runs)
        out.print(f"{learned} of {len(runs)} chips learned", markup=False)
    if page:
        out.print(f"report: {page}", markup=False)
    if interrupted:
        out.print(
            f"stopped by Ctrl-C after {max(run.total_updates for run in runs)} updates; what "
            f"was learned is kept. Go on with the same command and --out {folder} --resume",
            markup=False,
        )


def _outcome(run):
    """Return whether a chip learned, in a word."""
    if run.learned:
        return "yes"
    return "diverged" if run.diverged else "no"


def _exit_code(runs):
    """Return what a training's outcome means to a script."""
    if any(run.interrupted for run in runs):
        return INTERRUPTED
    return DONE if all(run.learned for run in runs) else NOT_LEARNED


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    as_json: AsJson = False,
):
    """Write a run's page and pictures again."""
    if not (folder / "run.json").exists():
        raise DataError(f"'{folder}' holds no finished run: no run.json is there")
    if not (folder / "design.toml").exists():
        raise DesignError(
            f"'{folder}' was trained with a rule of your own, which is not stored: "
            "its page cannot be written again"
        )
    design = Design.load(folder / "design.toml")
    runs, settings = load_runs(folder, design)
    found = tasks.parse(settings.get("task_spec", ""))
    page = _write_page(folder, runs, [run.chip() for run in runs], found)
    if as_json:
        _print_json({"report": str(page), "runs": [run.summary() for run in runs]})
    else:
        out.print(f"report: {page}", markup=False)


@app.command("reproduce")
def reproduce_command(
    name: Annotated[str | None, typer.Argument(help="Which result; without, a list.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    quick: Annotated[bool, typer.Option(help="Digits-sized, in seconds.")] = False,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    backend: Backend = "native",
    folder: Annotated[Path, typer.Option("--out", help="Where figures go.")] = Path(
        "reproduced"
    ),
    as_json: AsJson = False,
):
    """List the papers' results, or run them by name: paper, ours, band, verdict."""
    from recirc_hw import reproduce

    if name is None and not every:
        if as_json:
            _print_json(reproduce.names())
        else:
            table("results by name", ("name", "what"), reproduce.names().items())
        return
    results = []
    folder.mkdir(parents=True, exist_ok=True)
    for one in reproduce.names() if every else [name]:
        with reproduction_progress(one) as progress:
            result = reproduce.run(
                one, quick=quick, seed=seed, backend=backend, progress=progress
            )
        results.append(result)
        if not as_json:
            typer.echo(result.table(width()))
        result.save_figure(folder / f"{one}.png")
        if not as_json:
            typer.echo(f"figure: {folder / f'{one}.png'}\n")
    if as_json:
        _print_json([result.record() for result in results])
    outside = any(result.verdict == "outside" for result in results)
    raise typer.Exit(NOT_LEARNED if outside else DONE)


@app.command("devices")
def devices_command(
    name: Annotated[str | None, typer.Argument(help="A model or preset; without, all.")] = None,
    folder: Annotated[Path, typer.Option("--out", help="Where pictures go.")] = Path("devices"),
    as_json: AsJson = False,
):
    """List synapse devices and presets with their numbers; draw their pulse responses."""
    from recirc_hw.reports.devices import device_response
    from recirc_hw.reports.style import png

    records = catalogue()
    if name is not None and name not in records:
        raise DesignError(
            f"device '{name}'{nearest(name, records)}; there are {', '.join(records)}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    shown = records if name is None else {name: records[name]}
    for one, record in shown.items():
        picture = device_response(record.pop("device"), f"{one}: {record['what']}")
        record["picture"] = str(folder / f"{one}.png")
        write_whole(folder / f"{one}.png", png(picture))
    if as_json:
        _print_json(shown)
    else:
        show_devices(shown)


@app.command()
def info(as_json: AsJson = False):
    """Show versions, backends and the instruction set in use."""
    record = {
        **versions(),
        "machine": platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "backends": list(BACKENDS),
        "instruction sets": list(native.ISAS),
        "instruction set in use": native.ISAS[-1],
        "data folder (RECIRC_HW_DATA)": os.environ.get("RECIRC_HW_DATA"),
    }
    if as_json:
        _print_json(record)
    else:
        rows = [
            (k, ", ".join(v) if isinstance(v, list) else v or "-") for k, v in record.items()
        ]
        table("recirc_hw", ("what", ""), rows)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where the page goes.")] = Path("demo"),
    as_json: AsJson = False,
):
    """Train 100 chips on the 4-2-4 encoder and one on real digits, and show them."""
    from recirc_hw.demo import run_demo

    record = run_demo(folder, quiet=as_json)
    if as_json:
        _print_json(record)
