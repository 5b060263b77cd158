"""wafast: thousands of WhatsApp lines on one machine, their inboxes, and everything they send."""

from __future__ import annotations

__version__ = "0.1.0"
