"""What every substrate can say of itself: its hardware effects, and itself without them."""

from typing import Any

from recirc_hw.errors import DesignError, nearest
from recirc_hw.fields import Fields


class Substrate(Fields):
    """What units and synapses are made of, with effects that can be turned off one by one."""

    def effects(self) -> dict[str, dict[str, Any]]:
        """Return {effect: {field: the value that turns it off}} of the effects it has.

        An effect whose fields have those values already is not one of them. Turning
        all of them off leaves the substrate as nearly ideal as it can be made. A field of
        a part is named "part.field", and goes with the part where that is replaced.
        """
        return {}

    def cautions(self, rule, network) -> tuple[str, ...]:
        """Return what a design of this substrate has to be warned of, a sentence each."""
        return ()

    def start_cautions(self, biases, matrix, function) -> tuple[str, ...]:
        """Return what a training has to be warned of that starts from these output biases.

        `matrix` is the record of the one that they are the last column of, `function` the
        response of its units.
        """
        return ()

    def check_chip(self, seed, program):
        """Refuse a chip whose fabricated parts `program` does not suit: none, here."""

    def nearest(self, weights):
        """Return the weights nearest to these that `store` takes: all, here."""
        return weights

    def without(self, *names: str):
        """Return a copy in which these effects are turned off.

        Raises
        ------
        DesignError
            If the substrate has no effect of that name.
        """
        found = self.effects()
        changes: dict[str, Any] = {}
        parts: dict[str, dict[str, Any]] = {}
        for name in names:
            if name not in found:
                raise DesignError(
                    f"{type(self).__name__} has no effect '{name}'{nearest(name, found)}; "
                    f"it has {', '.join(found) or 'none'}"
                )
            for field, value in found[name].items():
                part, _, own = field.rpartition(".")
                (parts.setdefault(part, {}) if part else changes)[own] = value
        for part, fields in parts.items():
            kept = changes.get(part, getattr(self, part))
            known = {field: fields[field] for field in fields if hasattr(kept, field)}
            changes[part] = kept.replace(**known)
        return self.replace(**changes)
