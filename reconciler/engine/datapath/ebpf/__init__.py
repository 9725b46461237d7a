"""The ``ebpf`` data path: packets between sessions and the kernel's routing without leaving the kernel.

``datapath.bpf.c`` and its headers are the programs, ``datapath.bpf.o`` what they compile to (``./dev bpf``),
``layout`` their maps' contents in Python, ``path`` the engine's side.
"""
