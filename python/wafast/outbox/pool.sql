-- name: ensure_pool_lanes
-- For every lane of these devices ($1) the one without a device. $2: only of sources whose rows may move.
INSERT INTO lanes (tenant_id, source_id, zone, is_live)
SELECT DISTINCT n.tenant_id, n.source_id, n.zone, false
FROM lanes n JOIN sources s ON s.id = n.source_id
WHERE n.device_no = ANY ($1::int4[]) AND (s.may_move OR NOT $2)
ON CONFLICT DO NOTHING

-- name: give_back
UPDATE outbox o SET device_no = NULL, lane_id = p.id, reason = NULL
FROM lanes n
JOIN sources s ON s.id = n.source_id
JOIN lanes p ON p.source_id = n.source_id AND p.device_no IS NULL AND p.zone = n.zone
WHERE n.device_no = ANY ($1::int4[]) AND (s.may_move OR NOT $2) AND o.lane_id = n.id AND o.state = 'queued'
RETURNING o.id

-- name: lose_sends
UPDATE outbox SET state = 'unknown', cause = 'device_gone', reason = 'its device was deleted while it was being sent; it may have left'
WHERE device_no = ANY ($1::int4[]) AND state = 'sending' AND source_id IS NOT NULL

-- name: delete_sends
-- What a source sent stays, without a device.
DELETE FROM outbox WHERE device_no = ANY ($1::int4[]) AND source_id IS NULL
