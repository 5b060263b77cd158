"""Write the protobuf descriptors that neonize carries as one FileDescriptorSet.

    python descriptors.py <site-packages>/neonize/proto descriptors.bin

The descriptors are read from the generated Python modules themselves, so the Rust types are those of the neonize
version that is installed. neonize itself is not imported: that would load its shared library.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

ROOTS = [
    "Neonize_pb2",
    "waE2E.WAWebProtobufsE2E_pb2",
    "waHistorySync.WAWebProtobufsHistorySync_pb2",
    "waWeb.WAWebProtobufsWeb_pb2",
    "waServerSync.WAWebProtobufsServerSync_pb2",
    "waSyncAction.WAWebProtobufSyncAction_pb2",
    "waWa6.WAWebProtobufsWa6_pb2",
    "waCert.WACert_pb2",
    "waAdv.WAAdv_pb2",
    "waCompanionReg.WACompanionReg_pb2",
]


def main(folder: str, output: str) -> None:
    """Collect ROOTS and everything they import, dependencies first."""
    sys.path.insert(0, folder)
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    files = FileDescriptorSet()
    seen: set[str] = set()

    def add(descriptor) -> None:  # type: ignore[no-untyped-def]
        if descriptor.name in seen:
            return
        seen.add(descriptor.name)
        for dependency in descriptor.dependencies:
            add(dependency)
        descriptor.CopyToProto(files.file.add())

    for name in ROOTS:
        add(importlib.import_module(name).DESCRIPTOR)
    Path(output).write_bytes(files.SerializeToString())
    print(f"{len(files.file)} files")


if __name__ == "__main__":
    main(*sys.argv[1:])
