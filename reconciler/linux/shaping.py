"""Queues that keep what leaves a device for an address, or from one, to a rate (tc(8): htb, u32, mirred,
ifb).

Standard library alone: the engine imports this. Every function raises ``KernelError`` with one plain line. It
must not know whose the addresses are, nor remember anything.
"""

from __future__ import annotations

import errno
from struct import Struct
from typing import TYPE_CHECKING

from reconciler.linux.errors import KernelError
from reconciler.linux.rtnl import CREATE, EXCLUSIVE, REPLACE, attributes, parse

if TYPE_CHECKING:
    from reconciler.linux.rtnl import Attributes, Rtnl

SOURCE, DESTINATION = 12, 16
"""Where an IPv4 header has its addresses (RFC 791 §3.1)."""

_NEWLINK, _DELLINK = 16, 17
_IFLA_IFNAME, _IFLA_LINKINFO, _INFO_KIND, _IFF_UP = 3, 18, 1, 1
_NEWQDISC, _DELQDISC, _NEWTCLASS, _DELTCLASS = 36, 37, 40, 41
_NEWTFILTER, _DELTFILTER, _GETTFILTER = 44, 45, 46
_TCA_KIND, _TCA_OPTIONS = 1, 2
_HTB_PARMS, _HTB_INIT = 1, 2
_U32_CLASSID, _U32_HASH, _U32_LINK, _U32_DIVISOR, _U32_SEL, _U32_ACT = 1, 2, 3, 4, 5, 7
_ACT_KIND, _ACT_OPTIONS, _MIRRED_PARMS, _STOLEN, _EGRESS_REDIRECT = 1, 2, 2, 4, 1

_ROOT, _INGRESS = 0xFFFFFFFF, 0xFFFFFFF1
TREE, ARRIVALS = 0x00FF0000, 0xFFFF0000
"""Handles: of the queues of what leaves a device, and of the place where what arrives is looked at. The queue
of a place has the place as its handle, and none ends in 255.
"""
NUMBERS = range(1, 255)
_BUCKETS = 256
_TABLE, _FIRST_TABLE = 0x00100000, 0x80000000
_PLACE = 1 << 16 | 0x0008  # priority 1, ETH_P_IP in network order

_ETHERNET = 1  # as a link layer: the kernel computes times from rates, without tables of ours
_TICK = 64e-9
_LONGEST_WAIT = 0.1
"""Seconds of traffic that a plain queue holds at its rate."""
_LEAST_QUEUE = 1 << 16
_BURST = 0.004
"""Seconds of traffic at its rate that may leave at once."""
_LEAST_BURST = 3200
_QUANTUM = 3028

_link = Struct("=BxHiII")
_tc = Struct("=B3xiIII")
_htb = Struct("=5I")
_class = Struct("=" + "BBHhHI" * 2 + "5I")
_selector = Struct("=BBBxHHhh4s")
_match = Struct("=4s4sii")
_mirred = Struct("=IIiiiiI")


def slot(bucket: int, number: int) -> int:
    """A place: that of a class and of the filter that leads to it, in a ``bucket`` of 0 to 255, the last
    octet of its address, under one of NUMBERS.
    """
    return bucket << 8 | number


def make_ifb(rtnl: Rtnl, name: str) -> None:
    """A device that only hands packets on, up. Raises EEXIST; EOPNOTSUPP on a kernel without."""
    kind: Attributes = {_INFO_KIND: "ifb"}
    body = attributes({_IFLA_IFNAME: name, _IFLA_LINKINFO: kind})
    rtnl.do(
        f"make the device {name}", _NEWLINK, CREATE | EXCLUSIVE, _link.pack(0, 0, 0, _IFF_UP, _IFF_UP) + body
    )


def delete_device(rtnl: Rtnl, index: int) -> None:
    """Take a device away."""
    rtnl.do("remove a device", _DELLINK, 0, _link.pack(0, 0, index, 0, 0))


def plant(rtnl: Rtnl, index: int, offset: int) -> None:
    """Have a device send through a tree of queues, of which there are none yet, by the address at
    ``offset``. What has none is not held up. Again: nothing.
    """
    options: Attributes = {_HTB_INIT: _htb.pack(3, 10, 0, 0, 0)}
    if _made(rtnl, index, _ROOT, TREE, "htb", options):
        _make_table(rtnl, index, TREE, offset)


def watch_arrivals(rtnl: Rtnl, index: int) -> None:
    """Have what arrives at a device looked at, by its source. Again: nothing."""
    if _made(rtnl, index, _INGRESS, ARRIVALS, "ingress", {}):
        _make_table(rtnl, index, ARRIVALS, SOURCE)


def uproot(rtnl: Rtnl, index: int) -> None:
    """Undo :func:`plant` and :func:`watch_arrivals`."""
    for handle, parent in ((TREE, _ROOT), (ARRIVALS, _INGRESS)):
        _gone(rtnl, "remove queues", _DELQDISC, _tc.pack(0, index, handle, parent, 0))


def set_class(rtnl: Rtnl, index: int, place: int, rate: int) -> None:
    """Let the class of a place have ``rate`` bits a second, from now on."""
    octets = rate // 8
    burst = round(max(octets * _BURST, _LEAST_BURST) / octets / _TICK)
    spec = (0, _ETHERNET, 0, 0, 0, octets)
    parameters = _class.pack(*spec, *spec, burst, burst, _QUANTUM, 0, 0)
    head = _tc.pack(0, index, TREE | place, TREE, 0)
    body = head + attributes({_TCA_KIND: "htb", _TCA_OPTIONS: {_HTB_PARMS: parameters}})
    rtnl.do("set a rate", _NEWTCLASS, CREATE | REPLACE, body)


def set_queue(rtnl: Rtnl, index: int, place: int, rate: int) -> None:
    """Give a class a queue in which nobody waits long: fair (RFC 8290) where the kernel can, else short."""
    head = _tc.pack(0, index, place << 16, TREE | place, 0)
    try:
        rtnl.do("make a queue", _NEWQDISC, CREATE | REPLACE, head + attributes({_TCA_KIND: "fq_codel"}))
    except KernelError as error:
        if error.errno not in (errno.ENOENT, errno.EOPNOTSUPP):
            raise
        limit = max(int(rate / 8 * _LONGEST_WAIT), _LEAST_QUEUE).to_bytes(4, "little")
        body = head + attributes({_TCA_KIND: "bfifo", _TCA_OPTIONS: limit})
        rtnl.do("make a queue", _NEWQDISC, CREATE | REPLACE, body)


def remove_class(rtnl: Rtnl, index: int, place: int) -> None:
    """Take a class and its queue away, if they are there; no filter may lead to it."""
    _gone(rtnl, "remove a rate", _DELTCLASS, _tc.pack(0, index, TREE | place, TREE, 0))


def lead(rtnl: Rtnl, index: int, place: int, address: bytes, offset: int) -> None:
    """Have packets with this address at ``offset`` leave through the class of a place."""
    _add_filter(rtnl, index, TREE, place, address, offset, {_U32_CLASSID: TREE | place})


def divert(rtnl: Rtnl, index: int, place: int, address: bytes, to: int) -> None:
    """Have packets that arrive from this address go through the device ``to`` first."""
    parameters = _mirred.pack(0, 0, _STOLEN, 0, 0, _EGRESS_REDIRECT, to)
    action: Attributes = {_ACT_KIND: "mirred", _ACT_OPTIONS: {_MIRRED_PARMS: parameters}}
    _add_filter(rtnl, index, ARRIVALS, place, address, SOURCE, {_U32_ACT: {1: action}})


def remove_filter(rtnl: Rtnl, index: int, parent: int, place: int) -> None:
    """Undo :func:`lead` (``parent`` is TREE) or :func:`divert` (ARRIVALS), if it was done."""
    head = _tc.pack(0, index, _handle(place), parent, _PLACE)
    _gone(rtnl, "remove a filter", _DELTFILTER, head + attributes({_TCA_KIND: "u32"}))


def filtered(rtnl: Rtnl, index: int, parent: int) -> dict[bytes, int]:
    """The addresses that have such a filter, each with its place."""
    found = {}
    head = _tc.pack(0, index, 0, parent, 0)
    try:
        answers = rtnl.dump("list the filters", _GETTFILTER, head)
    except KernelError:  # there are no queues to have any
        return {}
    for message in answers:
        handle = _tc.unpack_from(message.body)[2]
        options = parse(parse(message.body[_tc.size :]).get(_TCA_OPTIONS, b""))
        selector = options.get(_U32_SEL, b"")
        if handle & 0xFFF00000 == _TABLE and handle & 0xFFF and len(selector) > _selector.size:
            found[_match.unpack_from(selector, _selector.size)[1]] = handle >> 4 & 0xFF00 | handle & 0xFF
    return found


def _made(rtnl: Rtnl, index: int, parent: int, handle: int, kind: str, options: Attributes) -> bool:
    """Whether there was none."""
    body = attributes({_TCA_KIND: kind, _TCA_OPTIONS: options})
    try:
        head = _tc.pack(0, index, handle, parent, 0)
        rtnl.do("make queues", _NEWQDISC, CREATE | EXCLUSIVE, head + body)
    except KernelError as error:
        if error.errno != errno.EEXIST:
            raise
        return False
    return True


def _make_table(rtnl: Rtnl, index: int, parent: int, offset: int) -> None:
    """Filters by the last octet of the address, so that many of them cost no more than a few."""
    head = _tc.pack(0, index, _TABLE, parent, _PLACE)
    body = head + attributes({_TCA_KIND: "u32", _TCA_OPTIONS: {_U32_DIVISOR: _BUCKETS}})
    rtnl.do("make a table of filters", _NEWTFILTER, CREATE | EXCLUSIVE, body)
    every = _selector.pack(0, 0, 1, 0, 0, 0, offset, b"\0\0\0\xff") + _match.pack(bytes(4), bytes(4), 0, 0)
    options: Attributes = {_U32_HASH: _FIRST_TABLE, _U32_LINK: _TABLE, _U32_SEL: every}
    head = _tc.pack(0, index, 0, parent, _PLACE)
    body = head + attributes({_TCA_KIND: "u32", _TCA_OPTIONS: options})
    rtnl.do("use a table of filters", _NEWTFILTER, CREATE | EXCLUSIVE, body)


def _add_filter(
    rtnl: Rtnl, index: int, parent: int, place: int, address: bytes, offset: int, then: Attributes
) -> None:
    terminal = 1
    exactly = _selector.pack(terminal, 0, 1, 0, 0, 0, 0, bytes(4))
    exactly += _match.pack(b"\xff" * 4, address, offset, 0)
    bucket = _handle(place) & ~0xFFF
    options = then | {_U32_HASH: bucket, _U32_SEL: exactly}
    head = _tc.pack(0, index, _handle(place), parent, _PLACE)
    body = head + attributes({_TCA_KIND: "u32", _TCA_OPTIONS: options})
    rtnl.do("make a filter", _NEWTFILTER, CREATE | EXCLUSIVE, body)


def _handle(place: int) -> int:
    return _TABLE | (place & 0xFF00) << 4 | place & 0xFF


def _gone(rtnl: Rtnl, doing: str, kind: int, body: bytes) -> None:
    try:
        rtnl.do(doing, kind, 0, body)
    except KernelError as error:
        if error.errno not in (errno.ENOENT, errno.EINVAL, errno.ESRCH):
            raise
