"""Spiking designs: what they refuse, what they answer, what they record and count."""

import sys

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.training.plan import Plan

SHORT = {
    "tau_ms": 20.0, "tau_hidden_ms": 12.0, "release_ms": 40.0, "readout_ms": 60.0,
    "check_every": 2,
}  # fmt: skip


def design_of(sizes=(4, 2), rate=20.0, **fields):
    return rh.Design(
        rh.Loop(*sizes), rh.Recirculation(learning_rate=rate), rh.Spiking(**{**SHORT, **fields})
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dt_ms": 12.0, "refractory_ms": 10.0}, "dt_ms = 12 is above refractory_ms = 10"),
        ({"dt_ms": 2.0, "fast_ms": 1.0}, "dt_ms = 2 is above fast_ms = 1"),
        ({"dt_ms": 0.3}, "33.3333 steps of dt_ms = 0.3"),
        ({"tau_hidden_ms": (5.0, 5.0)}, "gives 2 times for 1 hidden groups"),
        ({"neuron": "integrate"}, "Spiking.neuron = 'integrate'"),
        ({"precision": "float32"}, "Spiking.precision = 'float32'"),
        ({"neurons": 0}, "Spiking.neurons = 0"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_number(fields, message):
    with pytest.raises(rh.DesignError, match=message):
        design_of(**fields)


def test_a_short_clamp_is_warned_of_with_its_consequence():
    with pytest.warns(UserWarning, match="clamp_ms = 40: traces keep 14% .* 80 ms or more"):
        design_of(clamp_ms=40.0)


def test_units_that_are_not_logistic_are_refused():
    with pytest.raises(rh.DesignError, match="hidden = 'tanh' on a spiking chip"):
        rh.Design(rh.Loop(4, 2, hidden="tanh"), rh.Recirculation(), rh.Spiking())


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (rh.Backprop(), "only Recirculation is local enough"),
        (rh.Recirculation(combine="PR"), "want one of CCRCC"),
        (rh.Recirculation(momentum=0.5), "rule.momentum = 0.5 on a spiking chip"),
        (rh.Recirculation(cycles=2), "rule.cycles = 2 on a spiking chip"),
    ],
)
def test_rules_that_no_spiking_chip_follows_are_refused_with_the_reason(rule, message):
    with pytest.raises(rh.UnsupportedError, match=message):
        rh.Design(rh.Loop(4, 2), rule, rh.Spiking())


def test_the_release_follows_from_regression_where_it_is_not_given():
    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Spiking(release_ms=None))
    release = design.lowered().phases[1]
    assert release.duration_ms == np.ceil(200 * np.log(1 / 0.75))
    with pytest.raises(rh.DesignError, match="release_ms is missing"):
        rh.Design(rh.Loop(4, 2), rh.Recirculation(regression=0.0), rh.Spiking(release_ms=None))


def test_a_design_file_gives_back_the_design():
    design = design_of(device=rh.devices.Codes(bits=6), neurons=3, plasticity="pair_stdp")
    assert rh.Design.from_toml(design.to_toml()) == design


def test_a_chip_is_tested_by_spike_counts_every_so_many_updates():
    run = design_of().fabricate(0).train(rh.tasks.encoder(4), max_updates=5, probes=False)
    np.testing.assert_array_equal(run.history["test_update"], [0, 2, 4])
    assert run.total_updates == 5


def test_curve_and_counts_answer_alike_over_a_long_time():
    # A rate's standard error over 30 s of 10 neurons is below .2 %, and the bound ten of
    # them, and what the noise of currents makes of a curve that is not straight.
    chip = design_of(neurons=10, readout_ms=30_000.0, clamp="shunting").fabricate(1)
    cases = np.array([[0.1, 0.9, 0.5, 0.3]])
    counts = chip.reconstruct(cases, readout="counts")
    curve = chip.reconstruct(cases, readout="curve")
    np.testing.assert_allclose(counts, curve, atol=0.02)
    np.testing.assert_array_equal(counts, chip.reconstruct(cases))
    assert chip.encode(cases).shape == (1, 2)


def test_a_substrate_without_readouts_refuses_one():
    chip = rh.Design(rh.Loop(4, 2), rh.Recirculation()).fabricate(0)
    with pytest.raises(rh.DesignError, match="Ideal has no field 'readout'"):
        chip.reconstruct(np.eye(4), readout="curve")


def test_weights_of_single_neurons_are_seen_as_those_of_units():
    chip = design_of(neurons=3, shared_weights=False).fabricate(0)
    assert chip.matrices[0].shape == (6, 13)
    wanted = [np.arange(10.0).reshape(2, 5), np.arange(12.0).reshape(4, 3)]
    chip.weights = wanted
    for found, matrix in zip(chip.weights, wanted, strict=True):
        np.testing.assert_allclose(found, matrix, rtol=1e-14)
    assert np.all(chip.matrices[0][:3, :3] == 0)


def test_few_bits_are_written_after_each_presentation_or_at_each_step():
    for write in ("presentation", "step"):
        chip = design_of(device=rh.devices.Codes(bits=5, w_max=16.0), write=write).fabricate(0)
        before = [matrix.copy() for matrix in chip.matrices]
        chip.train(rh.tasks.encoder(4), max_updates=2, probes=False)
        assert all(np.all(matrix == np.rint(matrix)) for matrix in chip.matrices)
        assert any((a != b).any() for a, b in zip(chip.matrices, before, strict=True))


def test_a_window_of_a_record_is_that_part_of_the_whole():
    chip = design_of(neurons=2).fabricate(0)
    whole = chip.record(np.eye(4)[:2])
    part = chip.record(np.eye(4)[:2], window_ms=(70.0, 150.0))
    assert whole.phases == (
        ("clamp", 0.0, 80.0), ("release", 80.0, 120.0),
        ("clamp", 120.0, 200.0), ("release", 200.0, 240.0),
    )  # fmt: skip
    np.testing.assert_array_equal(part.time_ms, whole.time_ms[70:150])
    for name, spikes in whole.spikes.items():
        inside = (spikes.time_ms >= 70) & (spikes.time_ms < 150)
        np.testing.assert_array_equal(part.spikes[name].time_ms, spikes.time_ms[inside])
        np.testing.assert_array_equal(part.spikes[name].unit, spikes.unit[inside])
        for kind in ("potential", "current", "slow", "fast"):
            np.testing.assert_allclose(
                getattr(part, kind)[name], getattr(whole, kind)[name][70:150], 0, 1e-12
            )
    for window_ms in ((300.0, 400.0), (50.0, 20.0), (np.nan, 20.0)):
        with pytest.raises(ValueError, match="within 0..240 ms"):
            chip.record(np.eye(4)[:2], window_ms)
    for window_ms in (20.0, (1, 2, 3), "ab"):
        with pytest.raises(ValueError, match=r"want \(from, to\) in ms"):
            chip.record(np.eye(4)[:2], window_ms)


def test_a_clamped_unit_fires_at_its_full_rate_and_the_picture_shows_it(tmp_path):
    record = design_of().fabricate(0).record(np.eye(4)[0])
    edges, rates = record.rates(bin_ms=40.0)
    np.testing.assert_array_equal(edges, [0, 40, 80, 120])
    np.testing.assert_allclose(rates["visible"][1], [100, 0, 0, 0])
    record.plot().savefig(tmp_path / "raster.png")
    assert (tmp_path / "raster.png").stat().st_size > 10_000


def test_spikes_go_out_to_a_file_and_come_back_as_a_task(tmp_path):
    design = design_of(rate=40.0)
    record = design.fabricate(0).record(np.eye(4)[:1], window_ms=(0.0, 80.0))
    for name in ("spikes.csv", "spikes.npz"):
        record.save(tmp_path / name)
        task = rh.tasks.spikes(tmp_path / name, 4, window_ms=80.0)
        np.testing.assert_allclose(task.train, [[1, 0, 0, 0]])
        np.testing.assert_array_equal(task.trains[0][0], record.spikes["visible"].time_ms)
        chip = design.fabricate(0)
        run = chip.train(task, max_updates=2, probes=False)
        assert run.total_updates == 2
        assert any(
            (a != b).any()
            for a, b in zip(chip.weights, design.fabricate(0).weights, strict=True)
        )
    with pytest.raises(rh.DataError, match="allowed: .npz, .csv"):
        record.save(tmp_path / "spikes.txt")


def write_spikes(path, rows):
    path.write_text("time_ms,unit\n" + "\n".join(f"{t},{u}" for t, u in rows))
    return path


def test_units_that_never_fire_may_be_counted_in_a_task_s_name(tmp_path):
    path = tmp_path / "trains.csv"
    path.write_text("time_ms,unit\n5,0\n25,2\n")
    assert rh.tasks.parse(f"spikes:{path}").n_units == 3
    assert rh.tasks.parse(f"spikes:{path},6").n_units == 6
    with pytest.raises(rh.TaskError, match="spike 1 is of unit 2, outside the network's 2"):
        rh.tasks.parse(f"spikes:{path},2")


@pytest.mark.parametrize("unit", ["-1", "0.5"])
def test_what_is_no_unit_is_refused_with_the_spike(tmp_path, unit):
    path = tmp_path / "trains.csv"
    path.write_text(f"time_ms,unit\n5,0\n25,{unit}\n")
    with pytest.raises(rh.TaskError, match=f"spike 1 is of unit {unit}; want whole numbers"):
        rh.tasks.parse(f"spikes:{path}")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(5, 0), (3, 1)], "spike 1 at 3 ms comes after one at 5 ms"),
        ([(5, 4)], r"spike 0 is of unit 4, outside the network's 4 units \(0..3\)"),
        ([(5, 0.5)], "spike 0 is of unit 0.5"),
        ([(-1, 0)], "spike 0 at -1 ms"),
        ([(k, 0) for k in range(30)], "fires 30 times in case 0, 375 Hz"),
        ([], "no spikes"),
        ([("nan", 0)], "spike 0 at nan ms"),
        ([(5, "nan")], "spike 0 is of unit nan"),
        ([(1e15, 0)], r"at 1e\+15 ms, makes 1.25e\+13 cases of 80 ms and 4 units"),
    ],
)
def test_spike_files_that_do_not_fit_are_refused_with_the_spike(tmp_path, rows, message):
    path = write_spikes(tmp_path / "spikes.csv", rows)
    with pytest.raises(rh.TaskError, match=message):
        rh.tasks.spikes(path, 4, window_ms=80.0)


@pytest.mark.parametrize("unit", [-1, np.nan, np.inf, 2.0**40])
def test_units_are_checked_where_their_number_is_not_given(tmp_path, unit):
    path = write_spikes(tmp_path / "spikes.csv", [(5, unit)])
    with pytest.raises(rh.TaskError, match="spike 0 is of unit"):
        rh.tasks.spikes(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"time_ms": [1.0j], "unit": [0]}, r"time_ms complex128 \(1,\), unit int64 \(1,\)"),
        ({"time_ms": ["a"], "unit": [0]}, "want numbers"),
        ({"time_ms": [1.0, 2.0], "unit": [0]}, "as many of one as of the other"),
        ({"t": [1.0], "unit": [0]}, "holds t, unit; want time_ms and unit"),
    ],
)
def test_arrays_that_are_no_spikes_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "spikes.npz", **arrays)
    with pytest.raises(rh.TaskError, match=message):
        rh.tasks.spikes(tmp_path / "spikes.npz", 4)


def test_a_header_in_another_order_is_refused(tmp_path):
    (tmp_path / "spikes.csv").write_text("unit,time_ms\n1,3\n")
    with pytest.raises(rh.TaskError, match="header 'unit,time_ms'; want time_ms,unit"):
        rh.tasks.spikes(tmp_path / "spikes.csv", 4)


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, "long", None, True])
def test_windows_and_refractory_times_are_lengths_of_time(tmp_path, value):
    path = write_spikes(tmp_path / "spikes.csv", [(5, 0)])
    for name in ("window_ms", "refractory_ms"):
        with pytest.raises(rh.TaskError, match=f"{name} = .*; allowed: a number of ms above 0"):
            rh.tasks.spikes(path, 4, **{name: value})


def test_spike_trains_that_a_design_cannot_take_are_refused(tmp_path):
    path = write_spikes(tmp_path / "spikes.csv", [(5, 0), (5.2, 0), (17, 3)])
    task = rh.tasks.spikes(path, 4, window_ms=80.0)
    with pytest.raises(rh.TaskError, match="fires twice within the step of 1 ms at 5.2 ms"):
        design_of().fabricate(0).train(task)
    with pytest.raises(rh.TaskError, match="Ideal chips have no spikes"):
        rh.Design(rh.Loop(4, 2), rh.Recirculation()).fabricate(0).train(task)
    long = rh.tasks.spikes(path, 4, window_ms=100.0)
    with pytest.raises(rh.TaskError, match="100 ms, but they are clamped for 80 ms"):
        design_of().fabricate(0).train(long)
    assert rh.tasks.parse(f"spikes:{path}").n_units == 4


def test_a_resumed_training_is_the_uninterrupted_one(tmp_path):
    design, task = design_of(rate=40.0), rh.tasks.encoder(4)
    whole = design.fabricate(0)
    whole.train(task, max_updates=6, probes=False)
    stopped = design.fabricate(0)

    def stop(done, total, error):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped.train(
            task, max_updates=6, probes=False, checkpoint=tmp_path / "c", progress=stop
        )
    again = design.fabricate(0)
    again.train(task, max_updates=6, probes=False, checkpoint=tmp_path / "c", resume=True)
    for a, b in zip(again.matrices, whole.matrices, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_backend_that_is_not_installed_says_how_to_install_it(monkeypatch):
    for name in [n for n in sys.modules if n.startswith("recirc_hw.backends.brian2")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "brian2", None)
    with pytest.raises(rh.UnsupportedError, match=r"pip install 'recirc_hw\[brian2\]'"):
        design_of().fabricate(0).reconstruct(np.eye(4), backend="brian2")


def test_cases_come_in_another_order_at_every_sweep_whatever_the_calls():
    plan = Plan.make(rh.tasks.encoder(4), 50, None, None, None, 0, shuffles=True)
    _, order, ends = plan.stretch([3, 4], 0, 50)
    np.testing.assert_array_equal(ends, np.arange(4, 201, 4))
    sweeps = order.reshape(2, 50, 4)
    np.testing.assert_array_equal(np.sort(sweeps), np.broadcast_to(np.arange(4), (2, 50, 4)))
    assert len(np.unique(sweeps.reshape(-1, 4), axis=0)) > 20  # of 24
    assert (sweeps[0] != sweeps[1]).any()
    halves = [plan.stretch([3, 4], done, count)[1] for done, count in ((0, 20), (20, 30))]
    np.testing.assert_array_equal(np.hstack(halves), order)
    assert rh.Spiking().shuffles
    assert not hasattr(rh.Ideal(), "shuffles")
