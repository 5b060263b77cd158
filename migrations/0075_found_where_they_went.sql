-- Search finds messages by where they are: whichever way one chat becomes part of another, its messages are looked up anew.
-- Where WhatsApp named a number otherwise they were found no more.
CREATE OR REPLACE FUNCTION merge_chats(from_id int8, into_id int8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM chats WHERE id IN (from_id, into_id) ORDER BY id FOR UPDATE;
    UPDATE chats c SET name = f.name, named_at = f.named_at
    FROM chats f WHERE c.id = into_id AND f.id = from_id AND c.named_at IS NULL AND f.named_at IS NOT NULL;
    INSERT INTO chat_work (chat_id, tenant_id, assignee_id)
    SELECT into_id, tenant_id, assignee_id FROM chat_work WHERE chat_id = from_id
    ON CONFLICT (chat_id) DO UPDATE SET assignee_id = coalesce(chat_work.assignee_id, excluded.assignee_id);
    UPDATE chat_work w SET (closed_at, closed_key) = (
        SELECT max(closed_at), max(closed_key) FROM chat_work WHERE chat_id IN (from_id, into_id) HAVING count(closed_at) = 2)
    WHERE w.chat_id = into_id;
    INSERT INTO chat_labels (chat_id, label_id, tenant_id)
    SELECT into_id, label_id, tenant_id FROM chat_labels WHERE chat_id = from_id
    ON CONFLICT DO NOTHING;
    UPDATE notes SET chat_id = into_id WHERE chat_id = from_id;
    INSERT INTO untold_reads AS t (chat_id, tenant_id, device_no, from_key, unread)
    SELECT into_id, u.tenant_id, u.device_no, u.from_key, u.unread
    FROM untold_reads u JOIN chats c ON c.id = into_id AND c.device_no = u.device_no
    WHERE u.chat_id = from_id
    ON CONFLICT (chat_id) DO UPDATE SET from_key = least(t.from_key, excluded.from_key), unread = t.unread + excluded.unread;
    UPDATE merged_chats SET became = into_id WHERE became = from_id;
    INSERT INTO merged_chats (chat_id, tenant_id, became) SELECT id, tenant_id, into_id FROM chats WHERE id = from_id;
    INSERT INTO search_queue (chat_id, key) SELECT into_id, m.key FROM messages m WHERE m.chat_id = from_id;
    PERFORM merge_messages_of_chats(from_id, into_id);
END
$$;

INSERT INTO search_queue (chat_id, key)
SELECT m.chat_id, m.key
FROM number_checks n
JOIN chats c ON c.tenant_id = n.tenant_id AND c.jid = n.jid AND NOT c.is_group
JOIN messages m ON m.chat_id = c.id
WHERE n.jid <> substr(n.phone, 2) || '@s.whatsapp.net';
