"""Who is asking."""

from __future__ import annotations


class Principal:
    """The caller."""
