"""The composition root of the reconciler's process: builds the parts, ties them together, runs, and takes
leave.

Every clock, path and process is passed in from here. It must not hold any rule of its own.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from collections.abc import Iterable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reconciler.control.exporter import PATH as METRICS_PATH
from reconciler.control.exporter import Address, Exporter
from reconciler.control.server import ROOT_ALONE, Access, Server
from reconciler.linux.boot import boot
from reconciler.linux.errors import KernelError
from reconciler.linux.manager import Manager
from reconciler.loop.advice import Advice, LinuxNeighbourhood
from reconciler.loop.answering.service import DRAIN_RATE, Service
from reconciler.loop.conditions import Board
from reconciler.loop.keeping.lock import Lock
from reconciler.loop.keeping.store import Store
from reconciler.loop.reading.boxkey import BoxKey
from reconciler.loop.reading.goal import Reader
from reconciler.loop.reading.unseal import Unsealer
from reconciler.loop.reconcile import Clocks, Reconciler
from reconciler.loop.report import Settled
from reconciler.loop.run import INTERVAL, Loop
from reconciler.loop.supervise import Supervisor
from reconciler.loop.telling.events import Events
from reconciler.loop.telling.logbook import Logbook
from reconciler.loop.waking.follow import Follower
from reconciler.loop.waking.kernel import KernelWatch
from reconciler.loop.waking.signals import heeded
from reconciler.loop.waking.wake import PROMPTLY, Wake
from reconciler.loop.waking.watch import Watch
from reconciler.resources.engine import EngineClient, NoEngineError
from reconciler.resources.kernel import LinuxKernel
from reconciler.resources.registry import Borrowed, borrowed, registry

ONCE_TIMEOUT = 60.0
"""Seconds that ``once`` waits for everything to be settled."""

ASKING_PATIENCE = 3.0
"""Seconds that an answer to ``status`` or ``sessions`` waits for the engine."""

DRAIN_LOOK = 0.2
"""Seconds between two looks at whether every session has ended."""

log = logging.getLogger("reconciler")


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. ``interval`` in seconds; ``on_exit``: what becomes of the sessions; ``release``: drain,
    and put back what was found; ``external_engine``: something else starts the engine; ``access``: who may
    ask; ``metrics``: where they are shown beside the control socket.
    """

    site: Path
    runtime_dir: Path
    state_dir: Path
    datapath: str = "auto"
    interval: float = INTERVAL
    poll: bool = False
    once: bool = False
    on_exit: Literal["keep", "drain"] = "keep"
    release: bool = False
    age_identities: tuple[Path, ...] = ()
    external_engine: bool = False
    drain_rate: float | None = None
    access: Access = ROOT_ALONE
    metrics: Address | None = None


def engine_command(options: Options) -> list[str]:
    """How the engine is started."""
    arguments = ["--runtime-dir", str(options.runtime_dir), "--datapath", options.datapath]
    return [sys.executable, "-m", "reconciler.engine", *arguments]


def _supervisor(options: Options) -> Supervisor:
    return Supervisor(options.runtime_dir, None if options.external_engine else engine_command(options))


def run(options: Options) -> int:
    """Run until told to stop, or once; gives back the exit status.

    Raises ``RuntimeDirError``, ``StoreError`` and ``EngineStartError``, each in one line, when it cannot
    begin.
    """
    with ExitStack() as stack:
        store = _claimed(stack, options)
        manager = Manager(os.environ)
        supervisor = _supervisor(options)
        kernel = LinuxKernel()
        unsealer = Unsealer((BoxKey(options.state_dir).path, *options.age_identities))
        clocks, wake, events = Clocks(), Wake(), Events()
        hello = supervisor.ensure()
        log.info(
            "engine %d, data path %s (%s)", hello["pid"], hello["datapath"], hello["device"] or "no device"
        )
        reconciler = Reconciler(
            path=options.site.absolute(),
            reader=Reader(store.key, socket.gethostname(), unsealer),
            supervisor=supervisor,
            resources=registry(supervisor.client, kernel, store),
            store=store,
            events=events,
            clocks=clocks,
        )
        if not options.external_engine:
            stack.callback(_leave_none_idle, supervisor, reconciler)
        if not options.once:
            logbook = stack.enter_context(closing(Logbook(options.runtime_dir, events)))
            logbook.start(clocks.wall())
        follower = Follower(options.runtime_dir, events, wake)
        follower.start()
        stack.callback(follower.close)
        watch = stack.enter_context(closing(Watch(wake.hint, poll=options.poll or options.once)))
        advice = stack.enter_context(closing(Advice(kernel, LinuxNeighbourhood(), wake.hint)))
        loop = Loop(reconciler, Board(events), advice, wake, watch, options.interval)
        with heeded(wake) as impatient:
            if options.once:
                return _once(loop)
            advice.start()
            _kernel_hints(stack, wake)
            # A connection of its own: who only asks must not wait behind a pass, nor long for a hung engine.
            asking = stack.enter_context(closing(EngineClient(options.runtime_dir, ASKING_PATIENCE)))
            _open_door(stack, options, Service(loop, reconciler, asking, events, clocks))
            # Before the door closes, whoever waits for events there is let go.
            stack.callback(events.close)
            log.info("watching %s", reconciler.path)
            manager.say("READY=1")
            loop.run(manager.alive)
            manager.say("STOPPING=1")
            if options.release or options.on_exit == "drain":
                _drain(supervisor, options.drain_rate or DRAIN_RATE, impatient)
            if options.release:
                _release(borrowed(kernel, store))
        return 0


def _once(loop: Loop) -> int:
    done = loop.converge(ONCE_TIMEOUT)
    source = done.last.intake.source
    if source.wanted is None:
        log.error("%s", source.problem)
        return 1
    if isinstance(done.last.end, Settled):
        return 0
    log.error("%s", done.last.end.message)
    if done.last.held:
        return 4
    return 3 if done.in_time else 6


def _leave_none_idle(supervisor: Supervisor, reconciler: Reconciler) -> None:
    """End an engine that was never told what to serve: nobody would know of it."""
    with suppress(NoEngineError):
        if not reconciler.archive.through and supervisor.client.observe()["generation"] == 0:
            supervisor.stop()


def _claimed(stack: ExitStack, options: Options) -> Store:
    """Both directories are ours alone; what is kept in one of them."""
    stack.callback(Lock.take(options.runtime_dir, "--runtime-dir").release)
    stack.callback(Lock.take(options.state_dir, "--state-dir", 0o700).release)
    return stack.enter_context(closing(Store.open(options.state_dir, boot())))


def _open_door(stack: ExitStack, options: Options, service: Service) -> None:
    """The control socket, and the metrics' address where one is given."""
    server = Server(options.runtime_dir, service, options.access)
    stack.callback(server.close)
    if options.metrics:
        exporter = Exporter(options.metrics, lambda: service.metrics({})[1])
        exporter.start()
        stack.callback(exporter.close)
        log.info("metrics on http://%s%s", exporter.address, METRICS_PATH)
    server.start()


def _kernel_hints(stack: ExitStack, wake: Wake) -> None:
    try:
        watch = KernelWatch(lambda: wake.hint(PROMPTLY))
    except KernelError as error:
        log.warning("%s: drift is noticed only every few seconds", error)
        return
    watch.start()
    stack.callback(watch.close)


def _drain(supervisor: Supervisor, rate: float, impatient: threading.Event) -> None:
    """End ``rate`` sessions a second, or all at once when told to stop once more; then the engine."""
    log.info("ending all sessions, %g a second; once more SIGTERM or SIGINT: all at once", rate)
    try:
        supervisor.client.drain(rate)
        while any(supervisor.client.counts()["sessions"].values()) and not impatient.wait(DRAIN_LOOK):
            pass
        supervisor.stop()
    except NoEngineError as error:
        log.error("%s", error)


def _release(resources: Iterable[Borrowed]) -> None:
    for resource in resources:
        for failure in resource.release():
            log.error("%s: %s", failure.path, failure.message)
    log.info("kernel settings are as they were found")
