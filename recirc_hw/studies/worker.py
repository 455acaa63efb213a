"""A local worker process: reads pickled cells, writes pickled results, until its input ends.

Its input ends when its parent dies, however that came about, so none is ever left behind.
"""

import os
import pickle
import signal
import sys
import warnings

from recirc_hw.studies.cells import run_cell


def main():
    """Serve the parent process; what anything prints goes to standard error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    warnings.simplefilter("ignore", UserWarning)  # whoever made the study was warned
    cells = sys.stdin.buffer
    with os.fdopen(os.dup(1), "wb") as results:
        os.dup2(2, 1)
        while True:
            try:
                cell = pickle.load(cells)
            except EOFError:
                return
            pickle.dump(run_cell(cell), results)
            results.flush()


if __name__ == "__main__":
    main()
