-- What keeps the index of search up to date (search_index.py). One process does it, for all tenants.

-- name: lasting_soon
-- A crash of the server may cost the last instants of the index: what was stored in the last minutes is looked at again.
SET synchronous_commit = off;

-- name: places_to_index
-- What is to be found of these places ($1 chats, $2 keys); the others have no words, or are gone.
SELECT m.chat_id, m.key, m.tenant_id, m.device_no, m.kind, m.body
FROM unnest($1::int8[], $2::int8[]) AS asked (chat_id, key)
JOIN messages m ON m.chat_id = asked.chat_id AND m.key = asked.key
JOIN chats c ON c.id = m.chat_id AND m.key > c.floor_key
WHERE m.body <> '' AND message_kind(m.kind) NOT IN ('unsupported', 'deleted');

-- name: unindex_places
DELETE FROM message_search s USING unnest($1::int8[], $2::int8[]) AS asked (chat_id, key)
WHERE s.chat_id = asked.chat_id AND s.key = asked.key;

-- name: settle_grams
SELECT gin_clean_pending_list('message_search_grams');

-- name: unindex_trimmed
-- Messages are trimmed when others come, so it is enough to look at the chats of those: what lies below the floor, and what
-- was taken out of the oldest second.
DELETE FROM message_search s USING (
    SELECT c.id AS chat_id, l.key FROM chats c
    CROSS JOIN LATERAL (SELECT i.key FROM message_search i WHERE i.chat_id = c.id AND i.key <= c.floor_key) l
    WHERE c.id = ANY ($1::int8[])
    UNION ALL
    SELECT c.id, t.key FROM chats c CROSS JOIN LATERAL unnest(c.thinned) t (key) WHERE c.id = ANY ($1::int8[])
) gone
WHERE s.chat_id = gone.chat_id AND s.key = gone.key;

-- name: note_buckets
INSERT INTO search_buckets (tenant_id, bucket) SELECT * FROM unnest($1::int4[], $2::int4[]) ON CONFLICT DO NOTHING;

-- name: take_queue
DELETE FROM search_queue WHERE id IN (SELECT id FROM search_queue ORDER BY id LIMIT $1) RETURNING chat_id, key;

-- name: chats_to_index
SELECT c.id AS chat_id, c.tenant_id, c.device_no, coalesce(c.called, '') AS name,
       CASE WHEN c.jid LIKE '%@s.whatsapp.net' THEN split_part(c.jid, '@', 1) ELSE '' END AS number
FROM chats_named c WHERE c.id = ANY ($1::int8[]);

-- name: unindex_chats
DELETE FROM chat_search WHERE chat_id = ANY ($1::int8[]);

-- name: unindex_messages_of
DELETE FROM message_search WHERE chat_id = ANY ($1::int8[]);

-- name: next_walked
-- The next $1 chats of those that were there before there was an index.
SELECT c.id FROM search_progress p JOIN chats c ON c.id > p.walked_to AND c.id <= p.walk_end
ORDER BY c.id LIMIT $1;

-- name: note_walked
UPDATE search_progress SET walked_to = $1;

-- name: places_of_chats
SELECT m.chat_id, m.key FROM messages m WHERE m.chat_id = ANY ($1::int8[]);

-- name: told_until
-- A message is stored some seconds after its created_at at most; five minutes are for clocks that differ. It is asked apart,
-- as in answers/answers.sql.
SELECT told_until - interval '5 minutes' FROM search_progress;

-- name: untold_places
-- What came since $2, of which nobody may have been told, and is not indexed: at most $1.
SELECT m.chat_id, m.key
FROM messages m JOIN chats c ON c.id = m.chat_id AND m.key > c.floor_key
WHERE m.created_at >= $2
  AND m.body <> '' AND message_kind(m.kind) NOT IN ('unsupported', 'deleted')
  AND NOT EXISTS (SELECT FROM message_search s WHERE s.chat_id = m.chat_id AND s.key = m.key)
LIMIT $1;

-- name: note_told
-- $1 how many seconds the oldest has waited of what was heard of and is not indexed: a crash forgets it.
UPDATE search_progress SET told_until = now() - $1::float8 * interval '1 second';
