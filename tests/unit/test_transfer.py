"""Loaded against learned: the same chips, what they can hold, and fields that move together."""

import signal

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.studies.transfer import judged
from recirc_hw.studies.vary import Place, allowed_range, design_with

TASK = rh.tasks.encoder(4)
MISMATCH = "substrate.*_mismatch"
ANALOG = rh.Design(rh.Loop(4, 2), rh.Recirculation(), rh.Analog(dt_ms=0.1))
DIGITAL = rh.Design(rh.Loop(4, 2), rh.Recirculation(learning_rate=16.0), rh.FixedPoint())
TRAINING = {"max_updates": 300, "threads": 1}


def test_without_mismatch_loaded_weights_are_the_ideal_chips_own():
    found = rh.transfer(ANALOG, TASK, field=MISMATCH, values=(0.0,), chips=6, **TRAINING)
    (point,) = found.points
    np.testing.assert_array_equal(point.loaded.outcomes.error, found.ideal.outcomes.error)
    assert point.loaded.share == found.ideal.share == 1.0
    assert (point.tuned.outcomes.updates == 0).all()


def test_the_three_are_the_same_chips():
    found = rh.transfer(
        ANALOG, TASK, field=MISMATCH, values=(0.1, 0.3), chips=5, seed=7, **TRAINING
    )
    for point in found.points:
        for one in (point.loaded, point.tuned, point.learned):
            assert one.outcomes.seeds.tolist() == [7, 8, 9, 10, 11]
            assert one.design.substrate.read_mismatch == point.value
    alone = rh.learning_yield(found.points[1].learned.design, TASK, chips=5, seed=7, **TRAINING)
    learned = found.at(0.3).learned.outcomes
    np.testing.assert_array_equal(learned.updates, alone.outcomes.updates)
    with pytest.raises(KeyError):
        found.at(0.2)


def test_chips_work_at_once_as_a_training_would_say():
    chips = [ANALOG.fabricate(seed) for seed in range(4)]
    rh.train(chips[:2], TASK, hold=50, **TRAINING)
    works = [bool(judged(chip, TASK).learned[0]) for chip in chips]
    runs = rh.train(chips, TASK, max_updates=1)
    assert works == [run.updates == 0 for run in runs] == [True, True, False, False]


def test_a_digital_chip_is_loaded_with_the_nearest_codes():
    found = rh.transfer(DIGITAL, TASK, chips=5, **TRAINING)
    assert found.name is None
    assert found.points[0].value is None
    assert found.points[0].loaded.learned == 5
    chip = DIGITAL.fabricate(0)
    wanted = [np.full_like(matrix, 1.3) for matrix in chip.weights]
    wanted[0][0, 0], wanted[0][0, 1] = 99.0, -99.0
    chip.load(wanted)
    assert chip.weights[0][0, :3].tolist() == [127 / 8, -16.0, 1.25]


def test_devices_are_loaded_within_their_range():
    device = rh.devices.SoftBounds(w_max=2.0, w_min=-2.0)
    chip = ANALOG.replace("substrate.device", device).fabricate(0)
    chip.load([np.full_like(matrix, 5.0) for matrix in chip.weights])
    assert all((matrix == 2.0).all() for matrix in chip.weights)


def test_a_chip_without_effects_has_nothing_to_load_from():
    with pytest.raises(rh.UnsupportedError, match="no hardware effects"):
        rh.transfer(ANALOG, TASK, chips=2)
    for given in ({"field": MISMATCH}, {"values": (0.1,)}):
        with pytest.raises(rh.DesignError, match="together"):
            rh.transfer(ANALOG, TASK, chips=2, **given)
    with pytest.raises(rh.DesignError, match="none given"):
        rh.transfer(ANALOG, TASK, field=MISMATCH, values=())


def test_ctrl_c_keeps_the_points_that_were_done():
    def stop(done, total, text):
        if "= 0.2: learned" in text:
            signal.raise_signal(signal.SIGINT)

    found = rh.transfer(
        ANALOG, TASK, field=MISMATCH, values=(0.1, 0.2), chips=3, progress=stop, **TRAINING
    )
    assert found.interrupted
    assert [point.value for point in found.points] == [0.1]


# -- fields that move together ---------------------------------------------------------


def test_a_name_with_a_star_moves_all_the_fields_it_fits():
    place = Place.find(ANALOG, MISMATCH)
    assert place.value(ANALOG) == 0.0
    moved = design_with(ANALOG, {place: 0.3}).substrate
    names = [name for name in rh.Analog.model_fields if name.endswith("_mismatch")]
    assert len(names) == 5
    assert all(getattr(moved, name) == 0.3 for name in names)
    assert moved.replace(**dict.fromkeys(names, 0.0)) == ANALOG.substrate
    uneven = ANALOG.replace("substrate.tau_mismatch", 0.1)
    assert place.value(uneven) == (0.1, 0.0, 0.0, 0.0, 0.0)


def test_the_range_of_several_fields_is_what_all_of_them_allow():
    assert allowed_range(Place.find(ANALOG, MISMATCH), ANALOG) == (0, 2)
    assert allowed_range(Place.find(ANALOG, "substrate.offset_*"), ANALOG) == (0, None)


@pytest.mark.parametrize(
    "name", ["substrate.*_missmatch", "substrate.device.*", "substrate.*."]
)
def test_a_name_that_fits_nothing_is_refused(name):
    with pytest.raises(rh.DesignError, match="fits no field of Analog; it has adc_bits"):
        Place.find(ANALOG, name)


def test_a_limit_of_several_fields_is_found(known):
    known(lambda design: 1.0 if design.substrate.gain_mismatch <= 0.6 else 0.2)
    found = rh.find_limit(
        ANALOG, MISMATCH, TASK, start=0.0, stop=2.0, at_least=0.9, resolution=0.01
    )
    assert 0.57 < found.value <= 0.6
    assert found.interval[0] <= 0.6 <= found.interval[1]


def test_a_chip_works_if_it_can_do_the_task_as_its_training_left_it():
    # Offsets and noise of this size: chips meet the criterion for a moment, and lose it.
    noisy = rh.Analog(offset_mismatch=0.5, read_mismatch=0.5, unit_noise=0.01)
    design = rh.Design(rh.Loop(4, 2), rh.Recirculation(), noisy)
    found = rh.transfer(design, TASK, chips=10, max_updates=150)
    chips = [design.fabricate(seed) for seed in range(10)]
    runs = rh.train(chips, TASK, max_updates=150)
    now = [judged(chip, TASK).learned[0] for chip in chips]
    assert 0 < sum(now) < sum(run.learned for run in runs)
    assert found.points[0].learned.learned == sum(now)
