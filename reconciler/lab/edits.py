"""The edits that the sandbox makes to its site.yaml, as somebody with a text editor would make them.

Pure text in, text out, for files laid out like ``examples/site.yaml``. Every function raises
``ValueError`` when what it is to change is not there.
"""

from __future__ import annotations

import re


def set_value(text: str, key: str, value: str) -> str:
    """Give a key another value; ``forwarding.proxy_arp`` is the key within its block."""
    indent = r"[ ]+" if "." in key else ""
    name = re.escape(key.rpartition(".")[2])
    return _replace(rf"^({indent}{name}:)[ ]*[^\n#]*?([ ]*(?:#.*)?)$", rf"\g<1> {value}\g<2>", text, key)


def add_user(text: str, name: str, password: str) -> str:
    """Put a user in, before the others."""
    return _replace(r"^users:[ ]*\n", rf"\g<0>  {name}: {password}\n", text, "users")


def remove_user(text: str, name: str) -> str:
    """Take a user out, in the short form or the long one."""
    return _replace(rf"^[ ]{{2}}{re.escape(name)}:.*\n(?:[ ]{{3,}}.*\n)*", "", text, name)


def set_password(text: str, name: str, password: str) -> str:
    """Give a user another password, in the short form or the long one."""
    user = rf"^([ ]{{2}}{re.escape(name)}:(?:[ ]*\n(?:[ ]{{3,}}.*\n)*?[ ]{{3,}}password:)?)[ ]+\S.*$"
    return _replace(user, rf"\g<1> {password}", text, name)


def line_of(text: str, part: str) -> int:
    """The number of the first line that contains ``part``."""
    for number, line in enumerate(text.splitlines(), 1):
        if part in line:
            return number
    raise ValueError(f"no line has {part!r}")


def _replace(pattern: str, by: str, text: str, what: str) -> str:
    edited, count = re.subn(pattern, by, text, count=1, flags=re.MULTILINE)
    if not count:
        raise ValueError(f"{what} is not in the file")
    return edited
