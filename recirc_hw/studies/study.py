"""The flagship: six questions that say whether a network would learn on a chip."""

import json
import time
from dataclasses import dataclass

from recirc_hw import tasks
from recirc_hw.design_file import default_chips
from recirc_hw.designs import Design
from recirc_hw.errors import DesignError
from recirc_hw.studies.answers import Answer, Asked
from recirc_hw.studies.questions import QUESTIONS
from recirc_hw.training.loop import interruptible
from recirc_hw.training.plan import whole
from recirc_hw.training.run import versions

BATCH = 8  # cases to a write of the default analog chip, which spares time
EPOCHS_HELD = 1  # later checks, where each check is an epoch
TITLES = {question.name: question.title for question in QUESTIONS}


@dataclass(frozen=True)
class Study:
    """The answers of some chips to the six questions."""

    answers: tuple[Answer, ...]
    task: str
    criterion: str
    designs: dict  # by name of the chip
    chips: int
    seed: int
    confidence: float
    at_least: float
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def __getitem__(self, question):
        """Return the answers of all chips to a question, by the chip's name."""
        return {a.chip: a for a in self.answers if a.question == question}

    @property
    def missing(self):
        """The (question, chip) that were not asked, or not to the end."""
        return [
            (answer.question, answer.chip)
            for answer in self.answers
            if answer.status in ("missing", "interrupted")
        ]

    @property
    def interrupted(self):
        """Whether Ctrl-C ended it early."""
        return bool(self.missing)

    @property
    def learns(self):
        """Whether enough chips of every design learn; None where that is not clear."""
        found = [a.result.verdict for a in self["yield"].values() if a.result is not None]
        if "below" in found:
            return False
        return True if len(found) == len(self.designs) and None not in found else None

    def summary(self):
        """Return the study as JSON takes it."""
        names = (
            "task", "criterion", "chips", "seed", "confidence", "at_least", "learns",
            "interrupted", "missing", "wall_s", "cpu_s",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names} | {
            "designs": {name: design.sections() for name, design in self.designs.items()},
            "answers": [answer.summary() for answer in self.answers],
            "versions": versions(),
        }

    def to_json(self):
        """Return the study as the text of one JSON object."""
        return json.dumps(self.summary(), indent=1)


def study(
    designs=None,
    task=None,
    *,
    chips=80,
    at_least=0.9,
    seed=0,
    confidence=0.95,
    progress=None,
    told=None,
    **training,
):
    """Return whether a network would learn on a chip, where it breaks, and what it costs.

    Six questions: on what share of chips it learns; how few weight bits and how much
    mismatch of everything let `at_least` of chips learn; which effect is to blame just
    beyond that; the energy of a learned example against backprop; and whether learning
    on the chip beats loading an ideal chip's weights.

    Parameters
    ----------
    designs : Design, dict of name to Design, or None
        None: the network that `starting_design` gives a task, on a digital chip of 8 bits
        and on an analog chip with 20 % mismatch of everything.
    task : Task, or None for handwritten digits
    chips : int
        For each answer: twice as many, at most, for the yield; at each value of a limit,
        at most; three tenths for the blame; half for the loading.
    at_least : float in 0..1
        The share of chips that must learn.
    seed : int
        Of the first chip; chip i has seed + i in every question.
    confidence : float
        Of each answer by itself.
    progress : callable(done, total, text), or None
    told : callable(answer), or None
        Called with each answer as it comes.
    **training
        As `train` takes it. By default training stops an epoch after the criterion first
        held, or 20 checks where every update is checked; the default analog chip on
        digits writes its weights once in 8 cases.

    Returns
    -------
    Study; after Ctrl-C with the answers found so far, the others marked "missing".

    Raises
    ------
    ValueError
        For arguments out of range.
    """
    task = tasks.digits() if task is None else task
    asked = {"chips": whole("chips", chips), "at_least": _share("at_least", at_least)}
    options = {"seed": whole("seed", seed, 0), "confidence": _share("confidence", confidence)}
    hold = EPOCHS_HELD if task.until == "end" else 20
    training = {"until": "learned", "hold": hold} | training
    chosen = _chosen(designs, task, training)
    start, cpu = time.monotonic(), time.process_time()
    under_study = [
        Asked(name, design, task, **asked, options=options | more, progress=progress)
        for name, (design, more) in chosen.items()
    ]
    answers = _answers(under_study, told or (lambda answer: None))
    first = next(iter(chosen.values()))[0]
    return Study(
        tuple(answers), task.name, task.criterion.describe(task, first.network.code.size),
        {name: design for name, (design, _) in chosen.items()}, chips, seed, confidence,
        at_least, time.monotonic() - start, time.process_time() - cpu,
    )  # fmt: skip


def _answers(under_study, told):
    """Return every chip's answers to every question, the rest "missing" after Ctrl-C."""
    answers = []
    with interruptible() as stopped:
        for question in QUESTIONS:
            for asked in under_study:
                try:
                    if stopped.is_set():
                        raise KeyboardInterrupt
                    answers.append(asked.put(question))
                    told(answers[-1])
                except KeyboardInterrupt:
                    stopped.set()
                    text = "not asked any more"
                    answers.append(Answer(question.name, asked.chip, "missing", text=text))
    return answers


def _chosen(designs, task, training):
    """Return {name: (design, what `train` is given)} of the chips under study."""
    if designs is None:
        found = {name: (design, training) for name, design in default_chips(task).items()}
        for name, (design, _) in found.items():
            if task.batch_size == 1 and not design.is_clocked:
                found[name] = design, {"batch_size": BATCH} | training
        return found
    if isinstance(designs, Design):
        designs = {"chip": designs}
    if not isinstance(designs, dict) or not designs:
        raise DesignError(f"designs = {designs!r}; allowed: a Design, or some by name")
    for name, design in designs.items():
        if not isinstance(design, Design):
            raise DesignError(f"designs['{name}'] = {design!r}; allowed: a Design")
    return {name: (design, training) for name, design in designs.items()}


def _share(name, value):
    """Return an argument that must lie between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise ValueError(f"{name} = {value!r}; allowed: a number between 0 and 1")
    return float(value)
