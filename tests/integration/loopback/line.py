"""A line whose device is a real neonize client in a child process (`child.py`), told to use the simulator."""

from __future__ import annotations

import base64
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tests.simulator import Simulator
from wafast.devices import loopback_trust

EVENT_SECONDS = 60.0
"""How long an event may take. whatsmeow waits 2 s and more before it connects again, the machine may be busy."""


class Failed(RuntimeError):
    """neonize raised an error; the text names it."""


class Line:
    """One client. Its store lies in `folder/name.db`, so that another `Line` of the same name is the same device."""

    def __init__(self, simulator: Simulator, folder: Path, name: str) -> None:
        self.simulator = simulator
        self.events: list[dict[str, Any]] = []
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._arrived = threading.Condition()
        self._number = 0
        log = folder / f"{name}.log"
        environment = loopback_trust.environment(simulator.folder / "loopback.json", os.environ)
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("child.py")), str(folder / f"{name}.db")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
            )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            if not text.startswith("{"):
                continue  # a word of the libraries
            said = json.loads(text)
            if "answer" in said:
                self._answers[said["answer"]].put(said)
                continue
            with self._arrived:
                self.events.append(said)
                self._arrived.notify_all()

    def order(self, do: str, **fields: Any) -> Any:
        """Has the client do something; raises `Failed` when neonize does."""
        self._number += 1
        answers = self._answers[self._number] = queue.Queue()
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, "n": self._number} | fields) + "\n")
        self._process.stdin.flush()
        answer = answers.get(timeout=EVENT_SECONDS * 2)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer["result"]

    def wait(self, event: str, *, after: int = 0, seconds: float = EVENT_SECONDS, **fields: Any) -> dict[str, Any]:
        """The first event of this name with these fields, from number `after` of `events` on."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while True:
                for found in self.events[after:]:
                    if found["event"] == event and all(found.get(key) == value for key, value in fields.items()):
                        return found
                if not self._arrived.wait(deadline - time.monotonic()):
                    raise AssertionError(f"no {event} with {fields}; got {self.events[after:][-8:]}")

    def named(self, event: str) -> list[dict[str, Any]]:
        """All events of this name so far."""
        return [found for found in self.events if found["event"] == event]

    @property
    def mark(self) -> int:
        """The number of events so far, for `wait(after=…)`."""
        return len(self.events)

    def pair(self, phone: str, *, name: str | None = None) -> Line:
        """Shows a QR code, which `phone` scans; returns when connected."""
        self.order("connect")
        self.simulator.scan(phone, self.wait("QR")["qr"], name=name)
        self.wait("Connected")
        return self

    def connect(self) -> Line:
        """Logs in with what the store holds."""
        self.order("connect")
        self.wait("Connected")
        return self

    def text(self, to: str, text: str) -> str:
        """Sends text; gives the id."""
        return str(self.order("text", to=to, text=text))

    def image(self, to: str, data: bytes, caption: str) -> str:
        """Sends a picture; gives the id."""
        return str(self.order("image", to=to, data=base64.b64encode(data).decode(), caption=caption))

    def close(self) -> None:
        """Ends the process as a crash would."""
        self._process.kill()
        self._process.wait()
