-- Two leads become one. $1 the tenant, $2 the lead that stays, $3 the one that goes.

-- name: lock_both
SELECT id, phone, name, tags, target_status, device_no, fields, replied_at FROM leads
WHERE tenant_id = $1 AND id = ANY (ARRAY[$2::int8, $3]) ORDER BY id FOR NO KEY UPDATE;

-- name: take_over
UPDATE leads k SET
    name = CASE WHEN k.name = '' THEN g.name ELSE k.name END,
    tags = k.tags || ARRAY(SELECT tag FROM unnest(g.tags) WITH ORDINALITY t (tag, place)
                           WHERE tag <> ALL (k.tags) ORDER BY place),
    target_status = CASE WHEN g.target_status = 'customer' THEN 'customer' ELSE k.target_status END,
    device_no = coalesce(k.device_no, g.device_no),
    fields = g.fields || k.fields,
    replied_at = greatest(k.replied_at, g.replied_at),
    updated_at = now()
FROM leads g WHERE k.tenant_id = $1 AND k.id = $2 AND g.tenant_id = $1 AND g.id = $3;

-- name: move_notes
UPDATE lead_notes SET lead_id = $2 WHERE tenant_id = $1 AND lead_id = $3;
