"""The base of everything a design is made of: frozen, validated, readable fields."""

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from recirc_hw.errors import DesignError, nearest


class Fields(BaseModel):
    """A frozen record whose errors name the field, the value, and what is allowed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    def __init__(self, **fields: Any):
        try:
            super().__init__(**{name: _plain(value) for name, value in fields.items()})
        except ValidationError as error:
            raise DesignError(_explain(type(self), error)) from None

    def replace(self, **fields: Any):
        """Return a copy with these fields changed, checked like a new one."""
        kept = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**kept, **fields})


def _plain(value):
    """Return lists as tuples and NumPy scalars as Python's, which TOML and users give."""
    if isinstance(value, list | tuple):
        return tuple(_plain(item) for item in value)
    return value.item() if isinstance(value, np.generic) else value


def _explain(kind, error):
    """Return one clause per wrong field, the most particular of its problems."""
    deepest = {}
    for problem in error.errors():
        field = problem["loc"][0] if problem["loc"] else ""
        # A number that is not finite is wrong for that, not for being no whole number.
        telling = (len(problem["loc"]), problem["type"] == "finite_number")
        if field not in deepest or telling > deepest[field][0]:
            deepest[field] = telling, problem
    return "; ".join(_explain_one(kind, problem) for _, problem in deepest.values())


def _explain_one(kind, problem):
    """Return "Kind.field = value: what is allowed" for one of pydantic's problems."""
    location, given = problem["loc"], problem.get("input")
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if not location:
        return f"{kind.__name__}: {message}"
    # Names of union members stand in the location, too; only positions matter there.
    where = ".".join(str(part) for part in location[:1])
    where += "".join(f"[{part}]" for part in location[1:] if isinstance(part, int))
    if problem["type"] == "extra_forbidden":
        fields = kind.model_fields.items()
        names = [info.alias or name for name, info in fields if name != "type"]
        return (
            f"{kind.__name__} has no field '{where}'{nearest(where, names)}; "
            f"it has {', '.join(names)}"
        )
    if problem["type"] == "missing":
        return f"{kind.__name__}.{where} is missing"
    if problem["type"] == "literal_error":
        allowed = problem["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        message += nearest(given, allowed)
    return f"{kind.__name__}.{where} = {given!r}: {message}"
