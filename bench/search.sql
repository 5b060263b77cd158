-- name: search_chats
-- Chats as lines have them, without the triggers that would queue each for the index: $1 how many, $2 tenant, $3 devices,
-- $4 phone number of the first, $5 given names, $6 family names, $7 Unix time of the newest message.
INSERT INTO chats (id, tenant_id, device_no, jid, name, last_key, last_kind, last_flags, last_text, last_status)
SELECT n + 1, $2, ($3::int4[])[n % array_length($3::int4[], 1) + 1], ($4::int8 + n * 7) || '@s.whatsapp.net',
       ($5::text[])[n * 2654435761 % array_length($5::text[], 1) + 1] || ' ' ||
       ($6::text[])[n * 40503 % array_length($6::text[], 1) + 1],
       ($7::int8 - n % 2000000) << 32, 0, 0, 'selamat pagi', 0
FROM generate_series(0, $1::int8 - 1) n

-- name: without_triggers
ALTER TABLE chats DISABLE TRIGGER USER;
ALTER TABLE messages DISABLE TRIGGER USER

-- name: with_triggers
ALTER TABLE chats ENABLE TRIGGER USER;
ALTER TABLE messages ENABLE TRIGGER USER

-- name: without_indexes
ALTER TABLE messages DROP CONSTRAINT messages_pkey;
ALTER TABLE message_search DROP CONSTRAINT message_search_pkey;
DROP INDEX message_search_grams;
DROP INDEX chat_search_grams

-- name: build_indexes
SET maintenance_work_mem = '1GB';
ALTER TABLE messages ADD PRIMARY KEY (chat_id, key);
ALTER TABLE message_search ADD PRIMARY KEY (chat_id, key);
CREATE INDEX message_search_grams ON message_search USING gin (grams);
CREATE INDEX chat_search_grams ON chat_search USING gin (grams) WITH (fastupdate = off)

-- name: fill_buckets
-- $1 tenant, $2 $3 first and last bucket
INSERT INTO search_buckets (tenant_id, bucket) SELECT $1, n FROM generate_series($2::int4, $3::int4) n

-- name: all_is_indexed
UPDATE search_progress SET walk_end = 0, told_until = now() + interval '10 minutes'

-- name: vacuum_search
VACUUM ANALYZE

-- name: search_sizes
SELECT pg_total_relation_size('messages') / 1048576.0 AS messages, pg_table_size('message_search') / 1048576.0 AS rows,
       pg_relation_size('message_search_grams') / 1048576.0 AS grams,
       pg_relation_size('message_search_pkey') / 1048576.0 AS places,
       pg_total_relation_size('chat_search') / 1048576.0 AS chats

-- name: ilike
-- What one would write without an index: $1 tenant, $2 pattern, $3 devices (NULL: all).
SELECT chat_id, key FROM messages
WHERE tenant_id = $1 AND body ILIKE $2 AND ($3::int4[] IS NULL OR device_no = ANY ($3))
ORDER BY key DESC LIMIT 50

-- name: ilike_names
SELECT id FROM chats WHERE tenant_id = $1 AND (name ILIKE $2 OR jid LIKE $2) ORDER BY last_key DESC LIMIT 20

-- name: patience
-- Milliseconds a rival gets.
SET statement_timeout = 60000

-- name: newest_places
-- $1 how many
SELECT chat_id, key FROM messages ORDER BY created_at DESC LIMIT $1

-- name: some_chats
SELECT id, device_no FROM chats ORDER BY id LIMIT $1

-- name: insert_said
INSERT INTO messages (chat_id, key, created_at, device_no, tenant_id, kind, flags, status, message_id, body)
VALUES ($1, $2, now(), $3, $4, 0, 0, 0, $5, $6)
