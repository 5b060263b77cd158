"""`python -m wafast` is `wafast`."""

from __future__ import annotations

from wafast.cli import main

if __name__ == "__main__":
    main()
