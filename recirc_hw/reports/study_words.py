"""What pages and pictures of studies say in sentences."""

from recirc_hw.reports.style import short
from recirc_hw.studies import Ablation, Yield


def yield_sentence(found):
    """Return on what share of chips a design learns."""
    low, high = found.interval
    sure = f"{100 * found.confidence:g}\u00a0% interval"
    held = f"{100 * found.held_share:.1f}\u00a0% still held it at every later check."
    sentence = (
        f"{100 * found.share:.1f}\u00a0% of {found.chips:,} chips learn ({sure} "
        f"{100 * low:.1f} to {100 * high:.1f}\u00a0%); {held}"
    )
    if found.wanted is None:
        return sentence
    answer = {"above": "yes", "below": "no", None: "undecided"}[found.verdict]
    return f"{sentence} Do at least {100 * found.wanted:g}\u00a0% learn? {answer.capitalize()}."


def limit_sentence(limit):
    """Return a limit in a sentence, without its full stop."""
    wanted = f"{100 * limit.at_least:g}\u00a0% of chips"
    if limit.value is None:
        return f"{limit.name}: not even {short(limit.start)} lets {wanted} learn"
    more = "" if limit.monotone else "; the curve is not monotone"
    low, high = limit.interval
    known = low != high and None not in (low, high)
    between = f" (between {short(low)} and {short(high)})" if known else ""
    return f"{limit.name}: {wanted} learn as far as {short(limit.value)}{between}{more}"


def frontier_sentence(frontier):
    """Return a frontier in a sentence: the limits of one field at values of the other."""
    first, other = frontier.names
    ends = [
        f"{short(value)} at {short(at)}"
        for at, value in zip(frontier.across, frontier.values, strict=True)
        if value is not None
    ]
    found = ", ".join(ends) or "no pair of values holds"
    return f"Limit of {first} at values of {other}: {found}."


def blame_sentence(ablation):
    """Return what an ablation found, in a sentence, without its full stop."""
    all_share, none_share = 100 * ablation.everything.share, 100 * ablation.nothing.share
    rates = f"{all_share:.0f}\u00a0% learn with all effects, {none_share:.0f}\u00a0% without"
    if ablation.to_blame is None:
        return f"No effect surely does harm: {rates}"
    return f"To blame: {ablation.to_blame}. {rates}"


def network_facts(design):
    """Return what to know at a glance of a design."""
    sizes = ", ".join(str(group.size) for group in design.network.groups)
    return {
        "Network": f"{type(design.network).__name__}({sizes})",
        "Rule": design.rule.name,
        "Substrate": type(design.substrate).__name__,
    }


def answer_facts(answer):
    """Return what to know at a glance of the chips that a question was asked of."""
    facts = network_facts(answer.design)
    one = answer.everything if isinstance(answer, Ablation) else answer
    if not isinstance(one, Yield):
        return facts | {"Chips trained": f"{one.chips_used:,}"}
    return facts | {"Task": one.task, "Chips": f"{one.seed:,} to {one.seed + one.chips - 1:,}"}
