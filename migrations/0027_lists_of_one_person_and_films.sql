-- The list of one person's chats, or of one label's, is walked in its order too, however many they are. Who looked each of
-- 10,000 up waited 50 to 90 ms; who walked the chats of all for those of one, seconds.

-- Where a chat stands in the list, and what lists are narrowed to: what chat_order copies.
CREATE VIEW chat_places AS
SELECT c.id AS chat_id, c.tenant_id, c.device_no, c.last_key, c.is_group, c.unread > 0 AS is_unread,
       c.pinned_at IS NOT NULL AS is_pinned, c.archived, w.assignee_id,
       w.closed_at IS NULL OR (c.last_key IS DISTINCT FROM w.closed_key AND has_come_since(c.id, w.closed_key, w.closed_at))
           AS is_open
FROM chats c
LEFT JOIN chat_work w ON w.chat_id = c.id;

ALTER TABLE chat_order ADD COLUMN assignee_id int8, ADD COLUMN is_open bool NOT NULL DEFAULT true;
UPDATE chat_order o SET assignee_id = p.assignee_id, is_open = p.is_open
FROM chat_work w JOIN chat_places p ON p.chat_id = w.chat_id
WHERE o.chat_id = w.chat_id;
-- Most of a person's chats are closed and read after a while.
CREATE INDEX chat_order_assigned ON chat_order (tenant_id, assignee_id, last_key, chat_id) WHERE assignee_id IS NOT NULL;
CREATE INDEX chat_order_assigned_open ON chat_order (tenant_id, assignee_id, last_key, chat_id)
    WHERE assignee_id IS NOT NULL AND is_open;
CREATE INDEX chat_order_assigned_unread ON chat_order (tenant_id, assignee_id, last_key, chat_id)
    WHERE assignee_id IS NOT NULL AND is_unread;

-- A chat stands in the order of each of its labels: NULL until it has its place, and when it has none any more.
ALTER TABLE chat_labels
    ADD COLUMN device_no   int4,
    ADD COLUMN last_key    int8,
    ADD COLUMN is_group    bool,
    ADD COLUMN is_unread   bool,
    ADD COLUMN is_pinned   bool,
    ADD COLUMN archived    bool,
    ADD COLUMN assignee_id int8,
    ADD COLUMN is_open     bool;
UPDATE chat_labels l SET device_no = o.device_no, last_key = o.last_key, is_group = o.is_group, is_unread = o.is_unread,
    is_pinned = o.is_pinned, archived = o.archived, assignee_id = o.assignee_id, is_open = o.is_open
FROM chat_order o
WHERE o.chat_id = l.chat_id;
DROP INDEX chat_labels_by_label;
CREATE INDEX chat_labels_walked ON chat_labels (label_id, is_pinned, archived, last_key, chat_id);
CREATE INDEX chat_labels_open ON chat_labels (label_id, is_pinned, archived, last_key, chat_id) WHERE is_open;
CREATE INDEX chat_labels_unread ON chat_labels (label_id, is_pinned, archived, last_key, chat_id) WHERE is_unread;
ALTER TABLE chat_labels SET (autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_scale_factor = 0.05);

-- As queue_chats_for_order (0021). Whoever goes takes thousands of chats' assignments along in one statement.
CREATE FUNCTION queue_chat_ids_for_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chat_order_queue (tenant_id, chat_ids)
    SELECT tenant_id, array_agg(chat_id)
    FROM (SELECT tenant_id, chat_id, row_number() OVER () / 1000 AS part FROM touched) t
    GROUP BY tenant_id, part;
    RETURN NULL;
END
$$;
CREATE TRIGGER work_added AFTER INSERT ON chat_work REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION queue_chat_ids_for_order();
CREATE TRIGGER work_changed AFTER UPDATE ON chat_work REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION queue_chat_ids_for_order();
CREATE TRIGGER label_added AFTER INSERT ON chat_labels REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION queue_chat_ids_for_order();

-- Of a film: its size in pixels, and the small JPEG that is seen before it is played.
ALTER TABLE media
    ADD COLUMN width  int4 CHECK (width > 0),
    ADD COLUMN height int4 CHECK (height > 0),
    ADD COLUMN poster bytea;
