"""The command line: `recirc-hw --help`.

Exit codes: 0 done (and, for a training, learned; for a reproduction, inside its
bands); 2 bad input; 3 done, but not learned, outside a band, not surely the share
asked for, or with a failed cell; 130 Ctrl-C.
"""

import warnings

from recirc_hw.cli import exports, flagship, reference, studies, sweeps, training
from recirc_hw.cli.common import BAD_INPUT, INTERRUPTED, app
from recirc_hw.terminal import failed, warned

__all__ = ["exports", "flagship", "main", "reference", "studies", "sweeps", "training"]


def main():
    """Run the command line; errors that a user can mend are one line, exit code 2.

    Warnings are one line, too, and change no exit code.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = warned
            app()
    except OSError as error:
        failed(f"'{error.filename}': {error.strerror}" if error.filename else error)
        raise SystemExit(BAD_INPUT) from None
    except (ValueError, OverflowError) as error:
        failed(error)
        raise SystemExit(BAD_INPUT) from None
    except MemoryError as error:
        failed(f"not enough memory for a design of this size ({error})")
        raise SystemExit(BAD_INPUT) from None
    except KeyboardInterrupt:
        failed("interrupted")
        raise SystemExit(INTERRUPTED) from None
