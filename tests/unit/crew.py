"""A crew of workers that computes in the test's own process."""

from concurrent.futures import Future

from recirc_hw.studies.cells import run_cell


class Here:
    """Computes cells at once, in this process; counts them."""

    def __init__(self, *_, **__):
        self.computed = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def capacity(self):
        return 2

    def submit(self, cell):
        done = Future()
        self.computed.append(cell)
        done.set_result(run_cell(cell))
        return done
