"""`python -m channelry` is the command `channelry`."""

from .cli import main

main()
