-- From one step to the next (walk.py). One process does it, for all tenants.

-- name: next_in_queue
-- The next $1 that may have to go on, but for those that are put aside ($2).
SELECT is_new, id, enrolment_id FROM walk_queue WHERE enrolment_id <> ALL ($2::int8[]) ORDER BY is_new, id LIMIT $1

-- name: take_queue
-- These: $1 whether new, $2 ids.
DELETE FROM walk_queue q USING unnest($1::bool[], $2::int8[]) AS n (is_new, id) WHERE q.is_new = n.is_new AND q.id = n.id

-- name: hold_sequences
-- Nobody changes steps while somebody is put at one.
SELECT id FROM sequences WHERE id IN (SELECT sequence_id FROM enrolments WHERE id = ANY ($1::int8[]))
ORDER BY id FOR SHARE

-- name: sources_of_steps
-- Of the sequences of enrolments $1: those that somebody may be put at.
SELECT p.source_id FROM sequence_steps p
WHERE p.deleted_at IS NULL AND p.sequence_id IN (SELECT sequence_id FROM enrolments WHERE id = ANY ($1::int8[]))

-- name: hold_ways
-- Whoever is at one of these now is waited for: a merge gives some to another lead, whom only who looks afterwards finds.
SELECT FROM enrolments WHERE id = ANY ($1::int8[]) AND ended_at IS NULL ORDER BY id FOR NO KEY UPDATE

-- name: standing
-- Where these enrolments, which are held, stand, and the step that comes next: the first behind the open one that they have
-- not had. Who begins may be in it at another number, as another lead, or have been, unless it is asked in again; and may have
-- had steps by another who became one with it: the last of them is where it stands.
SELECT e.id, e.tenant_id, e.sequence_id, e.lead_id, e.since, s.deleted_at IS NOT NULL AS is_deleted,
       o.state AS row_state, o.cause, o.sent_at, l.phone, l.zone,
       coalesce(l.device_no, (SELECT d.no FROM devices d WHERE d.no = o.device_no AND NOT is_over(d))) AS device_no,
       EXISTS (SELECT FROM suppressions u WHERE u.tenant_id = e.tenant_id AND u.phone = l.phone) AS is_suppressed,
       e.step_id IS NULL AND EXISTS (
           SELECT FROM numbers_of_person(e.tenant_id, l.phone) p
           JOIN leads t ON t.tenant_id = e.tenant_id AND t.phone = p.phone AND t.id <> l.id
           JOIN enrolments x ON x.lead_id = t.id AND x.sequence_id = e.sequence_id AND x.id < e.id
                            AND x.reason IS DISTINCT FROM 'same_person'
           WHERE x.ended_at IS NULL OR NOT e.again
       ) AS is_elsewhere,
       n.id AS next_step_id, n.source_id, n.delay_seconds,
       CASE WHEN f.deleted_at IS NULL THEN s.next_sequence_id END AS next_sequence_id
FROM enrolments e
JOIN sequences s ON s.id = e.sequence_id
JOIN leads l ON l.id = e.lead_id
LEFT JOIN sequences f ON f.id = s.next_sequence_id
LEFT JOIN sequence_steps at ON at.id = e.step_id
LEFT JOIN outbox o ON o.id = coalesce(e.outbox_id, (
    SELECT h.id FROM outbox h WHERE h.enrolment_id = e.id ORDER BY h.sent_at DESC NULLS FIRST, h.id DESC LIMIT 1))
LEFT JOIN LATERAL (
    SELECT p.id, p.source_id, p.delay_seconds FROM sequence_steps p
    WHERE p.sequence_id = e.sequence_id AND p.deleted_at IS NULL AND p.place > coalesce(at.place, 0)
      AND NOT EXISTS (SELECT FROM outbox h WHERE h.enrolment_id = e.id AND h.source_id = p.source_id)
    ORDER BY p.place LIMIT 1
) n ON true
WHERE e.id = ANY ($1::int8[]) AND e.ended_at IS NULL AND (e.state = 'active' OR s.deleted_at IS NOT NULL)
ORDER BY e.id

-- name: hold_numbers
-- Of leads $1 those that nobody is about to delete or to give another number; nor does anybody meanwhile.
SELECT id FROM leads WHERE id = ANY ($1::int8[]) FOR KEY SHARE SKIP LOCKED

-- name: hold_entering
-- Who lets leads enter a sequence by a tag holds them: of $1 those that nobody does.
SELECT id FROM leads WHERE id = ANY ($1::int8[]) FOR NO KEY UPDATE SKIP LOCKED

-- name: put_steps
-- None is due before now: the claim goes forward through a lane, and looks back only once a minute.
-- The rows of the next steps, and the enrolments at them; one whose time is over expires before it leaves,
-- unless the sequence stands still (rows.sql). $1 enrolments, $2 steps, $3 devices, $4 when the delay began, $5 zones, whose
-- lanes are there. Where another number made a lead's zone another one meanwhile nothing is put: each that got its row is given.
WITH wanted AS (
    SELECT e.id AS enrolment_id, e.tenant_id, e.lead_id, e.sequence_id, p.id AS step_id, p.source_id, w.device_no,
           w.since, greatest(w.since + make_interval(secs => p.delay_seconds), now()) AS due,
           step_end(s, p, w.since) AS expires_at, l.phone, l.zone
    FROM unnest($1::int8[], $2::int8[], $3::int4[], $4::timestamptz[], $5::text[])
        AS w (enrolment_id, step_id, device_no, since, zone)
    JOIN enrolments e ON e.id = w.enrolment_id
    JOIN sequences s ON s.id = e.sequence_id
    JOIN sequence_steps p ON p.id = w.step_id
    JOIN leads l ON l.id = e.lead_id AND l.zone = w.zone
),
put AS (
    INSERT INTO outbox (tenant_id, device_no, source_id, lane_id, lead_id, enrolment_id, to_jid, kind, media_sha256,
                        file_name, priority, not_before, expires_at, created_by)
    SELECT w.tenant_id, w.device_no, w.source_id, n.id, w.lead_id, w.enrolment_id, substr(w.phone, 2) || '@s.whatsapp.net',
           x.kind, x.media_sha256, x.file_name, 'paced', w.due, w.expires_at, 'sequence:' || w.sequence_id
    FROM wanted w
    JOIN sources x ON x.id = w.source_id
    JOIN lanes n ON n.source_id = w.source_id AND coalesce(n.device_no, 0) = coalesce(w.device_no, 0) AND n.zone = w.zone
    ON CONFLICT DO NOTHING
    RETURNING id, enrolment_id, device_no, not_before
),
moved AS (
    UPDATE enrolments e SET step_id = w.step_id, outbox_id = put.id, since = w.since
    FROM put JOIN wanted w ON w.enrolment_id = put.enrolment_id
    WHERE e.id = put.enrolment_id
)
SELECT put.enrolment_id, d.network, d.no FROM put
LEFT JOIN devices d ON d.no = put.device_no AND put.not_before < now() + interval '1 minute'

-- name: queue_enrolments
-- These ($1) once more.
INSERT INTO walk_queue (is_new, enrolment_id) SELECT false, id FROM unnest($1::int8[]) id

-- name: complete
UPDATE enrolments SET state = 'completed', ended_at = now() WHERE id = ANY ($1::int8[])

-- name: enter_next
-- $1 tenants, $2 sequences, $3 leads. Who was in it before does not enter again, so that two that follow each other are
-- no circle.
INSERT INTO enrolments (tenant_id, sequence_id, lead_id)
SELECT DISTINCT w.tenant_id, w.sequence_id, w.lead_id
FROM unnest($1::int4[], $2::int8[], $3::int8[]) AS w (tenant_id, sequence_id, lead_id)
WHERE NOT EXISTS (SELECT FROM enrolments e WHERE e.sequence_id = w.sequence_id AND e.lead_id = w.lead_id)
ORDER BY w.sequence_id, w.lead_id
ON CONFLICT DO NOTHING

-- name: fold_enrolment_counts
-- The next $1 rows of what was added and taken, also those of sequences that are gone.
WITH gone AS (
    DELETE FROM enrolment_counts WHERE ctid = ANY (ARRAY(SELECT ctid FROM enrolment_counts LIMIT $1))
    RETURNING sequence_id, state, n
),
summed AS (
    INSERT INTO enrolment_sums (sequence_id, state, tenant_id, n)
    SELECT s.id, g.state, s.tenant_id, sum(g.n) FROM gone g JOIN sequences s ON s.id = g.sequence_id
    GROUP BY s.id, g.state HAVING sum(g.n) <> 0
    ON CONFLICT (sequence_id, state) DO UPDATE SET n = enrolment_sums.n + excluded.n
)
SELECT count(*) FROM gone
