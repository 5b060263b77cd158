-- name: lock_subjects
-- Always e-mail first, then address: two attempts never wait for each other.
SELECT pg_advisory_xact_lock(hashtextextended(subject, 0)) FROM unnest($1::text[]) AS s (subject)

-- name: login_wait
-- Seconds until the oldest of the last $3 failures leaves the window of $2 seconds; NULL when there are fewer.
SELECT max(ceil(extract(epoch FROM oldest + make_interval(secs => $2::int) - clock_timestamp())))::int
FROM (
    SELECT (SELECT failed_at FROM login_failures f
            WHERE f.subject = s.subject AND failed_at > clock_timestamp() - make_interval(secs => $2::int)
            ORDER BY failed_at DESC OFFSET $3::int - 1 LIMIT 1) AS oldest
    FROM unnest($1::text[]) AS s (subject)
) found
WHERE oldest IS NOT NULL

-- name: count_failure
WITH old AS (DELETE FROM login_failures WHERE failed_at < now() - interval '1 day')
INSERT INTO login_failures (subject, failed_at)
SELECT subject, clock_timestamp() FROM unnest($1::text[]) AS s (subject)
RETURNING subject, failed_at

-- name: forget_failures
-- Success clears the e-mail's count; of the address's ($2) only the marks this attempt made.
DELETE FROM login_failures
WHERE subject = $1 OR (subject = $2 AND failed_at = ANY ($3::timestamptz[]))

-- name: user_by_email
SELECT id, password_hash FROM users WHERE email = $1 AND disabled_at IS NULL

-- name: user_by_id
SELECT id, email, name, time_zone, language, single_keys, password_hash FROM users WHERE id = $1

-- name: workspaces_of
SELECT t.id, t.name, m.role, t.default_network
FROM members m JOIN tenants t ON t.id = m.tenant_id
WHERE m.user_id = $1
ORDER BY t.id

-- name: start_login
-- The workspace seen last; for a first sign-in a simulated one, which already lives, before an empty one.
INSERT INTO logins (token_hash, user_id, tenant_id, expires_at)
SELECT $1, m.user_id, m.tenant_id, now() + interval '30 days'
FROM members m
JOIN tenants t ON t.id = m.tenant_id
LEFT JOIN logins l ON l.user_id = m.user_id AND l.tenant_id = m.tenant_id
WHERE m.user_id = $2
ORDER BY l.seen_at DESC NULLS LAST, t.default_network = 'loopback' DESC, t.id
LIMIT 1
RETURNING tenant_id

-- name: principal_of_login
-- seen_at moves at most once a minute: reading a page must not write a row each time.
WITH seen AS (
    UPDATE logins SET seen_at = now(), expires_at = now() + interval '30 days'
    WHERE token_hash = $1 AND expires_at > now() AND seen_at < now() - interval '1 minute'
)
SELECT l.user_id, l.tenant_id, m.role, m.device_ids
FROM logins l
JOIN users u ON u.id = l.user_id AND u.disabled_at IS NULL
JOIN members m ON m.user_id = l.user_id AND m.tenant_id = l.tenant_id
WHERE l.token_hash = $1 AND l.expires_at > now()

-- name: switch_login
UPDATE logins l SET tenant_id = $3, seen_at = now()
WHERE token_hash = $1 AND user_id = $2
  AND EXISTS (SELECT FROM members m WHERE m.user_id = $2 AND m.tenant_id = $3)
RETURNING tenant_id

-- name: set_habits
-- $2 whether the zone is to change, to $3; $4 the language, to $5; $6 whether single keys do something, NULL: as before.
UPDATE users SET time_zone = CASE WHEN $2 THEN $3 ELSE time_zone END,
    language = CASE WHEN $4 THEN $5 ELSE language END, single_keys = coalesce($6, single_keys)
WHERE id = $1

-- name: end_login
DELETE FROM logins WHERE token_hash = $1

-- name: set_password
UPDATE users SET password_hash = $2 WHERE id = $1

-- name: end_other_logins
DELETE FROM logins WHERE user_id = $1 AND token_hash <> $2
