"""`python -m minigan` is the command line."""

from minigan.cli import main

main()
