-- name: make_devices
-- $1: how many
WITH tenant AS (INSERT INTO tenants (name) VALUES ('bench') RETURNING id)
INSERT INTO devices (tenant_id, name, network, jid)
SELECT t.id, 'line ' || n, 'loopback', (60190000000 + n) || '@s.whatsapp.net' FROM tenant t, generate_series(1, $1::int4) n
ORDER BY n
RETURNING no, tenant_id

-- name: make_messages
-- As a long life leaves them: of each chat the last 20 to 39, in the order they came. Chat n got a message with every
-- ($2 * (n + 10))th that came, the last at $4; the corpus says why.
-- $1: chats, $2: sum of the weights, $3: messages that ever came, $4: Unix time now, $5: messages a second, $6: tenant,
-- $7: devices, $8: phone number of the first
WITH chat AS (
    SELECT n, $2::float8 * (n + 10) AS every, least(20 + n * 7919 % 20, $3::int8 / ($2::float8 * (n + 10)))::int4 AS kept
    FROM generate_series(0, $1::int8 - 1) n
), message AS (
    SELECT n, j, (j + (n * 31 + j * 17) % 100 / 100.0) * every AS ago FROM chat, generate_series(0, kept - 1) j
)
INSERT INTO messages (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id, sender_name, body)
SELECT n + 1, (($4::int8 - (ago / $5::int4)::int8) << 32) | ((n * 2654435761 + j) & 4294967295),
       to_timestamp($4::int8 - ago / $5::int4), ($8::int8 + n) << 3, ($7::int4[])[n % array_length($7::int4[], 1) + 1], $6,
       0, 0, 0, 'OLD' || n || '-' || j, 'Pelanggan ' || lpad(n::text, 6, '0'),
       substr(repeat('selamat pagi boleh saya tahu harga barang ini ', 7), 1, 20 + (n * 7 + j * 31)::int4 % 220)
FROM message ORDER BY ago DESC

-- name: make_chats
-- Chat n + 1 is the corpus' nth. $1: how many, $2: tenant, $3: devices, $4: phone number of the first
INSERT INTO chats (id, tenant_id, device_no, jid, name, stored, last_key, last_kind, last_flags, last_text, last_status)
SELECT n + 1, $2, ($3::int4[])[n % array_length($3::int4[], 1) + 1], ($4::int8 + n) || '@s.whatsapp.net',
       'Pelanggan ' || lpad(n::text, 6, '0'), coalesce(m.count, 0), m.last_key, 0, 0, 'selamat pagi', 0
FROM generate_series(0, $1::int8 - 1) n
LEFT JOIN (SELECT chat_id, count(*), max(key) AS last_key FROM messages GROUP BY chat_id) m ON m.chat_id = n + 1
ORDER BY n

-- name: free_chat_ids
SELECT setval(pg_get_serial_sequence('chats', 'id'), (SELECT max(id) FROM chats))

-- name: copy_tables
-- What rivals write into: the same tables with the same rows.
CREATE TABLE rival_messages (LIKE messages INCLUDING ALL);
CREATE TABLE rival_chats (LIKE chats INCLUDING ALL);
INSERT INTO rival_chats SELECT * FROM chats;
INSERT INTO rival_messages SELECT * FROM messages;

-- name: vacuum
-- So that no measurement pays for the preparation's rest; then a checkpoint.
VACUUM ANALYZE

-- name: checkpoint
CHECKPOINT
