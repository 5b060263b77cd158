-- The chats of all devices in one list. $1 is always the tenant, $2 the devices within reach (NULL: all of the tenant's).

-- name: devices_among_reach
-- Numbers of the devices of $3 (NULL: all) that are within reach.
SELECT d.id, d.no FROM devices d
WHERE d.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND ($3::uuid[] IS NULL OR d.id = ANY ($3));

-- name: plan_each_time
-- What the filters leave of list_all_chats decides which index is walked; several processes would walk far past the page.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('max_parallel_workers_per_gather', '0', true);

-- name: known_before
-- Whether user $2 has, and label $3 is on, fewer than $4 chats; which chats have changed since they got their place.
SELECT (SELECT count(*) FROM (SELECT FROM chat_work WHERE tenant_id = $1 AND assignee_id = $2 LIMIT $4) w) < $4 AS assigned,
       (SELECT count(*) FROM (SELECT FROM chat_labels WHERE tenant_id = $1 AND label_id = $3 LIMIT $4) l) < $4 AS labelled,
       ARRAY(SELECT DISTINCT unnest(chat_ids) FROM chat_order_queue WHERE tenant_id = $1) AS moved;

-- name: list_all_chats
-- $2 device numbers (NULL: all), $3 the oldest last_key shown, $4 $5 the chat after which the page starts (last_key, id),
-- $6 the pinned ones or the others, $7 the archived ones or the others. Filters, NULL each for all: $8 unread, $9 groups,
-- $10 assignee, $11 assigned to nobody, $12 label, $13 open. $14 how many. $15 $16 the assignee's or the label's chats are
-- few: each is looked up. Else chat_order is walked. $17 chats whose place there is not theirs any more: the walk leaves
-- them out; with $18 it is only these, as they are now. One of the two parts is planned away.
WITH page AS (
    SELECT o.id
    FROM (
        SELECT false AS is_moved, chat_id AS id, tenant_id, device_no, last_key, is_group, is_unread, is_pinned, archived
        FROM chat_order
        UNION ALL
        SELECT true, id, tenant_id, device_no, last_key, is_group, unread > 0, pinned_at IS NOT NULL, archived FROM chats
    ) o
    LEFT JOIN chat_work w ON w.chat_id = o.id
    WHERE o.is_moved = $18::bool AND (o.id = ANY ($17::int8[])) = $18
      AND o.tenant_id = $1 AND ($2::int4[] IS NULL OR o.device_no = ANY ($2))
      AND o.last_key >= $3 AND (o.last_key, o.id) < ($4, $5::int8)
      AND o.is_pinned = $6::bool
      AND o.archived = $7::bool
      AND ($8::bool IS NULL OR o.is_unread = $8)
      AND ($9::bool IS NULL OR o.is_group = $9)
      AND (NOT $15::bool OR o.id = ANY (ARRAY(
              SELECT a.chat_id FROM chat_work a WHERE a.tenant_id = $1 AND a.assignee_id = $10)))
      AND (NOT $16::bool OR o.id = ANY (ARRAY(
              SELECT l.chat_id FROM chat_labels l WHERE l.tenant_id = $1 AND l.label_id = $12)))
      AND ($10::int8 IS NULL OR w.assignee_id = $10)
      AND ($11::bool IS NULL OR (w.assignee_id IS NULL) = $11)
      AND ($12::int4 IS NULL OR (SELECT true FROM chat_labels l WHERE l.label_id = $12 AND l.chat_id = o.id))
      AND ($13::bool IS NULL OR (w.closed_at IS NULL OR (o.last_key <> w.closed_key
                                 AND has_come_since(o.id, w.closed_key, w.closed_at))) = $13)
    ORDER BY o.last_key DESC, o.id DESC
    LIMIT $14
)
SELECT s.* FROM page JOIN chats_shown s ON s.id = page.id ORDER BY s.last_key DESC, s.id DESC;
