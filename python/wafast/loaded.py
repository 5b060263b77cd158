"""What a process has loaded for good: modules, the application's routes, neonize's descriptors."""

from __future__ import annotations

import gc


def leave_loaded() -> None:
    """No later collection walks what there is by now. A full one does, and finds nothing: an API's 105,000 objects
    take it 80 ms on a busy machine, a worker's 63,000 40, in which nobody is answered and nothing leaves."""
    gc.collect()
    gc.freeze()
