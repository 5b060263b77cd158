-- Messages on their way out. $1 is always the tenant.

-- name: chats_of_device
-- $2 device number, $3 only the chat with this JID or id (NULL: all), $4 the JID after which the page starts, $5 how many.
SELECT id, jid FROM chats
WHERE tenant_id = $1 AND device_no = $2 AND ($3::text IS NULL OR jid = $3 OR id::text = $3) AND jid > $4
ORDER BY jid LIMIT $5;

-- name: messages_of_chats
-- $2 chats, $3 $4 the chat and key after which the page starts, $5 how many.
SELECT chat_id, key, device_id, chat_jid, message_id, sender_jid, sender_name, from_me, message_type, message_text,
       media_url, quoted_message_id, status, is_ephemeral, is_view_once, is_forwarded, is_pinned, reactions, poll_votes,
       timestamp, edited_at, deleted_at, created_at
FROM whatsapp_messages
WHERE tenant_id = $1 AND chat_id = ANY ($2::int8[]) AND (chat_id, key) > ($3::int8, $4::int8)
ORDER BY chat_id, key LIMIT $5;
