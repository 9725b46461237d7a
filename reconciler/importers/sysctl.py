"""The kernel's settings as administrators write them: sysctl.conf, ``sysctl -w``, and ``echo 1 >``."""

from __future__ import annotations

import re
from typing import Final

from reconciler.importers.draft import Draft

_SETTING: Final = re.compile(
    r"(?P<key>net[./]ipv4[./](?:ip_forward|conf[./](?P<interface>\S+?)[./](?:proxy_arp|forwarding)))\s*=\s*"
    r"(?P<value>[01])\b"
)
_ECHO: Final = re.compile(
    r"echo\s+[\"']?(?P<value>[01])[\"']?\s*(?:>|\|\s*(?:sudo\s+)?tee(?:\s+-a)?)\s*/proc/sys/"
    r"(?P<key>net/ipv4/(?:ip_forward|conf/(?P<interface>[^\s/]+)/(?:proxy_arp|forwarding)))\b"
)
_TRANSLATED: Final = re.compile(r"\bmasquerade\b", re.IGNORECASE)


def take_sysctl(draft: Draft, text: str, name: str) -> None:
    """Add forwarding and proxy ARP to a draft. Address translation in a script is noted, since subscribers
    would miss it; other settings of the kernel are not our concern.
    """
    served = draft.settings.get("interface", [])
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith(("#", ";")):
            continue
        if translated := _TRANSLATED.search(line):
            draft.note(f"{name}:{number}", translated[0], "left to you; `nat.masquerade` does that here")
        found = _SETTING.search(line) or _ECHO.search(line)
        if found is None:
            continue
        value = "true" if found["value"] == "1" else "false"
        interface = found["interface"]
        if found["key"].endswith("ip_forward"):
            draft.put("forwarding", "ip_forward", value)
        elif found["key"].endswith("proxy_arp") and interface in {"all", *served}:
            draft.put("forwarding", "proxy_arp", value)
        else:
            draft.note(f"{name}:{number}", found["key"], "not an interface that is served: left to you")
