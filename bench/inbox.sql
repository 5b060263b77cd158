-- A team's work on the chats that bench/search_bed.py has made, whose triggers stand still meanwhile.

-- name: stop_triggers
ALTER TABLE chats DISABLE TRIGGER USER;
ALTER TABLE chat_work DISABLE TRIGGER USER;
ALTER TABLE chat_labels DISABLE TRIGGER USER

-- name: start_triggers
ALTER TABLE chats ENABLE TRIGGER USER;
ALTER TABLE chat_work ENABLE TRIGGER USER;
ALTER TABLE chat_labels ENABLE TRIGGER USER

-- name: use_chats
-- One in seven is unread, one in twenty a group, one in fifty archived; thirty are pinned.
UPDATE chats SET unread = (id % 7 = 0)::int4, is_group = id % 20 = 3, archived = id % 50 = 1,
                 pinned_at = CASE WHEN id <= 30 THEN now() END

-- name: add_people
-- Who has few chats, and who has many.
INSERT INTO users (email, name, password_hash) VALUES ('few@example.com', 'Few', ''), ('many@example.com', 'Many', '')
RETURNING id

-- name: add_labels
INSERT INTO labels (tenant_id, name, colour) VALUES ($1, 'Few', 'red'), ($1, 'Many', 'blue') RETURNING id

-- name: give_work
-- $1 who has one chat in $3, $2 who has every third of the others; one chat in a thousand is closed.
INSERT INTO chat_work (chat_id, tenant_id, assignee_id, closed_at, closed_key)
SELECT id, tenant_id, CASE WHEN id % $3 = 0 THEN $1::int8 WHEN id % 3 = 1 THEN $2::int8 END,
       CASE WHEN id % 1000 = 7 THEN now() END, CASE WHEN id % 1000 = 7 THEN last_key END
FROM chats WHERE id % $3::int8 = 0 OR id % 3 = 1 OR id % 1000 = 7

-- name: label_many
-- $1 the label of one chat in $3, $2 that of one in ten.
INSERT INTO chat_labels (chat_id, label_id, tenant_id)
SELECT id, $1::int4, tenant_id FROM chats WHERE id % $3::int8 = 0
UNION ALL SELECT id, $2::int4, tenant_id FROM chats WHERE id % 10 = 4

-- name: queue_all
INSERT INTO chat_order_queue (tenant_id, chat_ids) SELECT tenant_id, array_agg(id) FROM chats GROUP BY tenant_id, id / 1000

-- name: all_is_told
-- Who follows what people write has seen these messages long ago.
UPDATE answers_progress SET told_until = now()

-- name: settle
VACUUM ANALYZE

-- name: some_devices
SELECT array_agg(id) FROM (SELECT id FROM devices ORDER BY no LIMIT $1) d

-- name: person
SELECT id FROM users WHERE name = $1

-- name: label
SELECT id FROM labels WHERE name = $1
