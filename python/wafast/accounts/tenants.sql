-- name: has_users
SELECT EXISTS (SELECT FROM users)

-- name: lock_bootstrap
SELECT pg_advisory_xact_lock(7205759404)

-- name: create_tenant
INSERT INTO tenants (name, default_network) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING id

-- name: find_tenant
SELECT id FROM tenants WHERE $1::text IS NULL OR name = $1 ORDER BY id LIMIT 1

-- name: list_tenants
SELECT id, name, default_network,
       (SELECT count(*) FROM devices d WHERE d.tenant_id = t.id) AS devices,
       (SELECT count(*) FROM members m WHERE m.tenant_id = t.id) AS members
FROM tenants t ORDER BY id

-- name: get_place
SELECT name, region, time_zone FROM tenants WHERE id = $1

-- name: change_place
-- A zone that this database doesn't know is an error: working hours are reckoned here.
UPDATE tenants SET region = coalesce($2, region), time_zone = coalesce($3, time_zone)
WHERE id = $1 AND timezone(coalesce($3, time_zone), now()) IS NOT NULL
RETURNING name, region, time_zone

-- name: create_member
WITH person AS (
    INSERT INTO users (email, name, password_hash) VALUES ($1, $2, $3) ON CONFLICT (email) DO NOTHING RETURNING id
)
INSERT INTO members (tenant_id, user_id, role, device_ids) SELECT $4, id, $5, $6 FROM person RETURNING user_id

-- name: has_user
SELECT EXISTS (SELECT FROM users WHERE email = $1)

-- name: join_tenant
INSERT INTO members (tenant_id, user_id, role, device_ids) SELECT $1, id, $3, $4 FROM users WHERE email = $2
ON CONFLICT DO NOTHING
RETURNING user_id

-- name: join_administrators
INSERT INTO members (tenant_id, user_id, role)
SELECT $1, user_id, 'admin' FROM members
WHERE role = 'admin' AND tenant_id = (SELECT min(id) FROM tenants)
ON CONFLICT DO NOTHING

-- name: list_users
SELECT u.email, u.name, t.name AS tenant, m.role
FROM users u JOIN members m ON m.user_id = u.id JOIN tenants t ON t.id = m.tenant_id
ORDER BY u.email, t.id

-- name: reset_password
WITH person AS (UPDATE users SET password_hash = $2 WHERE email = $1 RETURNING id),
     ended AS (DELETE FROM logins WHERE user_id = (SELECT id FROM person))
SELECT id FROM person
