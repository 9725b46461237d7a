"""How long a test waits for what must come. It costs nothing when it comes early, and no test judges by it:
it is for a machine that is several times slower than ours and has other things to do.
"""

PATIENCE = 60.0
"""Seconds."""
