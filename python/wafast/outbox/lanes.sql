-- name: ensure_lanes
-- Those that are missing of ($1 tenant, $2 source, $3 device, $4 zone), in one order, so that two who make the same ones
-- don't wait for each other. Whether one of a source is live, a trigger says.
INSERT INTO lanes (tenant_id, source_id, device_no, zone, is_live)
SELECT DISTINCT w.tenant_id, w.source_id, w.device_no, w.zone, true
FROM unnest($1::int4[], $2::int8[], $3::int4[], $4::text[]) AS w (tenant_id, source_id, device_no, zone)
ORDER BY w.source_id, w.device_no, w.zone
ON CONFLICT DO NOTHING

-- name: lanes_for
-- The lane of each, in the order given.
SELECT n.id
FROM unnest($1::int8[], $2::int4[], $3::text[]) WITH ORDINALITY AS w (source_id, device_no, zone, place)
CROSS JOIN LATERAL (
    SELECT id FROM lanes
    WHERE source_id = w.source_id AND coalesce(device_no, 0) = coalesce(w.device_no, 0) AND zone = w.zone
  UNION ALL
    SELECT id FROM lanes WHERE w.source_id IS NULL AND source_id IS NULL AND device_no = w.device_no AND zone = w.zone
) n
ORDER BY w.place

-- name: move_rows
-- Rows $1 to lanes $2. One that is just being sent stays where it is until its send ends (finish_send). At a device what is
-- due is due from now on: the claim does not look at what lies in a lane before the row it took last.
WITH moves AS (
    SELECT o.id, n.id AS lane_id, n.device_no
    FROM unnest($1::int8[], $2::int8[]) AS m (id, lane_id)
    JOIN lanes n ON n.id = m.lane_id
    JOIN outbox o ON o.id = m.id
    WHERE o.state IN ('queued', 'sending')
    ORDER BY o.id FOR NO KEY UPDATE OF o
)
UPDATE outbox o SET lane_id = m.lane_id,
    device_no = CASE o.state WHEN 'queued' THEN m.device_no ELSE o.device_no END,
    not_before = CASE WHEN m.device_no IS NULL THEN o.not_before ELSE greatest(o.not_before, clock_timestamp()) END,
    reason = CASE o.state WHEN 'queued' THEN NULL ELSE o.reason END
FROM moves m WHERE o.id = m.id AND o.state IN ('queued', 'sending')
RETURNING o.id
