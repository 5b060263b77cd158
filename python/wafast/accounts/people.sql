-- People of a workspace. $1 is always the tenant.

-- name: list_people
-- $2 how many, $3 only those with a smaller id (NULL: all).
SELECT u.id, u.name, u.email, m.role, m.device_ids, u.created_at,
       (SELECT max(l.seen_at) FROM logins l WHERE l.user_id = u.id AND l.tenant_id = $1) AS seen_at
FROM members m JOIN users u ON u.id = m.user_id
WHERE m.tenant_id = $1 AND ($3::int8 IS NULL OR u.id < $3)
ORDER BY u.id DESC
LIMIT $2

-- name: get_person
SELECT u.id, u.name, u.email, m.role, m.device_ids, u.created_at,
       (SELECT max(l.seen_at) FROM logins l WHERE l.user_id = u.id AND l.tenant_id = $1) AS seen_at
FROM members m JOIN users u ON u.id = m.user_id
WHERE m.tenant_id = $1 AND u.id = $2

-- name: lock_administrators
-- All who administer the workspace: two changes at once can't leave it without one.
SELECT user_id FROM members WHERE tenant_id = $1 AND role = 'admin' ORDER BY user_id FOR UPDATE

-- name: is_under
-- Whether user $2 belongs only to workspaces that user $3 administers (NULL: to no other): then name and password are his
-- to change.
SELECT NOT EXISTS (
    SELECT FROM members o
    WHERE o.user_id = $2 AND o.tenant_id <> $1 AND NOT EXISTS (
        SELECT FROM members a WHERE a.tenant_id = o.tenant_id AND a.user_id = $3 AND a.role = 'admin'))

-- name: change_member
UPDATE members SET role = $3, device_ids = $4 WHERE tenant_id = $1 AND user_id = $2

-- name: rename_person
UPDATE users SET name = $3
WHERE id = $2 AND EXISTS (SELECT FROM members m WHERE m.tenant_id = $1 AND m.user_id = $2)

-- name: remove_member
DELETE FROM members WHERE tenant_id = $1 AND user_id = $2

-- name: end_logins_here
DELETE FROM logins WHERE tenant_id = $1 AND user_id = $2

-- name: new_password
WITH ended AS (DELETE FROM logins WHERE user_id = $2)
UPDATE users SET password_hash = $3
WHERE id = $2 AND EXISTS (SELECT FROM members m WHERE m.tenant_id = $1 AND m.user_id = $2)
