"""The command line."""

from __future__ import annotations


def main() -> None:
    """Run `wafast`."""
    # Here, not above: every process the supervisor starts imports this module and needs nothing of it.
    from wafast.cli.app import run

    run()
