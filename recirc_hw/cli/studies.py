"""Commands that ask questions of many chips: `yield`, `limit`, `ablate`."""

import json
from typing import Annotated

import typer

from recirc_hw import tasks
from recirc_hw.cli.asking import Asked, asking
from recirc_hw.cli.common import (
    DesignFile,
    Scheduler,
    app,
    exit_code,
    fitting_task,
    print_json,
)
from recirc_hw.designs import Design
from recirc_hw.errors import DataError, DesignError
from recirc_hw.studies import Frontier, ablate, find_limit, learning_yield
from recirc_hw.terminal import out, study_progress, table
from recirc_hw.whole_files import write_whole


def _question(path, asked):
    """Return the design and the task that a question is about."""
    design = Design.load(path)
    return design, tasks.parse(asked.task or fitting_task(design))


@app.command("yield")
@asking
def yield_command(
    path: DesignFile,
    chips: Annotated[int, typer.Option(min=1, help="How many chips, at most.")] = 200,
    width: Annotated[
        float | None, typer.Option(help="Stop once the interval is no wider, e.g. 0.05.")
    ] = None,
    at_least: Annotated[
        float | None,
        typer.Option(help="Stop once it is clear whether this share of chips learns."),
    ] = None,
    scheduler: Scheduler = None,
    *,
    asked: Asked,
):
    """Measure on what share of chips a design learns, with its interval."""
    design, found = _question(path, asked)
    with study_progress(f"{path.stem} on {found.name}") as progress:
        answer = learning_yield(
            design, found, chips=chips, width=width, decide=at_least, scheduler=scheduler,
            progress=progress, **asked.options,
        )  # fmt: skip
    _show(answer, "yield", asked, _yield_lines)
    below = at_least is not None and answer.verdict != "above"
    raise typer.Exit(exit_code(answer.interrupted, below))


def _yield_lines(found):
    """Yield what a yield says, in lines."""
    percent = f"{100 * found.confidence:g} % interval"
    for label, share, (low, high) in (
        ("learned", found.share, found.interval),
        ("still held at every later check", found.held_share, found.held_interval),
    ):
        yield (
            f"{label}: {100 * share:.1f} % of {found.chips} chips "
            f"({percent} {100 * low:.1f} to {100 * high:.1f} %)"
        )
    times = found.updates
    for name in ("mean", "median"):
        if times[name] is not None:
            ends = times[f"{name}_interval"]
            between = "" if ends is None else f" ({percent} {ends[0]:.1f} to {ends[1]:.1f})"
            yield f"updates of those that learned, {name}: {times[name]:.1f}{between}"
    if found.wanted is not None:
        verdict = {"above": "yes", "below": "no", None: "undecided"}[found.verdict]
        yield f"at least {100 * found.wanted:g} % of chips learn: {verdict}"
    yield f"chips {found.seed} to {found.seed + found.chips - 1}"


@app.command("limit")
@asking
def limit_command(
    path: DesignFile,
    vary: Annotated[
        list[str],
        typer.Option(
            help="The field, e.g. substrate.weight_bits or substrate.*_mismatch; or two."
        ),
    ],
    start: Annotated[
        list[float] | None,
        typer.Option("--from", help="The good end; by default the design's own value."),
    ] = None,
    stop: Annotated[
        list[float] | None,
        typer.Option("--to", help="The bad end; by default the field's own bounds."),
    ] = None,
    at_least: Annotated[float, typer.Option(help="The share of chips that must learn.")] = 0.95,
    scale: Annotated[str | None, typer.Option(help="log or linear.")] = None,
    resolution: Annotated[
        float, typer.Option(help="Share of the range at which to stop; not for whole numbers.")
    ] = 0.02,
    steps: Annotated[
        int | None, typer.Option(help="Values of the second field of a frontier.")
    ] = None,
    chips: Annotated[int, typer.Option(min=1, help="At each value, at most.")] = 800,
    scheduler: Scheduler = None,
    *,
    asked: Asked,
):
    """Find how far a field may go before too few chips learn."""
    design, found = _question(path, asked)
    fields, ends = _fields(vary, start, stop)
    with study_progress(f"{path.stem} on {found.name}") as progress:
        answer = find_limit(
            design, fields, found, at_least=at_least, **ends, scale=scale, steps=steps,
            resolution=resolution, chips=chips, scheduler=scheduler, progress=progress,
            **asked.options,
        )  # fmt: skip
    if isinstance(answer, Frontier):
        _show(answer, "frontier", asked, _frontier_lines)
        nowhere = all(value is None for value in answer.values)
    else:
        _show(answer, "limit", asked, _limit_lines)
        nowhere = answer.value is None
    raise typer.Exit(exit_code(answer.interrupted, nowhere))


def _fields(vary, start, stop):
    """Return the field, or the pair, and its ends as `find_limit` takes them."""
    given = {"start": start, "stop": stop}
    ends = {name: [_plain(end) for end in values] for name, values in given.items() if values}
    if len(vary) > 2:
        raise DesignError(f"--vary: one field, or two for a frontier; {len(vary)} were given")
    for name, values in ends.items():
        if len(values) != len(vary):
            option = {"start": "--from", "stop": "--to"}[name]
            raise DesignError(
                f"{option}: want one for each --vary, {len(vary)}; {len(values)} were given"
            )
    if len(vary) == 2:
        return tuple(vary), ends
    return vary[0], {name: values[0] for name, values in ends.items()}


def _plain(number):
    """Return a whole number as an int."""
    return int(number) if number.is_integer() else number


def _limit_lines(limit):
    """Yield what a limit says, in lines; the curve is a table."""
    rows = [
        (f"{point.value:g}", point.verdict, *_point_cells(point.found)) for point in limit.curve
    ]
    wanted = f">= {100 * limit.at_least:g} %"
    table(limit.name, ("value", wanted, "chips", "learned", "interval"), rows)
    ends = ["?" if end is None else f"{end:g}" for end in limit.interval]
    value = "none" if limit.value is None else f"{limit.value:g}"
    yield (
        f"limit: {value} ({100 * limit.confidence:g} % interval {ends[0]} to {ends[1]}), "
        f"{limit.chips_used} chips trained"
    )
    yield from limit.notes


def _point_cells(found):
    """Return the cells of a table that say what a yield is."""
    if found is None:
        return "-", "-", "-"
    low, high = found.interval
    return found.chips, f"{100 * found.share:.1f} %", f"{100 * low:.1f} to {100 * high:.1f} %"


def _frontier_lines(frontier):
    """Yield what a frontier says, in lines; the limits are a table."""
    rows = []
    for other, limit in zip(frontier.across, frontier.limits, strict=True):
        value = "-" if limit is None or limit.value is None else f"{limit.value:g}"
        monotone = "-" if limit is None else "yes" if limit.monotone else "no"
        rows.append((f"{other:g}", value, monotone))
    table("frontier", (frontier.names[1], f"limit of {frontier.names[0]}", "monotone"), rows)
    yield f"{frontier.chips_used} chips trained"
    yield from frontier.notes


@app.command("ablate")
@asking
def ablate_command(
    path: DesignFile,
    chips: Annotated[int, typer.Option(min=1, help="The same for every comparison.")] = 200,
    pairs: Annotated[bool, typer.Option(help="Also every two effects together.")] = True,
    scheduler: Scheduler = None,
    *,
    asked: Asked,
):
    """Find which hardware effect is to blame: each alone, and each left out."""
    design, found = _question(path, asked)
    with study_progress(f"{path.stem} on {found.name}") as progress:
        answer = ablate(
            design, found, chips=chips, pairs=pairs, scheduler=scheduler, progress=progress,
            **asked.options,
        )  # fmt: skip
    _show(answer, "ablation", asked, _ablation_lines)
    raise typer.Exit(exit_code(answer.interrupted))


def _ablation_lines(ablation):
    """Yield what an ablation says, in lines; the effects and the pairs are tables."""
    percent = "{:.1f} %".format
    rows = [
        (effect.name, percent(100 * effect.alone.share), percent(100 * effect.without.share),
         percent(100 * effect.blame), f"{effect.p_learned:.2g}",
         "-" if effect.slowdown is None else f"{effect.slowdown:.2f}",
         f"{effect.p_updates:.2g}")
        for effect in ablation.ranked
    ]  # fmt: skip
    head = ("effect", "learn with it alone", "learn without it", "costs", "p", "x updates", "p")
    table("which effect is to blame", head, rows)
    pairs = [pair for pair in ablation.pairs if abs(pair.excess) > 0.01]
    if pairs:
        table(
            "pairs that cost more, or less, than the sum of both",
            ("pair", "learn with both", "excess"),
            [(" + ".join(pair.names), percent(100 * pair.together.share),
              percent(100 * pair.excess)) for pair in pairs[:10]],
        )  # fmt: skip
    yield (
        f"with all effects {100 * ablation.everything.share:.1f} % of "
        f"{ablation.everything.chips} chips learn, with none "
        f"{100 * ablation.nothing.share:.1f} %"
    )
    yield f"to blame: {ablation.to_blame or 'none surely does harm'}"


def _show(answer, name, asked, lines):
    """Print an answer, and leave its page, pictures, numbers and JSON in a folder.

    An answer may have taken hours: where the folder cannot be written it is printed first.
    """
    record, problem = answer.summary(), None
    if asked.folder is not None:
        try:
            record["report"] = _write(answer, asked.folder, name, record)
        except (DataError, OSError) as error:
            problem = error
    if asked.as_json:
        print_json(record)
    else:
        for line in lines(answer):
            out.print(line, markup=False)
        if "report" in record:
            out.print(f"report: {record['report']}", markup=False)
        if answer.interrupted:
            out.print("stopped by Ctrl-C; this is what the chips so far say", markup=False)
    if problem is not None:
        raise problem


def _write(answer, folder, name, record):
    """Leave an answer's page, pictures, numbers and JSON in a folder; return the page."""
    from recirc_hw.reports import study_report

    page = str(study_report(folder, answer, f"{name}.html"))
    content = json.dumps(record | {"report": page}, indent=1)
    write_whole(folder / f"{name}.json", content.encode())
    return page
