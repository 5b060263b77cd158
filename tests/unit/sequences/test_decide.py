"""What becomes of an enrolment, whatever its row says; and where a moved step stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from wafast.api.outbox import OutboxState
from wafast.sequences.rows import moved
from wafast.sequences.walk import Standing, decide, delay_begins

NOW = datetime(2026, 11, 26, tzinfo=UTC)
ENDED = [state for state in get_args(OutboxState) if state not in ("queued", "sending")]
standings = st.builds(
    Standing,
    id=st.just(1),
    tenant_id=st.just(1),
    sequence_id=st.just(1),
    lead_id=st.just(1),
    since=st.just(NOW - timedelta(days=9)),
    is_deleted=st.booleans(),
    row_state=st.sampled_from([None, *get_args(OutboxState)]),
    cause=st.sampled_from([None, "opted_out", "not_on_whatsapp", "refused", "by_person", "parent_gone"]),
    sent_at=st.sampled_from([None, NOW - timedelta(days=1)]),
    phone=st.just("+60123456789"),
    zone=st.just("UTC"),
    device_no=st.sampled_from([None, 1]),
    is_suppressed=st.booleans(),
    next_step_id=st.sampled_from([None, 2]),
    source_id=st.just(1),
    delay_seconds=st.just(60),
    next_sequence_id=st.none(),
)


@given(standings)
def test_one_step_is_open_at_a_time_and_only_who_wants_it_gets_one(at: Standing) -> None:
    move = decide(at)
    if at.row_state in ("queued", "sending"):
        assert move == ("sequence_deleted" if at.is_deleted else "wait")
    if move == "step":
        assert at.next_step_id is not None
        assert not (at.is_suppressed or at.is_deleted)
        assert at.row_state is None or at.row_state in ENDED
    if move == "complete":
        assert at.next_step_id is None
        assert at.row_state in ENDED
    assert NOW - timedelta(days=9) <= delay_begins(at, NOW) <= NOW


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.data())
def test_a_moved_step_stands_where_it_was_put_and_the_others_keep_their_order(gone: list[bool], data: Any) -> None:
    steps = list(enumerate(gone))
    shown = [one for one, is_gone in steps if not is_gone]
    if not shown:
        return
    one, position = data.draw(st.sampled_from(shown)), data.draw(st.integers(1, 15))
    order = moved(steps, one, position)
    assert sorted(order) == [number for number, _ in steps]
    assert [number for number in order if number != one] == [number for number, _ in steps if number != one]
    assert [number for number in order if not gone[number]].index(one) == min(position, len(shown)) - 1
