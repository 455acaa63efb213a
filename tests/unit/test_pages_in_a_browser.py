"""Pages as a browser shows them: loaded from a file, in both colour schemes, by keyboard."""

import browser
import pytest
from crew import Here

import recirc_hw as rh
from recirc_hw.reports import answers_report, run_report, study_report, sweep_report
from recirc_hw.studies import sweep

pytestmark = pytest.mark.skipif(browser.path() is None, reason="no Chromium is installed")

# Contrast of text with what lies behind it, as the WCAG 2 define it; the least on the page.
CONTRAST = """(() => {
  const parts = text => text.match(/[\\d.]+/g).map(Number);
  const light = rgb => {
    const [r, g, b] = rgb.map(v => v / 255).map(
      v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = node => {
    for (; node; node = node.parentElement) {
      const found = parts(getComputedStyle(node).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found.slice(0, 3);
    }
    return [255, 255, 255];
  };
  let least = [99, ''];
  for (const node of document.querySelectorAll('h1,h2,p,a,dt,dd,th,td,caption,summary,code')) {
    const two = [parts(getComputedStyle(node).color).slice(0, 3), behind(node)].map(light);
    const ratio = (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
    if (ratio < least[0]) least = [ratio, node.outerHTML.slice(0, 80)];
  }
  return least;
})()"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Return the pages of a training, an ablation, a sweep and a whole study, by name."""
    folder = tmp_path_factory.mktemp("pages")
    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(learning_rate=16.0), rh.FixedPoint())
    task, chip = rh.tasks.encoder(4), design.fabricate(3)
    (folder / "chip.toml").write_text(design.to_toml())
    (folder / "study.toml").write_text(
        'design = "chip.toml"\ntask = "encoder:4"\nchips = 4\nmax_updates = 60\n'
        '[[vary]]\nfield = "substrate.weight_bits"\nvalues = [3, 6, 7, 8]\n'
        '[[vary]]\nfield = "rule.learning_rate"\nvalues = [8.0, 16.0]\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sweep.__globals__, "workers", lambda *_: Here())
        with sweep(folder / "study.toml", out=folder / "sweep") as store:
            swept = sweep_report(folder / "sweep", store)
    to_blame = rh.ablate(design, task, chips=4, pairs=False, max_updates=60, threads=1)
    return {
        "training": run_report(folder / "run", chip.train(task, max_updates=60), chip, task),
        "ablation": study_report(folder, to_blame),
        "sweep": swept,
        "study": answers_report(
            folder / "whole", rh.study(design, task, chips=3, max_updates=60, threads=1)
        ),
    }


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    with browser.Browser(tmp_path_factory.mktemp("browser")) as one:
        yield one


KINDS = ("training", "ablation", "sweep", "study")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_loads_from_a_file_without_a_word_in_the_console(shown, pages, kind):
    for scheme in ("light", "dark"):
        shown.open(pages[kind], 1000, scheme)
        assert shown.problems == []
        outside = [url for url in shown.asked_for if not url.startswith(("file:", "data:"))]
        assert outside == []
        sizes = shown.value(
            "[...document.images].map(i => i.complete && i.naturalWidth * i.naturalHeight)"
        )
        assert sizes
        assert min(sizes) > 100_000


@pytest.mark.parametrize("kind", KINDS)
def test_text_stands_out_in_both_colour_schemes(shown, pages, kind):
    grounds = []
    for scheme in ("light", "dark"):
        shown.open(pages[kind], 1000, scheme)
        grounds.append(shown.value("getComputedStyle(document.body).backgroundColor"))
        ratio, where = shown.value(CONTRAST)
        assert ratio >= 4.5, where
    assert grounds[0] != grounds[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_narrow_screen_never_scrolls_sideways(shown, pages, kind):
    shown.open(pages[kind], 400)
    shown.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert shown.value("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("kind", KINDS)
def test_a_screen_reader_finds_landmarks_headings_and_descriptions(shown, pages, kind):
    shown.open(pages[kind], 1000)
    count = "document.querySelectorAll('{}').length".format
    for landmark in ("main", "header", "footer", "h1"):
        assert shown.value(count(landmark)) == 1
    levels = shown.value(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    texts = shown.value("[...document.images].map(i => i.alt.length)")
    assert min(texts) > 20
    assert shown.value(count("figure")) == shown.value(count("figure details table"))
    assert shown.value(count("table:not(:has(caption))")) == 0
    assert shown.value(count("th:not([scope])")) == 0


def test_the_keyboard_reaches_everything_and_shows_where_it_is(shown, pages):
    shown.open(pages["sweep"], 1000)
    wanted = shown.value("document.querySelectorAll('a, summary').length")
    reached = set()
    for _ in range(60):
        shown.press("Tab")
        told = shown.value(
            "[document.activeElement.outerHTML.slice(0, 90),"
            " parseFloat(getComputedStyle(document.activeElement).outlineWidth),"
            " document.activeElement.matches('a, summary')]"
        )
        if told[0].startswith("<body"):
            break
        assert told[1] >= 2, told[0]
        if told[2]:
            reached.add(shown.value(
                "[...document.querySelectorAll('a, summary')].indexOf(document.activeElement)"
            ))  # fmt: skip
    assert len(reached) == wanted
