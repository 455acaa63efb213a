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
    """Return one line per wrong field."""
    return "; ".join(_explain_one(kind, problem) for problem in error.errors())


def _explain_one(kind, problem):
    """Return "Kind.field = value: what is allowed" for one of pydantic's problems."""
    field = ".".join(str(part) for part in problem["loc"])
    given = problem.get("input")
    if problem["type"] == "extra_forbidden":
        names = list(kind.model_fields)
        return (
            f"{kind.__name__} has no field '{field}'{nearest(field, names)}; "
            f"it has {', '.join(n for n in names if n != 'type')}"
        )
    if problem["type"] == "missing":
        return f"{kind.__name__}.{field} is missing"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "literal_error":
        allowed = problem["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        message += nearest(given, allowed)
    where = f"{kind.__name__}.{field}" if field else kind.__name__
    return f"{where} = {given!r}: {message[0].lower()}{message[1:]}"
