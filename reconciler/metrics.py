"""The metrics: their catalogue, and Prometheus' text form (exposition format 0.0.4). Samples in, text out.

Pure: a scrape is made from what is known at that moment, so nothing is registered, and nothing is counted
here. Names and labels are those of the catalogue, and once shipped they stay. No label has a subscriber's
name or address: their number would grow with the site. It must not know where values come from.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Metric(NamedTuple):
    """``help`` is the documentation too. Units are in the name."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One value of the metric of that name; ``labels`` are values in the catalogue's order."""

    name: str
    value: float | Histogram
    labels: tuple[str, ...] = ()


class Histogram:
    """Counts observations in seconds by upper bounds; or shows what somebody else has counted so: ``counts``
    has one more than ``bounds``, for what is above them all.
    """

    BOUNDS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

    def __init__(
        self, bounds: Sequence[float] = BOUNDS, counts: Sequence[int] = (), total: float = 0.0
    ) -> None:
        self._bounds = (*bounds, math.inf)
        self._counts = list(counts) or [0] * len(self._bounds)
        self._sum = total

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str) -> Iterator[str]:
        """Buckets, each with all that is below it too, sum and count."""
        total = 0
        for bound, count in zip(self._bounds, self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{_number(bound)}"}} {total}'
        yield f"{name}_sum {_number(self._sum)}"
        yield f"{name}_count {total}"


CATALOGUE: Final = (
    Metric(
        "reconciler_build_info",
        "gauge",
        "Always 1; the versions of the daemon and of its engine, and the engine's data path.",
        ("version", "engine_version", "datapath"),
    ),
    Metric("reconciler_engine_up", "gauge", "Whether the engine answers."),
    Metric(
        "reconciler_config_last_reload_successful",
        "gauge",
        "Whether the site file, as last read, can be used.",
    ),
    Metric(
        "reconciler_config_last_reload_success_timestamp_seconds",
        "gauge",
        "When a changed site file was last read that can be used, in Unix time.",
    ),
    Metric("reconciler_generation_desired", "gauge", "The newest generation."),
    Metric("reconciler_generation_applied", "gauge", "The generation that was reached last."),
    Metric(
        "reconciler_condition",
        "gauge",
        "Whether a condition is true. Ready should be; any other is a trouble.",
        ("type",),
    ),
    Metric("reconciler_guard_held", "gauge", "Whether the guard holds a change until it is released."),
    Metric("reconciler_guard_holds_total", "counter", "Changes that the guard began to hold."),
    Metric(
        "reconciler_drift_found_total", "counter", "Things that changed by themselves, or by other hands."
    ),
    Metric("reconciler_drift_healed_total", "counter", "Of those, what was put back."),
    Metric("reconciler_drift_lasting", "gauge", "Things that are not as they were set now."),
    Metric(
        "reconciler_unpredicted_drops_total",
        "counter",
        "Sessions that ended by an apply whose plan had not named them. Anything but 0 is a bug.",
    ),
    Metric(
        "reconciler_convergence_seconds",
        "histogram",
        "From the pass that let a generation through until it was seen to be in force.",
    ),
    Metric("reconciler_internal_errors_total", "counter", "Passes that failed by a bug; the log says where."),
    Metric("reconciler_sessions", "gauge", "Sessions by the state of their link.", ("state",)),
    Metric(
        "reconciler_sessions_stale",
        "gauge",
        "Live sessions that would get something else if they dialled in again.",
    ),
    Metric(
        "reconciler_logins_total",
        "counter",
        "Logins: accepted, once a session's addresses were agreed on for the first time; or refused, for one "
        "of the reasons in reasons.md.",
        ("method", "result", "reason"),
    ),
    Metric(
        "reconciler_session_setup_seconds",
        "histogram",
        "From a subscriber's PADR until its addresses were agreed on.",
    ),
    Metric("reconciler_sessions_closed_total", "counter", "Sessions that ended after a login.", ("reason",)),
    Metric(
        "reconciler_dials_failed_total",
        "counter",
        "Calls that ended before anybody had logged in.",
        ("reason",),
    ),
    Metric(
        "reconciler_dropped_frames_total",
        "counter",
        "Frames that the engine dropped.",
        ("reason",),
    ),
    Metric("reconciler_interface_up", "gauge", "Whether a served interface is up.", ("interface",)),
    Metric("reconciler_interface_sessions", "gauge", "Live sessions on a served interface.", ("interface",)),
    Metric(
        "reconciler_interface_receive_bytes_total",
        "counter",
        "Octets of IP packets from subscribers.",
        ("interface",),
    ),
    Metric(
        "reconciler_interface_transmit_bytes_total",
        "counter",
        "Octets of IP packets to subscribers.",
        ("interface",),
    ),
    Metric(
        "reconciler_interface_receive_packets_total",
        "counter",
        "IP packets from subscribers.",
        ("interface",),
    ),
    Metric(
        "reconciler_interface_transmit_packets_total",
        "counter",
        "IP packets to subscribers.",
        ("interface",),
    ),
    Metric(
        "reconciler_process_cpu_seconds_total",
        "counter",
        "Processor time, of the daemon and of its engine.",
        ("process",),
    ),
    Metric("reconciler_process_resident_memory_bytes", "gauge", "Memory in use.", ("process",)),
    Metric("reconciler_process_open_fds", "gauge", "Open file descriptors.", ("process",)),
    Metric(
        "reconciler_process_start_time_seconds",
        "gauge",
        "When the process was started, in Unix time.",
        ("process",),
    ),
)


def expose(samples: Iterable[Sample]) -> str:
    """The text of a scrape, in the catalogue's order.

    :raises KeyError: a sample's name is not in the catalogue.
    """
    found: dict[str, list[Sample]] = {metric.name: [] for metric in CATALOGUE}
    for sample in samples:
        found[sample.name].append(sample)
    return "".join(f"{line}\n" for metric in CATALOGUE for line in _lines(metric, found[metric.name]))


def _lines(metric: Metric, samples: Iterable[Sample]) -> Iterator[str]:
    told = False
    for sample in samples:
        if not told:
            yield f"# HELP {metric.name} {metric.help}"
            yield f"# TYPE {metric.name} {metric.kind}"
            told = True
        if isinstance(sample.value, Histogram):
            yield from sample.value.lines(metric.name)
            continue
        pairs = [
            f'{name}="{_escaped(value)}"' for name, value in zip(metric.labels, sample.labels, strict=True)
        ]
        labels = f"{{{','.join(pairs)}}}" if pairs else ""
        yield f"{metric.name}{labels} {_number(sample.value)}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(float(value))
