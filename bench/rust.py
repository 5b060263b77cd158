"""What is measured inside the core: examples of `wafast-core`, and the file of events they read."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(example: str) -> Path:
    """Builds an example of the core, in release mode; where its program is. The packages are those that are built for
    tests: one alone has other features, and all it stands on is compiled once more."""
    command = ["cargo", "build", "--quiet", "--release", "--workspace"]
    output = subprocess.check_output([*command, "--example", example, "--message-format", "json"], cwd=ROOT, text=True)
    built = [json.loads(line) for line in output.splitlines()]
    programs = [line["executable"] for line in built if line.get("target", {}).get("name") == example]
    return Path(next(program for program in programs if program))


def write_events(path: Path, events: Iterable[bytes]) -> None:
    """Events with four bytes of length, little endian, before each."""
    path.write_bytes(b"".join(len(event).to_bytes(4, "little") + event for event in events))
