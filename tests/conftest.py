"""What all tests share: a terminal of no known width, until a test says how wide it is."""

import os

# Workers of pytest-xdist are told of a terminal that they do not have.
os.environ.pop("COLUMNS", None)
