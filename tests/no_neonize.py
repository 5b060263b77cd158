"""Keeps neonize's clients out of the test process: there they would dial the real WhatsApp.

A client lives in a worker, or in a child process, with the simulator's proxy and root key. In the test process only
neonize's protobuf modules are of use.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, NoReturn

BINDER = "neonize._binder"


def install() -> None:
    """Refuse clients from now on, and leave a dead end where one would go that gets past."""
    sys.meta_path.insert(0, _Finder())
    # Go reads its environment when the library is loaded; children that bring no proxy of their own inherit this one.
    os.environ.update(HTTPS_PROXY="http://127.0.0.1:9", NO_PROXY="127.0.0.1,localhost")
    importlib.import_module(
        "wafast.devices.neonize_package"
    )  # before a test has neonize whole, which takes thrice as long


def _refuse(*_arguments: Any) -> NoReturn:
    raise RuntimeError("a neonize client in the test process would dial the real WhatsApp: start it in a child process")


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == BINDER else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    def __init__(self, inner: Loader) -> None:
        self._inner = inner

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._inner.exec_module(module)
        module.__dict__["gocode"].Neonize = _refuse
