-- What keeps the order of the list of all devices (chat_order.py). One process does it, for all tenants.

-- name: commit_soon
-- What a crash of the server costs is done again: places and what was taken from the queue are one transaction.
SET synchronous_commit = off;

-- name: place_moved
-- Takes $1 rows of the queue and brings the places of their chats up to date; gives how many rows there were. What is
-- committed after this statement began has a row that it does not see.
WITH taken AS (
    DELETE FROM chat_order_queue WHERE id IN (SELECT id FROM chat_order_queue ORDER BY id LIMIT $1) RETURNING chat_ids
), moved AS MATERIALIZED (
    SELECT DISTINCT unnest(chat_ids) AS id FROM taken
), placed AS (
    MERGE INTO chat_order o
    USING (SELECT m.id, c.tenant_id, c.device_no, c.last_key, c.is_group, c.unread > 0 AS is_unread,
                  c.pinned_at IS NOT NULL AS is_pinned, c.archived
           FROM moved m LEFT JOIN chats c ON c.id = m.id) c
    ON o.chat_id = c.id
    WHEN MATCHED AND c.last_key IS NULL THEN DELETE
    WHEN MATCHED AND (o.tenant_id, o.device_no, o.last_key, o.is_group, o.is_unread, o.is_pinned, o.archived)
                  <> (c.tenant_id, c.device_no, c.last_key, c.is_group, c.is_unread, c.is_pinned, c.archived) THEN
        UPDATE SET tenant_id = c.tenant_id, device_no = c.device_no, last_key = c.last_key, is_group = c.is_group,
                   is_unread = c.is_unread, is_pinned = c.is_pinned, archived = c.archived
    WHEN NOT MATCHED AND c.last_key IS NOT NULL THEN
        INSERT (chat_id, tenant_id, device_no, last_key, is_group, is_unread, is_pinned, archived)
        VALUES (c.id, c.tenant_id, c.device_no, c.last_key, c.is_group, c.is_unread, c.is_pinned, c.archived)
    RETURNING 1
)
SELECT count(*) FROM taken;
