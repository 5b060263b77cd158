-- What waits for people whom a file gave to another device (going_over.py).

-- name: next_tenant
-- Of those that are not put aside ($1).
SELECT tenant_id FROM given_leads WHERE tenant_id <> ALL ($1::int4[]) ORDER BY tenant_id LIMIT 1

-- name: next_given
SELECT lead_id FROM given_leads WHERE tenant_id = $1 ORDER BY lead_id LIMIT $2

-- name: take_out
DELETE FROM given_leads WHERE tenant_id = $1 AND lead_id = ANY ($2::int8[])
