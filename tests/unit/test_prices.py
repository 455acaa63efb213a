"""Price lists: energies by hand, and what is refused."""

import tomllib
from importlib.resources import files

import pytest

import recirc_hw as rh
from recirc_hw.ledger import Event, price_list
from recirc_hw.ledger.prices import names

HEAD = """[mine]
title = "my chip"
source = "my bench"
node = "65 nm"
uncertainty = "10 %"
within_factor = 1.1
"""
FLAT = "".join(
    f"""
[[mine.price]]
events = ["{event}"]
value = {value}
unit = "pJ"
kind = "measured"
"""
    for event, value in {
        "multiply_accumulates": 5, "multiplies": 3, "accumulates": 1, "table_reads": 7,
        "reads": 11, "writes": 13, "case_loads": 17,
    }.items()
)  # fmt: skip
DESIGN = rh.Design(rh.Loop(4, 2), rh.Recirculation())


@pytest.fixture
def mine(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return str(path)

    return write


def digital(name, *bits, array="", real=False, capacity=0):
    event = Event(name, "inference", array, bits, real)
    return price_list("digital-45nm").of(event, capacity)


def test_energy_is_counts_times_prices_by_hand(mine):
    found = rh.cost(DESIGN, prices=mine(HEAD + FLAT))
    inference = 16 * 5 + 6 * 1 + 6 * 7 + (22 + 16) * 11 + 10 * 13 + 4 * 17
    learning = 8 * 5 + 50 * 3 + 36 * 1 + 2 * 7 + (32 + 54) * 11 + (22 + 14) * 13
    assert found.energy_pj == {
        "inference": inference, "learning": learning, "learned_example": inference + learning
    }  # fmt: skip
    low, high = found.energy_range_pj["learned_example"]
    assert low == pytest.approx((inference + learning) / 1.1)
    assert high == pytest.approx((inference + learning) * 1.1)
    assert found.share_by_kind == pytest.approx({"measured": 1, "simulated": 0, "assumed": 0})


def test_a_product_and_a_sum_of_8_bits_by_hand():
    found = digital("multiply_accumulates", 8, 8, 32)
    assert found.pj == pytest.approx(0.2 + 0.1)
    assert (found.kind, found.how) == ("simulated", "")


def test_a_price_of_a_whole_multiply_accumulate_goes_by_its_factors(mine):
    priced = FLAT.replace("value = 5", "value = 5\nbits = 8", 1)
    scaled = HEAD + '[mine.scaling]\nmultiply_accumulates = "product"\n' + priced
    listed = price_list(mine(scaled))
    same = listed.of(Event("multiply_accumulates", "learning", bits=(8, 8, 19)))
    assert (same.pj, same.kind) == (5, "measured")
    assert listed.of(Event("multiply_accumulates", "learning", bits=(8, 16, 19))).pj == 10


@pytest.mark.parametrize(
    ("asked", "pj"),
    [
        (("multiplies", 8, 16), 0.2 * 2),
        (("multiplies", 16, 32), 3.1 / 2),
        (("accumulates", 24), 0.1 * 24 / 32),
        (("accumulates", 34), 0.1 * 34 / 32),
        (("reads", 8), 10 / 8),
    ],
)
def test_other_widths_are_scaled_and_say_so(asked, pj):
    found = digital(*asked)
    assert found.pj == pytest.approx(pj)
    assert found.kind == "assumed"
    assert "by" in found.how


def test_a_sum_of_prices_is_known_as_well_as_the_worse_of_them():
    assert digital("accumulates", 32).kind == "simulated"
    assert digital("multiply_accumulates", 16, 16, 32).kind == "assumed"


KB = 8 * 1024


@pytest.mark.parametrize(
    ("bits", "pj"), [(1, 10), (8 * KB, 10), (32 * KB, 20), (1024 * KB, 100), (1025 * KB, 1950)]
)
def test_a_word_costs_what_the_memory_that_holds_its_array_does(bits, pj):
    found = digital("reads", 64, array="weights", capacity=bits)
    assert found.pj == pytest.approx(pj, rel=1e-12)
    assert found.kind == "simulated"


def test_between_two_memories_the_price_goes_by_a_power_law():
    # 8 to 32 KB doubles the price: its square root goes with half of the logarithm.
    found = digital("reads", 64, array="weights", capacity=16 * KB)
    assert found.pj == pytest.approx(10 * 2**0.5)
    assert found.kind == "assumed"


def test_without_that_law_the_smallest_memory_that_suffices_is_taken(mine):
    small = FLAT.replace('events = ["reads"]', 'events = ["reads"]\ncapacity_bits = 1000')
    large = FLAT[FLAT.index('[[mine.price]]\nevents = ["reads"]') :].replace("11", "23")
    listed = price_list(mine(HEAD + small + large))
    assert listed.of(Event("reads", "learning", "weights", (8,)), 1000).pj == 11
    assert listed.of(Event("reads", "learning", "weights", (8,)), 1001).pj == 23


def test_a_range_of_the_source_is_kept():
    found = digital("reads", 64, array="weights", capacity=10**8)
    assert (found.low, found.high) == (1300, 2600)


def test_a_missing_price_is_refused_by_name_and_never_zero(mine):
    less = FLAT.replace('"table_reads"', '"spikes"')
    with pytest.raises(rh.PriceError, match="'mine' have no price for table_reads"):
        rh.cost(DESIGN, prices=mine(HEAD + less))


def test_a_width_without_scaling_is_refused(mine):
    narrow = FLAT.replace('events = ["reads"]', 'events = ["reads"]\nbits = 8')
    with pytest.raises(rh.PriceError, match="reads of 64 bits"):
        rh.cost(DESIGN, prices=mine(HEAD + narrow))


def test_a_memory_that_no_price_reaches_is_refused(mine):
    small = FLAT.replace('events = ["reads"]', 'events = ["reads"]\ncapacity_bits = 64')
    with pytest.raises(rh.PriceError, match="in a memory of 1408 bits"):
        rh.cost(DESIGN, prices=mine(HEAD + small))


@pytest.mark.parametrize("name", names())
def test_every_shipped_constant_has_value_unit_kind_source_and_node(name):
    listed = price_list(name)
    assert len(listed.source) > 40
    assert len(listed.uncertainty) > 40
    assert "nm" in listed.node
    for price in listed.price:
        assert price.value > 0
        assert price.kind != "assumed" or price.note


def test_loihi_is_simulated_and_truenorth_measured():
    assert {price.kind for price in price_list("loihi").price} == {"simulated"}
    assert {price.kind for price in price_list("truenorth").price} == {"measured"}


def test_the_price_file_ships_with_the_package():
    text = files("recirc_hw.ledger").joinpath("prices.toml").read_text()
    assert set(tomllib.loads(text)) == set(names())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('kind = "measured"', 'kind = "guessed"', ["kind = 'guessed'", "simulated"]),
        ('unit = "pJ"', 'unit = "W"', ["unit = 'W'", "nJ"]),
        ("value = 5", "value = 0", ["value = 0.0", "greater than 0"]),
        ("value = 5", "value = -1", ["value = -1.0"]),
        ("value = 5", "value = nan", ["value = nan"]),
        ("value = 5", 'value = "5"', ["value = '5'"]),
        ("value = 5\n", "value = 5\nlow = 6\n", ["low <= value <= high"]),
        ('["reads"]', '["read"]', ["event 'read'", "did you mean 'reads'"]),
        ('["reads"]', '["seconds"]', ["event 'seconds'"]),
        ('source = "my bench"\n', "", ["source is missing"]),
        ("within_factor = 1.1", "within_factor = 0.5", ["within_factor = 0.5"]),
        ("within_factor = 1.1", "factor = 2", ["no field 'factor'"]),
        ("[mine]", "[mine", ["not valid TOML"]),
    ],
)
def test_a_mistake_in_a_price_file_is_named(mine, old, new, words):
    text = HEAD + FLAT
    assert old in text
    with pytest.raises(rh.PriceError) as caught:
        price_list(mine(text.replace(old, new, 1)))
    for word in (*words, "mine"):
        assert word in str(caught.value)


def test_an_unknown_list_names_the_nearest():
    with pytest.raises(rh.PriceError, match="did you mean 'loihi'"):
        price_list("lohi")


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(rh.PriceError, match="cannot read price file 'none.toml'"):
        price_list("none.toml")


def test_one_of_several_lists_is_named_with_its_file(mine):
    path = mine(HEAD + FLAT + (HEAD + FLAT).replace("mine", "yours"))
    assert price_list(f"{path}:yours").name == "yours"
    with pytest.raises(rh.PriceError, match="holds 2 price lists"):
        price_list(path)
    with pytest.raises(rh.PriceError, match="did you mean 'yours'"):
        price_list(f"{path}:your")


def test_events_in_another_price_are_included_and_not_free():
    event = Event("trace_updates", "learning")
    listed = price_list("loihi")
    assert "STDP" in listed.included["trace_updates"]
    with pytest.raises(rh.PriceError, match="trace_updates"):
        listed.of(event)
