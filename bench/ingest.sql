-- name: insert_message
INSERT INTO rival_messages (chat_id, key, created_at, sender, device_no, tenant_id, kind, flags, status, message_id,
                            sender_name, body, media, quoted)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING

-- name: update_chat
INSERT INTO rival_chats (tenant_id, device_no, jid, name, stored, unread, last_key, last_kind, last_text, last_status)
VALUES ($1, $2, $3, $4, 1, 1, $5, $6, $7, 0)
ON CONFLICT (device_no, jid) DO UPDATE SET
    stored = rival_chats.stored + 1, unread = rival_chats.unread + 1, last_key = excluded.last_key,
    last_kind = excluded.last_kind, last_text = excluded.last_text, last_status = excluded.last_status

-- name: state_of_messages
SELECT pg_current_wal_lsn() - '0/0' AS wal_bytes, pg_table_size('messages') AS table_bytes,
       s.n_live_tup AS live, s.n_dead_tup AS dead, s.autovacuum_count AS vacuums
FROM pg_stat_user_tables s WHERE s.relname = 'messages'
