"""Every wrong field is named, with its value, what is allowed, and the nearest name."""

import numpy as np
import pytest
from pydantic import ValidationError

from recirc_hw import (
    Backprop,
    DesignError,
    ErrorRecirculation,
    Ideal,
    Loop,
    RandomFeedback,
    Recirculation,
    TopOnly,
)

NAN, INF = float("nan"), float("inf")

# kind, arguments, and what the message must hold besides the kind's name.
WRONG = [
    (Loop, {"n_visible": 0, "n_hidden": (2,)}, ["n_visible", "0", "greater than 0"]),
    (Loop, {"n_visible": -4, "n_hidden": (2,)}, ["n_visible", "-4", "greater than 0"]),
    (Loop, {"n_visible": 4.5, "n_hidden": (2,)}, ["n_visible", "4.5", "integer"]),
    (Loop, {"n_visible": "4", "n_hidden": (2,)}, ["n_visible", "'4'", "integer"]),
    (Loop, {"n_visible": True, "n_hidden": (2,)}, ["n_visible", "True", "integer"]),
    (Loop, {"n_visible": 4}, ["n_hidden", "missing"]),
    (Loop, {"n_visible": 4, "n_hidden": ()}, ["n_hidden", "()", "at least 1"]),
    (Loop, {"n_visible": 4, "n_hidden": (2, 0)}, ["n_hidden[1]", "0", "greater than 0"]),
    (Loop, {"n_visible": 4, "n_hidden": 2}, ["n_hidden", "2", "tuple"]),
    (Loop, {"visible": "logistik"}, ["visible", "'logistik'", "did you mean 'logistic'"]),
    (Loop, {"visible": "relu"}, ["visible", "'relu'", "'logistic'", "'tanh'", "'identity'"]),
    (Loop, {"hidden": "tahn"}, ["hidden", "'tahn'", "did you mean 'tanh'"]),
    (Loop, {"hidden": ("tanh", "tanh")}, ["hidden", "2 functions", "1 hidden groups"]),
    (Loop, {"initial_range": 0.0}, ["initial_range", "0.0", "greater than 0"]),
    (Loop, {"initial_range": INF}, ["initial_range", "inf", "finite"]),
    (Loop, {"initial_range": NAN}, ["initial_range", "nan", "finite"]),
    (Loop, {"initial_weights": "xavier"}, ["initial_weights", "'xavier'", "'glorot'"]),
    (Loop, {"output_bias": "mean"}, ["output_bias", "'mean'", "did you mean 'data_mean'"]),
    (Loop, {"n_hiden": 2}, ["no field 'n_hiden'", "did you mean 'n_hidden'", "output_bias"]),
    (Recirculation, {"regression": 1.0}, ["regression", "1.0", "less than 1"]),
    (Recirculation, {"regression": -0.1}, ["regression", "-0.1", "greater than or equal to 0"]),
    (Recirculation, {"regression": NAN}, ["regression", "nan", "finite"]),
    (Recirculation, {"hidden_regression": 2}, ["hidden_regression", "2", "less than 1"]),
    (Recirculation, {"combine": "CRCC"}, ["combine", "'CRCC'", "'RWCC'", "did you mean"]),
    (Recirculation, {"cycles": 0}, ["cycles", "0", "greater than 0"]),
    (Recirculation, {"cycles": (2, 1)}, ["cycles", "(2, 1)", "earlier"]),
    (Recirculation, {"cycles": (1, 1)}, ["cycles", "(1, 1)", "earlier"]),
    (Recirculation, {"cycles": (1, 2, 3)}, ["cycles", "3"]),
    (Recirculation, {"cycles": 1.5}, ["cycles", "1.5", "integer"]),
    (Recirculation, {"presynaptic": "third"}, ["presynaptic", "'third'", "'first'"]),
    (Recirculation, {"apply_visible_rule_twice": 1}, ["apply_visible_rule_twice", "1", "bool"]),
    (Recirculation, {"lambda_": 0.5}, ["no field 'lambda_'", "regression"]),
    (Recirculation, {"learning_rat": 1}, ["no field", "did you mean 'learning_rate'"]),
    (
        Recirculation,
        {"learning_rate": -1.0},
        ["learning_rate", "-1.0", "greater than or equal"],
    ),
    (Recirculation, {"learning_rate": "fast"}, ["learning_rate", "'fast'", "number"]),
    (Recirculation, {"learning_rate": (1.0, -2.0)}, ["learning_rate[1]", "-2.0"]),
    (Recirculation, {"learning_rate": None}, ["learning_rate", "None", "number"]),
    (Backprop, {"loss": "square"}, ["loss", "'square'", "did you mean 'squared'"]),
    (Backprop, {"momentum": 1.0}, ["momentum", "1.0", "less than 1"]),
    (Backprop, {"weight_decay": -0.5}, ["weight_decay", "-0.5"]),
    (Backprop, {"norm_cap": -1.0}, ["norm_cap", "-1.0"]),
    (Backprop, {"batch": "avg"}, ["batch", "'avg'", "'sum'", "'mean'"]),
    (ErrorRecirculation, {"regression": 0.5}, ["no field 'regression'", "learning_rate"]),
    (RandomFeedback, {"kind": "BRP"}, ["kind", "'BRP'", "did you mean", "'SRBP'"]),
    (TopOnly, {"loss": 3}, ["loss", "3", "'matched'"]),
    (Ideal, {"precision": "float16"}, ["precision", "'float16'", "did you mean 'float"]),
    (Ideal, {"weight_bits": 8}, ["no field 'weight_bits'", "precision"]),
    (Ideal, {"type": "analog"}, ["type", "'analog'", "'ideal'"]),
]


@pytest.mark.parametrize(("kind", "fields", "parts"), WRONG, ids=str)
def test_an_error_names_the_field_the_value_and_what_is_allowed(kind, fields, parts):
    if kind is Loop and "n_visible" not in fields:
        fields = {"n_visible": 4, "n_hidden": (2,), **fields}
    with pytest.raises(DesignError) as caught:
        kind(**fields)
    message = str(caught.value)
    for part in [kind.__name__, *parts]:
        assert part in message, message
    assert "pydantic" not in message
    assert "\n" not in message


def test_every_wrong_field_is_named():
    with pytest.raises(DesignError) as caught:
        Recirculation(regression=3.0, combine="x", momentum=-1.0)
    message = str(caught.value)
    assert message.count(";") == 2
    for field in ("regression", "combine", "momentum"):
        assert f"Recirculation.{field} = " in message


def test_fields_cannot_be_changed_but_a_copy_can():
    rule = Recirculation()
    with pytest.raises(ValidationError):
        rule.regression = 0.5
    other = rule.replace(regression=0.5)
    assert (rule.regression, other.regression) == (0.75, 0.5)
    assert other.replace(regression=0.75) == rule
    with pytest.raises(DesignError, match="regression = 1.5"):
        rule.replace(regression=1.5)
    with pytest.raises(DesignError, match="no field 'regresion', did you mean 'regression'"):
        rule.replace(regresion=0.5)


def test_equal_fields_are_equal_and_hash_alike():
    assert Recirculation(learning_rate=20) == Recirculation(learning_rate=20.0)
    assert hash(Recirculation()) == hash(Recirculation())
    assert Recirculation() != Recirculation(cycles=2)
    assert Loop(4, 2) == Loop(n_visible=4, n_hidden=(2,))


def test_lists_and_numpy_numbers_are_taken():
    network = Loop(np.int64(4), np.int32(2), initial_range=np.float32(0.5))
    assert network == Loop(4, 2)
    assert Recirculation(learning_rate=[1, 2]).learning_rate == (1.0, 2.0)
    assert Recirculation(cycles=[0, 2]).cycles == (0, 2)
    assert Loop(n_visible=4, n_hidden=[3, 2]).n_hidden == (3, 2)
