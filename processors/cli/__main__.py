"""`python -m processors.cli`: the command line without the script."""

from processors.cli import main

main()
