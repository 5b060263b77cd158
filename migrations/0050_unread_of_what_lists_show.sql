-- What is unread of a line is what its list shows so: neither archived chats nor those without a message for as many days
-- as wafast.chat_days says (WAFAST_CHAT_DAYS), which the API's connections bring along.
CREATE FUNCTION oldest_listed() RETURNS int8 LANGUAGE sql STABLE RETURN
    (extract(epoch FROM now())::int8 - 86400 * coalesce(nullif(current_setting('wafast.chat_days', true), '')::int8, 30)) << 32;

CREATE OR REPLACE FUNCTION unread_of(device int4, tenant int4) RETURNS int4 LANGUAGE sql STABLE AS $$
    SELECT coalesce(CASE WHEN EXISTS (SELECT FROM chat_order_queue OFFSET 100) THEN (
        SELECT sum(c.unread) FROM chats c
        WHERE c.device_no = device AND NOT c.archived AND c.last_key >= oldest_listed()
    ) ELSE (
        SELECT sum(c.unread)
        FROM (SELECT chat_id FROM chat_order WHERE device_no = device AND is_unread
              UNION SELECT unnest(chat_ids) FROM chat_order_queue WHERE tenant_id = tenant) found
        JOIN chats c ON c.id = found.chat_id
        WHERE c.device_no = device AND NOT c.archived AND c.last_key >= oldest_listed()
    ) END, 0)::int4
$$;
