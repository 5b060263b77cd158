-- The pace a new device begins with.
ALTER TABLE tenants
    ADD COLUMN min_seconds real NOT NULL DEFAULT 5 CHECK (min_seconds >= 0),
    ADD COLUMN max_seconds real NOT NULL DEFAULT 15,
    ADD COLUMN per_hour    int4 NOT NULL DEFAULT 80 CHECK (per_hour > 0),
    ADD COLUMN per_day     int4 NOT NULL DEFAULT 800 CHECK (per_day > 0),
    ADD COLUMN typing      bool NOT NULL DEFAULT true,
    ADD COLUMN ramp        bool NOT NULL DEFAULT true,
    ADD COLUMN quiet_from  time,
    ADD COLUMN quiet_until time,
    ADD CONSTRAINT tenants_gap_check CHECK (max_seconds >= min_seconds),
    ADD CONSTRAINT tenants_quiet_check CHECK ((quiet_from IS NULL) = (quiet_until IS NULL) AND quiet_from <> quiet_until);

-- What of a chat has not left, or not well: few rows, as what a campaign sends passes by without being in here.
CREATE INDEX outbox_open_of_chat ON outbox (device_no, to_jid, id DESC)
    WHERE state IN ('failed', 'unknown', 'expired') OR source_id IS NULL AND state IN ('queued', 'sending');

-- Which chat one became part of: who has it open is led there.
CREATE TABLE merged_chats (
    chat_id   int8 PRIMARY KEY,
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    became    int8 NOT NULL REFERENCES chats ON DELETE CASCADE
);
CREATE INDEX merged_chats_by_successor ON merged_chats (became);

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
    UPDATE merged_chats SET became = into_id WHERE became = from_id;
    INSERT INTO merged_chats (chat_id, tenant_id, became) SELECT id, tenant_id, into_id FROM chats WHERE id = from_id;
    PERFORM merge_messages_of_chats(from_id, into_id);
END
$$;
