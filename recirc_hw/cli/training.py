"""Commands that train: `init`, `train`, `report`."""

import importlib.util
import traceback
from pathlib import Path
from typing import Annotated

import typer

from recirc_hw import tasks
from recirc_hw.cli.common import (
    DONE,
    INTERRUPTED,
    NOT_LEARNED,
    AsJson,
    Backend,
    DesignFile,
    Seed,
    TaskSpec,
    app,
    fitting_task,
    print_json,
)
from recirc_hw.cli.sweeps import show_study
from recirc_hw.design_file import commented, starting_design
from recirc_hw.designs import Design
from recirc_hw.errors import DataError, DesignError, Interrupted
from recirc_hw.rules import CustomRule
from recirc_hw.studies.store import NAME as STUDY
from recirc_hw.terminal import out, table, training_progress
from recirc_hw.training import load_runs, save_runs, train
from recirc_hw.whole_files import write_whole


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
    spec = fitting_task(design) if task is None else task
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
        print_json({
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
    folder: Annotated[Path, typer.Argument(metavar="RUN_OR_STUDY", help="Its folder.")],
    watch: Annotated[
        bool, typer.Option("--watch", help="Show a running study until it is complete.")
    ] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write a study's table, .csv or .parquet.")
    ] = None,
    as_json: AsJson = False,
):
    """Write the page of a run or of a study, and show a study's table."""
    if folder.name == STUDY:
        folder = folder.parent
    if (folder / STUDY).exists():
        show_study(folder, watch, export, as_json)
        return
    if watch or export:
        raise DesignError(f"'{folder}' holds no study to watch or to export")
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
        print_json({"report": str(page), "runs": [run.summary() for run in runs]})
    else:
        out.print(f"report: {page}", markup=False)
