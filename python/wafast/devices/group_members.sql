-- name: group_of_chat
-- Whatever changes from this instant on may be missing in the answer.
SELECT jid, clock_timestamp() AS asked_at FROM chats WHERE device_no = $1 AND id = $2 AND is_group

-- name: keep_members
-- Of two that asked at once the later one counts.
INSERT INTO group_members AS g (chat_id, tenant_id, told_at, members)
SELECT c.id, c.tenant_id, $3::timestamptz, $4::jsonb FROM chats c WHERE c.device_no = $1 AND c.id = $2
ON CONFLICT (chat_id) DO UPDATE SET told_at = excluded.told_at, members = excluded.members
WHERE g.told_at < excluded.told_at

-- name: lock_chat
-- Before what is written of its messages, as the core and who sends do.
SELECT FROM chats WHERE id = $1 FOR NO KEY UPDATE

-- name: mark_read_by_all
-- $1 the group, whose lock the core may wait for: of the newest 1,000 messages those of ours that are not read yet and that as
-- many have read as there are others, 100 at most. To look at who has read each of 10,000 with a thousand readers took 20 s.
WITH unread AS (
    SELECT m.chat_id, m.key
    FROM (SELECT chat_id, key, flags, status FROM messages WHERE chat_id = $1 ORDER BY key DESC LIMIT 1000) m
    JOIN group_members g ON g.chat_id = m.chat_id
    WHERE m.flags & 1 <> 0 AND message_status(m.status) IN ('pending', 'sent', 'delivered')
      AND jsonb_array_length(g.members) - 1 <= (
          SELECT count(*) FROM receipts r
          WHERE r.chat_id = m.chat_id AND r.key = m.key AND coalesce(r.read_at, r.played_at) IS NOT NULL)
    ORDER BY m.key DESC LIMIT 100
)
SELECT * FROM mark_read_by_all(ARRAY(SELECT chat_id FROM unread), ARRAY(SELECT key FROM unread))

-- name: unknown_members
-- Of groups $2 of a device, those of which nothing was told in so many seconds.
SELECT c.id FROM chats c LEFT JOIN group_members g ON g.chat_id = c.id
WHERE c.device_no = $1 AND c.id = ANY ($2::int8[]) AND c.is_group
  AND (g.told_at IS NULL OR g.told_at < now() - make_interval(secs => $3))
ORDER BY c.id
