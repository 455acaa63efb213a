"""The page of the flagship study: six questions, every chip's answers, their pictures."""

from dataclasses import replace

from recirc_hw.reports.answer_figures import rivals_figure, transfer_figure
from recirc_hw.reports.page import Section, Table, write_report
from recirc_hw.reports.study_page import design_section, study_sections
from recirc_hw.studies import TITLES, Transfer
from recirc_hw.studies.questions import Rivals

TITLE = "Would this network learn on my chip?"
ASIDE = {
    Transfer: "Ideal chips, without mismatch or any other effect, learned first; chip i got "
    "the weights of ideal chip i. Bars are intervals of each mark by itself (Wilson).",
    Rivals: "The same network, formats, batch and learning rate under both rules. Counted: "
    "arithmetic and memory; not counted: leakage, clocks, control and wires, of which "
    "backprop needs more, to read weights along the other axis.",
}


def answers_report(folder, study):
    """Write the page of a `Study` with its pictures and tables; return the page's path.

    Raises
    ------
    DataError
        If the folder cannot be written; the message names it.
    """
    sections = [_table(study)]
    for answer in study.answers:
        sections += _sections(answer)
    sections += [
        replace(design_section(design), title=f"The design: {name}", anchor=f"design {name}")
        for name, design in study.designs.items()
    ]
    facts = {
        "Task": study.task,
        "Chips": f"seeds from {study.seed:,}; the same in every comparison",
        "Enough": f"{100 * study.at_least:g}\u00a0% of chips learn",
        "Time": f"{study.wall_s:.0f} s, {study.cpu_s:.0f} s of processor",
    }
    return write_report(folder, TITLE, sections, facts, lead(study))


def lead(study):
    """Return a study's answer to the question of questions."""
    said = {
        True: f"Yes: at least {100 * study.at_least:g} % of chips learn.",
        False: f"No: fewer than {100 * study.at_least:g} % of chips learn.",
        None: "Not clear with so few chips.",
    }[study.learns]
    early = " Stopped by hand: some answers are missing." if study.interrupted else ""
    return f"{said} {study.criterion}{early}"


def _table(study):
    """Return the part with all answers in few words."""
    rows = tuple(
        (TITLES[answer.question], answer.chip, answer.brief if answer.result else answer.status)
        for answer in study.answers
    )
    caption = f"All answers in short; ranges are {100 * study.confidence:g}\u00a0% intervals"
    table = Table(caption, ("question", "chip", "answer"), rows)
    return Section("In short", table=table, anchor="answers")


def transfer_section(transfer, title="Loaded or learned", text="", anchor="loading"):
    """Return the part that compares loaded weights with learned ones."""
    text = f"{text}\n\n{ASIDE[Transfer]}"
    return Section(title, text, transfer_figure(transfer), anchor=anchor)


def _sections(answer):
    """Return the parts on one answer: the sentences, then the picture behind them."""
    title = f"{TITLES[answer.question]} {answer.chip}"
    anchor = f"{answer.question} {answer.chip}"
    if answer.result is None:
        return [Section(title, f"{answer.status.capitalize()}: {answer.text}.", anchor=anchor)]
    if isinstance(answer.result, Transfer):
        return [transfer_section(answer.result, title, answer.text, anchor)]
    if isinstance(answer.result, Rivals):
        text = f"{answer.text}\n\n{ASIDE[Rivals]}"
        return [Section(title, text, rivals_figure(answer.result), anchor=anchor)]
    first, *others = study_sections(answer.result)
    text = f"{answer.text}\n\n{first.text}"
    return [Section(title, text, first.figure, first.table, anchor=anchor), *others]
