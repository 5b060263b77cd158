-- The person of a JID by the name known now: the number where that of a LID is known, else the JID itself. PostgreSQL puts
-- its text in the place of the call.
CREATE FUNCTION jid_now(int4, text) RETURNS TABLE (jid text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce((SELECT number || '@s.whatsapp.net' FROM lid_numbers WHERE device_no = $1 AND lid = lid_of($2)), $2)
$$;

-- All JIDs under which the person of a chat was written to.
CREATE FUNCTION jids_of(on_device int4, jid text) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT jid || ARRAY(SELECT lid || '@lid' FROM lid_numbers WHERE device_no = on_device
        AND number = CASE WHEN jid ~ '^[0-9]{1,18}@s\.whatsapp\.net$' THEN split_part(jid, '@', 1)::int8 END)
$$;

-- What was read in a chat and its phone was not told yet goes over too, if it is the phone of the chat it becomes.
CREATE OR REPLACE FUNCTION merge_chats(from_id int8, into_id int8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM chats WHERE id IN (from_id, into_id) ORDER BY id FOR UPDATE;
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
    PERFORM merge_messages_of_chats(from_id, into_id);
END
$$;
