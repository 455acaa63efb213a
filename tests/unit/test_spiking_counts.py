"""What spiking chips count, what their devices are written, and what a file keeps of both."""

import json

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.ledger import Event, tally
from recirc_hw.training.archive import load_runs, save_runs

SHORT = {
    "tau_ms": 20.0, "tau_hidden_ms": 12.0, "release_ms": 40.0, "readout_ms": 60.0,
}  # fmt: skip


def chip_of(rate=20.0, **fields):
    rule, substrate = rh.Recirculation(learning_rate=rate), rh.Spiking(**{**SHORT, **fields})
    return rh.Design(rh.Loop(4, 2), rule, substrate).fabricate(3)


def test_events_are_counted_by_phase_and_spikes_are_those_of_the_record():
    chip, cases = chip_of(neurons=2), np.eye(4)[:3]
    counted, record = chip.count_events(cases), chip.record(cases)
    for name, spans in (("clamp", ((0, 80), (120, 200), (240, 320))),
                        ("release", ((80, 120), (200, 240), (320, 360)))):  # fmt: skip
        fired = {
            group: sum(np.sum((s.time_ms >= a) & (s.time_ms < b)) for a, b in spans)
            for group, s in record.spikes.items()
        }
        bias = 3 * (spans[0][1] - spans[0][0]) // 10
        steps = 3 * (spans[0][1] - spans[0][0])
        assert counted[name] == {
            "spikes": sum(fired.values()) + 2 * bias,
            "synaptic_events": 2 * (fired["visible"] + bias) + 4 * (fired["hidden"] + bias),
            "neuron_updates": steps * (12 + 6),
            "trace_updates": steps * (2 * 6 + 2),
            "weight_writes": steps * (2 * 5 + 4 * 3) if name == "release" else 0,
        }


def test_the_ledger_tells_learning_from_inference():
    chip, cases = chip_of(), np.eye(4)
    counted, found = chip.count_events(cases), tally(chip, cases).case
    assert found.total("spikes", "inference") == counted["clamp"]["spikes"] / 4
    assert found.total("spikes", "learning") == counted["release"]["spikes"] / 4
    assert found[Event("trace_updates", "learning")] == 120 * 14
    assert found.total("trace_updates", "inference") == 0
    assert found[Event("seconds", "inference")] == pytest.approx(0.08)
    assert rh.cost(chip, cases, prices="loihi").energy_pj["learning"] > 0
    with pytest.raises(ValueError, match="depends on what it is shown"):
        rh.cost(chip, prices="loihi")


def test_only_spiking_chips_count_events():
    chip = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Analog()).fabricate(0)
    with pytest.raises(rh.UnsupportedError, match="Analog chips count no events"):
        chip.count_events(np.eye(4))


def test_devices_are_written_as_often_as_is_counted():
    few = rh.devices.Codes(bits=6, w_max=16.0)
    by_case = chip_of(device=few).count_events(np.eye(4))
    by_step = chip_of(device=few, write="step").count_events(np.eye(4))
    assert by_case["release"]["weight_writes"] == 4 * 22
    assert by_step["release"]["weight_writes"] == 4 * 40 * 22
    assert by_case["clamp"]["weight_writes"] == by_step["clamp"]["weight_writes"] == 0


@pytest.mark.parametrize(("write", "writes"), [("presentation", 6), ("step", 6 * 40)])
def test_each_write_of_a_device_has_random_numbers_of_its_own(write, writes):
    chip = chip_of(device=rh.devices.Codes(bits=6, rounding="stochastic"), write=write)
    chip.train(rh.tasks.encoder(4), max_updates=6, batch_size=1, probes=False)
    assert chip.steps == writes


@pytest.mark.parametrize("write", ["presentation", "step"])
def test_noise_in_what_a_device_shows_is_not_written_to_it(write):
    # Changes of 1e-9 of a step ask for no pulse: what is held stays, though what the network
    # sees of it is off by five steps at every write.
    device = rh.devices.ConstantStep(dw_min=0.01, write_noise_std=5.0)
    chip = chip_of(1e-9, device=device, write=write)
    before = [matrix.copy() for matrix in chip.matrices]
    quiet = chip_of(1e-9, device=rh.devices.ConstantStep(dw_min=0.01), write=write)
    curves = [one.reconstruct(np.eye(4), readout="curve") for one in (chip, quiet)]
    assert 1e-4 < np.abs(curves[0] - curves[1]).max() < 0.1
    chip.train(rh.tasks.encoder(4), max_updates=3, probes=False)
    for held, was in zip(chip.matrices, before, strict=True):
        np.testing.assert_array_equal(held, was)


@pytest.mark.parametrize("fields", [{}, {"neurons": 2, "shared_weights": False}])
def test_a_run_comes_back_from_its_file_with_counts_and_weights(fields, tmp_path):
    run = chip_of(**fields).train(rh.tasks.encoder(4), max_updates=4, probes=False)
    save_runs(tmp_path, [run])
    (found,), _ = load_runs(tmp_path, run.design)
    assert found.counters == run.counters
    for mine, theirs in zip(found.chip().matrices, run.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    record = json.loads((tmp_path / "run.json").read_text())
    del record["runs"][0]["counters"]["release"]["spikes"]
    (tmp_path / "run.json").write_text(json.dumps(record))
    with pytest.raises(rh.DataError, match="counters: want spikes, .* of clamp, release"):
        load_runs(tmp_path, run.design)


def test_a_synapse_device_is_an_effect_that_can_be_left_out():
    few = rh.Spiking(device=rh.devices.Codes(bits=6, w_max=16.0), neurons=2)
    assert few.without("synapse device") == rh.Spiking(neurons=2)
    assert rh.Spiking().effects() == {}
