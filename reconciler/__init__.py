"""A PPPoE access concentrator kept equal to one declarative site.yaml."""

__version__ = "0.1.0"
