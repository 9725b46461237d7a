"""The public door's table: every route once, for the server, its clients and whatever documents it.

A route names a method of :class:`Service`, which gets the request's JSON object (or the query of a GET) and
answers with a status and a JSON-ready object; an error is ``{"error": {"code": ..., "message": ...}}``. It
must not know what answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

from reconciler.control import answers, requests

Answer: TypeAlias = tuple[int, Any]
Request: TypeAlias = Mapping[str, Any]


class Service(Protocol):
    """What answers. Called from several threads at once."""

    def status(self, request: Request, /) -> Answer: ...

    def sessions(self, request: Request, /) -> Answer: ...

    def plan(self, request: Request, /) -> Answer: ...

    def apply(self, request: Request, /) -> Answer: ...

    def rollback(self, request: Request, /) -> Answer: ...

    def pause(self, request: Request, /) -> Answer: ...

    def resume(self, request: Request, /) -> Answer: ...

    def confirm(self, request: Request, /) -> Answer: ...

    def history(self, request: Request, /) -> Answer: ...

    def diff(self, request: Request, /) -> Answer: ...

    def terminate(self, request: Request, /) -> Answer: ...

    def drain(self, request: Request, /) -> Answer: ...

    def why(self, request: Request, /) -> Answer: ...

    def metrics(self, request: Request, /) -> tuple[int, str]: ...

    def events(self, request: Request, /) -> Iterator[dict[str, Any] | None]: ...


class Route(NamedTuple):
    """``name`` is the service's method. ``takes`` and ``gives`` are the types of what is asked and what is
    answered; it ``answers`` with one JSON document, with a stream of JSON objects, a line each, with
    Prometheus' text form, or with what describes all routes.
    """

    method: Literal["GET", "POST"]
    path: str
    name: str
    summary: str
    takes: Any = requests.Nothing
    gives: Any = str
    answers: Literal["document", "stream", "metrics", "openapi"] = "document"


ROUTES = (
    Route(
        "GET",
        "/v1/status",
        "status",
        "Generations, source, conditions, sessions in number, drift; at once, or after a while.",
        requests.Wait,
        answers.Status,
    ),
    Route("GET", "/v1/sessions", "sessions", "The live sessions.", gives=list[answers.Session]),
    Route("POST", "/v1/plan", "plan", "What an apply would do.", requests.Candidate, answers.PlanAnswer),
    Route("POST", "/v1/apply", "apply", "Converge now.", requests.Apply, answers.Applied),
    Route(
        "POST",
        "/v1/rollback",
        "rollback",
        "Put a generation's content in force, and pause.",
        requests.Rollback,
        answers.Applied,
    ),
    Route("POST", "/v1/pause", "pause", "Do not follow the file.", requests.Pause, answers.Paused),
    Route("POST", "/v1/resume", "resume", "Follow the file again.", requests.Resume, answers.Resumed),
    Route(
        "POST",
        "/v1/confirm",
        "confirm",
        "Keep what is on trial, or undo it.",
        requests.Confirm,
        answers.Confirmed,
    ),
    Route(
        "GET",
        "/v1/history",
        "history",
        "The generations, newest first, or all about one.",
        requests.History,
        list[answers.GenerationRow] | answers.GenerationDetail,
    ),
    Route("GET", "/v1/diff", "diff", "What two generations differ in.", requests.Diff, answers.Comparison),
    Route(
        "POST",
        "/v1/sessions/terminate",
        "terminate",
        "End the sessions that match.",
        requests.Terminate,
        answers.Ended,
    ),
    Route(
        "POST",
        "/v1/drain",
        "drain",
        "Admit nobody, and end every session, so many a second; or admit again.",
        requests.Drain,
        answers.Draining,
    ),
    Route(
        "GET",
        "/v1/why",
        "why",
        "Why a user, or a client by its MAC address, is not online.",
        requests.Why,
        answers.Account,
    ),
    Route("GET", "/metrics", "metrics", "What Prometheus scrapes.", answers="metrics"),
    Route(
        "GET",
        "/v1/events",
        "events",
        "What happened; with follow=1 also what happens from now on.",
        requests.Follow,
        answers.Event,
        "stream",
    ),
    Route("GET", "/v1/openapi.json", "openapi", "This description.", answers="openapi"),
)
