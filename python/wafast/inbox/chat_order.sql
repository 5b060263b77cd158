-- What keeps the order of the list of all devices (chat_order.py). One process does it, for all tenants.

-- name: set_up
-- What a crash of the server costs is done again: places and what was taken from the queue are one transaction. So is what
-- gives way to whoever deletes a label: before a deadlock would be looked for, which is after a second.
SET synchronous_commit = off; SET lock_timeout = '500ms';

-- name: place_moved
-- Takes $1 rows of the queue and brings the places of their chats, among all and with each label, up to date; gives how
-- many rows there were. What is committed after this statement began has a row that it does not see.
WITH taken AS (
    DELETE FROM chat_order_queue WHERE id IN (SELECT id FROM chat_order_queue ORDER BY id LIMIT $1) RETURNING chat_ids
), moved AS MATERIALIZED (
    SELECT m.id, p.*
    FROM (SELECT DISTINCT unnest(chat_ids) AS id FROM taken) m LEFT JOIN chat_places p ON p.chat_id = m.id
), gone AS (
    DELETE FROM chat_order o USING moved m WHERE o.chat_id = m.id AND m.last_key IS NULL
), changed AS (
    UPDATE chat_order o SET tenant_id = m.tenant_id, device_no = m.device_no, last_key = m.last_key, is_group = m.is_group,
        is_unread = m.is_unread, is_pinned = m.is_pinned, archived = m.archived,
        assignee_id = m.assignee_id, is_open = m.is_open
    FROM moved m
    WHERE o.chat_id = m.id AND m.last_key IS NOT NULL
      AND (o.tenant_id, o.device_no, o.last_key, o.is_group, o.is_unread, o.is_pinned, o.archived, o.assignee_id, o.is_open)
          IS DISTINCT FROM
          (m.tenant_id, m.device_no, m.last_key, m.is_group, m.is_unread, m.is_pinned, m.archived, m.assignee_id, m.is_open)
), labelled AS (
    UPDATE chat_labels l SET device_no = m.device_no, last_key = m.last_key, is_group = m.is_group, is_unread = m.is_unread,
        is_pinned = m.is_pinned, archived = m.archived, assignee_id = m.assignee_id, is_open = m.is_open
    FROM moved m
    WHERE l.chat_id = m.id
      AND (l.device_no, l.last_key, l.is_group, l.is_unread, l.is_pinned, l.archived, l.assignee_id, l.is_open)
          IS DISTINCT FROM
          (m.device_no, m.last_key, m.is_group, m.is_unread, m.is_pinned, m.archived, m.assignee_id, m.is_open)
), added AS (
    INSERT INTO chat_order (chat_id, tenant_id, device_no, last_key, is_group, is_unread, is_pinned, archived,
                            assignee_id, is_open)
    SELECT m.chat_id, m.tenant_id, m.device_no, m.last_key, m.is_group, m.is_unread, m.is_pinned, m.archived,
           m.assignee_id, m.is_open
    FROM moved m WHERE m.last_key IS NOT NULL AND NOT EXISTS (SELECT FROM chat_order o WHERE o.chat_id = m.id)
)
SELECT count(*) FROM taken;
