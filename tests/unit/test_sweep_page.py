"""The page of a sweep: pictures that follow from what varied, and what they show."""

import re

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.reports import sweep_report, sweep_sections
from recirc_hw.reports.sweep_cells import Cells, front
from recirc_hw.reports.sweep_figures import yield_curves, yield_maps
from recirc_hw.studies import Store, sweep

BITS = '[[vary]]\nfield = "substrate.weight_bits"\nvalues = [3, 7, 8]\n'
RATE = '[[vary]]\nfield = "rule.learning_rate"\nvalues = [8.0, 16.0]\n'
ROUNDING = '[[vary]]\nfield = "substrate.rounding"\nvalues = ["carry", "floor"]\n'
RULE = """[[vary]]
field = "rule"
values = [{type = "recirculation", learning_rate = 8.0}, {type = "recirculation"}]
"""
SAMPLE = 'sample = "random"\npoints = 5\n'
RANGES = """[[vary]]
field = "rule.learning_rate"
from = 0.1
to = 20.0
scale = "log"
[[vary]]
field = "rule.regression"
from = 0.1
to = 0.9
"""


@pytest.fixture
def swept(study, tmp_path, here):
    """Return a function that runs a study of the tables given, and returns its store."""
    stores = []

    def run(*tables, chips=3, max_updates=40):
        head = f'design = "chip.toml"\ntask = "encoder:4"\nchips = {chips}\n'
        study.write_text(head + f"max_updates = {max_updates}\n" + "".join(tables))
        stores.append(sweep(study, out=tmp_path / f"study {len(stores)}"))
        return stores[-1]

    yield run
    for store in stores:
        store.close()


def titles(store):
    """Return the titles of the parts of a page on a sweep."""
    return [section.title for section in sweep_sections(store)]


def page(store):
    return sweep_report(store.path.parent, store).read_text()


@pytest.mark.parametrize(
    ("tables", "wanted"),
    [
        ((BITS,), ["Yield against substrate.weight_bits"]),
        ((ROUNDING,), ["Yield against substrate.rounding"]),
        ((RULE,), ["Yield against rule"]),
        ((BITS, RATE), [
            "Yield against substrate.weight_bits", "Map over weight_bits and learning_rate",
        ]),
        ((BITS, RATE, ROUNDING), [
            "Map over weight_bits and learning_rate", "Each field in turn",
        ]),
        ((SAMPLE, RANGES), ["Map over learning_rate and regression"]),
        ((SAMPLE, RANGES, BITS), ["Each field in turn"]),
    ],
)  # fmt: skip
def test_the_pictures_of_a_sweep_follow_from_what_varied(swept, tables, wanted):
    apart = ("Energy against error", "Cells without a yield")
    assert [title for title in titles(swept(*tables)) if title not in apart] == wanted


def test_every_picture_of_a_sweep_has_its_numbers(swept):
    text = page(swept(BITS, RATE))
    assert text.count("<img") == 3
    assert text.count("<details>") == text.count('download="') == 3
    assert re.findall(r"<h2 id=.[^>]*-title.>(.*?)</h2>", text)[-1] == "The design"


def test_a_curve_has_every_cell_with_its_interval(swept):
    store = swept(BITS, chips=6, max_updates=200)
    cells = Cells(store)
    columns = yield_curves(cells, cells.fields[0]).columns
    rows = [dict(zip(store.columns, row, strict=True)) for row in store.rows()]
    for name, column in (("share learned", "share"), ("low", "low"), ("chips", "chips")):
        assert list(columns[name]) == [row[column] for row in rows if row["status"] == "done"]


def test_a_map_has_each_share_in_its_square(swept):
    store = swept(BITS, RATE, chips=6, max_updates=200)
    cells = Cells(store)
    bits, rate = cells.fields
    figure = yield_maps(cells, bits, rate)
    image = figure.axes[0].images[0].get_array()
    for row in store.rows():
        record = dict(zip(store.columns, row, strict=True))
        place = (
            rate.kinds.index(record["rule.learning_rate"]),
            bits.kinds.index(record["substrate.weight_bits"]),
        )
        if record["status"] == "done":
            assert image[place] == pytest.approx(100 * record["share"])
        else:
            assert np.ma.is_masked(image[place]) or np.isnan(image[place])


def test_cells_without_a_yield_are_listed_with_the_reason(swept):
    store = swept('[[vary]]\nfield = "substrate.weight_bits"\nvalues = [2, 3]\n')
    assert set(store.counts()) == {"refused"}
    (section,) = sweep_sections(store)
    assert section.table.rows[0][:2] == ("0", "refused")
    assert "weight_fraction_bits = 3" in section.table.rows[0][2]
    assert "No cell has a yield." in page(store)


def test_a_sweep_under_way_says_how_much_is_to_come(study, tmp_path, here):
    def stop(done, *_):
        if done == 2:
            raise KeyboardInterrupt

    with sweep(study, out=tmp_path / "a", progress=stop) as store:
        assert "So far: 4 of 6 cells are still to come." in page(store)


def test_a_study_that_has_only_begun_has_a_page(tmp_path):
    chip = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.FixedPoint())
    with Store.create(tmp_path) as store:
        store.describe(
            names=("rule.learning_rate",), cells=3, task="encoder(4)", design=chip.sections(),
            file={"sample": "grid", "chips": 3, "seed": 0},
        )  # fmt: skip
        assert "No cell has a yield." in page(store)


# -- energy against error ------------------------------------------------------------------


def test_energies_are_the_ledgers(swept):
    store = swept(BITS)
    cells = Cells(store)
    for row, energy in zip(store.rows(), cells.energy_nj, strict=True):
        record = dict(zip(store.columns, row, strict=True))
        if record["status"] != "done":
            assert np.isnan(energy)
            continue
        design = rh.Design(
            rh.Loop(4, 2),
            rh.Recirculation(learning_rate=16.0),
            rh.FixedPoint(weight_bits=record["substrate.weight_bits"]),
        )
        batch = rh.tasks.encoder(4).batch_size
        expected = rh.cost(design, batch_size=batch).energy_pj["learned_example"] / 1000
        assert energy == pytest.approx(expected, rel=1e-12)


def test_energy_is_not_drawn_where_it_does_not_vary_or_has_no_price(swept, study):
    ideal = study.parent / "chip.toml"
    assert "Energy against error" in titles(swept(BITS))
    ideal.write_text(ideal.read_text().replace('"fixed_point"', '"ideal"'))
    assert "Energy against error" not in titles(swept(RATE))
    ideal.write_text(ideal.read_text().replace('"ideal"', '"analog"'))
    vary = '[[vary]]\nfield = "substrate.tau_mismatch"\nvalues = [0.0, 0.1]\n'
    assert "Energy against error" not in titles(swept(vary, chips=1, max_updates=2))


@pytest.mark.parametrize("seed", range(5))
def test_no_cell_beats_one_of_the_front_in_both(seed):
    draws = np.random.default_rng(seed)
    energy, error = draws.integers(0, 9, (2, 40)).astype(float)  # ties, too
    energy[3], error[5] = np.nan, np.nan
    kept = set(front(energy, error))
    known = [i for i in range(40) if np.isfinite(energy[i] + error[i])]

    def beats(a, b):
        no_worse = energy[a] <= energy[b] and error[a] <= error[b]
        return no_worse and (energy[a] < energy[b] or error[a] < error[b])

    best = {i for i in known if not any(beats(j, i) for j in known)}
    assert kept <= best
    assert {(energy[i], error[i]) for i in kept} == {(energy[i], error[i]) for i in best}


def test_a_front_of_nothing_is_empty():
    assert front(np.array([np.nan]), np.array([1.0])).size == 0
