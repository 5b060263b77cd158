"""Processes a supervisor runs: each starts afresh (spawn), comes back after a fall, and ends when its parent does."""

from __future__ import annotations

import ctypes
import importlib
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

from wafast import logs
from wafast.crashes import Crashes, Mark
from wafast.devices import node
from wafast.pulse import Pulse

log = logs.get("supervisor")
_spawn = multiprocessing.get_context("spawn")

#: How long a child may take to end by itself before it is killed.
GRACE_SECONDS = 15.0
#: Waits before a restart: doubled by each fall in a row, forgotten after a quiet minute.
FIRST_WAIT, LONGEST_WAIT, QUIET = 0.5, 30.0, 60.0
#: A child whose loop has stood still for so long hangs. A lease lasts 12 seconds from its last heartbeat, which was up
#: to 3 before, and it is looked at every second: nobody else has a device before its worker is gone.
HANG_SECONDS = 7.0
#: What a child may take from its start to its first beat.
FIRST_BEAT_SECONDS = 60.0
_PR_SET_PDEATHSIG = 1


class Child:
    """One process and what it takes to start it again."""

    def __init__(
        self,
        name: str,
        target: str,
        arguments: Callable[[], Sequence[Any]],
        *,
        environment: Callable[[Mapping[str, str]], Mapping[str, str]] | None = None,
        once: bool = False,
        pulse: Pulse | None = None,
        crashes: Crashes | None = None,
    ) -> None:
        """`target` is `package.module:function`, imported by the child only; `arguments` are asked at each start.

        `environment` makes the child's environment of this process's own. One that runs `once` stays away after
        it ended well. One with a `pulse` (which it must get with its arguments) is known to hang when that stops.
        That it hung, or ended by itself, is noted in `crashes`.
        """
        self.name = name
        self._target = target
        self._arguments = arguments
        self._environment = environment
        self._once = once
        self.pulse = pulse
        self._restart_until: float | None = None
        self._crashes = crashes
        self._is_killed = self._hung = False
        self._process: BaseProcess | None = None
        self._mark: Mark | None = None
        self._falls = 0
        self._started = 0.0
        #: When it starts next (monotonic); None: never.
        self.start_at: float | None = 0.0

    @property
    def sentinel(self) -> int | None:
        """Becomes ready when the process ends; None when there is no process."""
        return self._process.sentinel if self._process is not None else None

    @property
    def pid(self) -> int | None:
        """Its process number."""
        return self._process.pid if self._process is not None else None

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.is_alive()

    def start(self) -> None:
        """Start the process."""
        environment = None if self._environment is None else self._environment(os.environ)
        if self.pulse is not None:
            self.pulse.clear()
        process = _spawn.Process(
            target=_enter, name=f"wafast {self.name}", args=(self.name, self._target, tuple(self._arguments()))
        )
        with _environ(environment):
            process.start()
        self._process, self._started, self.start_at = process, time.monotonic(), None
        found = None if process.pid is None else node.process(process.pid)
        self._mark = None if process.pid is None or found is None else (process.pid, found.began)
        self._is_killed = self._hung = False
        log.info("started", child=self.name, pid=process.pid)

    def start_if_away(self) -> bool:
        """Start the process unless it runs or is about to be started; whether that was so."""
        is_away = self._process is None and self.start_at is None
        if is_away:
            self.start_again()
        return is_away

    def start_again(self) -> None:
        """Start the process; what is missing for it now may be there at the next try."""
        try:
            self.start()
        except Exception:
            log.exception("could not be started", child=self.name)
            self._plan()

    def reap(self) -> None:
        """If the process has ended: say so, and plan the next start."""
        if self._process is None or self.alive:
            return
        code = self._process.exitcode or 0
        was_asked = self._restart_until is not None
        if not was_asked and (self._hung or code not in (0, -signal.SIGKILL, -signal.SIGTERM)):
            self._note_crash()
        self._process.close()
        self._process = None
        if was_asked:
            self._restart_until, self.start_at = None, time.monotonic()
        elif not (self._once and code == 0):
            log.warning("ended, will be restarted", child=self.name, exit_code=code)
            self._plan()

    def _note_crash(self) -> None:
        try:
            if self._crashes is not None and self._mark is not None:
                self._crashes.note(self._mark)
        except OSError as error:
            log.warning("nobody will be blamed for a crash", child=self.name, error=str(error))

    def check(self, now: float, watched_since: float = 0.0) -> None:
        """Kill the process if it hangs, or does not stop for a restart. Instants are of the monotonic clock: before
        `watched_since` everybody stood still, and no beat is missed."""
        if self._process is None or not self.alive or self._is_killed:
            return
        hangs = self.pulse is not None and now > max(self._beat_by(self.pulse), watched_since + HANG_SECONDS)
        if hangs or (self._restart_until is not None and now > self._restart_until):
            log.error("killed: it hangs" if hangs else "killed: it did not stop", child=self.name, pid=self.pid)
            self._process.kill()
            self._hung, self._is_killed = hangs, True  # it may take a while to be gone, above all with much memory

    def _beat_by(self, pulse: Pulse) -> float:
        return pulse.beat_at + HANG_SECONDS if pulse.beat_at else self._started + FIRST_BEAT_SECONDS

    @property
    def is_up(self) -> bool:
        """Whether the process runs and, where it has a pulse, has begun its work."""
        return self.alive and self._restart_until is None and (self.pulse is None or self.pulse.beat_at > 0)

    def restart(self) -> None:
        """Let the process end in order and start another at once."""
        if self._process is not None:
            self._restart_until = time.monotonic() + GRACE_SECONDS
            self._process.terminate()

    def _plan(self) -> None:
        now = time.monotonic()
        self._falls = 1 if now - self._started > QUIET else self._falls + 1
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(self._falls - 1, 10)) * random.uniform(0.75, 1.25)
        self.start_at = now + wait

    def ask_to_stop(self) -> None:
        """Ask the process to end, and don't start it again."""
        self.start_at = None
        if self._process is not None:
            self._process.terminate()

    def finish(self) -> None:
        """The process has ended, or had its time: it is killed then."""
        if self._process is None:
            return
        if self.alive:
            log.warning("killed: it did not stop in time", child=self.name, pid=self._process.pid)
            self._process.kill()
        self._process.join()
        self._process.close()
        self._process = None


@contextmanager
def _environ(environment: Mapping[str, str] | None) -> Iterator[None]:
    """Spawned processes get this process's environment as it is: for the moment of a start it is another one."""
    if environment is None:
        yield
        return
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _enter(name: str, target: str, arguments: tuple[Any, ...]) -> None:
    """The first thing a child does."""
    os.setpgid(0, 0)  # Ctrl-C on the terminal is for the supervisor, which stops everybody in order
    _end_with_parent()
    module, _, function = target.partition(":")
    code = getattr(importlib.import_module(module), function)(*arguments)
    sys.exit(code if isinstance(code, int) else 0)


def _end_with_parent() -> None:
    """End soon after the parent has, even if it was killed: by a signal from the kernel and, at last, by force."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=follow, name="end-with-parent", daemon=True).start()
