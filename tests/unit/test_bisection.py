"""How many values a search may visit, which share its allowance of error."""

import pytest

import recirc_hw as rh
from recirc_hw.studies.bisection import Search
from recirc_hw.studies.curve import Point

DESIGN = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Analog())


@pytest.mark.parametrize(
    ("name", "start", "stop", "scale"),
    [
        ("network.n_hidden[0]", 1024, 1, "log"), ("network.n_hidden[0]", 1, 1000, "log"),
        ("network.n_hidden[0]", 300, 7, "linear"), ("network.n_hidden[0]", 9, 2, None),
        ("substrate.tau_mismatch", 0.0, 2.0, None), ("rule.learning_rate", 0.01, 100.0, None),
    ],
)  # fmt: skip
def test_no_search_visits_more_values_than_its_allowance_counts(name, start, stop, scale):
    asked = {"at_least": 0.9, "resolution": 0.02, "scale": scale}
    options = {"confidence": 0.95, "chips": 10}
    most = 0
    for cut in range(401):
        search = Search(DESIGN, name, rh.tasks.encoder(4), start, stop, asked, options)

        def visit(value, search=search, cut=cut):
            holds = search.axis.share(value) <= cut / 400
            search.points.setdefault(value, Point(value, "holds" if holds else "fails", holds))

        for i in range(5):
            visit(search.axis.at(i / 4))
        while (middle := search._next()) is not None:
            visit(middle)
        most = max(most, len(search.points))
    assert most <= search.visits <= most + 2
