"""What a question put to a chip under study comes to: an answer, or why there is none."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from recirc_hw.designs import Design
from recirc_hw.errors import PriceError, UnsupportedError


class InapplicableError(Exception):
    """A question has no meaning for a chip; the message says why."""


@dataclass(frozen=True)
class Answer:
    """What became of one question to one chip.

    `status` is "answered", "interrupted" (so far), "does not apply" or "missing" (not
    asked any more); `result` is what the study behind it returned.
    """

    question: str
    chip: str
    status: str
    brief: str = ""  # in few words, for a table
    text: str = ""  # in sentences; where it does not apply, the reason
    result: object = field(repr=False, default=None)
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def summary(self):
        """Return the answer as JSON takes it."""
        names = ("question", "chip", "status", "brief", "text", "wall_s", "cpu_s")
        record = {name: getattr(self, name) for name in names}
        return record | {"result": self.result and self.result.summary()}


@dataclass
class Asked:
    """One chip under study: how to ask about it, and what it answered so far."""

    chip: str
    design: Design
    task: object
    chips: int
    at_least: float
    options: dict  # seed, confidence, and what `train` takes
    progress: Callable | None = None
    results: dict = field(default_factory=dict)  # by question

    @property
    def percent(self):
        """The share that is asked for, in words."""
        return f"{100 * self.at_least:g} %"

    def put(self, question):
        """Put a question; return its answer.

        Raises
        ------
        KeyboardInterrupt
            After Ctrl-C, where nothing was found yet.
        """
        wall, cpu = time.monotonic(), time.process_time()
        try:
            brief, text, result = question.ask(self)
        except (InapplicableError, UnsupportedError, PriceError) as reason:
            return Answer(question.name, self.chip, "does not apply", "-", str(reason))
        self.results[question.name] = result
        stopped = getattr(result, "interrupted", False)
        return Answer(
            question.name, self.chip, "interrupted" if stopped else "answered", brief, text,
            result, time.monotonic() - wall, time.process_time() - cpu,
        )  # fmt: skip

    def ask(self, study, *arguments, design=None, chips=None, **options):
        """Run a study on the design, or on another, with the options of all of them."""
        return study(
            design or self.design, *arguments, self.task, chips=chips or self.chips,
            progress=self.progress, **self.options, **options,
        )  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A question: its name, how it is asked in words, and the function that asks it.

    `ask(asked)` returns (the answer in few words, in sentences, the study's result).
    """

    name: str
    title: str
    ask: Callable
