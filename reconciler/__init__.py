"""A PPPoE access concentrator kept equal to one declarative site.yaml."""
