"""The built web app, served beside the API."""

from __future__ import annotations

from pathlib import Path

WEB_DIR = Path(__file__).parent.parent / "web"
