-- Search over messages, names and numbers. No table here is written by the way in of messages: search_index.py follows it.
--
-- A row of message_search for every message with words. `grams` are what can be looked up: hashes of three letters in a
-- row, of the first two of a word, and of one and two characters where words have no spaces (inbox/grams.py); and the
-- device's. A gram stands for four hours (bits 20 to 31: hours / 4 modulo 4096; below it the hash), so that a search
-- reads the newest hours first and stops when it has a page: a common word costs what it has in four hours.
CREATE TABLE message_search (
    chat_id   int8 NOT NULL,
    key       int8 NOT NULL,
    tenant_id int4 NOT NULL,
    device_no int4 NOT NULL,
    kind      int2 NOT NULL,
    words     text NOT NULL,              -- the message's text as it is compared
    grams     int4[] NOT NULL,
    PRIMARY KEY (chat_id, key)
);
-- What is inserted waits in a list until the end of the transaction that inserts it, which puts it in its places all at
-- once: twice to three times as fast as one by one. It never waits longer, as every look of a search reads all that waits.
CREATE INDEX message_search_grams ON message_search USING gin (grams) WITH (fastupdate = on);
ALTER TABLE message_search ALTER grams SET STATISTICS 0, ALTER words SET STATISTICS 0;
-- A row leaves for each that comes, as in messages.
ALTER TABLE message_search SET (autovacuum_vacuum_scale_factor = 0.1);

-- Which four hours of a tenant have messages.
CREATE TABLE search_buckets (
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    bucket    int4 NOT NULL,
    PRIMARY KEY (tenant_id, bucket)
);

CREATE TABLE chat_search (
    chat_id   int8 PRIMARY KEY,
    tenant_id int4 NOT NULL,
    device_no int4 NOT NULL,
    name      text NOT NULL,              -- as it is compared
    number    text NOT NULL,              -- digits of the JID
    grams     int4[] NOT NULL
);
CREATE INDEX chat_search_grams ON chat_search USING gin (grams) WITH (fastupdate = off);
ALTER TABLE chat_search ALTER grams SET STATISTICS 0, ALTER name SET STATISTICS 0;

-- What has changed since it was indexed; without a key the chat itself: it is new, called otherwise, or gone.
CREATE TABLE search_queue (
    id      int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chat_id int8 NOT NULL,
    key     int8
);

-- How far it is: chats up to walked_to are done of those that were there before (up to walk_end); everything that was
-- stored before told_until is indexed.
CREATE TABLE search_progress (
    only_row   bool PRIMARY KEY DEFAULT true CHECK (only_row),
    walked_to  int8 NOT NULL DEFAULT 0,
    walk_end   int8 NOT NULL,
    told_until timestamptz NOT NULL DEFAULT now()
);
INSERT INTO search_progress (walk_end) SELECT coalesce(max(id), 0) FROM chats;

-- Edits, deletions for everyone and placeholders that are filled. New messages have no trigger.
CREATE FUNCTION queue_message_for_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_queue (chat_id, key) VALUES (NEW.chat_id, NEW.key);
    RETURN NULL;
END
$$;
CREATE TRIGGER message_changed AFTER UPDATE OF body, kind ON messages FOR EACH ROW
    WHEN (OLD.body IS DISTINCT FROM NEW.body OR OLD.kind IS DISTINCT FROM NEW.kind)
    EXECUTE FUNCTION queue_message_for_search();

CREATE FUNCTION queue_chat_for_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_queue (chat_id) VALUES (coalesce(NEW.id, OLD.id));
    RETURN NULL;
END
$$;
CREATE TRIGGER chat_added AFTER INSERT ON chats FOR EACH ROW EXECUTE FUNCTION queue_chat_for_search();
CREATE TRIGGER chat_renamed AFTER UPDATE OF name, jid ON chats FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.jid IS DISTINCT FROM NEW.jid)
    EXECUTE FUNCTION queue_chat_for_search();
CREATE TRIGGER chat_gone AFTER DELETE ON chats FOR EACH ROW EXECUTE FUNCTION queue_chat_for_search();
