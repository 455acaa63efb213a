"""Pictures of trainings and studies, and the page that shows them.

Here belong figures (`plots`, one function each), their common look (`style`), the
self-contained page (`page`) and what a page says of a training (`run_page`) or of a
question asked of many chips (`study_page`, `answer_page`, `sweep_page`). Nothing here
trains, reads run folders, or knows of the command line.
"""

from recirc_hw.reports.answer_figures import svg
from recirc_hw.reports.answer_page import answers_report, lead, transfer_section
from recirc_hw.reports.page import Section, Table, write_report
from recirc_hw.reports.plots import pictures
from recirc_hw.reports.run_page import (
    population_report,
    population_section,
    run_report,
    run_sections,
)
from recirc_hw.reports.study_page import design_section, study_report, study_sections
from recirc_hw.reports.sweep_page import sweep_report, sweep_sections

__all__ = [
    "Section",
    "Table",
    "answers_report",
    "design_section",
    "lead",
    "pictures",
    "population_report",
    "population_section",
    "run_report",
    "run_sections",
    "study_report",
    "study_sections",
    "svg",
    "sweep_report",
    "sweep_sections",
    "transfer_section",
    "write_report",
]
