"""A PPPoE access concentrator kept equal to one declarative site.yaml."""

import os

# Other packages may hook into every model of pydantic's: none is to see a password. To look for them takes
# time as well.
os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"

__version__ = "0.1.0"
