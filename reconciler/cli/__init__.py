"""The command line: one file a group of commands, imported when it is asked for."""

from reconciler.garbage import uncollected

with uncollected():  # what is imported stays
    from reconciler.cli.root import main

__all__ = ["main"]
