-- name: sources_at
-- Those with lanes at devices by their numbers ($1).
SELECT coalesce(array_agg(DISTINCT source_id), '{}') FROM lanes WHERE device_no = ANY ($1::int4[]) AND source_id IS NOT NULL

-- name: waiting_at
-- What waits, or may wait again, for sources at these devices ($1).
SELECT o.id, n.tenant_id, n.source_id, n.zone
FROM lanes n JOIN outbox o ON o.lane_id = n.id AND o.state = 'queued'
WHERE n.device_no = ANY ($1::int4[]) AND n.source_id IS NOT NULL
UNION ALL
SELECT o.id, n.tenant_id, n.source_id, n.zone
FROM outbox o JOIN lanes n ON n.id = o.lane_id AND n.device_no = o.device_no
WHERE o.device_no = ANY ($1::int4[]) AND o.state = 'sending' AND n.source_id IS NOT NULL
ORDER BY id

-- name: wake_pool
SELECT pg_notify('wafast_pool', '')

-- name: lose_sends
UPDATE outbox SET state = 'unknown', cause = 'device_gone', reason = 'its device was deleted while it was being sent; it may have left'
WHERE device_no = ANY ($1::int4[]) AND state = 'sending' AND source_id IS NOT NULL

-- name: delete_sends
-- What a source sent stays, without a device.
DELETE FROM outbox WHERE device_no = ANY ($1::int4[]) AND source_id IS NULL
