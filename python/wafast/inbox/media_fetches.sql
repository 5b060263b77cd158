-- name: next_wanted
-- $1 devices, $2 $3 chats and keys of what is being fetched, $4 how many.
SELECT f.chat_id, f.key, f.device_no, f.attempts, coalesce((m.media ->> 'size')::int8, 0) AS size
FROM media_fetches f
LEFT JOIN messages m ON m.chat_id = f.chat_id AND m.key = f.key
WHERE f.state = 'wanted' AND f.retry_at <= now() AND f.device_no = ANY ($1::int4[])
  AND (f.chat_id, f.key) NOT IN (SELECT * FROM unnest($2::int8[], $3::int8[]))
ORDER BY f.key DESC
LIMIT $4;

-- name: seconds_until_wanted
-- The first of each device by itself: all of them may be very many.
SELECT extract(epoch FROM min(next.retry_at) - now())::float8
FROM unnest($1::int4[]) d (no)
CROSS JOIN LATERAL (
    SELECT f.retry_at FROM media_fetches f WHERE f.state = 'wanted' AND f.device_no = d.no AND f.retry_at > now()
    ORDER BY f.retry_at LIMIT 1
) next;

-- name: try_fetch_later
UPDATE media_fetches SET
    retry_at = now() + make_interval(secs => $3), reason = $4, attempts = attempts + $5::bool::int4
WHERE chat_id = $1 AND key = $2 AND state = 'wanted';

-- name: give_up_fetch
UPDATE media_fetches SET state = 'failed', reason = $3, attempts = attempts + 1
WHERE chat_id = $1 AND key = $2 AND state = 'wanted';

-- name: expire_fetch
INSERT INTO media_fetches (chat_id, key, tenant_id, device_no, state, reason, attempts, retry_at)
SELECT m.chat_id, m.key, m.tenant_id, m.device_no, 'expired', $3, 1, now() + make_interval(secs => $4)
FROM messages m WHERE m.chat_id = $1 AND m.key = $2
ON CONFLICT (chat_id, key) DO UPDATE SET state = 'expired', reason = excluded.reason, retry_at = excluded.retry_at,
    attempts = media_fetches.attempts + 1
RETURNING chat_id, key, tenant_id, device_no;

-- name: forget_fetch
DELETE FROM media_fetches WHERE chat_id = $1 AND key = $2 RETURNING chat_id, key, tenant_id, device_no, state;

-- name: forget_gone
-- Of the next thousand after the place $1 $2 those without a message; gives the thousandth.
WITH looked AS (
    SELECT chat_id, key FROM media_fetches WHERE (chat_id, key) > ($1::int8, $2::int8) ORDER BY chat_id, key LIMIT 1000
), gone AS (
    DELETE FROM media_fetches f USING looked l
    WHERE f.chat_id = l.chat_id AND f.key = l.key
      AND (SELECT true FROM messages m WHERE m.chat_id = l.chat_id AND m.key = l.key) IS NULL
)
SELECT chat_id, key FROM looked ORDER BY chat_id, key OFFSET 999;
