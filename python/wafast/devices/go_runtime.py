"""What neonize's Go runtime reads from the environment of its process, once, when that starts."""

from __future__ import annotations

import os
from collections.abc import Mapping

#: Go's own choice is one a core. A busy client then has the processor for 10 ms at a time and reads as many messages as
#: that allows, while the thread that hands them to the inlet waits its turn: with 40 lines catching up it was up to 101
#: messages behind, all that neonize queues, and a kill made those unreadable. With more, Linux shares the time in
#: smaller pieces (42 behind, a quarter as many unreadable) at no more than 8 % more CPU a message.
PROCESSORS_A_CORE = 8


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """`base` with what a worker's process must be started with. A GOMAXPROCS that is there stays."""
    return {"GOMAXPROCS": str(PROCESSORS_A_CORE * (os.cpu_count() or 1)), **base}
