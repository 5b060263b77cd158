"""The worker processes of one network under a supervisor, and restarting all workers one by one."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path

from wafast import logs
from wafast.children import Child
from wafast.crashes import Crashes
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
    """As many workers as the settings want, once the network has devices: until then one, which waits for the first.
    And one more that tries devices which are suspected of taking workers down, when a worker asks for it."""

    def __init__(
        self, settings: Settings, uri: str, network: Network, profile: Path | None, *, has_devices: bool
    ) -> None:
        crashes = Crashes(settings.data_dir)

        def child(name: str, *, is_trial: bool) -> Child:
            def environment(base: Mapping[str, str]) -> Mapping[str, str]:
                return base if profile is None else loopback_trust.environment(profile, base)

            pulse = Pulse()
            return Child(
                f"{network} {name}",
                "wafast.worker:run",
                lambda: (settings, uri, network, profile, pulse, is_trial),
                environment=environment,
                once=is_trial,
                pulse=pulse,
                crashes=crashes,
            )

        self.workers = [child(f"worker {number + 1}", is_trial=False) for number in range(settings.workers)]
        self.trial = child("trial worker", is_trial=True)
        for waiting in [self.trial] if has_devices else [self.trial, *self.workers[1:]]:
            waiting.start_at = None

    @property
    def first(self) -> list[Child]:
        """Those that run from the beginning."""
        return [worker for worker in self.workers if worker.start_at is not None]

    def start_wanted(self) -> None:
        """Start those that have become necessary."""
        pulses = [worker.pulse for worker in self.workers if worker.is_up and worker.pulse is not None]
        if any(pulse.held for pulse in pulses):
            for worker in self.workers:
                worker.start_if_away()
        if any(pulse.wants_trial for pulse in pulses) and self.trial.start_if_away():
            log.warning("devices are suspected of taking workers down, and tried apart", child=self.trial.name)


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
            self._asked, self._waiting = False, [worker for worker in workers if worker.pid is not None]
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
