-- name: hold_sources_of_rows
-- Of rows $2, before the rows themselves (sources.hold); whoever tries them again may let a source run that has ended.
SELECT FROM sources WHERE id IN (SELECT source_id FROM outbox WHERE tenant_id = $1 AND id = ANY ($2::int8[]))
ORDER BY id FOR NO KEY UPDATE

-- name: ended_rows
-- Of $2 those that ended without leaving, as far as anybody knows, and whose people still want what sources write; with the
-- lane each waits in. A lead that is gone is written to at the hours of the tenant.
SELECT o.id, o.tenant_id, o.source_id, o.device_no, d.network, coalesce(l.zone, t.time_zone) AS zone, o.lane_id, o.cause,
       o.to_jid
FROM outbox o
JOIN tenants t ON t.id = o.tenant_id
LEFT JOIN devices d ON d.no = o.device_no
LEFT JOIN leads l ON l.id = o.lead_id
WHERE o.tenant_id = $1 AND o.id = ANY ($2::int8[]) AND o.state IN ('failed', 'expired', 'cancelled', 'unknown')
  AND (o.expires_at > now() OR o.expires_at IS NULL OR o.source_id IS NULL AND o.target IS NULL)
  AND (o.source_id IS NULL OR NOT EXISTS (
      SELECT FROM suppressions u WHERE u.tenant_id = o.tenant_id AND u.phone = '+' || split_part(o.to_jid, '@', 1)))
ORDER BY o.id FOR NO KEY UPDATE OF o

-- name: queue_again
-- Rows $1 in lanes $2. A change of a message and a source's row keep their end: later nobody wants them; any other may wait
-- as long as before.
UPDATE outbox o SET state = 'queued', reason = NULL, cause = NULL, attempts = 0, not_before = clock_timestamp(),
    lane_id = w.lane_id,
    expires_at = CASE WHEN o.target IS NOT NULL OR o.source_id IS NOT NULL THEN o.expires_at
                      ELSE clock_timestamp() + (o.expires_at - o.created_at) END,
    claim_worker = NULL, claim_epoch = NULL, claimed_at = NULL
FROM unnest($1::int8[], $2::int8[]) AS w (id, lane_id)
WHERE o.id = w.id AND o.state IN ('failed', 'expired', 'cancelled', 'unknown')
