-- Leads, one by one and as lists. $1 is always the tenant.

-- name: plan_by_filter
-- A plan for this filter and not for any: see leads_matching().
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL jit = off;

-- name: region_of_tenant
SELECT region, time_zone FROM tenants WHERE id = $1;

-- name: get_leads
SELECT l.*, d.id AS device_id, s.phone IS NOT NULL AS is_suppressed
FROM leads l
LEFT JOIN devices d ON d.no = l.device_no
LEFT JOIN suppressions s ON s.tenant_id = l.tenant_id AND s.phone = l.phone
WHERE l.tenant_id = $1 AND l.id = ANY ($2::int8[])
  AND ($3::uuid[] IS NULL OR l.device_no IS NULL OR d.id = ANY ($3));

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
SELECT l.*, d.id AS device_id, s.phone IS NOT NULL AS is_suppressed
FROM page
JOIN leads l ON l.id = page.id
LEFT JOIN devices d ON d.no = l.device_no
LEFT JOIN suppressions s ON s.tenant_id = l.tenant_id AND s.phone = l.phone
ORDER BY l.id DESC;

-- name: count_leads
SELECT count(*) FROM leads_matching($1, $2);

-- name: device_for_lead
SELECT no FROM devices WHERE tenant_id = $1 AND id = $2;

-- name: create_lead
INSERT INTO leads (tenant_id, phone, name, tags, target_status, device_no, fields, zone)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant_id, phone) DO NOTHING
RETURNING id;

-- name: lead_by_phone
SELECT id FROM leads WHERE tenant_id = $1 AND phone = $2;

-- name: keep_number
-- Before lead $2 has the number $3, or none (NULL): who was written to at the one it had may still want nothing more.
INSERT INTO former_leads (tenant_id, phone)
SELECT l.tenant_id, l.phone FROM leads l
WHERE l.tenant_id = $1 AND l.id = $2 AND l.phone IS DISTINCT FROM $3 AND EXISTS (SELECT FROM outbox o WHERE o.lead_id = l.id)
ON CONFLICT DO NOTHING;

-- name: readdress
-- What waits for lead $2 goes to the number $3, unless that gets the same already.
UPDATE outbox o SET
    to_jid = CASE WHEN w.is_twice THEN o.to_jid ELSE w.jid END,
    state = CASE WHEN w.is_twice THEN 'cancelled' ELSE o.state END,
    cause = CASE WHEN w.is_twice THEN 'lead_gone' END,
    reason = CASE WHEN w.is_twice THEN 'The number the lead has now gets it already.' END
FROM (
    SELECT q.id, n.jid, q.enrolment_id IS NULL AND EXISTS (
               SELECT FROM outbox x WHERE x.source_id = q.source_id AND x.enrolment_id IS NULL AND x.to_jid = n.jid) AS is_twice
    FROM outbox q CROSS JOIN (SELECT substr($3::text, 2) || '@s.whatsapp.net' AS jid) n
    WHERE q.tenant_id = $1 AND q.lead_id = $2 AND q.source_id IS NOT NULL AND q.state = 'queued' AND q.to_jid <> n.jid
    ORDER BY q.id FOR NO KEY UPDATE OF q
) w
WHERE o.id = w.id AND o.state = 'queued';

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
WHERE tenant_id = $1 AND id = $2
RETURNING id;

-- name: cancel_sends_of_leads
-- Who is gone is written to no more.
UPDATE outbox SET state = 'cancelled', cause = 'lead_gone', reason = 'The lead was deleted.'
WHERE tenant_id = $1 AND lead_id = ANY ($2::int8[]) AND state = 'queued';

-- name: delete_leads
DELETE FROM leads WHERE tenant_id = $1 AND id = ANY ($2::int8[]) RETURNING id;

-- name: learn_terms
INSERT INTO lead_terms (tenant_id, kind, term)
SELECT $1::int4, 'tag', tag FROM unnest($2::text[]) tag UNION ALL SELECT $1::int4, 'field', field FROM unnest($3::text[]) field
ON CONFLICT DO NOTHING;

-- name: list_terms
-- A tag that no lead has any more is not shown.
SELECT kind, term FROM lead_terms t
WHERE tenant_id = $1
  AND (kind = 'field' OR EXISTS (SELECT FROM leads l WHERE l.tenant_id = $1 AND l.tags @> ARRAY[t.term]))
ORDER BY term;

-- name: list_sends
-- What was or is to be sent to a lead. $2 the lead, $3 only those before this id, $4 how many.
SELECT o.id, o.kind, o.body, o.state, o.cause, o.reason, o.not_before, o.sent_at, o.delivered_at, o.read_at, o.replied_at,
       d.id AS device_id, c.id AS campaign_id, s.id AS sequence_id, t.place AS step, coalesce(c.name, s.name) AS source_name
FROM outbox o
LEFT JOIN devices d ON d.no = o.device_no
LEFT JOIN campaigns c ON c.source_id = o.source_id
LEFT JOIN sequence_steps t ON t.source_id = o.source_id
LEFT JOIN sequences s ON s.id = t.sequence_id
WHERE o.tenant_id = $1 AND o.lead_id = $2 AND o.id < $3
ORDER BY o.id DESC
LIMIT $4;
