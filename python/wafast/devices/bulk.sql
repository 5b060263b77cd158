-- name: steer_devices
-- A wish that stood already is no change, but a person's `connected` ends the wait of a backoff again.
WITH wanted AS (
    SELECT no, id, name, network, desired_state, jid FROM devices
    WHERE tenant_id = $1 AND id = ANY ($2::uuid[])
    ORDER BY no FOR UPDATE
), steered AS (
    UPDATE devices d SET
        desired_state = $3,
        retry_at = NULL,
        failures = CASE WHEN $3 = 'connected' THEN 0 ELSE d.failures END,
        crashes = least(d.crashes, $4)  -- who is quarantined gets one more try
    FROM wanted w
    WHERE d.no = w.no AND (d.jid IS NOT NULL AND d.state <> 'logged_out' OR $3 <> 'connected')
    RETURNING d.no
)
SELECT w.no, w.id, w.name, w.network, w.desired_state <> $3 AS is_changed,
       CASE WHEN s.no IS NOT NULL THEN NULL WHEN w.jid IS NULL THEN 'never_paired' ELSE 'logged_out' END AS skipped
FROM wanted w LEFT JOIN steered s ON s.no = w.no

-- name: add_tags
-- Tags are the same without regard to case; one that a device has keeps its spelling. $4 tags are the most it can have.
WITH wanted AS (
    SELECT no, id, name, network, tags, tags || ARRAY(
        SELECT added FROM unnest($3::text[]) WITH ORDINALITY AS a (added, place)
        WHERE lower(added) <> ALL (SELECT lower(tag) FROM unnest(tags) tag)
        ORDER BY place) AS wished
    FROM devices WHERE tenant_id = $1 AND id = ANY ($2::uuid[])
    ORDER BY no FOR UPDATE
), tagged AS (
    UPDATE devices d SET tags = w.wished FROM wanted w
    WHERE d.no = w.no AND w.wished <> w.tags AND cardinality(w.wished) <= $4
)
SELECT no, id, name, network, wished <> tags AS is_changed,
       CASE WHEN wished <> tags AND cardinality(wished) > $4 THEN 'too_many_tags' END AS skipped
FROM wanted

-- name: remove_tags
WITH wanted AS (
    SELECT no, id, name, network, tags, ARRAY(
        SELECT tag FROM unnest(tags) WITH ORDINALITY AS t (tag, place)
        WHERE lower(tag) <> ALL (SELECT lower(removed) FROM unnest($3::text[]) removed)
        ORDER BY place) AS wished
    FROM devices WHERE tenant_id = $1 AND id = ANY ($2::uuid[])
    ORDER BY no FOR UPDATE
), tagged AS (
    UPDATE devices d SET tags = w.wished FROM wanted w WHERE d.no = w.no AND w.wished <> w.tags
)
SELECT no, id, name, network, wished <> tags AS is_changed, NULL::text AS skipped FROM wanted

-- name: lock_devices
SELECT no, id, name, network, true AS is_changed, NULL::text AS skipped FROM devices
WHERE tenant_id = $1 AND id = ANY ($2::uuid[])
ORDER BY no FOR UPDATE

-- name: lock_chats
-- Whoever stores messages in them counts on the chats' rows, and waits: none of them ends beside its chat.
SELECT FROM chats WHERE device_no = ANY ($1::int4[]) ORDER BY id FOR UPDATE

-- name: delete_thumbnails
DELETE FROM thumbnails WHERE chat_id IN (SELECT id FROM chats WHERE device_no = ANY ($1::int4[]))

-- name: delete_messages
DELETE FROM messages WHERE chat_id IN (SELECT id FROM chats WHERE device_no = ANY ($1::int4[]))

-- name: see_no_more
-- Members and keys that are limited to some devices. Whose last one goes sees none: an empty list is not every device.
WITH gone AS (
    SELECT array_agg(id) AS ids FROM devices WHERE no = ANY ($1::int4[])
), keyed AS (
    UPDATE api_keys k SET device_ids = ARRAY(
        SELECT one FROM unnest(k.device_ids) WITH ORDINALITY AS u (one, place) WHERE one <> ALL (gone.ids) ORDER BY place)
    FROM gone WHERE k.device_ids && gone.ids
)
UPDATE members m SET device_ids = ARRAY(
    SELECT one FROM unnest(m.device_ids) WITH ORDINALITY AS u (one, place) WHERE one <> ALL (gone.ids) ORDER BY place)
FROM gone WHERE m.device_ids && gone.ids

-- name: delete_devices
-- Leases, pairings and chats go with them by their foreign keys.
DELETE FROM devices WHERE no = ANY ($1::int4[])
