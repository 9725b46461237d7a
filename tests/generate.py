"""The generated references: ``./dev docs`` writes them, and a test says when one is out of date."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from reconciler import metrics as catalogue
from reconciler.cli.root import root
from reconciler.control import openapi, outputs
from reconciler.engine.wire.drop import Drop
from reconciler.loop.telling import explain
from reconciler.site import codes, manual, schema
from tests import conformance

ROOT = Path(__file__).parent.parent


def references() -> dict[str, str]:
    """Every generated file by its path in the repository, with the text that it should have."""
    return {
        "schemas/site.schema.json": schema.as_json(),
        **{f"schemas/{name}.schema.json": outputs.as_json(name) for name in outputs.OUTPUTS},
        "schemas/openapi.json": openapi.as_json(),
        "docs/reference/site.md": site(),
        "docs/reference/findings.md": findings(),
        "docs/reference/reasons.md": reasons(),
        "docs/reference/cli.md": cli(),
        "docs/reference/metrics.md": metrics(),
        "docs/conformance.md": conformance_page(),
    }


def site() -> str:
    """The keys of site.yaml: meaning, type, default, and what a change does to live sessions."""
    return _page(
        "site.yaml",
        "Every key, and what becomes of live sessions when it is changed. NONE: they notice nothing. LATER: "
        "they go on as they are, and the next login gets what is new. DROP: they end at once. No other "
        "session is ever touched. `reconciler explain PATH` says the same.",
        *(_key(entry) for entry in map(manual.entry, manual.paths()) if entry is not None),
    )


def _key(entry: manual.Entry) -> str:
    words = {"required": "required", "unset": "default: unset", "see its keys": "its keys have defaults"}
    default = words.get(entry.default, f"default: `{entry.default}`")
    impact = "\n".join(entry.impact if len(entry.impact) == 1 else (f"- {line}" for line in entry.impact))
    return f"## `{entry.path}`\n\n{entry.description}\n\n*{entry.type}; {default}.*\n\n{impact}".rstrip()


def findings() -> str:
    """The codes of the findings in site.yaml."""
    rows = [f"## {code}\n\n{text}" for code, text in codes.CATALOGUE.items()]
    return _page(
        "Findings",
        "What `reconciler validate` can find in a site.yaml. E is an error: nothing that runs is touched. "
        "W is a warning, or only a note; `validate --deny` and `deny_warnings` make errors of them.",
        *rows,
    )


def reasons() -> str:
    """Why frames are dropped, logins refused and sessions ended."""
    drops = "\n".join(f"| `{word}` | {word.doc} |" for word in sorted(Drop))
    numbers = "\n".join(f"| {number} | {text} |" for number, text in explain.WINDOWS.items())
    return _page(
        "Reasons",
        "The words in counters and events, as `reconciler why` explains them; with what to do, and the error "
        "number that Windows shows, the likeliest first.",
        "## Refused logins\n\nIn `login_refused` events. The subscriber is not told which it was.\n\n"
        + _explained(explain.REFUSED),
        "## Ended sessions and failed calls\n\nIn `session_closed` events, and in `dial_failed` events where "
        "nobody had logged in.\n\n" + _explained(explain.ENDED),
        f"## Windows' error numbers\n\n| number | meaning |\n|---|---|\n{numbers}",
        "## Dropped frames\n\nCounted by reason; nothing else comes of them.\n\n"
        f"| reason | meaning |\n|---|---|\n{drops}",
    )


def _explained(words: Mapping[str, explain.Explanation]) -> str:
    names = {"user": "USER", "mac": "MAC", "interface": "INTERFACE"}
    rows = [
        (f"`{word}`", means.says, means.advice.format_map(names), " ".join(map(str, means.windows)))
        for word, means in sorted(words.items())
    ]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"| reason | meaning | what to do | Windows |\n|---|---|---|---|\n{lines}"


def cli() -> str:
    """Every command with its help, as ``--help`` prints it."""
    parts = [
        f"## {' '.join(names)}\n\n```\n{help_text}\n```"
        for names, help_text in _commands(("reconciler",), root)
    ]
    return _page("Commands", "What each command prints with `--help`.", *parts)


def _commands(names: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], str]]:
    settings = {**root.context_settings, **command.context_settings, "max_content_width": 80}
    context = click.Context(command, info_name=" ".join(names), terminal_width=80, **settings)
    yield names, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from _commands((*names, name), inner)


def metrics() -> str:
    """What Prometheus can scrape."""
    rows = "\n".join(
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels)} | {one.help} |"
        for one in catalogue.CATALOGUE
    )
    return _page(
        "Metrics",
        "`GET /metrics` on the control socket, in Prometheus' text form: `curl --unix-socket "
        "/run/reconciler/control.sock http://localhost/metrics`; with `run --metrics-listen ADDRESS:PORT` "
        "there too. Counters start from 0 with the process that counts: subscribers' logins, ends, set-up "
        "times and dropped frames with the engine, traffic with the data path (an engine that is replaced "
        "does not interrupt it), the rest with the daemon. No label names a subscriber. What the engine "
        "knows is left out while it does not answer.",
        f"| name | type | labels | meaning |\n|---|---|---|---|\n{rows}",
    )


def conformance_page() -> str:
    """What the engine does on the wire, item by item, with the tests that show it."""
    return _page(
        "Conformance",
        "What a PPPoE access concentrator has to do on the wire: where it comes from, what we do, and the "
        "tests that show it. The ids are stable; a test carries those of the items that it shows in its "
        "name. Where we do otherwise on purpose, it says why.",
        conformance.page(),
    )


def _page(title: str, text: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", "<!-- Generated by `./dev docs`. -->", text, *parts]) + "\n"


def main() -> int:
    """Write every reference."""
    for name, text in references().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
