-- name: group_of_chat
-- Whatever changes from this instant on may be missing in the answer.
SELECT jid, clock_timestamp() AS asked_at FROM chats WHERE device_no = $1 AND id = $2 AND is_group

-- name: keep_members
-- Of two that asked at once the later one counts.
INSERT INTO group_members AS g (chat_id, tenant_id, told_at, members)
SELECT c.id, c.tenant_id, $3::timestamptz, $4::jsonb FROM chats c WHERE c.device_no = $1 AND c.id = $2
ON CONFLICT (chat_id) DO UPDATE SET told_at = excluded.told_at, members = excluded.members
WHERE g.told_at < excluded.told_at
