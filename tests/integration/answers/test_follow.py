"""What people write back: who answered, which sequences stop, who wants nothing more. What was seen counts once."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from tests.database import blocked
from tests.integration.sequences.people import People, step
from wafast.accounts.principal import Principal
from wafast.answers import chat_lead, follow
from wafast.answers.follow import Follower, end_suppressed
from wafast.database.pool import connect
from wafast.events import bus
from wafast.leads import merging, suppressions
from wafast.sequences import of_leads

SITI = "+60123456789"
SITI_LID = 900123
#: A number as people dial it, and as WhatsApp names it.
DIALLED, NAMED = "+5511912345678", "+551112345678"
#: The follower has looked, and listens.
FOLLOWS = (
    "SELECT count(*) = 1 FROM pg_stat_activity"
    " WHERE datname = current_database() AND query LIKE 'UPDATE answers_progress%'"
)


async def _written_to(people: People, **more: object) -> int:
    """A sequence of two steps, of which Siti has got the first."""
    sequence = await people.sequence(step("one"), step("two", 60), **more)
    await people.enrol(sequence, await people.lead(phone=SITI))
    await people.walk()
    assert await people.send() == ["one"]
    await people.walk()
    return sequence


async def _buckets(people: People) -> dict[str, int]:
    rows = await people.pool.fetch("SELECT bucket, sum(n)::int4 AS n FROM source_buckets GROUP BY bucket")
    return {row["bucket"]: row["n"] for row in rows}


async def test_a_reply_is_noted_and_stops_the_sequence(people: People) -> None:
    sequence = await _written_to(people)
    await people.write("How much is it?", SITI)
    await people.follow()
    assert await people.states(sequence) == [("stopped", "replied")]
    assert await _buckets(people) == {"replied": 1, "cancelled": 1}
    assert await people.value("SELECT replied_at > now() - interval '1 minute' FROM leads")
    assert await people.value("SELECT count(*) FROM suppressions") == 0
    await people.pass_time(60)
    assert await people.until_end() == []


async def test_a_sequence_that_goes_on_after_replies_goes_on(people: People) -> None:
    sequence = await _written_to(people, stop_on_reply=False)
    await people.write("How much is it?", SITI)
    await people.follow()
    await people.pass_time(60)
    assert await people.until_end() == ["two"]
    assert await people.states(sequence) == [("completed", None)]
    assert await _buckets(people) == {"replied": 1, "sent": 1}


@pytest.mark.parametrize(
    "message",
    [
        {"flags": 1},
        {"kind": 12},
        {"at": -3600.0},
        {"jid": "120363000000000001@g.us"},
        {"jid": "60187654321@s.whatsapp.net"},
        {"jid": f"{SITI_LID}@lid"},
    ],
    ids=["our own", "told by WhatsApp", "before it entered", "in a group", "another's", "unknown LID"],
)
async def test_what_is_no_reply(people: People, message: dict[str, object]) -> None:
    sequence = await _written_to(people)
    await people.write("Hello", SITI, **message)  # type: ignore[arg-type]
    await people.follow()
    assert await people.states(sequence) == [("active", None)]
    assert await _buckets(people) == {"sent": 1, "waiting": 1}


async def test_a_chat_known_by_its_lid_is_the_numbers(people: People) -> None:
    sequence = await _written_to(people)
    await people.pool.execute(
        "INSERT INTO lid_numbers (tenant_id, device_no, lid, number) VALUES ($1, $2, $3, $4)",
        people.tenant_id, people.device_no, SITI_LID, int(SITI[1:]),
    )  # fmt: skip
    await people.write("stop", SITI, jid=f"{SITI_LID}@lid")
    await people.follow()
    assert await people.states(sequence) == [("stopped", "opted_out")]
    assert await people.value("SELECT to_jid FROM outbox WHERE priority = 'reply'") == f"{SITI_LID}@lid"


async def test_who_whatsapp_names_otherwise_than_people_dial_is_heard(people: People) -> None:
    sequence = await people.sequence(step("one"), step("two", 60))
    await people.enrol(sequence, await people.lead(phone=DIALLED))
    assert await people.until_end() == ["one"]
    await people.name(DIALLED, NAMED)
    chat, _ = await people.write("stop", NAMED)
    await people.follow()
    assert await people.states(sequence) == [("stopped", "opted_out")]
    assert await people.value("SELECT array_agg(phone ORDER BY phone) FROM suppressions") == [NAMED, DIALLED]
    person = await chat_lead.person(people.pool, people.tenant_id, chat)
    assert person is not None
    assert (person.phone, person.reason) == (DIALLED, "replied stop")


@pytest.mark.parametrize("is_named_first", [True, False], ids=["named first", "named later"])
@pytest.mark.parametrize("by", ["chat", "hand"])
async def test_who_wants_nothing_more_at_one_number_wants_nothing_at_any(
    people: People, is_named_first: bool, by: str
) -> None:
    sequence = await people.sequence(step("one"), step("two", 60))
    await people.enrol(sequence, await people.lead(phone=NAMED))
    assert await people.until_end() == ["one"]
    admin = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    if is_named_first:
        await people.name(DIALLED, NAMED)
    if by == "chat":
        await people.write("stop", NAMED)
    else:
        await suppressions.add(people.pool, admin, NAMED, "by a person")
        await people.write("Hello", NAMED)
    await people.follow()
    if not is_named_first:
        await people.name(DIALLED, NAMED)
    dialled = await people.lead(phone=DIALLED)
    await people.enrol(sequence, dialled)
    assert await people.states(sequence) == [("stopped", "opted_out")]
    confirmed = await people.value("SELECT count(*) FROM outbox WHERE created_by = 'opt-out'")
    assert confirmed == (1 if by == "chat" else 0)
    assert await suppressions.remove(people.pool, admin, DIALLED)
    assert await people.value("SELECT count(*) FROM suppressions") == 0
    await people.follow()
    assert await people.value("SELECT count(*) FROM suppressions") == 0, "what was said before counts no more"


async def test_a_person_who_is_two_leads_is_told_once_and_gets_nothing_more_at_either(people: People) -> None:
    sequence = await people.sequence(step("one"), step("two", 60))
    await people.enrol(sequence, await people.lead(phone=DIALLED), await people.lead(phone=NAMED))
    await people.until_end()
    await people.name(DIALLED, NAMED)
    await people.write("stop", NAMED)
    await people.follow()
    assert await people.value("SELECT count(*) FROM outbox WHERE created_by = 'opt-out'") == 1
    assert await people.value("SELECT count(*) FROM enrolments WHERE ended_at IS NULL") == 0


@pytest.mark.parametrize("text", ["stop", "How much is it?"])
async def test_who_writes_by_the_number_of_a_lead_that_became_part_of_another_is_that_one(
    people: People, text: str
) -> None:
    sequence, admin = await _written_to(people), Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    siti = await people.value("SELECT id FROM leads")
    last, part = await people.lead(phone="+60187654321"), await people.lead(phone="+60187654322")
    assert await merging.merge(people.pool, admin, last, part, of_leads)
    assert await merging.merge(people.pool, admin, siti, last, of_leads)
    chat, _ = await people.write(text, "+60187654322")
    await people.follow()
    assert await people.states(sequence) == [("stopped", "opted_out" if text == "stop" else "replied")]
    assert await people.value("SELECT replied_at IS NOT NULL FROM leads")
    person = await chat_lead.person(people.pool, people.tenant_id, chat)
    assert person is not None
    assert person.lead_id == siti
    listed = await people.pool.fetch("SELECT phone FROM suppressions ORDER BY phone")
    everywhere = [SITI, "+60187654321", "+60187654322"] if text == "stop" else []
    assert [row["phone"] for row in listed] == everywhere


async def test_who_wants_more_again_at_one_number_wants_it_at_all(people: People) -> None:
    admin = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    siti, part = await people.lead(phone=SITI), await people.lead(phone=DIALLED)
    assert await merging.merge(people.pool, admin, siti, part, of_leads)
    await people.name(DIALLED, NAMED)
    await suppressions.add(people.pool, admin, NAMED, "by a person")
    assert await people.value("SELECT count(*) FROM suppressions") == 3
    assert await suppressions.remove(people.pool, admin, SITI)
    assert await people.value("SELECT count(*) FROM suppressions") == 0


async def test_a_reply_answers_the_last_send_of_thirty_days(people: People) -> None:
    sequence = await people.sequence(*(step(f"{number}") for number in range(3)), stop_on_reply=False)
    await people.enrol(sequence, await people.lead(phone=SITI))
    assert await people.until_end() == ["0", "1", "2"]
    order = "UPDATE outbox o SET sent_at = now() - make_interval(days => $2) FROM sources s WHERE s.id = o.source_id"
    for text, days in (("0", 31), ("1", 29), ("2", 1)):
        await people.pool.execute(f"{order} AND s.template = $1", text, days)
    await people.write("about 1", SITI, at=-2 * 86_400)
    await people.follow()
    answered = "SELECT s.template FROM outbox o JOIN sources s ON s.id = o.source_id WHERE o.replied_at IS NOT NULL"
    assert [row["template"] for row in await people.pool.fetch(answered)] == ["1"]
    await people.write("about 2", SITI)
    await people.write("about 2 as well", SITI)
    await people.follow()
    assert sorted(row["template"] for row in await people.pool.fetch(answered)) == ["1", "2"]
    assert await _buckets(people) == {"sent": 1, "replied": 2}


async def test_stop_ends_everything_and_is_confirmed_once(people: People) -> None:
    sequence = await _written_to(people, stop_on_reply=False)
    other = await people.sequence(step("other", 60), stop_on_reply=False)
    await people.enrol(other, await people.value("SELECT id FROM leads"))
    await people.walk()
    await people.write("STOP!", SITI)
    await people.write("I said stop", SITI)
    await people.write("stop", SITI)
    await people.follow()
    await people.follow()
    assert [await people.states(one) for one in (sequence, other)] == [[("stopped", "opted_out")]] * 2
    assert await _buckets(people) == {"replied": 1, "opted_out": 2}
    assert await people.value("SELECT phone || ' ' || reason FROM suppressions") == f"{SITI} replied STOP!"
    told = await people.pool.fetch("SELECT body, to_jid, device_no FROM outbox WHERE priority = 'reply'")
    assert [tuple(row) for row in told] == [
        ("You will get no more of these messages.", f"{SITI[1:]}@s.whatsapp.net", people.device_no)
    ]
    assert await people.enrol(sequence, await people.value("SELECT id FROM leads"), again=True) == 0


async def test_stop_counts_where_its_line_is_just_being_deleted(people: People) -> None:
    await people.lead(phone=SITI)
    await people.write("stop", SITI)
    async with people.pool.acquire() as deleting, deleting.transaction():
        await deleting.execute("DELETE FROM devices WHERE no = $1", people.device_no)
        following = await blocked(people.pool, people.follow())
    await following
    assert await people.value("SELECT array_agg(phone) FROM suppressions") == [SITI]
    assert await people.value("SELECT count(*) FROM outbox") == 0


async def test_who_holds_a_line_holds_up_what_tells_that_stop_counts_and_not_that_it_does(people: People) -> None:
    await people.lead(phone=SITI)
    await people.write("stop", SITI)
    connection = await connect(people.uri, "answers")
    follower = Follower(connection)
    try:
        async with people.pool.acquire() as replacing, replacing.transaction():
            await replacing.execute("SELECT FROM devices WHERE no = $1 FOR UPDATE", people.device_no)
            await follower.look_back()
            await follower.catch_up()
            assert await people.value("SELECT count(*) FROM suppressions") == 1
            assert await people.value("SELECT count(*) FROM outbox") == 0
        await follower.catch_up()
        await follower.catch_up()
        assert await people.value("SELECT count(*) FROM outbox WHERE priority = 'reply'") == 1
    finally:
        await connection.close()


async def test_who_was_not_told_before_a_cut_is_told_after_it(people: People) -> None:
    await people.lead(phone=SITI)
    await people.write("stop", SITI)
    connection = await connect(people.uri, "answers")
    try:
        async with people.pool.acquire() as replacing, replacing.transaction():
            await replacing.execute("SELECT FROM devices WHERE no = $1 FOR UPDATE", people.device_no)
            killed = Follower(connection)
            await killed.look_back()
            await killed.catch_up()
        assert await people.value("SELECT count(*) FROM outbox") == 0
        await people.follow()
        await people.follow()
        assert await people.value("SELECT count(*) FROM outbox WHERE priority = 'reply'") == 1
    finally:
        await connection.close()


async def test_who_is_put_back_by_a_person_is_not_taken_out_by_what_was_said_before(people: People) -> None:
    await _written_to(people)
    await people.write("stop", SITI)
    await people.follow()
    await people.pool.execute("DELETE FROM suppressions")
    await people.follow()
    assert await people.value("SELECT count(*) FROM suppressions") == 0
    await people.write("stop", SITI)
    await people.follow()
    assert await people.value("SELECT count(*) FROM suppressions") == 1
    assert await people.value("SELECT count(*) FROM outbox WHERE priority = 'reply'") == 2


@pytest.mark.parametrize(("days", "told"), [(0.5, 1), (2, 0)])
async def test_what_a_history_brings_counts_and_is_confirmed_within_a_day(
    people: People, days: float, told: int
) -> None:
    sequence = await _written_to(people)
    await people.pool.execute("UPDATE enrolments SET started_at = now() - interval '3 days'")
    await people.write("stop", SITI, flags=64, at=-days * 86_400)
    await people.follow()
    assert await people.states(sequence) == [("stopped", "opted_out")]
    assert await people.value("SELECT phone FROM suppressions") == SITI
    assert await people.value("SELECT count(*) FROM outbox WHERE priority = 'reply'") == told


async def test_an_answer_of_a_history_stops_the_sequence(people: People) -> None:
    sequence = await _written_to(people)
    await people.write("How much is it?", SITI, flags=64)
    await people.follow()
    assert await people.states(sequence) == [("stopped", "replied")]


async def test_who_was_put_back_since_is_not_taken_out_by_a_history(people: People) -> None:
    await _written_to(people)
    admin = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    await suppressions.add(people.pool, admin, SITI, "by a person")
    assert await suppressions.remove(people.pool, admin, SITI)
    await people.write("stop", SITI, flags=64, at=-3600.0)
    await people.follow()
    assert await people.value("SELECT count(*) FROM suppressions") == 0
    await people.write("stop", SITI, flags=64)
    await people.follow()
    assert await people.value("SELECT phone FROM suppressions") == SITI


async def test_the_words_are_the_workspaces_own(people: People) -> None:
    await _written_to(people)
    await people.pool.execute("UPDATE tenants SET opt_out_words = '{tak nak}', opt_out_answer = ''")
    await people.write("stop", SITI)
    await people.follow()
    assert await people.value("SELECT count(*) FROM suppressions") == 0
    await people.write("Tak  nak!", SITI)
    await people.follow()
    assert await people.value("SELECT count(*) FROM suppressions") == 1
    assert await people.value("SELECT count(*) FROM outbox WHERE priority = 'reply'") == 0


async def test_strangers_can_not_opt_out_but_who_was_a_lead_can(people: People) -> None:
    await _written_to(people)
    await people.write("stop", "+60187654321")
    await people.follow()
    assert await people.value("SELECT count(*) FROM suppressions") == 0
    await people.pool.execute("DELETE FROM leads")
    await people.write("stop", SITI)
    await people.follow()
    assert await people.value("SELECT phone FROM suppressions") == SITI
    assert await people.value("SELECT count(*) FROM outbox WHERE priority = 'reply'") == 1


async def test_whoever_holds_a_lead_holds_up_nobody(people: People) -> None:
    await _written_to(people)
    other = await people.lead(phone="+60111111111")
    connection = await connect(people.uri, "answers")
    follower = Follower(connection)
    try:
        async with people.pool.acquire() as importer, importer.transaction():
            await importer.execute("UPDATE leads SET name = 'Siti' WHERE phone = $1", SITI)
            await people.write("stop", SITI)
            await people.write("hello", "+60111111111")
            await follower.look_back()
            assert await people.value("SELECT count(*) FROM suppressions") == 1
            assert await people.value("SELECT replied_at IS NOT NULL FROM leads WHERE id = $1", other)
        await follower.catch_up()
        assert await people.value("SELECT count(*) FROM leads WHERE replied_at IS NULL") == 0
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("words", "hold"),
    [
        ("stop", "INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, $2, 'x', 'import:1')"),
        ("hello", "SELECT e.id FROM enrolments e JOIN leads l ON l.id = e.lead_id AND l.tenant_id = $1 AND phone = $2"
         " FOR UPDATE OF e"),
        ("stop", "SELECT e.id FROM enrolments e JOIN leads l ON l.id = e.lead_id AND l.tenant_id = $1 AND phone = $2"
         " FOR UPDATE OF e"),
    ],
    ids=["their number", "their way, who answer", "their way, who want no more"],
)  # fmt: skip
async def test_whoever_holds_what_one_wrote_about_holds_up_nobody(people: People, words: str, hold: str) -> None:
    sequence = await _written_to(people)
    other = "+60111111111"
    await people.enrol(sequence, await people.lead(phone=other))
    await people.walk()
    connection = await connect(people.uri, "answers")
    follower = Follower(connection)
    try:
        async with people.pool.acquire() as holding:
            held = holding.transaction()
            await held.start()
            await holding.execute(hold, people.tenant_id, SITI)
            await people.write(words, SITI)
            await people.write("stop", other)
            async with asyncio.timeout(120):
                await follower.look_back()
                await follower.catch_up()
                await end_suppressed(connection)
            assert await people.states(sequence) == [("active", None), ("stopped", "opted_out")]
            await held.rollback()
        await follower.catch_up()
        await end_suppressed(connection)
        reason = "replied" if words == "hello" else "opted_out"
        assert await people.states(sequence) == [("stopped", reason), ("stopped", "opted_out")]
    finally:
        await connection.close()


async def test_many_who_are_put_on_the_list_are_ended_in_portions(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "STEP", 1)
    await _by_file(people, Principal(tenant_id=people.tenant_id, scope="admin", key_id=1))
    waiting = await people.value("SELECT count(*) FROM suppression_queue")
    connection = await connect(people.uri, "answers")
    try:
        assert await end_suppressed(connection)
    finally:
        await connection.close()
    assert await people.value("SELECT count(*) FROM suppression_queue") == waiting - 1


async def test_what_it_missed_is_read_once_however_much_it_is(people: People) -> None:
    await people.lead(phone=SITI)
    chat, _ = await people.write("stop", SITI)
    await people.pool.execute(
        "INSERT INTO messages (chat_id, key, tenant_id, device_no, kind, flags, status, message_id, body,"
        " created_at) SELECT $1, n, $2, $3, 5, CASE WHEN n > 200 THEN 0 WHEN n > 100 THEN 64 ELSE 1 END, 0, 'M' || n,"
        " 'a list', now() FROM generate_series(1, 20200) n",
        chat, people.tenant_id, people.device_no,
    )  # fmt: skip
    connection = await connect(people.uri, "answers")
    try:
        follower, asked = Follower(connection), Counter[str]()
        for _ in range(2):
            with connection.query_logger(lambda query: asked.update([query.query])):
                await follower.look_back()
        assert sum(times for query, times in asked.items() if "m.created_at >=" in query) == 2
        assert asked["FETCH 10000 FROM untold"] == 2 * 4
        assert await people.value("SELECT phone FROM suppressions") == SITI
    finally:
        await connection.close()


async def test_it_hears_what_is_announced(people: People) -> None:
    sequence = await _written_to(people)
    connection = await connect(people.uri, "answers")
    work = asyncio.create_task(Follower(connection).run())
    try:
        await people.until(FOLLOWS)
        chat, key = await people.write("stop", SITI)
        event = {"k": "message", "t": people.tenant_id, "d": people.device_no, "c": chat, "m": [key]}
        await bus.publish(people.pool, [event])
        await people.until("SELECT reason = 'opted_out' FROM enrolments")
        assert await people.states(sequence) == [("stopped", "opted_out")]
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        await connection.close()


async def _learn(people: People) -> None:
    """The core learns whose LID it is: the chat gets the number's name, in one transaction."""
    async with people.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO lid_numbers (tenant_id, device_no, lid, number) VALUES ($1, $2, $3, $4)",
            people.tenant_id, people.device_no, SITI_LID, int(SITI[1:]),
        )  # fmt: skip
        by_lid = await connection.fetchval("SELECT id FROM chats WHERE jid = $1", f"{SITI_LID}@lid")
        by_number = await connection.fetchval("SELECT id FROM chats WHERE jid = $1", f"{SITI[1:]}@s.whatsapp.net")
        if by_number is None:
            await connection.execute("UPDATE chats SET jid = $2 WHERE id = $1", by_lid, f"{SITI[1:]}@s.whatsapp.net")
        else:
            await connection.execute("SELECT merge_chats($1, $2)", by_lid, by_number)


@pytest.mark.parametrize("is_merged", [False, True])
async def test_what_was_said_under_a_lid_counts_for_its_number_once_that_is_known(
    people: People, is_merged: bool
) -> None:
    sequence = await _written_to(people)
    if is_merged:
        await people.write("Hello", SITI, at=-3600.0)
    await people.write("stop", SITI, jid=f"{SITI_LID}@lid")
    await people.follow()
    assert await people.states(sequence) == [("active", None)]
    await people.pool.execute("UPDATE messages SET created_at = now() - interval '1 hour'")
    await _learn(people)
    await people.follow()
    assert await people.states(sequence) == [("stopped", "opted_out")]
    assert await _buckets(people) == {"replied": 1, "opted_out": 1}
    assert await people.value("SELECT phone FROM suppressions") == SITI
    assert await people.value("SELECT replied_at IS NOT NULL FROM leads")
    assert await people.value("SELECT count(*) FROM lid_queue") == 0


async def _by_hand(people: People, admin: Principal) -> None:
    await suppressions.add(people.pool, admin, SITI, "by a person")


async def _by_file(people: People, admin: Principal) -> None:
    await people.pool.execute(
        "INSERT INTO suppressions (tenant_id, phone, reason, created_by)"
        " SELECT $1, '+60' || n, 'imported', 'import:1' FROM generate_series(123456000, 123457000) n",
        people.tenant_id,
    )


async def _by_merge(people: People, admin: Principal) -> None:
    gone = await people.lead(phone="+60187654321")
    await suppressions.add(people.pool, admin, "+60187654321", "by a person")
    assert await merging.merge(
        people.pool, admin, await people.value("SELECT id FROM leads WHERE phone = $1", SITI), gone, of_leads
    )


@pytest.mark.parametrize("suppress", [_by_hand, _by_file, _by_merge])
async def test_who_is_suppressed_gets_nothing_more_however_it_came_to_that(
    people: People, suppress: Callable[[People, Principal], Awaitable[None]]
) -> None:
    sequence = await _written_to(people)
    connection = await connect(people.uri, "answers")
    work = asyncio.create_task(Follower(connection).run())
    try:
        await people.until(FOLLOWS)
        await suppress(people, Principal(tenant_id=people.tenant_id, scope="admin", key_id=1))
        await people.until("SELECT count(*) = 0 FROM suppression_queue")
        assert await people.states(sequence) == [("stopped", "opted_out")]
        assert await _buckets(people) == {"sent": 1, "opted_out": 1}
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        await connection.close()


async def test_who_is_taken_off_the_list_at_once_keeps_what_waits(people: People) -> None:
    sequence = await _written_to(people)
    admin = Principal(tenant_id=people.tenant_id, scope="admin", key_id=1)
    await suppressions.add(people.pool, admin, SITI, "by a person")
    assert await suppressions.remove(people.pool, admin, SITI)
    connection = await connect(people.uri, "answers")
    try:
        await end_suppressed(connection)
    finally:
        await connection.close()
    assert await people.states(sequence) == [("active", None)]
    assert await people.value("SELECT count(*) FROM suppression_queue") == 0


async def test_a_message_that_can_not_be_heeded_holds_up_no_other(people: People) -> None:
    other = "+60123456780"
    sequence = await people.sequence(step("one"), step("two", 60))
    await people.enrol(sequence, await people.lead(phone=SITI), await people.lead(phone=other))
    await people.walk()
    assert await people.send() == ["one"] * 2
    await people.walk()
    await people.pool.execute(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'poison'; END $$;"
        f" CREATE TRIGGER poison BEFORE UPDATE OF replied_at ON leads FOR EACH ROW WHEN (OLD.phone = '{SITI}')"
        " EXECUTE FUNCTION poison()"
    )
    await people.write("How much is it?", SITI)
    await people.write("And mine?", other)
    await people.follow()
    assert await people.states(sequence) == [("active", None), ("stopped", "replied")]


async def test_a_suppressed_number_whose_sends_can_not_be_ended_holds_up_no_other(people: People) -> None:
    other = "+60123456780"
    sequence = await people.sequence(step("one"))
    await people.enrol(sequence, await people.lead(phone=SITI), await people.lead(phone=other))
    await people.walk()
    await people.pool.execute(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'poison'; END $$;"
        " CREATE TRIGGER poison BEFORE UPDATE ON enrolments FOR EACH ROW WHEN (OLD.lead_id ="
        f" {await people.value(f'''SELECT id FROM leads WHERE phone = '{SITI}' ''')}) EXECUTE FUNCTION poison()"
    )
    for phone in (SITI, other):
        added = "INSERT INTO suppressions (tenant_id, phone, reason, created_by) VALUES ($1, $2, 'asked', 'user:1')"
        await people.pool.execute(added, people.tenant_id, phone)
    connection = await connect(people.uri, "answers")
    await end_suppressed(connection)
    await connection.close()
    assert await people.states(sequence) == [("active", None), ("stopped", "opted_out")]
    assert await people.value("SELECT count(*) FROM suppression_queue") == 0
