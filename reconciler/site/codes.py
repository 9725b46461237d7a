"""The catalogue of findings: every code that site.yaml can earn, with what it means and how to mend it.

A code once shipped keeps its meaning. E1xx are errors, which leave everything that runs untouched; W2xx are
warnings.
"""

from __future__ import annotations

from typing import Final

CATALOGUE: Final[dict[str, str]] = {
    "E100": "The file is not clean UTF-8 text: a wrong encoding, or control characters. Save it as UTF-8; "
    "write a control character that is meant as an escape in double quotes.",
    "E101": "The file is not YAML. The place is where the reader gave up; the mistake may stand a little "
    "before it.",
    "E102": "The file declares nothing: it is empty, or holds comments only. This never means that there "
    "are no users.",
    "E103": "A key stands twice in one mapping. YAML leaves it open which one counts, so neither does.",
    "E104": "Two users have the same fixed address.",
    "E105": "The file holds the markers of a merge that was not finished.",
    "E106": "The file asks for another YAML version than 1.2, where plain words would mean other things.",
    "E107": "A value has a YAML tag (`!...`), which could change what it is. A value that begins with `!` "
    "needs quotes.",
    "E108": "An alias (`*...`) names nothing before it, or something that contains it. A value that begins "
    "with `*` needs quotes.",
    "E109": "A second YAML document follows the first. One file declares one site.",
    "E110": "The file is larger, more deeply nested, or grows larger by its aliases, than any site can be.",
    "E111": "A key is not plain text, or is YAML's merge key `<<`, which is not supported.",
    "E120": "The key is not known where it stands.",
    "E121": "The value has the wrong shape: a list, a mapping or a single value was expected.",
    "E122": "The value is not a whole number in decimal digits.",
    "E123": "The value is neither `true` nor `false`. Other spellings are refused, because YAML's versions "
    "disagree on them.",
    "E124": "The value is not an IPv4 address.",
    "E125": "The value cannot be the name of a network interface.",
    "E126": "The text cannot be a name: it is empty, too long, or holds characters that a name may not have.",
    "E127": "The text cannot be a password: it is empty, or longer than 255 octets, the most that PAP can "
    "carry.",
    "E128": "The value is not one of those that can be chosen.",
    "E129": "The number is outside the range that makes sense.",
    "E130": "A key that every site needs is missing.",
    "E131": "The list has too many or too few entries.",
    "E132": "The same entry stands in a list twice.",
    "E133": "The key has no value. A value that begins with `#` needs quotes, or it is a comment.",
    "E134": "A user has no password, or gets it from more than one place.",
    "E135": "The text is not a scrypt hash, or one that would take too much memory or time to check. Other "
    "kinds of hash cannot be checked.",
    "E136": "The text is not an NT hash of a password.",
    "E137": "The value is neither a number nor a percentage from `0%` to `100%`.",
    "E138": "The text is not a value encrypted with age: one line, or the block that `age --armor` writes.",
    "E139": "The text is not a recipient of age, `age1...`.",
    "E140": "A user has our own address as fixed address.",
    "E141": "The address can belong to no host: it is a multicast, loopback, broadcast or otherwise "
    "reserved address.",
    "E142": "The pool contains our own address.",
    "E143": "The pool runs past the last usable address.",
    "E144": "There are no users. An empty list is refused, so that a slip does not lock everybody out.",
    "E145": "A user can log in by none of the methods in `auth`: a scrypt hash serves `pap` alone, an NT "
    "hash `mschapv2`, `mschap` and `pap`.",
    "E146": "The value is not a rate: digits with `k`, `M` or `G` behind them, for a thousand, a million or "
    "a thousand million bits a second, from `64k` to `100G`.",
    "E150": "A password's file cannot be read.",
    "E151": "A password's environment variable is not set.",
    "E152": "What a password's file or environment variable holds cannot be a password.",
    "E153": "An encrypted password cannot be decrypted: it is damaged, it was encrypted for other keys than "
    "this box's, or its key is not there.",
    "E154": "An encrypted password is another user's: the name that was encrypted with it is not that of the "
    "user who has it here.",
    "W201": "The pool has fewer addresses than the users who need one may have sessions at once.",
    "W202": "A user may have several sessions but has one fixed address, which only one of them can hold.",
    "W203": "The address ends in .0 or .255, which some systems take for a network's or a broadcast address.",
    "W204": "Users cannot log in by the methods that are offered before the one that they can log in by. A "
    "subscriber's router takes the first one offered that it knows, and then fails.",
    "W205": "Passwords stand in the file as plain text, for everybody who can read it. A note, unless it is "
    "denied (`deny_warnings` in the file, or `validate --deny W205`).",
    "W206": "Files with passwords can be read or changed by others than their owner, or belong to somebody "
    "else than root and the daemon's user.",
    "W210": "A limit for one station is above the one for all: a single station may use that up.",
}

NOTES: Final = frozenset({"W205"})
"""Warnings that are only worth knowing, unless somebody denies them."""

DENIABLE: Final = ("all", *(code for code in CATALOGUE if code.startswith("W")))
"""What can be made an error."""
