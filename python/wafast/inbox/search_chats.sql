-- Looking for chats by name and number, and in lists (0013_search.sql). $1 is always the tenant.

-- name: chats_meant
-- By name ($2 grams, $3 patterns) or number ($4 grams, $5 pattern), of which it must have one of $6; $7 how many at most, in
-- no order.
SELECT s.chat_id FROM chat_search s
WHERE ((s.grams @> $2::int4[] AND s.name LIKE ALL ($3::text[])) OR (s.grams @> $4::int4[] AND s.number LIKE $5))
  AND s.grams && $6::int4[] AND s.tenant_id = $1
LIMIT $7;

-- name: rank_chats
-- Of the chats $2 those of the devices $3 (NULL: all) below the place $4 $5 (last_key, id), newest first; $6 how many.
SELECT c.id, c.last_key FROM chats c
WHERE c.tenant_id = $1 AND c.id = ANY ($2::int8[]) AND ($3::int4[] IS NULL OR c.device_no = ANY ($3))
  AND c.last_key IS NOT NULL AND (c.last_key, c.id) < ($4::int8, $5::int8)
ORDER BY c.last_key DESC, c.id DESC LIMIT $6;

-- name: walk_chats
-- Of the next $5 chats in the order of all lists below the place $3 $4 those of the devices $2 (NULL: all) that are meant (by
-- name $6 $7, by number $8 $9), and the last one, whatever it is.
SELECT walked.chat_id AS id, walked.last_key, walked.n = $5 AS is_last, coalesce(meant.is_it, false) AS is_meant
FROM (
    SELECT o.chat_id, o.last_key, o.device_no, row_number() OVER (ORDER BY o.last_key DESC, o.chat_id DESC) AS n
    FROM chat_order o
    WHERE o.tenant_id = $1 AND (o.last_key, o.chat_id) < ($3::int8, $4::int8)
    ORDER BY o.last_key DESC, o.chat_id DESC LIMIT $5
) walked
LEFT JOIN LATERAL (
    SELECT (s.grams @> $6::int4[] AND s.name LIKE ALL ($7::text[])) OR (s.grams @> $8::int4[] AND s.number LIKE $9) AS is_it
    FROM chat_search s
    WHERE s.chat_id = walked.chat_id AND ($2::int4[] IS NULL OR walked.device_no = ANY ($2)) OFFSET 0
) meant ON true
WHERE meant.is_it OR walked.n = $5
ORDER BY walked.n;

-- name: next_listed
-- The next $6 chats of the device $2 below the place $4 $5, as far down as $3: walked as list_chats does (chats.sql).
WITH moved AS (
SELECT DISTINCT unnest(chat_ids) AS id FROM chat_order_queue WHERE tenant_id = $1
)
(SELECT o.chat_id AS id, o.last_key
FROM chat_order o
WHERE o.tenant_id = $1 AND o.device_no = $2 AND o.last_key >= $3 AND (o.last_key, o.chat_id) < ($4::int8, $5::int8)
  AND o.chat_id NOT IN (SELECT id FROM moved)
ORDER BY o.last_key DESC, o.chat_id DESC
LIMIT $6)
UNION ALL
(SELECT c.id, c.last_key
FROM moved JOIN chats c ON c.id = moved.id
WHERE c.tenant_id = $1 AND c.device_no = $2 AND c.last_key >= $3 AND (c.last_key, c.id) < ($4, $5)
ORDER BY c.last_key DESC, c.id DESC
LIMIT $6)
ORDER BY last_key DESC, id DESC
LIMIT $6;

-- name: words_of_chats
-- What may be meant of the chats $2: their names and messages ($3 patterns); NULL where the number is it ($4 pattern).
SELECT s.chat_id, CASE WHEN $4 <> '' AND s.number LIKE $4 THEN NULL ELSE s.name END AS words
FROM chat_search s
WHERE s.tenant_id = $1 AND s.chat_id = ANY ($2::int8[])
  AND ($4 <> '' AND s.number LIKE $4 OR $3::text[] <> '{}' AND s.name LIKE ALL ($3))
UNION ALL
SELECT s.chat_id, s.words FROM message_search s
WHERE s.tenant_id = $1 AND s.chat_id = ANY ($2) AND $3 <> '{}' AND s.words LIKE ALL ($3);
