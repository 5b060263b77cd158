"""What wafast uses of neonize: the functions of its library, and its protobuf types.

neonize's own client in Python is left out. To import it takes half of what a worker takes to start, and 20 MB of each:
previews of links, bars of progress, two more HTTP clients, and a search for libmagic.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import NoReturn

VERSION = importlib.metadata.version("neonize")


def _missing() -> NoReturn:
    raise ImportError("neonize's library is not beside its modules, or another version's")


def _leave_out_client() -> None:
    """Have neonize's packages without what they import by themselves, and without what fetches a library that is
    missing: it would run whatever the network gave."""
    spec = importlib.util.find_spec("neonize")
    if spec is None or spec.origin is None:
        raise ImportError("there is no neonize")
    folder = Path(spec.origin).parent
    for name, place in (("neonize", folder), ("neonize.utils", folder / "utils")):
        package = ModuleSpec(name, None, is_package=True)
        package.submodule_search_locations = [str(place)]
        sys.modules[name] = importlib.util.module_from_spec(package)
    download = ModuleType("neonize.download")
    download.__dict__.update(__GONEONIZE_VERSION__=VERSION, download=_missing)
    sys.modules["neonize.download"] = download


if "neonize" not in sys.modules:
    _leave_out_client()

from neonize._binder import (  # noqa: E402
    ProxySettings,
    func_callback_bytes,
    func_callback_bytes2,
    func_string,
    gocode,
)
from neonize.proto import Neonize_pb2 as pb  # noqa: E402
from neonize.proto.waCommon import WACommon_pb2 as common  # noqa: E402
from neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2 import DeviceProps  # noqa: E402
from neonize.proto.waE2E import WAWebProtobufsE2E_pb2 as e2e  # noqa: E402
from neonize.proto.waHistorySync import WAWebProtobufsHistorySync_pb2 as history  # noqa: E402

__all__ = [
    "VERSION",
    "DeviceProps",
    "ProxySettings",
    "common",
    "e2e",
    "func_callback_bytes",
    "func_callback_bytes2",
    "func_string",
    "gocode",
    "history",
    "pb",
]
