"""What a check finds."""

from __future__ import annotations


class Trouble(Exception):
    """What is wrong, and what would help."""


class Note(Exception):
    """What a person should know and may be meant so, with what would help; it makes nothing else wrong."""
