"""Two family trees of one shape, and who is whose aunt."""

import numpy as np

from recirc_hw.random_streams import permutation
from recirc_hw.tasks.checks import frozen, whole_number
from recirc_hw.tasks.criteria import UnitError
from recirc_hw.tasks.task import Task

ENGLISH = (
    "Christopher", "Andrew", "Arthur", "James", "Charles", "Colin",
    "Penelope", "Christine", "Victoria", "Jennifer", "Margaret", "Charlotte",
)  # fmt: skip
ITALIAN = (
    "Roberto", "Pierro", "Emilio", "Marco", "Tomaso", "Alfonso",
    "Maria", "Francesca", "Lucia", "Angela", "Gina", "Sophia",
)  # fmt: skip
PEOPLE = ENGLISH + ITALIAN
RELATIONS = (
    "father", "mother", "husband", "wife", "son", "daughter",
    "uncle", "aunt", "brother", "sister", "nephew", "niece",
)  # fmt: skip
MEN = 6  # the first of a tree's twelve
# Of one tree, as places in ENGLISH and in ITALIAN: (husband, wife, their children).
MARRIAGES = (
    (0, 6, (2, 8)),
    (1, 7, (3, 9)),
    (2, 10, ()),
    (3, 8, (5, 11)),
    (4, 9, ()),
)
FACTS = 104  # questions that have an answer, both trees
HELD_OUT = 4


def family_trees(seed: int = 0) -> Task:
    """Return the questions (person, relation), answered with every person who it is.

    A case is 24 units of which one says who asks, 12 of which one says the relation,
    and the target, 24 units, on for each right answer. Of the 104 questions that have
    an answer four are held out. It counts as learned once every output is on the right
    side of .5 in every training case.

    Source: Rumelhart, Hinton & Williams 1986, figures 2 to 4.

    Parameters
    ----------
    seed : int, in 0..2**64-1
        Which questions are held out.
    """
    seed = whole_number("family_trees: seed", seed, 0, 2**64 - 1)
    cases = np.array([_case(*question) for question in answers().items()])
    order = permutation(seed, "split", len(cases))
    return Task(
        name=f"family_trees({seed})",
        train=frozen(cases[np.sort(order[HELD_OUT:])]),
        test=frozen(cases[np.sort(order[:HELD_OUT])]),
        criterion=UnitError(0.5),
        batch_size=FACTS - HELD_OUT,
        epochs=3000,
        until="end",
        n_targets=len(PEOPLE),
        source="Rumelhart, Hinton & Williams 1986, figure 2",
    )


def answers() -> dict[tuple[int, int], set[int]]:
    """Return {(person, relation): persons}, as places in `PEOPLE` and `RELATIONS`."""
    found: dict[tuple[int, int], set[int]] = {}
    for tree in (0, len(ENGLISH)):
        for asking in range(len(ENGLISH)):
            for relation, name in enumerate(RELATIONS):
                persons = _relatives(asking, name)
                if persons:
                    found[tree + asking, relation] = {tree + person for person in persons}
    return found


def _relatives(person, relation):
    """Return who is a person's "aunt" and so on, in one tree."""
    parents = {p for m in MARRIAGES if person in m[2] for p in m[:2]}
    children = _children({person})
    siblings, elders = _siblings({person}), _siblings(parents)
    spouse = _spouses({person})
    younger = _children(siblings | _siblings(spouse))
    groups = {
        "father": parents, "mother": parents, "husband": spouse, "wife": spouse,
        "son": children, "daughter": children, "brother": siblings, "sister": siblings,
        "uncle": elders | _spouses(elders), "aunt": elders | _spouses(elders),
        "nephew": younger, "niece": younger,
    }  # fmt: skip
    men = RELATIONS.index(relation) in (0, 2, 4, 6, 8, 10)
    return {other for other in groups[relation] if (other < MEN) == men}


def _siblings(persons):
    """Return the brothers and sisters of any of these persons."""
    return {
        s for p in persons for m in MARRIAGES if p in m[2] for s in m[2] if s != p
    }  # fmt: skip


def _children(persons):
    """Return the children of any of these persons."""
    return {child for m in MARRIAGES if persons & set(m[:2]) for child in m[2]}


def _spouses(persons):
    """Return the husbands and wives of these persons."""
    return {other for m in MARRIAGES for other in m[:2] if set(m[:2]) - {other} <= persons}


def _case(question, persons):
    """Return one case: who asks, the relation, and the answers."""
    person, relation = question
    case = np.zeros(2 * len(PEOPLE) + len(RELATIONS))
    case[person] = case[len(PEOPLE) + relation] = 1
    case[[len(PEOPLE) + len(RELATIONS) + p for p in persons]] = 1
    return case
