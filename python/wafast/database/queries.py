"""Named queries from `.sql` files that lie beside the code of their domain.

A file holds blocks that start with `-- name: claim_due`; comments inside a block travel with it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING


class Queries:
    """Each query's text as an attribute."""

    def __init__(self, folder: Path, texts: dict[str, str]) -> None:
        self._folder = folder
        self.__dict__.update(texts)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> str: ...

    else:

        def __getattr__(self, name):
            raise AttributeError(f"no query {name!r} in {self._folder}/*.sql")


@cache
def load(module_file: str) -> Queries:
    """The queries of every `.sql` file beside `module_file` (give `__file__`).

    Raises ValueError when two blocks have one name, or text stands before the first block.
    """
    folder = Path(module_file).parent
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*.sql")):
        name = None
        for line in path.read_text("utf-8").splitlines():
            if line.startswith("-- name:"):
                name = line.removeprefix("-- name:").strip()
                if name in texts:
                    raise ValueError(f"{path}: a second query is called {name!r}")
                texts[name] = ""
            elif name is not None:
                texts[name] += line + "\n"
            elif line.strip() and not line.startswith("--"):
                raise ValueError(f"{path}: {line!r} stands before the first '-- name:'")
    return Queries(folder, {name: text.strip() for name, text in texts.items()})
