-- Leads, one by one and as lists. $1 is always the tenant.

-- name: plan_by_filter
-- A plan for this filter and not for any: see leads_matching().
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL jit = off;

-- name: region_of_tenant
SELECT region, time_zone FROM tenants WHERE id = $1;

-- name: get_leads
SELECT l.*, d.id AS device_id, s.phone IS NOT NULL AS is_suppressed, k.score
FROM leads l
LEFT JOIN devices d ON d.no = l.device_no
LEFT JOIN suppressions s ON s.tenant_id = l.tenant_id AND s.phone = l.phone
LEFT JOIN LATERAL lead_score(l) k ON true
WHERE l.tenant_id = $1 AND l.id = ANY ($2::int8[])
  AND ($3::uuid[] IS NULL OR l.device_no IS NULL OR d.id = ANY ($3));

-- name: others_of_person
-- Who is the same person as lead $2, as far as is known by its numbers.
SELECT o.id FROM leads l
CROSS JOIN LATERAL numbers_of_person(l.tenant_id, l.phone) p
JOIN leads o ON o.tenant_id = l.tenant_id AND o.phone = p.phone AND o.id <> l.id
WHERE l.tenant_id = $1 AND l.id = $2;

-- name: list_leads
-- $2 the filter, $3 only those before this id, $4 how many. Of few that fit all are sorted; many are met soon on the way
-- down from the newest.
WITH few AS MATERIALIZED (SELECT l.id FROM leads_matching($1, $2) l WHERE l.id < $3 LIMIT 20001),
     size AS (SELECT count(*) AS n FROM few),
     page AS (
    (SELECT id FROM few WHERE (SELECT n FROM size) <= 20000 ORDER BY id DESC LIMIT $4)
    UNION ALL
    (SELECT l.id FROM leads_matching($1, $2) l WHERE l.id < $3 AND (SELECT n FROM size) > 20000
     ORDER BY l.id DESC LIMIT $4)
)
SELECT l.*, d.id AS device_id, s.phone IS NOT NULL AS is_suppressed, k.score
FROM page
JOIN leads l ON l.id = page.id
LEFT JOIN devices d ON d.no = l.device_no
LEFT JOIN suppressions s ON s.tenant_id = l.tenant_id AND s.phone = l.phone
LEFT JOIN LATERAL lead_score(l) k ON true
ORDER BY l.id DESC;

-- name: count_leads
SELECT count(*) FROM leads_matching($1, $2);

-- name: device_for_lead
SELECT no FROM devices WHERE tenant_id = $1 AND id = $2;

-- name: create_lead
INSERT INTO leads (tenant_id, phone, name, tags, target_status, device_no, fields, zone)
SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE NOT EXISTS (SELECT FROM lead_of_person($1, $2))
ON CONFLICT (tenant_id, phone) DO NOTHING
RETURNING id;

-- name: lead_of_person
SELECT id FROM lead_of_person($1, $2);

-- name: hold_leads
-- Before anything of theirs, and in one order: so does whoever changes, merges or deletes leads. Who only refers to one, as the
-- walk, is not kept from it.
SELECT id, phone, device_no FROM leads WHERE tenant_id = $1 AND id = ANY ($2::int8[]) ORDER BY id FOR NO KEY UPDATE;

-- name: chats_of_numbers
-- Ids of the chats with these numbers ($2) by device.
SELECT c.device_no, array_agg(c.id) AS ids
FROM unnest($2::text[]) AS t (phone)
JOIN chats c ON c.tenant_id = $1 AND c.jid = substr(t.phone, 2) || '@s.whatsapp.net' AND NOT c.is_group
GROUP BY c.device_no;

-- name: stay_suppressed
-- Before lead $2 has the number $3: who wants nothing more wants nothing there either, until a person says otherwise.
INSERT INTO suppressions (tenant_id, phone, reason, created_by)
SELECT s.tenant_id, $3, s.reason, s.created_by
FROM leads l JOIN suppressions s ON s.tenant_id = l.tenant_id AND s.phone = l.phone
WHERE l.tenant_id = $1 AND l.id = $2
ON CONFLICT DO NOTHING;

-- name: change_lead
-- $10: what of $3 to $9 is to be changed.
UPDATE leads SET
    phone = CASE WHEN 'phone' = ANY ($10::text[]) THEN $3 ELSE phone END,
    zone = CASE WHEN 'phone' = ANY ($10::text[]) THEN $4 ELSE zone END,
    name = CASE WHEN 'name' = ANY ($10::text[]) THEN $5 ELSE name END,
    tags = CASE WHEN 'tags' = ANY ($10::text[]) THEN $6 ELSE tags END,
    target_status = CASE WHEN 'target_status' = ANY ($10::text[]) THEN $7 ELSE target_status END,
    device_no = CASE WHEN 'device_id' = ANY ($10::text[]) THEN $8 ELSE device_no END,
    fields = CASE WHEN 'fields' = ANY ($10::text[]) THEN $9 ELSE fields END,
    updated_at = now()
WHERE tenant_id = $1 AND id = $2;

-- name: delete_leads
WITH held AS (
    SELECT id FROM leads WHERE tenant_id = $1 AND id = ANY ($2::int8[]) ORDER BY id FOR UPDATE
)
DELETE FROM leads l USING held WHERE l.id = held.id RETURNING l.id, l.phone;

-- name: learn_terms
-- In one order: of two who learn the same new ones none waits for the other in a circle.
INSERT INTO lead_terms (tenant_id, kind, term)
SELECT $1::int4, 'tag', tag FROM unnest($2::text[]) tag UNION ALL SELECT $1::int4, 'field', field FROM unnest($3::text[]) field
ORDER BY 2, 3
ON CONFLICT DO NOTHING;

-- name: list_terms
-- A tag that no lead has any more is not shown.
SELECT kind, term FROM lead_terms t
WHERE tenant_id = $1
  AND (kind = 'field' OR EXISTS (SELECT FROM leads l WHERE l.tenant_id = $1 AND l.tags @> ARRAY[t.term]))
ORDER BY term;
