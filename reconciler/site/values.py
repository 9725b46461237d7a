"""From the text of a scalar to a value: strict, and with advice when the text is not one.

YAML's own typing is never used, so a password ``0123`` or a name ``no`` stays what it is; where a number or
a truth value is wanted, it is read here. Shared by the model and the cross-checks. It must not know fields
or places.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from typing import Final, TypeGuard

MAX_OCTETS: Final = 255
"""Longest name or password: PAP's lengths (RFC 1334 §2.2.1) and PPPoE service names we serve fit one
octet.
"""

_SURELY: Final = MAX_OCTETS // 4
"""Characters that fit, whatever they are. Most names and passwords are settled by that, in a fraction of the
time: it counts with 100,000 users.
"""

_UNITS: Final = {"k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_TRUTH: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_LOOKS_TRUE: Final = frozenset({"yes", "y", "on", "1", "enable", "enabled"})
_LOOKS_FALSE: Final = frozenset({"no", "n", "off", "0", "disable", "disabled"})
_OCTET: Final = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_DOTTED: Final = re.compile(r"\.".join([_OCTET] * 4))
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_INTERFACE_BAD: Final = re.compile(r"[\s/:]")
_ENVIRONMENT_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class UnfitError(ValueError):
    """The text is not such a value. ``code`` is the finding's code; the message never repeats the text."""

    def __init__(self, code: str, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.advice = advice


def whole_number(value: object) -> int:
    """A decimal number without point, exponent or leading zeros."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = _text(value, "a whole number")
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", text, re.ASCII):
        return int(text)
    if re.fullmatch(r"0+[0-9]{1,17}", text, re.ASCII):
        raise UnfitError("E122", "leading zeros leave it open which number is meant", f"write {int(text)}")
    if re.fullmatch(r"-?[1-9][0-9]+", text, re.ASCII):
        raise UnfitError("E129", "a number that is too large for anything here")
    raise UnfitError("E122", "not a whole number", "write digits only: no unit, point or separator")


def share(value: object) -> str:
    """A number, or a percentage of 0 to 100: ``5``, ``20%``."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value, "a number")
    if re.fullmatch(r"(0|[1-9][0-9]{0,8}|(100|[1-9]?[0-9])%)", text, re.ASCII):
        return text
    raise UnfitError("E137", "neither a number nor a percentage", "write it as in `20%` or `5`")


def rate(value: object) -> int:
    """Bits a second, written with a decimal unit: ``512k``, ``50M``, ``1G``."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = _text(value, "a rate")
    match = re.fullmatch(r"([1-9][0-9]{0,11})([kMG])", text, re.ASCII)
    if match is None:
        why = "a rate needs a unit" if text.isdigit() else "not a rate"
        raise UnfitError("E146", why, "write it as in `512k`, `50M` or `1G`: bits a second")
    number = int(match[1]) * _UNITS[match[2]]
    if not _UNITS["k"] * 64 <= number <= _UNITS["G"] * 100:
        raise UnfitError("E146", "not a rate that makes sense here", "it may be from `64k` to `100G`")
    return number


def rate_text(bits: int) -> str:
    """A rate as it would be written."""
    unit = next(unit for unit in ("G", "M", "k") if bits % _UNITS[unit] == 0)
    return f"{bits // _UNITS[unit]}{unit}"


def truth(value: object) -> bool:
    """YAML 1.2's truth values: ``true`` and ``false``."""
    if isinstance(value, bool):
        return value
    text = _text(value, "true or false")
    if text in _TRUTH:
        return _TRUTH[text]
    if text.lower() in _LOOKS_TRUE:
        raise UnfitError("E123", "neither true nor false", "write `true`")
    if text.lower() in _LOOKS_FALSE:
        raise UnfitError("E123", "neither true nor false", "write `false`")
    raise UnfitError("E123", "neither true nor false", "write `true` or `false`")


def address(value: object) -> IPv4Address:
    """An IPv4 address in dotted decimal."""
    # From a number it is three times as fast as from text, which counts when 10,000 users have fixed
    # addresses.
    return value if isinstance(value, IPv4Address) else IPv4Address(address_number(value))


def address_number(value: object) -> int:
    """The number of an IPv4 address in dotted decimal."""
    text = _text(value, "an IPv4 address")
    match = _DOTTED.fullmatch(text)
    if match is None:
        raise UnfitError("E124", "not an IPv4 address", _address_advice(text))
    a, b, c, d = map(int, match.groups())
    return a << 24 | b << 16 | c << 8 | d


def _address_advice(text: str) -> str:
    if "/" in text:
        return "leave out the prefix length: one address is meant"
    if re.fullmatch(r"[0-9.]+", text) and re.search(r"(^|\.)0[0-9]", text):
        return "leave out the leading zeros"
    if ":" in text:
        return "IPv6 addresses are not supported here"
    return "write four numbers from 0 to 255, as in 10.214.2.100"


def _surely_fits(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= _SURELY and value.isprintable()


def name(value: object) -> str:
    """A name as it travels in PPP and PPPoE: 1 to 255 octets of UTF-8 without control characters."""
    if _surely_fits(value):
        return value
    text = _text(value, "text")
    if not text:
        raise UnfitError("E126", "empty", "give it at least one character")
    if len(text.encode()) > MAX_OCTETS:
        raise UnfitError("E126", f"longer than {MAX_OCTETS} octets", "the protocol has no room for more")
    if _CONTROL.search(text):
        raise UnfitError("E126", "contains a control character", "use printable characters only")
    return text


def password(value: object) -> str:
    """1 to 255 octets of UTF-8 (RFC 1334 §2.2.1: the length is one octet)."""
    if _surely_fits(value):
        return value
    text = _text(value, "text")
    if not text:
        raise UnfitError("E127", "the password is empty", "quote one that begins with `#`, `!`, `&` or `*`")
    if len(text.encode()) > MAX_OCTETS:
        raise UnfitError(
            "E127", f"the password is longer than {MAX_OCTETS} octets", "PAP has no room for more"
        )
    return text


def interface(value: object) -> str:
    """A Linux interface name: 1 to 15 octets, no space, slash or colon (dev_valid_name() in the kernel)."""
    text = _text(value, "an interface name")
    if not text or text in {".", ".."} or _INTERFACE_BAD.search(text) or _CONTROL.search(text):
        raise UnfitError("E125", "not an interface name", "`ip -brief link` lists this machine's interfaces")
    if len(text.encode()) > 15:
        raise UnfitError(
            "E125", "longer than the 15 octets that Linux allows", "`ip -brief link` shows the name in full"
        )
    return text


def file_path(value: object) -> str:
    """The name of a file."""
    text = _text(value, "a file name")
    if not text or _CONTROL.search(text):
        raise UnfitError("E126", "not a file name", "write a path, absolute or relative to this file")
    return text


def environment_name(value: object) -> str:
    """The name of an environment variable."""
    text = _text(value, "the name of an environment variable")
    if not _ENVIRONMENT_NAME.fullmatch(text):
        raise UnfitError(
            "E126",
            "not the name of an environment variable",
            "letters, digits and _ only, as in PABLO_PASSWORD",
        )
    return text


def text(value: object) -> str:
    """Any text."""
    return _text(value, "text")


def _text(value: object, wanted: str) -> str:
    if isinstance(value, str):
        return value
    raise UnfitError("E121", f"must be {wanted}", "")
