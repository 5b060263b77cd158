-- One change of many leads. $1 is always the tenant. What each statement returns besides the id is what takes it back. They are
-- held as by whoever changes one (rows.sql: hold_leads).

-- name: ids_of_filter
SELECT l.id FROM leads_matching($1, $2) l WHERE l.id < $3 ORDER BY l.id DESC LIMIT $4;

-- name: ids_seen
SELECT l.id FROM leads_matching($1, $2) l WHERE l.id = ANY ($3::int8[]) ORDER BY l.id DESC;

-- name: add_lead_tags
-- Who would have too many ($4) keeps its own: nothing takes that back.
WITH wanted AS (
    SELECT id, ARRAY(SELECT tag FROM unnest($3::text[]) WITH ORDINALITY t (tag, place) WHERE tag <> ALL (l.tags)
                     ORDER BY place) AS added
    FROM leads l WHERE tenant_id = $1 AND id = ANY ($2::int8[])
    ORDER BY id FOR NO KEY UPDATE
), tagged AS (
    UPDATE leads l SET tags = l.tags || added, updated_at = now() FROM wanted w
    WHERE l.id = w.id AND added <> '{}' AND cardinality(l.tags || added) <= $4
    RETURNING l.id
)
SELECT w.id, CASE WHEN t.id IS NOT NULL THEN added END AS was
FROM wanted w LEFT JOIN tagged t ON t.id = w.id WHERE added <> '{}';

-- name: remove_lead_tags
WITH wanted AS (
    SELECT id, ARRAY(SELECT tag FROM unnest($3::text[]) tag WHERE tag = ANY (l.tags)) AS removed
    FROM leads l WHERE tenant_id = $1 AND id = ANY ($2::int8[])
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE leads l SET tags = ARRAY(SELECT tag FROM unnest(l.tags) WITH ORDINALITY t (tag, place) WHERE tag <> ALL (removed)
                                ORDER BY place), updated_at = now() FROM wanted w
WHERE l.id = w.id AND removed <> '{}'
RETURNING l.id, removed AS was;

-- name: set_lead_status
WITH wanted AS (
    SELECT id, target_status FROM leads WHERE tenant_id = $1 AND id = ANY ($2::int8[]) ORDER BY id FOR NO KEY UPDATE
)
UPDATE leads l SET target_status = $3, updated_at = now() FROM wanted w
WHERE l.id = w.id AND w.target_status <> $3
RETURNING l.id, ARRAY[w.target_status] AS was;

-- name: set_lead_device
WITH wanted AS (
    SELECT id, device_no FROM leads WHERE tenant_id = $1 AND id = ANY ($2::int8[]) ORDER BY id FOR NO KEY UPDATE
)
UPDATE leads l SET device_no = $3, updated_at = now() FROM wanted w
WHERE l.id = w.id AND w.device_no IS DISTINCT FROM $3
RETURNING l.id, l.phone, ARRAY[(SELECT d.id::text FROM devices d WHERE d.no = w.device_no)] AS was;
