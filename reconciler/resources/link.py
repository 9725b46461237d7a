"""How a session is negotiated and kept: ``auth``, ``mtu``, ``lcp_echo``, the time-outs, ``second_login``."""

from __future__ import annotations

from reconciler.engine.messages import Settings
from reconciler.plan.state import State
from reconciler.resources.base import EngineSettings, Wanted


class LinkPolicy(EngineSettings):
    subjects = frozenset(
        {
            "auth",
            "mtu",
            "lcp_echo.interval",
            "lcp_echo.failures",
            "session_timeout",
            "idle_timeout",
            "second_login",
        }
    )

    def message(self, wanted: Wanted) -> Settings:
        site = wanted.site
        return {
            "auth": list(site.auth),
            "mtu": site.mtu,
            "echo_interval": site.lcp_echo.interval,
            "echo_failures": site.lcp_echo.failures,
            "session_timeout": site.session_timeout,
            "idle_timeout": site.idle_timeout,
            "second_login": site.second_login,
        }

    def seen(self, settings: Settings) -> State:
        return {
            "auth": [str(method) for method in settings["auth"]],
            "mtu": settings["mtu"],
            "lcp_echo.interval": settings["echo_interval"],
            "lcp_echo.failures": settings["echo_failures"],
            "session_timeout": settings["session_timeout"],
            "idle_timeout": settings["idle_timeout"],
            "second_login": settings["second_login"],
        }
