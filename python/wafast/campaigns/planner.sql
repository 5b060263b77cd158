-- From an audience to rows of the outbox, and what becomes of campaigns by themselves.

-- name: next_to_plan
-- The next whose instant has come, of those that are not in $1.
SELECT id, tenant_id FROM campaigns
WHERE state IN ('scheduled', 'planning') AND starts_at <= now() AND deleted_at IS NULL AND NOT id = ANY ($1::int8[])
ORDER BY starts_at, id
LIMIT 1

-- name: seconds_to_next
-- Until the next campaign begins, or the next open one must end; NULL when none will.
SELECT extract(epoch FROM min(at) - now())::float8 FROM (
    SELECT min(starts_at) AS at FROM campaigns WHERE state = 'scheduled' AND starts_at > now() AND deleted_at IS NULL
  UNION ALL
    SELECT min(expires_at) FROM campaigns
    WHERE planned_at IS NOT NULL AND coalesce(ended_at, 'infinity') = 'infinity' AND expires_at > now()
) deadlines

-- name: take_plan
-- One planner a campaign, whoever else thinks it has the turn; until its connection ends.
SELECT pg_try_advisory_lock(hashtextextended('campaign ' || $1::int8, 0))

-- name: begin_plan
-- How much will come and where the numbers stand: seen by others while the plan itself is not.
UPDATE campaigns SET state = 'planning',
    plan_size = (SELECT count(*) FROM campaign_audience($2, (SELECT audience FROM campaigns WHERE id = $1))),
    plan_from = (SELECT last_value FROM outbox_id_seq)
WHERE id = $1 AND state IN ('scheduled', 'planning') AND starts_at <= now() AND deleted_at IS NULL
RETURNING plan_size

-- name: to_plan
SELECT c.source_id, c.audience FROM campaigns c WHERE c.id = $1 AND c.state = 'planning' AND c.deleted_at IS NULL

-- name: wanted_lanes
-- $1 tenant, $2 audience.
SELECT DISTINCT device_no, zone FROM campaign_audience($1, $2)

-- name: plan
-- The whole audience in one statement, of those without a device who has the highest score first: rows leave the pool in
-- the order they came.
-- $1 tenant, $2 audience, $3 source, $4 campaign.
INSERT INTO outbox (tenant_id, device_no, source_id, lane_id, lead_id, to_jid, kind, priority, not_before, expires_at,
                    created_by)
SELECT $1, a.device_no, $3, la.id, a.lead_id, substr(a.phone, 2) || '@s.whatsapp.net', s.kind, 'paced', now(),
       c.expires_at, 'campaign:' || c.id
FROM campaign_audience($1, $2) a
JOIN lanes la ON la.source_id = $3 AND coalesce(la.device_no, 0) = coalesce(a.device_no, 0) AND la.zone = a.zone
CROSS JOIN (SELECT * FROM campaigns WHERE id = $4) c
JOIN sources s ON s.id = $3
LEFT JOIN lead_scores p ON p.lead_id = a.lead_id
ORDER BY CASE WHEN a.device_no IS NULL THEN p.score END DESC NULLS LAST, a.lead_id
ON CONFLICT DO NOTHING

-- name: end_plan
-- Where a person has cancelled it meanwhile this raises, as the plan sees one instant: then the plan is rolled back.
UPDATE campaigns SET state = 'running', planned = $2::int8, planned_at = now(),
    reason = CASE WHEN $2::int8 = 0 THEN 'nobody was in the audience' END
WHERE id = $1 AND state = 'planning'
RETURNING id

-- name: to_close
-- Open campaigns whose waiting rows must not leave: cancelled, or too late.
SELECT id, tenant_id, source_id, state FROM campaigns
WHERE planned_at IS NOT NULL AND coalesce(ended_at, 'infinity') = 'infinity'
  AND (state = 'cancelled' OR expires_at <= now())

-- name: rows_to_close
-- A bounded step: $1 source, $2 how many.
SELECT o.id FROM outbox o
WHERE o.lane_id IN (SELECT id FROM lanes WHERE source_id = $1) AND o.state = 'queued'
LIMIT $2
FOR UPDATE SKIP LOCKED

-- name: expire_rows
UPDATE outbox SET state = 'expired', reason = $2 WHERE id = ANY ($1::int8[]) AND state = 'queued'

-- name: that_move
-- Campaigns whose rows may still move, and what tells whether they did since. $1 only those of these sources.
SELECT id, tenant_id, ended_at IS NULL AND waiting = 0 AS has_ended,
       jsonb_build_array(state, reason, waiting, sent, delivered, read, replied, failed, unknown, expired, opted_out,
                         cancelled)::text AS look
FROM campaigns_shown
WHERE source_id = ANY (coalesce($1::int8[], ARRAY(SELECT source_id FROM campaigns WHERE planned_at IS NOT NULL
                                                  AND coalesce(ended_at, 'infinity') > now() - interval '1 day')))
  AND planned_at IS NOT NULL AND coalesce(ended_at, 'infinity') > now() - interval '1 day'

-- name: being_planned
SELECT id, tenant_id FROM campaigns WHERE state = 'planning' AND deleted_at IS NULL

-- name: lock_open
SELECT tenant_id, source_id FROM campaigns WHERE id = $1 AND ended_at IS NULL FOR NO KEY UPDATE

-- name: end_campaign
-- Unless a row waits again: a person retried. That can't happen under the lock, and this statement sees what did before.
UPDATE campaigns c SET ended_at = now()
WHERE c.id = $1
  AND NOT EXISTS (SELECT FROM source_buckets b WHERE b.source_id = c.source_id AND b.bucket = 'waiting')
RETURNING c.id

-- name: give_up_plan
UPDATE campaigns SET state = 'draft', reason = $2 WHERE id = $1 AND state IN ('scheduled', 'planning')

-- name: wake_planner
SELECT pg_notify('wafast_campaigns', '')
