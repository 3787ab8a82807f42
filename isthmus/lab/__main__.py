"""`python -m isthmus.lab`: the lab without the rest of the command line."""

from isthmus.lab.commands import main

main()
