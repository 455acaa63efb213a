"""Tables on terminals of any width: no number is ever split over lines."""

import pytest

from recirc_hw.reproduce.result import Line, Result
from recirc_hw.text_tables import text_table

HEAD = ("chip", "learned", "after updates", "squared error", "interval")
ROWS = [
    (0, "yes", 1234567, "0.0005526", "-0.9769999 .. 1.5e-07"),
    (11, "diverged", "-", "nan", ">= 0.91234"),
    (2, "no", "", "inf", ""),
]
NUMBERS = ["1234567", "0.0005526", "0.9769999", "1.5e-07", "0.91234"]


def test_numbers_stand_to_the_right_and_words_to_the_left():
    assert text_table(("what", "n"), [("a", 5), ("bcdef", -10)], rule=True) == [
        "what     n",
        "-----  ---",
        "a        5",
        "bcdef  -10",
    ]


def test_a_table_without_a_width_has_a_line_for_every_row():
    lines = text_table(HEAD, ROWS)
    assert len(lines) == 4
    assert "-0.9769999 .. 1.5e-07" in lines[1]
    assert text_table(HEAD, ROWS, 200) == lines


@pytest.mark.parametrize("width", [*range(25, 80), 200])
def test_no_line_is_too_long_and_no_number_is_split(width):
    lines = text_table(HEAD, ROWS, width, rule=True)
    assert max(map(len, lines)) <= width
    for number in NUMBERS:
        assert any(number in line for line in lines), number


def test_words_wrap_before_a_table_is_taken_apart():
    rows = [("linear, symmetric: cosine to descent", 0.9776)]
    assert text_table(("result", "ours"), rows, 28) == [
        "result                  ours",
        "linear, symmetric:    0.9776",
        "cosine to descent",
    ]


def test_what_does_not_fit_has_a_line_for_every_cell_and_none_for_an_empty_one():
    assert text_table(HEAD, ROWS[1:], 24) == [
        "chip           11",
        "learned        diverged",
        "after updates  -",
        "squared error  nan",
        "interval       >=",
        "  0.91234",
        "",
        "chip           2",
        "learned        no",
        "squared error  inf",
    ]


def test_a_long_word_is_cut_rather_than_a_table_taken_apart():
    lines = text_table(("what", ""), [("folder", "/home/somebody/" + 60 * "x")], 40)
    assert max(map(len, lines)) <= 40
    assert lines[1].startswith("folder  /home/")


def test_a_table_without_rows_is_its_head():
    assert text_table(("name", "n"), []) == ["name  n"]


def test_a_result_fits_a_narrow_terminal():
    line = Line("cosine to descent", 0.9999702, (0.9999693, 0.9999711), 1, (None, 0.99), 1000)
    result = Result("eq9", "Gradient descent at high regression", "Nobody 1988", {}, [line])
    for width in (40, 60, 100):
        lines = result.table(width).splitlines()
        assert max(map(len, lines)) <= width
        assert any("0.9999693 .. 0.9999711" in text for text in lines)


@pytest.mark.parametrize("lines", [[], [Line("a", 1.0)]])
def test_a_result_without_a_line_to_judge_it_by_is_refused(lines):
    with pytest.raises(ValueError, match="result 'eq9': no line has a band"):
        Result("eq9", "title", "source", {}, lines, [Line("beside", 1.0)])
