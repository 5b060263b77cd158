-- What waits for people whom a file gave to another device (going_over.py).

-- name: next_tenant
-- Of those that are not put aside ($1).
SELECT tenant_id FROM given_leads WHERE tenant_id <> ALL ($1::int4[]) ORDER BY tenant_id LIMIT 1

-- name: next_given
-- Whom somebody holds, an import for minutes, keeps nobody behind from going over.
SELECT g.lead_id FROM given_leads g JOIN leads l ON l.id = g.lead_id
WHERE g.tenant_id = $1 ORDER BY g.lead_id LIMIT $2 FOR NO KEY UPDATE OF l SKIP LOCKED

-- name: take_out
DELETE FROM given_leads WHERE tenant_id = $1 AND lead_id = ANY ($2::int8[])
