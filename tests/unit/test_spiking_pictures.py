"""The page of a spiking chip: who fires when, rates, and what was counted."""

import re

import numpy as np

import recirc_hw as rh
from recirc_hw.reports import run_report
from recirc_hw.reports.raster import NAMED, rates_and_reconstruction

SHORT = {
    "tau_ms": 20.0, "tau_hidden_ms": 12.0, "release_ms": 40.0, "readout_ms": 60.0,
}  # fmt: skip


def chip_of(**fields):
    rule, substrate = rh.Recirculation(learning_rate=40.0), rh.Spiking(**{**SHORT, **fields})
    return rh.Design(rh.Loop(4, 2), rule, substrate).fabricate(3)


def test_the_page_shows_spikes_rates_and_counts(tmp_path):
    chip, task = chip_of(), rh.tasks.encoder(4)
    run = chip.train(task, max_updates=3, until="end", probes=False)
    text = run_report(tmp_path, run, chip, task).read_text()
    assert re.search(r"release +40 +40 +- +visible, hidden", text)
    for anchor in ("raster", "rates", "events"):
        assert f'id="{anchor}"' in text
    assert "oscilloscope" not in text
    for what, times in run.counters["release"].items():
        assert what.replace("_", " ") in text
        assert f"{times:,}" in text


def test_a_raster_has_the_rates_of_the_record_and_names_its_phases():
    record = chip_of(neurons=2).record(np.eye(4)[:2])
    picture = record.plot()
    np.testing.assert_array_equal(
        picture.columns["visible 1 (Hz)"], record.rates()[1]["visible"][:, 0]
    )
    names = [text.get_text() for text in picture.axes[0].texts]
    assert names == ["clamp", "release"] * 2
    assert f"visible {len(record.spikes['visible'].unit)}" in picture.alt
    many = chip_of().record(np.tile(np.eye(4), (NAMED, 1)))
    assert not many.plot().axes[0].texts


def test_rates_stand_against_the_reconstruction():
    chip, cases = chip_of(readout_ms=500.0), np.eye(4)
    picture = rates_and_reconstruction(chip, cases)
    counts = chip.reconstruct(cases, readout="counts").ravel()
    np.testing.assert_allclose(picture.columns["rate (Hz)"], counts * 100)
    np.testing.assert_array_equal(
        picture.columns["reconstruction"], chip.reconstruct(cases, readout="curve").ravel()
    )
