-- From what a step said to what it says now, for those who wait for it (edits.py).

-- name: next_edited
-- Of those that are not put aside ($1).
SELECT sequence_id FROM sequence_edits WHERE sequence_id <> ALL ($1::int8[]) ORDER BY looked_at, sequence_id LIMIT 1

-- name: hold_edited
-- Nobody edits it meanwhile. $1 the sequence.
SELECT e.tenant_id, e.sequence_id, e.after_id, s.state, s.deleted_at IS NOT NULL AS is_deleted FROM sequences s JOIN sequence_edits e ON e.sequence_id = s.id
WHERE s.id = $1 FOR SHARE OF s

-- name: followed_sources
-- Of the steps that are followed.
SELECT source_id FROM sequence_steps WHERE sequence_id = $1 AND NOT is_followed

-- name: who_follows
-- The next $3 behind $2 that are on the way. Whoever is at one of them now is waited for.
SELECT id FROM enrolments WHERE ended_at IS NULL AND id IN (
    SELECT id FROM (
        (SELECT id FROM enrolments WHERE sequence_id = $1 AND state = 'active' AND id > $2 ORDER BY id LIMIT $3)
        UNION ALL
        (SELECT id FROM enrolments WHERE sequence_id = $1 AND state = 'paused' AND id > $2 ORDER BY id LIMIT $3)
    ) open ORDER BY id LIMIT $3)
ORDER BY id FOR NO KEY UPDATE

-- name: is_anybody_behind
-- $2, whoever holds them.
SELECT EXISTS (SELECT FROM enrolments WHERE sequence_id = $1 AND state = 'active' AND id > $2)
    OR EXISTS (SELECT FROM enrolments WHERE sequence_id = $1 AND state = 'paused' AND id > $2)

-- name: wait_for_deleted
-- What waits, or may wait again, of steps that were deleted. $1 enrolments.
SELECT o.id FROM outbox o JOIN sequence_steps p ON p.source_id = o.source_id
WHERE o.enrolment_id = ANY ($1::int8[]) AND o.state IN ('queued', 'sending') AND p.deleted_at IS NOT NULL

-- name: left_at_deleted
-- What a person tries again for people whose way has ended: once everybody on the way follows, nothing else waits at what
-- was deleted of the sequence $1. The next $2, of as many lanes as it has.
SELECT o.id FROM sequences s
JOIN sequence_steps p ON p.sequence_id = s.id AND (p.deleted_at IS NOT NULL OR s.deleted_at IS NOT NULL)
JOIN lanes n ON n.source_id = p.source_id
CROSS JOIN LATERAL (
    (SELECT q.id FROM outbox q WHERE q.lane_id = n.id AND q.state = 'queued' ORDER BY q.not_before, q.id LIMIT $2)
    UNION ALL
    SELECT q.id FROM outbox q
    WHERE q.device_no = n.device_no AND q.source_id = p.source_id AND q.state = 'sending' AND q.cause IS NULL
) o
WHERE s.id = $1 LIMIT $2

-- name: move_due
-- Who waits for a step whose time was changed gets it after the new delay, and until its new end, counted from the same
-- instant; a try that failed waits as it does, and who is paused does, and one that is just being sent waits so if it fails.
-- $1 enrolments.
UPDATE outbox o SET
    expires_at = step_end(s, p, e.since),
    not_before = CASE WHEN e.state = 'paused' OR o.state = 'queued' AND o.attempts > 0 THEN o.not_before
                      ELSE greatest(e.since + make_interval(secs => p.delay_seconds), now()) END
FROM enrolments e JOIN sequences s ON s.id = e.sequence_id
JOIN sequence_steps p ON p.id = e.step_id AND NOT p.is_followed
WHERE e.id = ANY ($1::int8[]) AND o.id = e.outbox_id
  AND o.state IN ('queued', 'sending')

-- name: move_left
-- The same for what a person tries again for people whose way has ended, once everybody on the way follows: the next $2 of the
-- sequence $1.
WITH late AS (
    SELECT o.id, step_end(s, p, e.since) AS ends_at FROM sequences s
    JOIN sequence_steps p ON p.sequence_id = s.id AND NOT p.is_followed AND p.deleted_at IS NULL
    JOIN lanes n ON n.source_id = p.source_id
    JOIN outbox o ON o.lane_id = n.id AND o.state = 'queued'
    JOIN enrolments e ON e.id = o.enrolment_id AND e.ended_at IS NOT NULL
    WHERE s.id = $1 AND o.expires_at IS DISTINCT FROM step_end(s, p, e.since)
    LIMIT $2
), moved AS (
    UPDATE outbox o SET expires_at = late.ends_at FROM late WHERE o.id = late.id AND o.state = 'queued' RETURNING o.id
)
SELECT count(*) FROM moved

-- name: queue_unbegun
-- Who entered before there was a step. $1 enrolments.
INSERT INTO walk_queue (enrolment_id)
SELECT id FROM enrolments WHERE id = ANY ($1::int8[]) AND state = 'active' AND outbox_id IS NULL

-- name: note_followed
-- $1 the sequence, $2 up to which enrolment, $3 how many more. Those on the way are counted once.
UPDATE sequence_edits SET after_id = $2, followed = followed + $3, looked_at = clock_timestamp(),
    people = coalesce(people, (SELECT count(*) FROM enrolments WHERE sequence_id = $1 AND state IN ('active', 'paused')))
WHERE sequence_id = $1

-- name: end_edit
-- Gives the sources that were held back.
WITH ended AS (
    DELETE FROM sequence_edits WHERE sequence_id = $1
), followed AS (
    UPDATE sequence_steps SET is_followed = true WHERE sequence_id = $1 AND NOT is_followed
    RETURNING source_id, deleted_at
)
SELECT coalesce(array_agg(source_id) FILTER (WHERE deleted_at IS NULL), '{}') FROM followed
