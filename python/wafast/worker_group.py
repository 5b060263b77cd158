"""The worker processes of one network under a supervisor, and restarting all workers one by one."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path

from wafast import logs
from wafast.children import Child
from wafast.devices import loopback_trust
from wafast.pulse import Pulse
from wafast.settings import Network, Settings

log = logs.get("supervisor")

#: Asks a supervisor to restart its workers one by one.
ROLL_SIGNAL = signal.SIGUSR1
#: After a worker has come back, and before the next one goes: by then somebody has taken what it held.
SETTLE_SECONDS = 3.0
#: Where devices do not come back, the next worker does not wait for them.
PATIENCE_SECONDS = 180.0


class WorkerGroup:
    """As many workers as the settings want, and one more that tries devices which are suspected of taking workers
    down; it only runs when a worker asks for it."""

    def __init__(self, settings: Settings, uri: str, network: Network, profile: Path | None) -> None:
        def child(name: str, *, is_trial: bool) -> Child:
            def environment(base: Mapping[str, str]) -> Mapping[str, str]:
                return base if profile is None else loopback_trust.environment(profile, base)

            pulse = Pulse()
            made = Child(
                f"{network} {name}",
                "wafast.devices.worker:run",
                lambda: (settings, uri, network, profile, pulse, is_trial, made.killed_pid),
                environment=environment,
                once=is_trial,
                pulse=pulse,
            )
            return made

        self.workers = [child(f"worker {number + 1}", is_trial=False) for number in range(settings.workers)]
        self.trial = child("trial worker", is_trial=True)
        self.trial.start_at = None

    def start_trial_if_wanted(self) -> None:
        """Start the trial worker when a worker asks for it, unless it runs or is about to be started again."""
        asked = any(worker.is_up and worker.pulse is not None and worker.pulse.wants_trial for worker in self.workers)
        if asked and self.trial.pid is None and self.trial.start_at is None:
            log.warning("devices are suspected of taking workers down, and tried apart", child=self.trial.name)
            self.trial.start_again()


class Rolling:
    """Restarts workers one after the other, each when the one before it has come back and all devices are online."""

    def __init__(self) -> None:
        self._asked = False
        self._waiting: list[Child] = []
        self._current: Child | None = None
        self._began = self._up_since = 0.0

    def ask(self) -> None:
        """Begin, as soon as `go_on` is called; asked once more meanwhile, it begins anew afterwards."""
        self._asked = True

    def go_on(self, workers: list[Child], now: float) -> None:
        """Do the next step if it is time; `now` is of the monotonic clock."""
        if self._current is not None:
            if not self._has_come_back(self._current, workers, now):
                return
            log.info("restarted", child=self._current.name, left=len(self._waiting))
            self._current = None
        if self._asked and not self._waiting:
            self._asked, self._waiting = False, list(workers)
        if self._waiting:
            self._current, self._began, self._up_since = self._waiting.pop(0), now, 0.0
            self._current.restart()

    def _has_come_back(self, current: Child, workers: list[Child], now: float) -> bool:
        if not current.is_up:
            self._up_since = 0.0
        elif not self._up_since:
            self._up_since = now
        is_calm = self._up_since and now - self._up_since > SETTLE_SECONDS
        busy = any(worker.pulse is not None and worker.pulse.busy for worker in workers)
        return bool(is_calm and not busy) or now - self._began > PATIENCE_SECONDS
