-- name: sources_of_rows
-- Of rows $2.
SELECT DISTINCT source_id FROM outbox WHERE tenant_id = $1 AND id = ANY ($2::int8[]) AND source_id IS NOT NULL

-- name: hold_ended_rows
-- Of $2, before the look at whose they are: a merge gives some to another lead, whom only who looks afterwards finds.
SELECT FROM outbox
WHERE tenant_id = $1 AND id = ANY ($2::int8[]) AND state IN ('failed', 'expired', 'cancelled', 'unknown')
ORDER BY id FOR NO KEY UPDATE

-- name: ended_rows
-- Of $2, which are held, those that ended without leaving, as far as anybody knows, with the lane each waits in, and what
-- keeps it from leaving (again.py has the words). What sources write goes to the number a lead has now, which may be another's
-- it became one with; what of a campaign waits or went there already goes there once. Where its device is gone it leaves from
-- the one the lead has now, if any. The claim writes to no lead that is gone.
WITH ended AS MATERIALIZED (
    SELECT o, o.id, o.tenant_id, o.source_id, o.enrolment_id, d.no AS device_no, d.network, coalesce(l.zone, t.time_zone) AS zone,
           o.lane_id, o.lead_id, o.cause, o.to_jid AS old_jid,
           CASE WHEN o.source_id IS NULL OR l.phone IS NULL THEN o.to_jid
                ELSE substr(l.phone, 2) || '@s.whatsapp.net' END AS to_jid,
           o.source_id IS NOT NULL AND o.lead_id IS NOT NULL AND l.id IS NULL AS is_lead_gone,
           coalesce(o.expires_at <= now(), false) AND (o.source_id IS NOT NULL OR o.target IS NOT NULL) AS is_over
    FROM outbox o
    JOIN tenants t ON t.id = o.tenant_id
    LEFT JOIN leads l ON l.id = o.lead_id
    LEFT JOIN devices d ON d.no = coalesce(o.device_no, l.device_no)
    WHERE o.tenant_id = $1 AND o.id = ANY ($2::int8[]) AND o.state IN ('failed', 'expired', 'cancelled', 'unknown')
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY is_over, source_id, to_jid ORDER BY to_jid <> old_jid, id) AS place FROM ended
)
SELECT e.id, e.tenant_id, e.source_id, e.device_no, e.network, e.zone, e.lane_id, e.cause, e.to_jid,
       CASE WHEN e.is_over THEN 'over'
            WHEN e.source_id IS NULL THEN NULL
            WHEN e.is_lead_gone THEN 'lead_gone'
            WHEN EXISTS (SELECT FROM suppressions u WHERE u.tenant_id = e.tenant_id AND u.phone = '+' || split_part(e.to_jid, '@', 1))
                THEN 'opted_out'
            WHEN e.enrolment_id IS NULL AND (
                e.to_jid <> e.old_jid AND (e.place > 1 OR EXISTS (
                    SELECT FROM outbox x WHERE x.source_id = e.source_id AND x.enrolment_id IS NULL AND x.to_jid = e.to_jid))
                OR EXISTS (SELECT FROM outbox x WHERE x.lead_id = e.lead_id AND x.source_id = e.source_id AND x.id <> e.id
                           AND x.enrolment_id IS NULL AND x.state NOT IN ('failed', 'cancelled', 'expired'))
            ) OR elsewhere.is_so THEN 'same_person' END AS kept_by
FROM numbered e
CROSS JOIN LATERAL has_elsewhere(e.o, named_jid(e.tenant_id, e.network, e.to_jid)) elsewhere
ORDER BY e.id

-- name: queue_again
-- Rows $1 in lanes $2 to $3, at devices $4. A change of a message and a source's row keep their end: later nobody wants them;
-- any other may wait as long as before.
UPDATE outbox o SET state = 'queued', reason = NULL, cause = NULL, attempts = 0, refusals = 0, not_before = clock_timestamp(),
    lane_id = w.lane_id, device_no = w.device_no, to_jid = w.to_jid, named_jid = NULL,
    expires_at = CASE WHEN o.target IS NOT NULL OR o.source_id IS NOT NULL THEN o.expires_at
                      ELSE clock_timestamp() + (o.expires_at - o.created_at) END,
    claim_worker = NULL, claim_epoch = NULL, claimed_at = NULL
FROM unnest($1::int8[], $2::int8[], $3::text[], $4::int4[]) AS w (id, lane_id, to_jid, device_no)
WHERE o.id = w.id AND o.state IN ('failed', 'expired', 'cancelled', 'unknown')
