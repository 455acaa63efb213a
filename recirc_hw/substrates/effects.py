"""What every substrate can say of itself: its hardware effects, and itself without them."""

from typing import Any

from recirc_hw.errors import DesignError, nearest
from recirc_hw.fields import Fields


class Substrate(Fields):
    """What units and synapses are made of, with effects that can be turned off one by one."""

    def effects(self) -> dict[str, dict[str, Any]]:
        """Return {effect: {field: the value that turns it off}} of the effects it has.

        An effect whose fields have those values already is not one of them. Turning
        all of them off leaves the substrate as nearly ideal as it can be made.
        """
        return {}

    def without(self, *names: str):
        """Return a copy in which these effects are turned off.

        Raises
        ------
        DesignError
            If the substrate has no effect of that name.
        """
        found = self.effects()
        changes: dict[str, Any] = {}
        for name in names:
            if name not in found:
                raise DesignError(
                    f"{type(self).__name__} has no effect '{name}'{nearest(name, found)}; "
                    f"it has {', '.join(found) or 'none'}"
                )
            changes |= found[name]
        return self.replace(**changes)
