"""Pages and parts of pages: of questions asked of many chips."""

from recirc_hw.reports.page import PAGE, Section, Table, write_report
from recirc_hw.reports.study_figures import (
    ablation_figure,
    frontier_figure,
    limit_figure,
    yield_figure,
)
from recirc_hw.reports.study_words import (
    answer_facts,
    blame_sentence,
    frontier_sentence,
    limit_sentence,
    yield_sentence,
)
from recirc_hw.reports.words import design_text
from recirc_hw.studies import Ablation, Frontier, Limit, Yield

EXCESS = 0.01  # of chips: pairs that differ less from the sum of both are not listed
PAIRS = 10  # listed, at most


def study_report(folder, answer, name=PAGE):
    """Write the page of a yield, a limit, a frontier or an ablation; return its path.

    Parameters
    ----------
    folder : path
    answer : Yield, Limit, Frontier or Ablation
    name : str
        Of the page's file.

    Raises
    ------
    DataError
        If the folder cannot be written; the message names it.
    """
    title, lead = _title_and_lead(answer)
    if answer.interrupted:
        lead += " Stopped by hand: this is what the chips so far say."
    sections = [*study_sections(answer), design_section(answer.design)]
    return write_report(folder, title, sections, answer_facts(answer), lead, name)


def study_sections(answer):
    """Return the parts of a page on the answer to a question, its picture first."""
    kinds = {
        Yield: _yield_sections, Limit: _limit_sections, Frontier: _frontier_sections,
        Ablation: _ablation_sections,
    }  # fmt: skip
    return kinds[type(answer)](answer)


def design_section(design):
    """Return the part that shows a design as its file holds it."""
    return Section(
        "The design",
        "The chip on paper, as a design file holds it.",
        listing=design_text(design),
        anchor="design",
    )


def _title_and_lead(answer):
    """Return a page's title and its one sentence."""
    if isinstance(answer, Yield):
        return f"Does it learn? {answer.task}", yield_sentence(answer)
    if isinstance(answer, Limit):
        return f"Where does it break? {answer.name}", f"{limit_sentence(answer)}."
    if isinstance(answer, Frontier):
        names = " and ".join(answer.names)
        return f"Where does it break? {names}", frontier_sentence(answer)
    return "Which effect is to blame?", f"{blame_sentence(answer)}."


def _yield_sections(found):
    """Return the part on the share of chips that learn."""
    percent = f"{100 * found.confidence:g}\u00a0%"
    text = (
        "The upper picture counts the chips by the updates they took; the lower one adds "
        f"them up, over all chips that were made. The band is where the true share lies "
        f"with 95\u00a0% confidence at each update; the interval of the answer, {percent}, is "
        "wider where the study looked more than once."
    )
    return [Section("Chips that learn", text, yield_figure(found), anchor="yield")]


def _limit_sections(limit):
    """Return the part on how far one field may go."""
    share = f"{100 * limit.at_least:g}\u00a0%"
    text = (
        f"Each mark is a value at which chips of the same seeds were trained until it was "
        f"clear whether {share} of them learn: a disc where that holds, a triangle where it "
        "fails, an open diamond where even the most chips could not tell, a cross where no "
        "such chip can be built. The band has the intervals (Wilson); the dashed line is the "
        "share asked for, the upright one the limit."
    )
    notes = " ".join(f"{note[0].upper()}{note[1:]}." for note in limit.notes)
    used = f"{limit.chips_used:,} chips were trained."
    return [
        Section(
            f"Yield against {limit.name}",
            f"{text}\n\n{notes}\n\n{used}",
            limit_figure(limit),
            anchor="limit",
        )
    ]


def _frontier_sections(frontier):
    """Return the part on how far two fields may go together."""
    text = (
        "Each square is a pair of values that was tried; the number and the shade say what "
        "share of chips learns there. The line joins the last values at which at least "
        f"{100 * frontier.at_least:g}\u00a0% do."
    )
    notes = " ".join(f"{note}." for note in frontier.notes)
    used = f"{frontier.chips_used:,} chips were trained."
    return [
        Section(
            f"{frontier.names[0]} against {frontier.names[1]}",
            f"{text}\n\n{notes}\n\n{used}",
            frontier_figure(frontier),
            anchor="frontier",
        )
    ]


def _ablation_sections(ablation):
    """Return the parts on what each effect costs, and each two together."""
    chips = f"{ablation.everything.chips:,}"
    text = (
        f"The same {chips} chips were trained with all effects, with none, with each alone and "
        "with each left out. Left: the chips an effect costs, with 95\u00a0% intervals. Right: "
        "how many times the updates it takes. What is pale may be chance (McNemar's exact "
        "test, the sign test; corrected for the number of effects by Holm's method)."
    )
    bars = Section("What each effect costs", text, ablation_figure(ablation), anchor="ablation")
    pairs = [pair for pair in ablation.pairs if abs(pair.excess) > EXCESS][:PAIRS]
    if not pairs:
        return [bars]
    rows = tuple(
        (
            " + ".join(pair.names), f"{100 * pair.together.share:.1f}",
            f"{100 * pair.excess:+.1f}".replace("-", "−"),
        )
        for pair in pairs
    )  # fmt: skip
    head = ("pair", "learn with both, %", "beyond the sum, % of chips")
    caption = "Pairs that cost more, or less, than the sum of what each costs alone"
    return [bars, Section("Effects together", table=Table(caption, head, rows), anchor="pairs")]
