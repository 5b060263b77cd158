-- While many chats wait for their place in the order, who counts what is unread of a line does not look at each of them, which
-- is of all lines, but at the line's own chats, which are fewer.
CREATE OR REPLACE FUNCTION unread_of(device int4, tenant int4) RETURNS int4 LANGUAGE sql STABLE AS $$
    SELECT coalesce(CASE WHEN EXISTS (SELECT FROM chat_order_queue OFFSET 100) THEN (
        SELECT sum(c.unread) FROM chats c WHERE c.device_no = device
    ) ELSE (
        SELECT sum(c.unread) FILTER (WHERE c.device_no = device)
        FROM (SELECT chat_id FROM chat_order WHERE device_no = device AND is_unread
              UNION SELECT unnest(chat_ids) FROM chat_order_queue WHERE tenant_id = tenant) found
        JOIN chats c ON c.id = found.chat_id
    ) END, 0)::int4
$$;
