-- name: make_devices
-- $1: how many
WITH tenant AS (INSERT INTO tenants (name) VALUES ('bench') RETURNING id)
INSERT INTO devices (tenant_id, name, network, jid)
SELECT t.id, 'line ' || n, 'loopback', (60190000000 + n) || '@s.whatsapp.net' FROM tenant t, generate_series(1, $1::int4) n
ORDER BY n
RETURNING no, tenant_id

-- name: make_chats
-- Chat n + 1 is the corpus' nth. $1: how many, $2: tenant, $3: devices, $4: phone number of the first,
-- $5: messages in each, $6: Unix time of their newest
INSERT INTO chats (id, tenant_id, device_no, jid, name, stored, last_key, last_kind, last_flags, last_text, last_status)
SELECT n + 1, $2, ($3::int4[])[n % array_length($3::int4[], 1) + 1], ($4::int8 + n) || '@s.whatsapp.net',
       'Pelanggan ' || lpad(n::text, 6, '0'), $5::int4, $6::int8 << 32, 0, 0, 'selamat pagi', 0
FROM generate_series(0, $1::int4 - 1) n

-- name: free_chat_ids
SELECT setval(pg_get_serial_sequence('chats', 'id'), (SELECT max(id) FROM chats))

-- name: make_messages
-- An hour between a chat's messages; all chats' in turn, as they come in life. $1: messages a chat, $2: Unix time of the newest
INSERT INTO messages (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id, sender_name, body)
SELECT c.id, ($2::int8 - n * 3600) << 32 | (c.id * 2654435761 + n) & 4294967295, to_timestamp($2::int8 - n * 3600),
       split_part(c.jid, '@', 1)::int8 << 3, c.device_no, c.tenant_id, 0, 0, 0, 'OLD' || c.id || '-' || n, c.name,
       substr(repeat('selamat pagi boleh saya tahu harga barang ini ', 7), 1, 20 + (c.id * 7 + n * 31)::int4 % 220)
FROM generate_series($1::int4 - 1, 0, -1) n, chats c

-- name: copy_tables
-- What rivals write into: the same tables with the same rows.
CREATE TABLE rival_messages (LIKE messages INCLUDING ALL);
CREATE TABLE rival_chats (LIKE chats INCLUDING ALL);
INSERT INTO rival_chats SELECT * FROM chats;
INSERT INTO rival_messages SELECT * FROM messages;

-- name: tidy
-- So that no measurement pays for the preparation's rest. One statement a line: VACUUM can't share one.
VACUUM ANALYZE chats;
VACUUM ANALYZE messages;
CHECKPOINT

-- name: checkpoint
CHECKPOINT
