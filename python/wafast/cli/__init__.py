"""The command line."""

from __future__ import annotations

import signal


def main() -> None:
    """Run `wafast`."""
    # `wafast restart` may mean a system that has just begun: there is nothing to restart yet, and until the supervisor
    # listens the signal would end it.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    # Here, not above: every process the supervisor starts imports this module and needs nothing of it.
    from wafast.cli.app import run

    run()
