"""Reports: every picture, and a page that holds all it shows."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

import recirc_hw as rh
from recirc_hw.reports import (
    Section,
    Table,
    pictures,
    population_report,
    population_section,
    run_report,
    run_sections,
    write_report,
)
from recirc_hw.reports import plots as drawn
from recirc_hw.reports.devices import device_response
from recirc_hw.reports.style import Picture, png
from recirc_hw.reports.words import design_text, verdict
from recirc_hw.substrates.devices import SoftBounds

NASTY = '<script>alert(1)</script> "><img src=x onerror=alert(2)> $x_{ &amp; \udcff'


def trained(network, task, seed=7, rule=None, **options):
    """Return (run, chip, task) of one training."""
    chip = rh.Design(network, rule or rh.Recirculation()).fabricate(seed)
    return chip.train(task, **options), chip, task


def random_task(n_units, n_cases=20, name="random", **fields):
    """Return a task of random cases in 0..1, half of them held out."""
    fields = {"criterion": rh.tasks.SquaredError(0.05), **fields}
    cases = np.random.default_rng(0).random((2 * n_cases, n_units))
    return rh.tasks.Task(name=name, train=cases[:n_cases], test=cases[n_cases:], **fields)


@pytest.fixture(scope="module")
def encoder():
    return trained(rh.Loop(4, 2), rh.tasks.encoder(4))


@pytest.fixture(scope="module")
def digits():
    rule = rh.Recirculation(regression=0.5, learning_rate=0.125)
    return trained(rh.Loop(64, 16), rh.tasks.digits(), seed=0, rule=rule, epochs=3)


@pytest.fixture(scope="module")
def chips():
    made = [rh.Design(rh.Loop(4, 2), rh.Recirculation()).fabricate(s) for s in range(20)]
    task = rh.tasks.encoder(4)
    return rh.train(made, task), made, task


CASES = {
    "one update": lambda: trained(rh.Loop(4, 2), rh.tasks.encoder(4), max_updates=1),
    "one hidden unit": lambda: trained(rh.Loop(4, 1), rh.tasks.encoder(4), max_updates=60),
    "no probes": lambda: trained(rh.Loop(4, 2), rh.tasks.encoder(4), probes=False),
    "deep": lambda: trained(rh.Loop(8, 6, 3, 6), rh.tasks.encoder(8), max_updates=60),
    "no mirror": lambda: trained(rh.Loop(40, 9, 5), random_task(40), epochs=2),
    "many units": lambda: trained(
        rh.Loop(784, 100), random_task(784, 12, image_shape=(28, 28)), max_updates=1
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_every_picture_of_an_edge_case_is_drawn_and_described(case):
    run, chip, task = CASES[case]()
    for name, figure in pictures(run, chip, task).items():
        assert isinstance(figure, Figure), name
        assert figure.alt, name
        assert png(figure).startswith(b"\x89PNG"), name


def diverged(run, chip):
    """Return the run and make the chip look as a diverged one does."""
    chip.matrices = [np.full_like(matrix, np.nan) for matrix in chip.matrices]
    history = {
        name: values if "update" in name else np.full_like(values, np.nan)
        for name, values in run.history.items()
    }
    probes = [
        {"update": 0, **{name: [None, None] for name in ("change", "alignment", "symmetry")}}
    ]
    nan = float("nan")
    return replace(
        run, learned=False, updates=None, diverged=True, error=nan, unit_error=nan,
        cross_entropy=nan, checks=0, held_share=nan, history=history, probes=probes,
        weights=chip.weights,
    )  # fmt: skip


def test_a_diverged_chip_gets_a_page_that_says_so(tmp_path):
    run, chip, task = trained(rh.Loop(4, 2), rh.tasks.encoder(4))
    page = run_report(tmp_path, diverged(run, chip), chip, task).read_text()
    assert "This chip diverged" in page
    assert "not finite" in page


def test_settings_of_matplotlib_are_left_as_they_were(encoder):
    before = dict(matplotlib.rcParams)
    png(drawn.error_curve(encoder[0]))
    assert dict(matplotlib.rcParams) == before


def test_the_same_run_gives_the_same_bytes(encoder):
    assert png(drawn.error_curve(encoder[0])) == png(drawn.error_curve(encoder[0]))


def test_a_run_plots_itself(encoder):
    assert isinstance(encoder[0].plot(), Figure)


def test_error_curve_shows_threshold_and_first_crossing(digits):
    run = digits[0]
    axes = drawn.error_curve(run).axes[0]
    across = [line.get_ydata() for line in axes.lines if line.get_label().startswith("pass")]
    assert across[0][0] == run.threshold
    assert run.learned
    assert any(list(line.get_xdata()) == [run.updates, run.updates] for line in axes.lines)


def test_error_curve_shows_the_error_that_the_criterion_is_of(encoder, digits):
    of_encoder = drawn.error_curve(encoder[0]).axes[0].get_legend_handles_labels()[1]
    of_digits = drawn.error_curve(digits[0]).axes[0].get_legend_handles_labels()[1]
    assert "largest unit error, training" in of_encoder
    assert "largest unit error, training" not in of_digits


def test_a_run_that_never_learned_marks_no_crossing():
    run, _, _ = trained(rh.Loop(4, 1), rh.tasks.encoder(4), max_updates=30)
    assert "never met" in drawn.error_curve(run).alt


def test_no_probe_is_drawn_after_the_chip_stopped(encoder):
    run = encoder[0]
    assert drawn.layer_changes(run).columns["update"].max() == run.total_updates
    assert drawn.alignment(run).columns["update"][0] == 0


def test_reconstructions_draw_a_row_for_pca(digits):
    _, chip, task = digits
    pca = np.zeros((10, 64))
    assert set(drawn.reconstructions(chip, task, 3, pca).columns["what"]) == {
        "original", "chip", "PCA",
    }  # fmt: skip
    assert len(drawn.reconstructions(chip, task, 3).axes[0].images) == 9


def test_receptive_fields_say_how_many_of_many_units_are_shown():
    task = random_task(784, 2, image_shape=(28, 28))
    chip = rh.Design(rh.Loop(784, 100), rh.Recirculation()).fabricate(0)
    figure = drawn.receptive_fields(chip, task)
    assert figure.get_suptitle() == "The first 40 of 100 hidden units"
    assert len(figure.columns["hidden unit"]) == 40


def test_population_counts_chips_that_never_learned(chips):
    runs, _, _ = chips
    never = [
        replace(run, learned=False, updates=None) if i < 5 else run
        for i, run in enumerate(runs)
    ]
    figure = drawn.population(never)
    assert figure.get_suptitle().startswith("15 of 20 chips learned")
    assert figure.columns["share learned"][-1] == 0.75


@pytest.mark.parametrize("count", [0, 1, 5])
def test_population_is_drawn_where_few_or_none_learned(chips, count):
    runs = [replace(run, learned=False, updates=None) for run in chips[0][:count]]
    assert png(drawn.population(runs))


def test_population_is_drawn_where_all_took_the_same_updates(chips):
    assert png(drawn.population([replace(run, updates=9) for run in chips[0]]))


# -- the page ------------------------------------------------------------------------


class Reader(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, name):
        return [attrs for tag, attrs in self.tags if tag == name]


def read(path):
    """Return what is in a page; every tag is closed."""
    reader = Reader(path.read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def page(digits, tmp_path_factory):
    return run_report(tmp_path_factory.mktemp("page"), *digits)


def test_the_page_loads_nothing_and_runs_nothing(page):
    reader = read(page)
    assert not reader.all("script")
    assert not reader.all("link")
    for _, attributes in reader.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    style = re.search(r"<style>(.*?)</style>", page.read_text(), re.S)[1]
    assert "url(" not in style
    assert "@import" not in style


def test_every_picture_has_a_text_and_lies_next_to_the_page(page):
    reader = read(page)
    images = reader.all("img")
    assert len(images) == 6
    assert all(len(image["alt"]) > 20 for image in images)
    inside = {base64.b64decode(image["src"].split(",")[1]) for image in images}
    assert {path.read_bytes() for path in page.parent.glob("*.png")} == inside
    assert not list(page.parent.glob(".*"))


def test_numbers_come_along_as_csv(page):
    links = [a for a in read(page).all("a") if a.get("download", "").endswith(".csv")]
    assert len(links) == 6
    text = base64.b64decode(links[0]["href"].split(",")[1]).decode()
    assert text.startswith("curve,update,value\n")
    assert len(text.splitlines()) > 100
    assert (page.parent / links[0]["download"]).read_text() == text


def test_a_long_table_of_numbers_ends_and_says_so(tmp_path):
    figure = Picture()
    figure.columns = {"x": np.arange(2000), "y": np.arange(2000) / 7}
    page = write_report(tmp_path, "Long", [Section("Many", figure=figure)]).read_text()
    assert "the first 500 of 2,000 rows, the CSV file has all" in page
    assert page.count("<tr>") == 1 + 500
    assert len((tmp_path / "many.csv").read_text().splitlines()) == 2001


def test_the_page_has_headings_captions_and_a_skip_link(page):
    reader = read(page)
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in reader.all("a") if a["href"][0] == "#"} <= set(ids)
    assert len(reader.all("h1")) == 1
    assert len(reader.all("details")) == len(reader.all("summary")) == 6
    assert len(reader.all("table")) == len(reader.all("caption")) == 2 + 6
    assert reader.all("a")[0]["class"] == "skip"
    assert "prefers-color-scheme: dark" in page.read_text()


def test_the_page_opens_with_the_verdict(page, digits):
    text = page.read_text()
    lead = re.search(r'<p class="lead">(.*?)</p>', text)[1]
    assert lead.startswith(f"This chip learned digits after {digits[0].updates:,} weight upd")
    assert "PCA with 16 components" in lead
    assert "[substrate]" in text
    assert "correlate" in text


def test_what_a_user_named_is_escaped(tmp_path):
    task = random_task(6, name=NASTY, source=NASTY, image_shape=(2, 3))
    page = run_report(tmp_path, *trained(rh.Loop(6, 2), task, epochs=1))
    reader = read(page)
    assert not reader.all("script")
    assert all(image["src"].startswith("data:") for image in reader.all("img"))
    assert "&lt;script&gt;" in page.read_text()


def test_every_field_of_a_section_is_escaped(tmp_path):
    nasty = NASTY.replace("\udcff", "")
    table = Table(nasty, (nasty, "b"), ((nasty, nasty),))
    section = Section(nasty, nasty, Figure(), table, nasty, nasty)
    page = write_report(tmp_path, nasty, [section] * 3, {nasty: nasty}, nasty)
    reader = read(page)
    assert not reader.all("script")
    assert not any("onerror" in attributes for _, attributes in reader.tags)
    names = sorted(path.name for path in tmp_path.glob("*.png"))
    assert all(re.fullmatch(r"[a-z0-9-]+\.png", name) for name in names)
    assert len(names) == 3


def test_a_rule_of_ones_own_is_shown_as_python_writes_it():
    def still(build, network):
        network.first_pass(build)

    design = rh.Design(rh.Loop(4, 2), still)
    assert "still" in design_text(design)
    assert "[rule]" in design_text(rh.Design(rh.Loop(4, 2), rh.Recirculation()))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot write into '.*file/page'"):
        write_report(tmp_path / "file" / "page", "title", [])


def test_nothing_half_written_is_left(tmp_path, encoder, monkeypatch):
    sections = [Section("Error", figure=drawn.error_curve(encoder[0]))]
    write_report(tmp_path, "before", sections)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ValueError, match="No space left"):
        write_report(tmp_path, "after", sections)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_trainings_are_composed_on_one_page(tmp_path, chips, digits):
    first = run_sections(*digits)[0]
    sections = [population_section(chips[0]), first, first]
    page = write_report(tmp_path, "Two of them", sections, {"Encoder": "learned"})
    assert len(read(page).all("img")) == 3
    assert (tmp_path / "error-curve-2.png").exists()
    assert "This chip learned digits" in page.read_text()


def test_many_chips_get_a_page_with_a_row_each(tmp_path, chips):
    page = population_report(tmp_path, *chips)
    text = page.read_text()
    learned = sum(run.learned for run in chips[0])
    assert f"{learned} of 20 chips learned" in text
    assert text.count("<tr>") > 20
    assert (tmp_path / "population.png").exists()


def test_a_table_aligns_numbers_to_the_right():
    table = Table("c", ("a", "b"), (("x", "1.5"), ("2", "−3e-05")))
    assert table.numeric == [False, True]
    assert Table("c", ("a",), ()).numeric == []


def test_verdicts_say_how_a_training_ended(encoder):
    run = encoder[0]
    assert "held it at all 20 later checks" in verdict(run)
    assert "only 5 of 20 later checks" in verdict(replace(run, held_share=0.25))
    assert "stopped by hand" in verdict(replace(run, interrupted=True))
    assert "no later check" in verdict(replace(run, checks=0, held_share=float("nan")))
    never = replace(run, learned=False, updates=None, total_updates=1)
    assert verdict(never) == "This chip did not learn encoder(4) in 1 weight update."
    assert "Stopped by hand" in verdict(replace(never, interrupted=True))


def test_a_pulse_response_shows_the_devices_spread_about_the_closed_form():
    picture = device_response(SoftBounds(w_max_dtod=0.1, w_min_dtod=0.1), "soft")
    columns = picture.columns
    assert len({len(values) for values in columns.values()}) == 1
    up = columns["pulse"][:201]
    # The median of 50 devices; 0.1 of the range to either side holds most of them.
    np.testing.assert_allclose(columns["median"][:201], 16 - 32 * 0.998**up, atol=1.5)
    assert (columns["95 %"] >= columns["median"]).all()
    assert (columns["5 %"] <= columns["median"]).all()
    assert 2 < columns["95 %"][200] - columns["5 %"][200] < 8
    assert picture.alt.startswith("soft: from -15.7 to 14.8 in 1,600 pulses up")
    assert png(picture)[1:4] == b"PNG"


def test_a_page_of_a_chip_in_continuous_time_shows_its_phases_and_one_case(tmp_path):
    task = rh.tasks.encoder(4)
    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Analog(tau_mismatch=0.1))
    chip = design.fabricate(1)
    page = run_report(tmp_path, chip.train(task, max_updates=3, until="end"), chip, task)
    text = page.read_text()
    assert "oscilloscope" in text
    assert re.search(r"clamp +11\.5\d* +576 +visible +hidden", text)
    assert "correlate" not in text
    picture = chip.record(task.test[0]).plot()
    assert picture.columns["hidden 2"].shape == picture.columns["time_ms"].shape
    assert "clamp 11.5 ms, release 0.288 ms" in picture.alt
