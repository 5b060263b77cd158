-- What is on its way to leads. $1 is always the tenant.

-- name: keep_number
-- Before lead $2 has the number $3: who was written to at the one it had may still want nothing more.
INSERT INTO former_leads (tenant_id, phone)
SELECT l.tenant_id, l.phone FROM leads l
WHERE l.tenant_id = $1 AND l.id = $2 AND l.phone <> $3 AND EXISTS (SELECT FROM outbox o WHERE o.lead_id = l.id)
ON CONFLICT DO NOTHING

-- name: link_numbers
-- Who becomes part of lead $2 may write by the number of lead $3 still, or by those of others that became part of that one.
WITH linked AS (
    UPDATE former_leads SET lead_id = $2 WHERE tenant_id = $1 AND lead_id = $3
)
INSERT INTO former_leads (tenant_id, phone, lead_id) SELECT tenant_id, phone, $2 FROM leads WHERE tenant_id = $1 AND id = $3
ON CONFLICT (tenant_id, phone) DO UPDATE SET lead_id = excluded.lead_id

-- name: in_other_zones
-- What waits for leads $2, or may wait again, at the hours of another zone than $3, with the lane it is to wait in.
SELECT o.id, n.source_id, n.device_no, $3::text AS zone FROM outbox o JOIN lanes n ON n.id = o.lane_id
WHERE o.tenant_id = $1 AND o.lead_id = ANY ($2::int8[]) AND o.source_id IS NOT NULL AND o.state IN ('queued', 'sending')
  AND n.zone <> $3

-- name: at_other_devices
-- The same at another device than they have.
SELECT o.id, n.source_id, l.device_no, n.zone
FROM leads l JOIN outbox o ON o.lead_id = l.id JOIN lanes n ON n.id = o.lane_id
WHERE l.tenant_id = $1 AND l.id = ANY ($2::int8[]) AND o.source_id IS NOT NULL AND o.state IN ('queued', 'sending')
  AND n.device_no <> l.device_no

-- name: networks_of
-- Of devices $1.
SELECT network, no FROM devices WHERE no = ANY ($1::int4[])

-- name: readdress
-- What waits for lead $2 goes to the number $3, unless that gets the same already.
WITH waiting AS (
    SELECT q.id, n.jid FROM outbox q CROSS JOIN (SELECT substr($3::text, 2) || '@s.whatsapp.net' AS jid) n
    WHERE q.tenant_id = $1 AND q.lead_id = $2 AND q.source_id IS NOT NULL AND q.state = 'queued' AND q.to_jid <> n.jid
      AND NOT (q.enrolment_id IS NULL AND EXISTS (
          SELECT FROM outbox x WHERE x.source_id = q.source_id AND x.enrolment_id IS NULL AND x.to_jid = n.jid))
    ORDER BY q.id FOR NO KEY UPDATE OF q
)
UPDATE outbox o SET to_jid = w.jid, named_jid = NULL FROM waiting w WHERE o.id = w.id AND o.state = 'queued'

-- name: at_old_number
-- What then is still to go to another number than $3: it is on its way there, or $3 has it already.
SELECT id FROM outbox
WHERE tenant_id = $1 AND lead_id = $2 AND source_id IS NOT NULL AND state IN ('queued', 'sending')
  AND to_jid <> substr($3::text, 2) || '@s.whatsapp.net'

-- name: hold_enrolments
-- Whoever is at one of leads $2 now is waited for: where it entered next is seen by who asks then.
SELECT FROM enrolments WHERE tenant_id = $1 AND lead_id = ANY ($2::int8[]) AND ended_at IS NULL
ORDER BY id FOR NO KEY UPDATE

-- name: sources_waiting
-- Of what waits for leads $2, or is on its way to them.
SELECT DISTINCT source_id FROM outbox
WHERE tenant_id = $1 AND lead_id = ANY ($2::int8[]) AND source_id IS NOT NULL AND state IN ('queued', 'sending')

-- name: campaigns_of_both
-- Sources of campaigns of which something waits for leads $2, or was left to another number of theirs, or by them to another.
SELECT DISTINCT source_id FROM outbox
WHERE tenant_id = $1 AND lead_id = ANY ($2::int8[]) AND source_id IS NOT NULL AND enrolment_id IS NULL
  AND (state IN ('queued', 'sending') OR cause IN ('same_person', 'lead_gone', 'merged'))

-- name: hold_sends
-- What waits for leads $2, or is on its way to them, stays so until the end: else one that is typed for the one lead comes
-- back to wait between two looks, and is cancelled where it kept the other's from leaving.
SELECT FROM outbox WHERE tenant_id = $1 AND lead_id = ANY ($2::int8[]) AND state IN ('queued', 'sending')
ORDER BY id FOR NO KEY UPDATE

-- name: hold_gone
-- Whoever lets lead $2 enter a sequence is waited for now: he would wait for the one that stays, to which ways go over, and
-- which enters by tags that do.
SELECT FROM leads WHERE tenant_id = $1 AND id = $2 FOR UPDATE

-- name: end_enrolments
UPDATE enrolments SET state = 'stopped', reason = 'merged', ended_at = now(), step_id = NULL,
    outbox_id = NULL
WHERE tenant_id = $1 AND lead_id = $2 AND ended_at IS NULL
RETURNING sequence_id

-- name: move_enrolments
-- $2 the lead that stays, $3 the one that goes. One that has begun since goes with the lead.
UPDATE enrolments SET lead_id = $2 WHERE tenant_id = $1 AND lead_id = $3 AND ended_at IS NOT NULL

-- name: had_by_other
-- What waits for lead $2 and has left for lead $3, or may have; but a step of a way that was over before waits for one who
-- begins anew.
SELECT k.id, k.source_id, k.enrolment_id FROM outbox k
WHERE k.tenant_id = $1 AND k.lead_id = $2 AND k.source_id IS NOT NULL AND k.state = 'queued'
  AND EXISTS (SELECT FROM outbox g WHERE g.lead_id = $3 AND g.source_id = k.source_id
              AND g.state IN ('sending', 'sent', 'delivered', 'read', 'unknown')
              AND NOT EXISTS (SELECT FROM enrolments w JOIN enrolments v ON v.id = k.enrolment_id
                              WHERE w.id = g.enrolment_id AND w.ended_at <= v.started_at))

-- name: left_to_other
-- What of campaigns lead $2 did not get as lead $3 is the same person, for whom it waits or is on its way.
SELECT k.id, k.source_id FROM outbox k JOIN sources s ON s.id = k.source_id AND s.state <> 'ended'
WHERE k.tenant_id = $1 AND k.lead_id = $2 AND k.enrolment_id IS NULL AND k.state = 'cancelled' AND k.cause = 'same_person'
  AND EXISTS (SELECT FROM outbox g WHERE g.lead_id = $3 AND g.source_id = k.source_id AND g.enrolment_id IS NULL
              AND g.state IN ('queued', 'sending'))

-- name: left_to_those
-- What of campaigns others did not get as one of leads $2 is the same person, for whom it waits, or waited until it was deleted
-- or became part of another.
-- Each number is looked up: of many leads PostgreSQL would read the whole outbox, as it expects none.
SELECT k.id, g.source_id FROM outbox g
JOIN sources s ON s.id = g.source_id AND s.state <> 'ended'
CROSS JOIN LATERAL numbers_of_person(g.tenant_id, '+' || split_part(g.to_jid, '@', 1)) p
CROSS JOIN LATERAL (
    SELECT o.id FROM outbox o
    WHERE o.source_id = g.source_id AND o.to_jid = substr(p.phone, 2) || '@s.whatsapp.net' AND o.enrolment_id IS NULL
      AND o.state = 'cancelled' AND o.cause = 'same_person' AND o.lead_id <> ALL ($2::int8[])
    LIMIT 1
) k
WHERE g.tenant_id = $1 AND g.lead_id = ANY ($2::int8[]) AND g.enrolment_id IS NULL
  AND (g.state = 'queued' OR g.state = 'cancelled' AND g.cause IN ('lead_gone', 'merged'))

-- name: for_one_only
-- What waits for lead $3 or is on its way there, but for that which lead $2 gets by it: of sources $4 where it is on its way,
-- and in a way it is in.
SELECT g.id FROM outbox g
WHERE g.tenant_id = $1 AND g.lead_id = $3 AND g.state IN ('queued', 'sending')
  AND (g.state = 'sending' AND g.source_id = ANY ($4::int8[])
       OR EXISTS (SELECT FROM enrolments e WHERE e.id = g.enrolment_id AND e.lead_id = $2 AND e.ended_at IS NULL)) IS NOT TRUE

-- name: take_ways
-- Lead $2 goes the way of lead $3 through a sequence that it was kept from because of that one.
UPDATE enrolments g SET lead_id = $2
WHERE g.tenant_id = $1 AND g.lead_id = $3 AND g.ended_at IS NULL
  AND EXISTS (SELECT FROM enrolments k WHERE k.lead_id = $2 AND k.sequence_id = g.sequence_id AND k.reason = 'same_person'
              AND k.ended_at > g.started_at)
  AND NOT EXISTS (SELECT FROM enrolments k WHERE k.lead_id = $2 AND k.sequence_id = g.sequence_id AND k.ended_at IS NULL)
RETURNING g.sequence_id

-- name: lend_rows
-- Where both wait for one step, and it is on its way to lead $3, the row of lead $2 is nobody's until join_ways: a way has one row
-- of a step. Gives whose it is then (take_lent).
UPDATE outbox r SET enrolment_id = NULL
FROM outbox o
JOIN enrolments g ON g.id = o.enrolment_id AND g.ended_at IS NULL
JOIN enrolments k ON k.lead_id = $2 AND k.sequence_id = g.sequence_id AND k.ended_at IS NULL
WHERE o.tenant_id = $1 AND o.lead_id = $3 AND o.state = 'sending' AND g.lead_id = $3
  AND r.id = k.outbox_id AND r.source_id = o.source_id AND r.state = 'queued'
RETURNING r.id, g.id AS enrolment_id

-- name: take_lent
-- Rows $1 are of the ways $2, which end with the merge.
UPDATE outbox o SET enrolment_id = w.enrolment_id FROM unnest($1::int8[], $2::int8[]) w (id, enrolment_id) WHERE o.id = w.id

-- name: join_ways
-- The steps that lead $3 has had of a sequence since lead $2 is in it are had in that way. Of those that are on their way only
-- what that way has not passed: it stands there then (stand_at).
WITH had AS (
    SELECT DISTINCT ON (k.id, o.source_id) o.id, k.id AS enrolment_id
    FROM enrolments g
    JOIN enrolments k ON k.lead_id = $2 AND k.sequence_id = g.sequence_id AND k.ended_at IS NULL
                     AND coalesce(g.ended_at, 'infinity') > k.started_at
    JOIN outbox o ON o.enrolment_id = g.id AND o.state IN ('sending', 'sent', 'delivered', 'read', 'unknown')
    JOIN sequence_steps p ON p.source_id = o.source_id
    LEFT JOIN sequence_steps at ON at.id = k.step_id
    WHERE (o.state <> 'sending' OR p.place >= coalesce(at.place, 0)) AND g.tenant_id = $1 AND g.lead_id = $3
      AND NOT EXISTS (SELECT FROM outbox x WHERE x.enrolment_id = k.id AND x.source_id = o.source_id)
    ORDER BY k.id, o.source_id, o.id DESC
)
UPDATE outbox o SET enrolment_id = had.enrolment_id FROM had WHERE o.id = had.id

-- name: stand_at
-- One step of a way is open at a time: those of lead $2 stand at what is on its way to lead $3 and was joined to them, and what they
-- waited for is behind it. Where that does not leave it waits as the way does. Gives the rows they stood at before.
WITH under_way AS (
    SELECT DISTINCT ON (k.id) k.id, k.state, k.outbox_id AS stood_at, o.id AS outbox_id, p.id AS step_id, g.since
    FROM enrolments k
    JOIN outbox o ON o.enrolment_id = k.id AND o.lead_id = $3 AND o.state = 'sending' AND o.id IS DISTINCT FROM k.outbox_id
    JOIN sequence_steps p ON p.source_id = o.source_id
    JOIN enrolments g ON g.lead_id = $3 AND g.sequence_id = k.sequence_id
    WHERE k.tenant_id = $1 AND k.lead_id = $2 AND k.ended_at IS NULL
    ORDER BY k.id, p.place DESC, g.id DESC
), standing AS (
    UPDATE enrolments k SET step_id = u.step_id, outbox_id = u.outbox_id, since = u.since FROM under_way u WHERE k.id = u.id
), waiting AS (
    UPDATE outbox o SET not_before = now() + interval '100 years' FROM under_way u
    WHERE o.id = u.outbox_id AND u.state = 'paused'
)
SELECT stood_at FROM under_way WHERE stood_at IS NOT NULL

-- name: place_of
-- Of lead $2.
SELECT phone, zone FROM leads WHERE tenant_id = $1 AND id = $2

-- name: move_sends
UPDATE outbox SET lead_id = $2 WHERE tenant_id = $1 AND lead_id = $3
