"""The ``ebpf`` data path: packets between sessions and the kernel's routing without leaving the kernel.

``datapath.bpf.c`` is the program, ``datapath.bpf.o`` what it compiles to (``./dev bpf``), ``layout`` their
maps' contents in Python, ``path`` the engine's side.
"""
