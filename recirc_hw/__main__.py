"""`python -m recirc_hw` is the command `recirc-hw`."""

from recirc_hw.cli import main

main()
