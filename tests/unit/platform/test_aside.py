"""Parts of a job that are put aside."""

from __future__ import annotations

import asyncpg

from wafast.database.aside import Aside


async def test_what_is_gone_meanwhile_and_what_has_a_fault_keep_no_other_from_its_turn() -> None:
    parts = {1: "gone", 2: "held", 3: "faulty", 4: "done"}

    async def first(aside: list[int]) -> int | None:
        return next((one for one in parts if one not in aside), None)

    async def work(one: int) -> str | None:
        match parts[one]:
            case "gone":
                del parts[one]
                return None
            case "held":
                raise asyncpg.LockNotAvailableError
            case "faulty":
                raise ValueError
        return parts.pop(one)

    aside = Aside("test")
    assert await aside.do_first(first, work) == "done"
    assert sorted(aside) == [2, 3]
    assert await aside.do_first(first, work) is None
