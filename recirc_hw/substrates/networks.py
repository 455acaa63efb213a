"""Which networks a chip that lives in continuous time can be made for."""

from recirc_hw.errors import UnsupportedError


def refuse_all_but_loops(network, chip):
    """Refuse a network that is no loop of asymmetric weights; `chip` says on what.

    Raises
    ------
    UnsupportedError
    """
    if network.type != "loop" or network.mirrors:
        kind = "symmetric weights" if network.mirrors else f"a {network.type} network"
        raise UnsupportedError(
            f"{kind} on {chip}: only loops of asymmetric weights; the ideal substrate has all "
            "networks, the fixed-point one all but symmetric weights"
        )
