-- The list of all devices is walked in an order of its own, behind ingest. An index on what a message moves was written
-- with every message whose chat came into another 16 s (0014), and took a fifth of ingest's speed.
DROP INDEX chats_by_activity, chats_pinned, chats_archived, chats_of_groups;
ALTER TABLE chats DROP COLUMN activity;

-- Where a chat stands in the list, and what lists of it are narrowed to: copies of the chat's own columns.
CREATE TABLE chat_order (
    chat_id   int8 PRIMARY KEY,
    tenant_id int4 NOT NULL,
    device_no int4 NOT NULL,
    last_key  int8 NOT NULL,
    is_group  bool NOT NULL,
    is_unread bool NOT NULL,
    is_pinned bool NOT NULL,
    archived  bool NOT NULL
);
-- Each chat that moves leaves a dead row: as for messages (0011).
ALTER TABLE chat_order SET (autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_scale_factor = 0.05);

-- Chats that have changed since they got their place. A row is written in the transaction that changed them, so list and
-- queue together are exact at any instant (all_chats.sql), and no crash loses one.
CREATE TABLE chat_order_queue (
    id        int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id int4 NOT NULL,
    chat_ids  int8[] NOT NULL
);
-- Ids in no order are not worth an attempt to compress them.
ALTER TABLE chat_order_queue ALTER chat_ids SET STORAGE EXTERNAL;
-- It is read with each list, and all but its last instants are dead rows.
ALTER TABLE chat_order_queue SET (autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_scale_factor = 0,
                                  autovacuum_vacuum_threshold = 1000, autovacuum_analyze_threshold = 2000000000,
                                  toast.autovacuum_vacuum_cost_delay = 0);

-- One row a statement, whatever the number of its chats, but no more than a thousand of them in one.
CREATE FUNCTION queue_chats_for_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chat_order_queue (tenant_id, chat_ids)
    SELECT tenant_id, array_agg(id)
    FROM (SELECT tenant_id, id, row_number() OVER () / 1000 AS part FROM touched) t
    GROUP BY tenant_id, part;
    RETURN NULL;
END
$$;
CREATE TRIGGER chats_added AFTER INSERT ON chats REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION queue_chats_for_order();
CREATE TRIGGER chats_changed AFTER UPDATE ON chats REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION queue_chats_for_order();
CREATE TRIGGER chats_gone AFTER DELETE ON chats REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION queue_chats_for_order();

INSERT INTO chat_order (chat_id, tenant_id, device_no, last_key, is_group, is_unread, is_pinned, archived)
SELECT id, tenant_id, device_no, last_key, is_group, unread > 0, pinned_at IS NOT NULL, archived FROM chats WHERE last_key IS NOT NULL;
CREATE INDEX chat_order_walked ON chat_order (tenant_id, last_key, chat_id);
CREATE INDEX chat_order_of_devices ON chat_order (device_no, last_key, chat_id);
CREATE INDEX chat_order_groups ON chat_order (tenant_id, last_key, chat_id) WHERE is_group;
CREATE INDEX chat_order_unread ON chat_order (tenant_id, last_key, chat_id) WHERE is_unread;
CREATE INDEX chat_order_pinned ON chat_order (tenant_id, last_key, chat_id) WHERE is_pinned;
CREATE INDEX chat_order_archived ON chat_order (tenant_id, last_key, chat_id) WHERE archived;
