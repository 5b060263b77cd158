-- Sequences and their steps. $1 is always the tenant.

-- name: list_sequences
-- Newest first; $2 the id below which the page starts.
SELECT s.*, n.name AS next_name, f.followed, f.people,
       (SELECT count(*) FROM sequence_steps p WHERE p.sequence_id = s.id AND p.deleted_at IS NULL) AS steps
FROM sequences s LEFT JOIN sequences n ON n.id = s.next_sequence_id AND n.deleted_at IS NULL
LEFT JOIN sequence_edits f ON f.sequence_id = s.id
WHERE s.tenant_id = $1 AND s.deleted_at IS NULL AND ($2::int8 IS NULL OR s.id < $2)
ORDER BY s.id DESC LIMIT $3

-- name: get_sequence
SELECT s.*, n.name AS next_name, f.followed, f.people,
       (SELECT count(*) FROM sequence_steps p WHERE p.sequence_id = s.id AND p.deleted_at IS NULL) AS steps
FROM sequences s LEFT JOIN sequences n ON n.id = s.next_sequence_id AND n.deleted_at IS NULL
LEFT JOIN sequence_edits f ON f.sequence_id = s.id
WHERE s.tenant_id = $1 AND s.id = $2 AND s.deleted_at IS NULL

-- name: enrolment_counts
-- Of the sequences $2: how many of their enrolments are in each state.
SELECT sequence_id, state, n FROM enrolments_of_sequences WHERE tenant_id = $1 AND sequence_id = ANY ($2::int8[])

-- name: triggers
SELECT DISTINCT trigger FROM sequences WHERE tenant_id = $1 AND trigger IS NOT NULL AND deleted_at IS NULL

-- name: hold_sequence
-- Until the end of the transaction nobody else changes it, and nobody goes on in it.
SELECT state FROM sequences WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE

-- name: has_sequence
SELECT EXISTS (SELECT FROM sequences WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL)

-- name: add_sequence
INSERT INTO sequences (tenant_id, name, trigger, next_sequence_id, stop_on_reply, created_by)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING id

-- name: change_sequence
-- $3 the columns to change.
UPDATE sequences s SET (name, trigger, next_sequence_id, stop_on_reply, state) = (
    SELECT n.name, n.trigger, n.next_sequence_id, n.stop_on_reply, n.state FROM jsonb_populate_record(s, $3) n)
WHERE tenant_id = $1 AND id = $2

-- name: turn_ends
-- The time in which a step may leave runs while its sequence ($2) does: who waited while it stood still has all of it from the
-- start on ($3 whether it starts). Until everybody who waits for such a step follows, nothing of it leaves or ends.
WITH started AS (
    UPDATE sequences SET active_since = now() WHERE tenant_id = $1 AND id = $2 AND $3
)
UPDATE sequence_steps SET is_followed = false
WHERE tenant_id = $1 AND sequence_id = $2 AND expires_seconds > 0 AND deleted_at IS NULL
RETURNING source_id

-- name: delete_sequence
UPDATE sequences SET deleted_at = now(), state = 'paused' WHERE tenant_id = $1 AND id = $2

-- name: steps_of
-- All of them in order, the deleted ones too.
SELECT p.id, p.source_id, p.delay_seconds, p.deleted_at IS NOT NULL AS is_deleted, p.is_followed FROM sequence_steps p
WHERE p.tenant_id = $1 AND p.sequence_id = $2 ORDER BY p.place

-- name: list_steps
SELECT p.id, p.sequence_id, p.source_id, p.delay_seconds, p.expires_seconds, row_number() OVER (ORDER BY p.place) AS position,
       x.kind, x.template, x.media_sha256, m.mime AS media_mime, x.file_name,
       x.min_seconds, x.max_seconds, x.opens, x.closes, x.days
FROM sequence_steps p JOIN sources x ON x.id = p.source_id
LEFT JOIN media m ON m.tenant_id = p.tenant_id AND m.sha256 = x.media_sha256
WHERE p.tenant_id = $1 AND p.sequence_id = $2 AND p.deleted_at IS NULL
ORDER BY p.place

-- name: add_step
-- Behind all others; number_steps puts it where it belongs.
INSERT INTO sequence_steps (tenant_id, sequence_id, source_id, place, delay_seconds, expires_seconds)
SELECT $1, $2, $3, coalesce(max(place), 0) + 1, $4, $5 FROM sequence_steps WHERE sequence_id = $2
RETURNING id

-- name: unnumber_steps
-- Places out of the way, so that number_steps meets none of the old ones.
UPDATE sequence_steps SET place = -place WHERE tenant_id = $1 AND sequence_id = $2

-- name: number_steps
-- $3 the steps in order.
UPDATE sequence_steps p SET place = t.place FROM unnest($3::int8[]) WITH ORDINALITY t (id, place)
WHERE p.tenant_id = $1 AND p.sequence_id = $2 AND p.id = t.id

-- name: set_time
UPDATE sequence_steps SET delay_seconds = $3, expires_seconds = $4, is_followed = false WHERE tenant_id = $1 AND id = $2

-- name: delete_step
UPDATE sequence_steps SET deleted_at = now() WHERE tenant_id = $1 AND id = $2

-- name: note_edit
-- Who followed the edit before follows this one too.
INSERT INTO sequence_edits (tenant_id, sequence_id) VALUES ($1, $2)
ON CONFLICT (sequence_id) DO UPDATE SET after_id = 0, followed = 0, people = NULL

-- name: wake_walk
SELECT pg_notify('wafast_walk', '')
