-- Several people at one inbox.

-- Every message moves last_key, so an index on it would be written with every message (0002). This moves once in 16 s
-- at most: an update within that time stays in its page (HOT) and writes no index. The list of all devices walks it, and
-- sorts only the chats of one such stretch at a time.
ALTER TABLE chats ADD COLUMN activity int4 GENERATED ALWAYS AS ((last_key >> 36)::int4) STORED;
CREATE INDEX chats_by_activity ON chats (tenant_id, activity DESC, device_no);
-- What few chats are, and no message changes.
CREATE INDEX chats_pinned ON chats (tenant_id, activity DESC, device_no) WHERE pinned_at IS NOT NULL;
CREATE INDEX chats_archived ON chats (tenant_id, activity DESC, device_no) WHERE archived;
CREATE INDEX chats_of_groups ON chats (tenant_id, activity DESC, device_no) WHERE is_group;

-- What a team has agreed on a chat. There is a row only where somebody did something, and a message never writes here:
-- whether one has opened a closed chat again is seen when the chat is read (has_come_since).
CREATE TABLE chat_work (
    chat_id     int8 PRIMARY KEY REFERENCES chats ON DELETE CASCADE,
    tenant_id   int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    assignee_id int8 REFERENCES users ON DELETE SET NULL,
    closed_at   timestamptz,
    closed_key  int8,                     -- chats.last_key as it was then
    CHECK ((closed_at IS NULL) = (closed_key IS NULL))
);
CREATE INDEX chat_work_by_assignee ON chat_work (assignee_id, tenant_id) WHERE assignee_id IS NOT NULL;

-- Whether the other side has written since a chat was closed: then it is open again. The messages since then are walked by
-- their key, up to the first that is neither ours nor of a history nor about the group itself.
CREATE FUNCTION has_come_since(chat_id int8, key int8, at timestamptz) RETURNS bool LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (
        SELECT FROM messages m
        WHERE m.chat_id = has_come_since.chat_id AND m.key >= has_come_since.key >> 32 << 32
          AND m.created_at > has_come_since.at AND m.flags & 65 = 0 AND m.kind <> 12)
$$;

CREATE TABLE labels (
    id         int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    name       text NOT NULL CHECK (name <> ''),
    colour     text NOT NULL CHECK (colour IN ('teal', 'pink', 'amber', 'violet', 'green', 'red', 'blue', 'olive')),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX labels_by_name ON labels (tenant_id, lower(name));

CREATE TABLE chat_labels (
    chat_id   int8 NOT NULL REFERENCES chats ON DELETE CASCADE,
    label_id  int4 NOT NULL REFERENCES labels ON DELETE CASCADE,
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    PRIMARY KEY (chat_id, label_id)
);
CREATE INDEX chat_labels_by_label ON chat_labels (label_id, chat_id);

-- Private: never sent to anybody.
CREATE TABLE notes (
    id         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    chat_id    int8 NOT NULL REFERENCES chats ON DELETE CASCADE,
    created_by text NOT NULL,             -- 'user:7', 'key:3'
    author     text NOT NULL,             -- the name of who wrote it, as it was then
    body       text NOT NULL CHECK (body <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    edited_at  timestamptz
);
CREATE INDEX notes_by_chat ON notes (chat_id, id DESC);

-- A chat as the inbox shows it.
CREATE VIEW chats_shown AS
SELECT c.id, d.id AS device_id, c.jid, c.name, c.is_group, c.last_text, c.last_key,
       message_kind(c.last_kind) AS last_kind, c.last_flags, message_status(c.last_status) AS last_status,
       c.last_sender, c.unread, c.pinned_at, c.muted_until, c.archived, c.tenant_id, c.device_no,
       w.assignee_id, u.name AS assignee_name,
       w.closed_at IS NULL OR (c.last_key IS DISTINCT FROM w.closed_key AND has_come_since(c.id, w.closed_key, w.closed_at))
           AS is_open,
       ARRAY(SELECT l.label_id FROM chat_labels l WHERE l.chat_id = c.id ORDER BY l.label_id) AS label_ids
FROM chats c
JOIN devices d ON d.no = c.device_no
LEFT JOIN chat_work w ON w.chat_id = c.id
LEFT JOIN users u ON u.id = w.assignee_id;

-- Two chats of one person become one: with the work, the labels and the notes of both. It is closed where both were.
ALTER FUNCTION merge_chats(int8, int8) RENAME TO merge_messages_of_chats;
CREATE FUNCTION merge_chats(from_id int8, into_id int8) RETURNS void LANGUAGE plpgsql AS $$
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
    PERFORM merge_messages_of_chats(from_id, into_id);
END
$$;
