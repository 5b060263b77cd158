-- name: create_source
INSERT INTO sources (tenant_id, kind, template, media_sha256, file_name, min_seconds, max_seconds, opens, closes, days, may_move)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
RETURNING id

-- name: change_source
UPDATE sources SET kind = $3, template = $4, media_sha256 = $5, file_name = $6, min_seconds = $7, max_seconds = $8,
                   opens = $9, closes = $10, days = $11, may_move = $12
WHERE tenant_id = $1 AND id = $2

-- name: set_source_state
UPDATE sources SET state = $3 WHERE tenant_id = $1 AND id = $2

-- name: set_lanes_live
-- The claim looks at lanes first. After the source, in a statement of its own: a lane that somebody made while the source
-- was waited for is seen by this one. In one order, as whoever else changes several lanes of a source.
WITH held AS (
    SELECT id FROM lanes WHERE tenant_id = $1 AND source_id = $2 AND is_live <> $3 ORDER BY id FOR NO KEY UPDATE
)
UPDATE lanes n SET is_live = $3 FROM held WHERE n.id = held.id

-- name: devices_of_source
SELECT DISTINCT d.no, d.network FROM lanes n JOIN devices d ON d.no = n.device_no WHERE n.source_id = $1

-- name: hold_sources
-- $1 so that nobody changes them, $2 so that nobody holds them besides: those that are to be changed. All in one order.
SELECT w.id, coalesce(shared.state, alone.state) AS state
FROM (SELECT id, id = ANY ($2::int8[]) AS is_alone FROM (SELECT unnest($1::int8[]) AS id UNION SELECT unnest($2::int8[])) s
      ORDER BY id) w
LEFT JOIN LATERAL (SELECT state FROM sources WHERE id = w.id AND NOT is_alone FOR SHARE) shared ON true
LEFT JOIN LATERAL (SELECT state FROM sources WHERE id = w.id AND is_alone FOR NO KEY UPDATE) alone ON true
WHERE coalesce(shared.state, alone.state) IS NOT NULL
