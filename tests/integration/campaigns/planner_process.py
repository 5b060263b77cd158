"""The planner in a process of its own, to be killed: `python -m … URI`."""

from __future__ import annotations

import asyncio
import sys

from wafast.campaigns.planner import keep_planned
from wafast.database.pool import open_pool


async def main(uri: str) -> None:
    """Until it is killed."""
    await keep_planned(uri, await open_pool(uri, size=4, name="planner"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
