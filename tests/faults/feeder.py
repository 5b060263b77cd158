"""A child that feeds the core as fast as it can, and tells each id once the callback has returned for it.

Arguments: database address, spool folder, device number, number of the first message.
"""

from __future__ import annotations

import os
import sys
from itertools import count

from tests import no_neonize


def main() -> None:
    no_neonize.install()
    from tests.integration.core import events
    from wafast._core import Ingest

    uri, spool, device_no, first = sys.argv[1:]
    ingest = Ingest(uri, f"feeder-{os.getpid()}", spool, messages_per_chat=0)
    for number in count(int(first)):
        id = f"F{number}."
        ingest.receive(int(device_no), events.MESSAGE, events.message(id, str(number), at=events.NOW + number % 3600))
        # One write a line, so that a kill leaves no line of several.
        os.write(1, f"{id}\n".encode())


if __name__ == "__main__":
    main()
