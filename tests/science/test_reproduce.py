"""The papers' results by name: what they report, and that they fall in their bands."""

import json
import os

import numpy as np
import pytest
from matplotlib.figure import Figure

from recirc_hw import reproduce
from recirc_hw.reproduce.bench import Bench, mean_line, median_line, share_line
from recirc_hw.reproduce.hinton_mcclelland import first_reading
from recirc_hw.reproduce.result import Line, Result

NAMES = list(reproduce.names())
LITERATURE = {
    "hinton-hierarchy",
    "baldi-theory",
    "baldi-table5",
    "baldi-physical",
    "rumelhart-symmetry",
    "rumelhart-families",
    "rumelhart-iterative",
    "lecture-addition",
    "lecture-gradients",
}
SHORT = ("hinton-encoder", "fixed-point")  # the others are left to the long suite
needs_images = pytest.mark.skipif(
    "RECIRC_HW_DATA" not in os.environ, reason="RECIRC_HW_DATA names no folder of data sets"
)


def test_every_result_of_the_papers_has_a_name_and_a_title():
    hinton = {"hinton-encoder", "hinton-alignment", "hinton-eq9", "hinton-long-loops"}
    baldi = {f"baldi-fig{n}" for n in range(4, 11)}
    fixed = {"fixed-point", "fixed-point-digits", "fixed-point-images", "fixed-point-networks"}
    spiking = {"spiking", "spiking-digits"}
    analog = {"analog", "analog-yield"}
    assert set(NAMES) == hinton | baldi | fixed | LITERATURE | analog | spiking
    assert all(reproduce.names().values())


def test_an_unknown_name_is_refused_with_the_nearest_one():
    with pytest.raises(ValueError, match="did you mean 'hinton-encoder'"):
        reproduce.run("hinton-encodr")


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n not in SHORT else n for n in NAMES],
)
def test_quick_mode_reports_lines_a_table_a_record_and_a_figure(name, tmp_path):
    result = reproduce.run(name, quick=True)
    table = result.table()
    assert all(line.what in table for line in (*result.lines, *result.beside))
    assert result.verdict in table.splitlines()[-1]
    record = json.loads(json.dumps(result.record(), allow_nan=False))
    assert record["name"] == name
    assert len(record["lines"]) == len(result.lines) > 0
    assert len(record["beside"]) == len(result.beside)
    assert {line["verdict"] for line in record["lines"]} <= {"inside", "outside"}
    assert isinstance(result.figure, Figure)
    result.save_figure(tmp_path / "figure.png")
    # Seeds are fixed, so that no line leaves its band by luck.
    outside = {line.what for line in result.lines if line.verdict == "outside"}
    assert not outside, table


@pytest.mark.parametrize(
    "backend", ["native", pytest.param("reference", marks=pytest.mark.slow)]
)
def test_a_thousand_encoders_learn_as_fast_as_the_papers_did(backend):
    # n = 1000 chips, seeds 0..999. The mean's 95 % interval is +-2.6 updates around 46.8,
    # and the bands are 43-49 (mean), 36-40 (median), .8 % (not learned).
    lines, _ = first_reading(Bench(backend=backend))
    assert {line.verdict for line in lines} == {"inside"}, lines
    mean, median, failed = lines[:3]
    assert (mean.band, median.band, failed.band) == ((43, 49), (36, 40), (None, 0.008))
    low, high = mean.interval
    assert low < mean.ours < high
    assert failed.n == 1000


@pytest.mark.slow
def test_other_seeds_give_other_chips_and_the_same_seed_the_same():
    first, again, other = (
        reproduce.run("baldi-fig8", quick=True, seed=seed).lines[0].ours for seed in (0, 0, 500)
    )
    assert first == again != other


def test_progress_is_told_what_is_trained_and_how_far_it_is():
    told = []
    first_reading(Bench(progress=lambda *step: told.append(step)))
    label, done, total = told[-1]
    assert label == "recirculation"
    assert 0 < done <= total == 1000


@pytest.mark.parametrize(
    ("band", "ours", "verdict"),
    [
        (None, 1.0, None),
        ((1.0, 2.0), 1.0, "inside"),
        ((1.0, 2.0), 2.0, "inside"),
        ((1.0, 2.0), 2.1, "outside"),
        ((None, 2.0), -9.0, "inside"),
        ((1.0, None), 0.9, "outside"),
        ((None, 2.0), float("nan"), "outside"),
    ],
)
def test_a_verdict_is_where_ours_lies_to_the_band(band, ours, verdict):
    assert Line("what", ours, band=band).verdict == verdict


def test_one_line_outside_its_band_puts_the_result_outside():
    inside, outside = Line("a", 1.0, band=(0, 2)), Line("b", 3.0, band=(0, 2))
    assert Result("n", "t", "s", {}, [inside, outside]).verdict == "outside"
    assert Result("n", "t", "s", {}, [inside]).verdict == "inside"


def test_a_line_without_a_band_stands_beside_those_that_are_judged():
    result = Result("n", "t", "s", {}, [Line("a", 1.0, band=(0, 2))], [Line("b", 9.0)])
    judged, beside = (rows for _, _, rows in result.tables())
    assert judged[0][-1] == "inside"
    assert beside == [("b", "", "9", "", "")]
    record = result.record()
    assert record["lines"][0]["verdict"] == "inside"
    assert "verdict" not in record["beside"][0]


@pytest.mark.parametrize(("paper", "starred"), [(1.0, False), (0.5, True), (None, False)])
def test_a_star_tells_that_the_papers_number_lies_outside_our_interval(paper, starred):
    line = Line("a", 1.1, (0.9, 1.3), paper=paper, band=(0, 2))
    result = Result("n", "t", "s", {}, [line])
    assert ("*" in line.cells()[1]) == starred
    assert bool(result.footnote()) == starred
    assert ("* The paper's" in result.table()) == starred


def test_a_record_holds_null_where_a_number_is_not_finite():
    record = Line("what", float("nan"), (0.0, float("inf"))).record()
    assert record["ours"] is None
    assert record["interval"] == [0.0, None]


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    # 2000 samples of 50 normal values: 95 % coverage has a standard error of .5 %; the
    # bounds are seven of them away, and the seed is fixed.
    rng = np.random.default_rng(0)
    samples = rng.normal(3.0, 2.0, (2000, 50))
    for line in (mean_line, median_line):
        intervals = np.array([line("x", sample).interval for sample in samples])
        covered = np.mean((intervals[:, 0] < 3.0) & (intervals[:, 1] > 3.0))
        assert 0.915 < covered < 0.985


def test_no_chips_that_learned_give_a_line_without_a_number():
    line = mean_line("updates", [], band=(1, 2))
    assert np.isnan(line.ours)
    assert line.verdict == "outside"
    assert share_line("learned", [False, False]).ours == 0.0


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["hinton-encoder", "hinton-alignment", "hinton-eq9", "hinton-long-loops", "baldi-fig4"],
)
def test_full_mode_leaves_no_band(name):
    result = reproduce.run(name)
    outside = {line.what for line in result.lines if line.verdict == "outside"}
    assert not outside, result.table()


# Bands are 2 % around one seed of an independent build; on these lines seeds differ by
# more (RBP and SRBP share their chips here, not there; ERR on Fashion has two outcomes,
# .40 and .47), and the mean of five lies outside.
OUTSIDE = {
    "baldi-fig5": {"linear 20: SRBP"},
    "baldi-fig6": {
        "linear 20: BP",
        "linear 20: SRBP",
        "non-linear 20: TOP",
        "non-linear 20: ERR",
    },
}


@pytest.mark.slow
@needs_images
@pytest.mark.parametrize("name", [f"baldi-fig{n}" for n in range(5, 11)])
def test_full_mode_on_images_leaves_only_the_bands_that_seeds_leave(name):
    result = reproduce.run(name)
    outside = {line.what for line in result.lines if line.verdict == "outside"}
    assert outside <= OUTSIDE.get(name, set()), result.table()
