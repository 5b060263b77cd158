"""What handlers work with: one object made when the API process starts."""

from __future__ import annotations


class Services:
    """Everything a handler may need."""
