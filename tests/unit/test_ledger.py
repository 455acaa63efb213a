"""Counts by hand, memory, and what a substrate in continuous time brings itself."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import recirc_hw as rh
from recirc_hw.ledger import Counts, Event, Memory, Tally, neurobench, side_by_side, tally

SMALL = rh.Loop(4, 2)
RECIRCULATION = rh.Design(SMALL, rh.Recirculation())
BACKPROP = rh.Design(SMALL, rh.Backprop(learning_rate=2))
CARRY = rh.Design(SMALL, rh.Recirculation(learning_rate=16), rh.FixedPoint())
GOLDEN = Path(__file__).parents[1] / "golden" / "neurobench.json"


def counted(counts, phase):
    """Return {name or (array, name): count} of one phase, without the zeros."""
    found = {}
    for event, number in counts.during(phase).items():
        key = (event.array, event.name) if event.name in ("reads", "writes") else event.name
        found[key] = found.get(key, 0) + number
    return found


# The first pass of 4-2-4: 8 + 8 products; 2 + 4 biases, sums and responses.
FIRST_PASS = {
    "case_loads": 4, "multiply_accumulates": 16, "accumulates": 6, "table_reads": 6,
    ("weights", "reads"): 22, ("state", "reads"): 16, ("state", "writes"): 10,
}  # fmt: skip


@pytest.mark.parametrize("design", [RECIRCULATION, BACKPROP, CARRY])
def test_every_rule_has_the_same_first_pass(design):
    assert counted(tally(design).inference, "inference") == FIRST_PASS


def test_recirculation_of_4_2_4_counted_by_hand():
    # Blends: 4 and 2 units, 2 products, 1 sum, 2 reads each. The second pass to the
    # hidden units: 8 products, 2 biases. Differences: 4 and 2. Then 12 and 10 weights
    # change at once: a product for the 8 and 8 that are no biases, another for the
    # rate, a sum; 4 + 8 and 2 + 8 reads of activities.
    assert counted(tally(RECIRCULATION).example, "learning") == {
        "multiply_accumulates": 8, "multiplies": 8 + 4 + 8 + 8 + 12 + 10,
        "accumulates": 4 + 2 + 2 + 4 + 2 + 12 + 10, "table_reads": 2,
        ("weights", "reads"): 10 + 22, ("weights", "writes"): 22,
        ("state", "reads"): 8 + 4 + 8 + 8 + 4 + 12 + 10,
        ("state", "writes"): 4 + 2 + 2 + 4 + 2,
    }  # fmt: skip


def test_backprop_of_4_2_4_counted_by_hand():
    # Error: 4 differences. Its way back: 8 products, transposed, into 2 units. Gate:
    # 2 products, 1 sum for each of the 2. Then the weights change as above.
    assert counted(tally(BACKPROP).example, "learning") == {
        "multiply_accumulates": 8, "multiplies": 2 * 2 + 8 + 8 + 12 + 10,
        "accumulates": 4 + 2 + 12 + 10,
        ("weights", "reads"): 8 + 22, ("weights", "writes"): 22,
        ("state", "reads"): 8 + 8 + 4 + 12 + 10, ("state", "writes"): 4 + 2 + 2,
    }  # fmt: skip


def test_a_tolerance_takes_a_comparison_an_error():
    design = rh.Design(SMALL, rh.Backprop(learning_rate=2, tolerance=0.2))
    plain, found = counted(tally(BACKPROP).example, "learning"), tally(design).example
    more = {"accumulates": 4, ("state", "reads"): 4, ("state", "writes"): 4}
    assert counted(found, "learning") == {
        name: count + more.get(name, 0) for name, count in plain.items()
    }


def test_other_networks_are_counted_like_loops():
    # 3 steps of 2 + 3 inputs to 3 units, each with a bias; the start is its bias alone.
    design = rh.Design(rh.Recurrent(2, 3, 1, steps=3), rh.BPTT())
    assert tally(design).inference.total("multiply_accumulates") == 3 * 5 * 3 + 3 * 3
    assert tally(design).memory.weight_words == 3 * 1 + 3 * 6 + 1 * 4
    tree = rh.Design(rh.Hierarchy(leaves=[(4, 3), (4, 3)], upper=[(2, 0, 1)]), rh.Backprop())
    assert tally(tree).inference.total("multiply_accumulates") == 2 * (2 * 12 + 12)


def test_weights_that_serve_both_ways_are_not_counted_twice():
    with pytest.raises(rh.UnsupportedError, match="holds them once, the program twice"):
        tally(rh.Design(rh.Loop(4, 2, symmetric=True), rh.Recirculation()))


def test_only_backprop_reads_weights_along_the_other_axis():
    assert tally(RECIRCULATION).memory.transposed_reads == 0
    assert tally(BACKPROP).memory.transposed_reads == 8


def test_random_feedback_has_weights_for_errors_alone():
    memory = tally(rh.Design(SMALL, rh.RandomFeedback())).memory
    assert (memory.transposed_reads, memory.feedback_reads, memory.feedback_words) == (0, 8, 10)
    assert memory.weight_words == 22


def test_words_kept_of_4_2_4_by_hand():
    # Recirculation: blended output, hidden, hidden' and the visible change, or visible.
    # Backprop written at once: the output's change waits for the error's way back, so
    # case, hidden, error and the error at the hidden units are alive together.
    assert tally(RECIRCULATION).memory.state_words == 4 + 4 + 2 + 2
    assert tally(BACKPROP).memory.state_words == 4 + 2 + 4 + 2
    assert tally(BACKPROP, batch_size=2).memory.state_words == 4 + 2 + 4
    assert tally(BACKPROP).memory.inference_state_words == 4


def test_carry_keeps_the_bits_that_its_shift_leaves():
    # 2A + r - F bits (FACTS 10): 8 + 8 - 3, the rate 2^4 and the blend's 2^-2 in r.
    memory = tally(CARRY).memory
    assert memory.residue_bits == 22 * (8 + 8 - 3 - 4 + 2) == memory.sum_bits
    half_up = CARRY.replace("substrate.rounding", "half_up")
    assert (tally(half_up).memory.residue_bits, tally(half_up).memory.sum_bits) == (0, 0)


def test_a_batch_keeps_the_whole_sum_and_shares_its_write():
    one, four = tally(CARRY), tally(CARRY, batch_size=4)
    assert four.memory.sum_bits == 22 * CARRY.widths(4)["sum for hidden>visible"].signed_bits
    assert four.batch.total("writes", array="weights") == 22
    assert four.example.total("writes", array="weights") == 22 / 4
    assert (one.weight_updates, four.weight_updates) == (22, 22 / 4)


def test_momentum_keeps_every_sum():
    memory = tally(rh.Design(SMALL, rh.Backprop(momentum=0.9))).memory
    assert memory.residue_bits == memory.sum_bits == 22 * 64


def test_packed_bits_are_those_of_every_array():
    memory = tally(CARRY).memory
    assert memory.table_bits == 512 * 8
    assert memory.packed_bits == 22 * 8 + 22 * 11 + 512 * 8 + memory.state_bits
    assert tally(CARRY.replace("substrate.activation", "plan")).memory.table_bits == 0


def test_events_carry_the_widths_of_the_design():
    wide = CARRY.widths()["sum into hidden"].signed_bits
    event = Event("multiply_accumulates", "inference", bits=(8, 8, wide))
    assert tally(CARRY).case[event] == 8


def test_a_presynaptic_zero_takes_no_product():
    cases = np.eye(4)
    found = tally(RECIRCULATION, cases)
    # One of four inputs is busy: 2 products instead of 8 into the hidden units.
    assert found.inference.total("multiply_accumulates") == 2 + 8
    assert found.inference.total("reads", array="weights") == 22 - 6
    assert "4 cases" in found.basis


def test_a_task_brings_its_batch():
    assert tally(RECIRCULATION, rh.tasks.encoder(4)).batch_size == 4
    assert tally(RECIRCULATION, rh.tasks.encoder(4), batch_size=2).batch_size == 2


def test_a_run_is_measured_as_it_was_left():
    run = RECIRCULATION.fabricate(7).train(rh.tasks.encoder(4))
    assert f"chip 7 after {run.total_updates} updates" in tally(run, rh.tasks.encoder(4)).basis


@pytest.mark.parametrize("batch_size", [0, 1.5, True])
def test_a_batch_is_a_whole_number(batch_size):
    with pytest.raises(ValueError, match="batch_size"):
        tally(RECIRCULATION, batch_size=batch_size)


def test_counts_add_and_scale():
    spike = Event("spikes", "inference")
    both = Counts({spike: 2}) + Counts({spike: 1, Event("spikes", "learning"): 4})
    assert both[spike] == 3
    assert both.total("spikes") == 7
    assert (0.5 * both).total("spikes", "learning") == 2
    assert Counts({spike: 0}) == Counts()


@pytest.mark.parametrize(
    ("fields", "word"),
    [(("spike", "inference"), "name"), (("spikes", "sleep"), "phase"),
     (("reads", "learning", "disk"), "array")],
)  # fmt: skip
def test_an_unknown_event_is_refused(fields, word):
    with pytest.raises(ValueError, match=f"Event.{word}"):
        Event(*fields)


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="positive"):
        Counts({Event("spikes", "inference"): -1})


class InTime:
    """A substrate in continuous time: it says itself what happens."""

    def tally(self, chip, cases, batch_size):
        case = Counts({
            Event("spikes", "inference"): 10.0, Event("synaptic_events", "inference"): 40.0,
            Event("neuron_updates", "inference"): 6.0, Event("trace_updates", "learning"): 5.0,
            Event("weight_writes", "learning"): 2.5, Event("seconds", "learning"): 0.3,
        })  # fmt: skip
        return Tally(case, Counts(), 1, None, "measured", "one run")


def in_time():
    """Return a chip on such a substrate."""
    rule = SimpleNamespace(name="Recirculation")
    return SimpleNamespace(
        design=SimpleNamespace(network=SMALL, rule=rule, substrate=InTime()), seed=0
    )


def test_a_substrate_in_continuous_time_is_priced_by_its_own_events():
    found = rh.cost(in_time(), np.eye(4), prices="loihi")
    wanted = 10 * 1.7 + 40 * 23.6 + 6 * 81
    assert found.energy_pj["inference"] == pytest.approx(wanted, rel=1e-12)
    assert found.energy_pj["learning"] == pytest.approx(2.5 * 120, rel=1e-12)
    assert found.counts.weight_updates == 2.5
    assert "synaptic events" in found.table()
    assert "0.3" in found.table()
    assert json.loads(found.to_json())["counts"]["memory"] is None


def test_a_chip_that_does_not_learn_has_no_price_for_it():
    with pytest.raises(rh.PriceError, match="no price for trace_updates, weight_writes"):
        rh.cost(in_time(), prices="truenorth")


@pytest.mark.parametrize("name", json.loads(GOLDEN.read_text()))
def test_metrics_are_those_of_the_neurobench_package(name):
    entry = json.loads(GOLDEN.read_text())[name]
    network = rh.Loop(*entry["sizes"], visible=entry["visible"], hidden=entry["hidden"])
    chip = rh.Design(network, rh.TopOnly(), rh.Ideal(precision="float32")).fabricate(0)
    chip.weights = [np.array(matrix) for matrix in entry["weights"]]
    found, wanted = neurobench(chip, np.array(entry["cases"])), entry["neurobench"]
    operations = wanted.pop("synaptic_operations")
    assert found.pop("synaptic_operations") == pytest.approx(operations, rel=1e-12)
    assert found == pytest.approx(wanted, rel=1e-12)


def test_codes_of_one_and_zero_are_accumulates():
    found = neurobench(CARRY.fabricate(0), np.eye(4))["synaptic_operations"]
    assert found["Effective_ACs"] == 2
    assert found["Dense"] == 16


def test_memory_fits_any_substrate():
    empty = Memory(0, 0, 0, 0, 0, 0)
    assert empty.packed_bits == empty.inference_packed_bits == 0


def test_costs_stand_side_by_side():
    text = side_by_side(rh.cost(CARRY), rh.cost(CARRY.with_rule("backprop")))
    head = text.splitlines()[0]
    assert "Recirculation on Loop(4, 2), FixedPoint" in head
    assert "Backprop on Loop(4, 2), FixedPoint" in head
    row = next(line for line in text.splitlines() if line.startswith("transposed"))
    assert row.split()[-2:] == ["0", "8"]


def test_rules_are_compared_at_the_same_rate():
    # A rate of 1 would spare one of them a product for every weight.
    other = rh.Design(SMALL, rh.Recirculation(learning_rate=3)).with_rule("backprop")
    assert tally(other, batch_size=2).batch.total("multiplies") == 22
