-- A chat is called as the phone's address book has it, else as the lead of its number is, else as the person calls itself.
-- Whoever sees a chat sees the leads of its device and of none, and no other lead's name.
-- named_at, of a person: when the phone said what its address book calls it; NULL as long as the name is the person's own.
-- Until now names of a history were noted so too: what a person calls itself in the chat is that, whoever else says so.
UPDATE chats c SET named_at = NULL
WHERE NOT is_group AND named_at IS NOT NULL
  AND EXISTS (SELECT FROM messages m WHERE m.chat_id = c.id AND m.sender_name = c.name AND m.flags & 1 = 0);

CREATE VIEW chats_named AS
SELECT c.*, CASE WHEN c.named_at IS NULL THEN coalesce(
                (SELECT nullif(l.name, '') FROM leads l
                 WHERE l.tenant_id = c.tenant_id AND l.phone = '+' || split_part(c.jid, '@s.whatsapp.net', 1)
                   AND (l.device_no IS NULL OR l.device_no = c.device_no)), c.name)
            ELSE c.name END AS called
FROM chats c;

CREATE OR REPLACE VIEW chats_shown AS
SELECT c.id, d.id AS device_id, c.jid, c.called AS name, c.is_group, c.last_text, c.last_key,
       message_kind(c.last_kind) AS last_kind, c.last_flags, message_status(c.last_status) AS last_status,
       c.last_sender, c.unread, c.pinned_at, c.muted_until, c.archived, c.tenant_id, c.device_no,
       w.assignee_id, u.name AS assignee_name,
       w.closed_at IS NULL OR (c.last_key IS DISTINCT FROM w.closed_key AND has_come_since(c.id, w.closed_key, w.closed_at))
           AS is_open,
       ARRAY(SELECT l.label_id FROM chat_labels l WHERE l.chat_id = c.id ORDER BY l.label_id) AS label_ids,
       EXISTS (SELECT FROM suppressions s
               WHERE s.tenant_id = c.tenant_id AND s.phone = '+' || split_part(c.jid, '@s.whatsapp.net', 1)) AS is_opted_out
FROM chats_named c
JOIN devices d ON d.no = c.device_no
LEFT JOIN chat_work w ON w.chat_id = c.id
LEFT JOIN users u ON u.id = w.assignee_id;

CREATE OR REPLACE VIEW whatsapp_chats AS
SELECT d.id AS device_id, c.jid AS chat_jid, c.called AS chat_name, c.is_group,
       c.last_text AS last_message_text, message_kind(c.last_kind) AS last_message_type,
       to_timestamp(c.last_key >> 32) AS last_message_time, c.unread AS unread_count,
       c.pinned_at, c.muted_until, c.archived, c.created_at, c.id AS chat_id, c.tenant_id, c.device_no
FROM chats_named c
LEFT JOIN devices d ON d.no = c.device_no;

-- Search finds a chat by what it is called.
DROP TRIGGER chat_renamed ON chats;
CREATE TRIGGER chat_renamed AFTER UPDATE OF name, named_at, jid ON chats FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.jid IS DISTINCT FROM NEW.jid
          OR (OLD.named_at IS NULL) <> (NEW.named_at IS NULL))
    EXECUTE FUNCTION queue_chat_for_search();

CREATE FUNCTION queue_chats_of_leads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_queue (chat_id)
    SELECT c.id FROM moved m
    JOIN chats c ON c.tenant_id = m.tenant_id AND c.jid = substr(m.phone, 2) || '@s.whatsapp.net' AND NOT c.is_group
    WHERE m.name <> '';
    RETURN NULL;
END
$$;
CREATE TRIGGER names_come AFTER INSERT ON leads REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION queue_chats_of_leads();
CREATE TRIGGER names_go AFTER DELETE ON leads REFERENCING OLD TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION queue_chats_of_leads();
CREATE FUNCTION queue_chats_of_changed_leads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- No join of the two: it is planned once, for the few leads of a connection's first change, and 300,000 that get a
    -- device would be compared with each other for hours. What stands once among both has changed.
    INSERT INTO search_queue (chat_id)
    SELECT DISTINCT c.id
    FROM (SELECT tenant_id, phone
          FROM (SELECT id, tenant_id, phone, name, device_no FROM was
                UNION ALL SELECT id, tenant_id, phone, name, device_no FROM moved) both_of_them
          GROUP BY id, tenant_id, phone, name, device_no HAVING count(*) = 1) n
    JOIN chats c ON c.tenant_id = n.tenant_id AND c.jid = substr(n.phone, 2) || '@s.whatsapp.net' AND NOT c.is_group;
    RETURN NULL;
END
$$;
CREATE TRIGGER names_change AFTER UPDATE ON leads REFERENCING OLD TABLE AS was NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION queue_chats_of_changed_leads();

INSERT INTO search_queue (chat_id)
SELECT c.id FROM chats_named c WHERE c.called IS DISTINCT FROM c.name;

-- Of two chats of one person the name stays that the phone has for them.
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
    PERFORM merge_messages_of_chats(from_id, into_id);
END
$$;

-- Who is in a group, as WhatsApp said when its device was asked last (devices/group_members.py).
CREATE TABLE group_members (
    chat_id   int8 PRIMARY KEY REFERENCES chats ON DELETE CASCADE,
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    told_at   timestamptz NOT NULL,
    members   jsonb NOT NULL              -- [{jid, is_admin}]
);
CREATE INDEX group_members_of_tenant ON group_members (tenant_id);
