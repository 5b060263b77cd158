-- The chats of all devices in one list. $1 is always the tenant, $2 the devices within reach (NULL: all of the tenant's).

-- name: devices_among_reach
-- Numbers of the devices of $3 (NULL: all) that are within reach.
SELECT d.id, d.no FROM devices d
WHERE d.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND ($3::uuid[] IS NULL OR d.id = ANY ($3));

-- name: plan_each_time
-- What the filters leave of list_all_chats decides which index is walked; several processes would walk far past the page.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('max_parallel_workers_per_gather', '0', true);

-- name: moved
-- Which chats have changed since they got their place.
SELECT ARRAY(SELECT DISTINCT unnest(chat_ids) FROM chat_order_queue WHERE tenant_id = $1);

-- name: list_all_chats
-- $2 device numbers (NULL: all), $3 the oldest last_key shown, $4 $5 the chat after which the page starts (last_key, id),
-- $6 the pinned ones or the others, $7 the archived ones or the others. Filters, NULL each for all: $8 unread, $9 groups,
-- $10 assignee, $11 assigned to nobody, $12 label, $13 open. $14 how many. $15 chats whose place is not theirs any more.
-- $16 what is walked: chat_order ('all'), each of the devices by itself ('devices'), or for a label chat_labels, all without
-- these; or only these, as they are now. The others are planned away.
WITH page AS (
    SELECT place.chat_id
    FROM unnest(CASE WHEN $16::text = 'devices' THEN $2::int4[] ELSE '{0}' END) walked (device_no)
    CROSS JOIN LATERAL (
        SELECT o.chat_id, o.last_key
        FROM (
            SELECT 'all' AS part, NULL::int4 AS label_id, o.* FROM chat_order o
            UNION ALL
            SELECT 'label', label_id, chat_id, tenant_id, device_no, last_key, is_group, is_unread, is_pinned, archived,
                   assignee_id, is_open
            FROM chat_labels
            UNION ALL
            SELECT 'moved', NULL, p.* FROM chat_places p
        ) o
        WHERE o.part = CASE WHEN $16 = 'devices' THEN 'all' ELSE $16 END
          AND (o.chat_id = ANY ($15::int8[])) = ($16 = 'moved')
          AND o.tenant_id = $1 AND ($16 <> 'devices' OR o.device_no = walked.device_no)
          AND ($16 = 'devices' OR $2 IS NULL OR o.device_no = ANY ($2))
          AND o.last_key >= $3 AND (o.last_key, o.chat_id) < ($4, $5::int8)
          AND o.is_pinned = $6::bool
          AND o.archived = $7::bool
          AND ($8::bool IS NULL OR o.is_unread = $8)
          AND ($9::bool IS NULL OR o.is_group = $9)
          AND ($10::int8 IS NULL OR o.assignee_id = $10)
          AND ($11::bool IS NULL OR (o.assignee_id IS NULL) = $11)
          AND ($12::int4 IS NULL OR o.label_id = $12
               OR $16 = 'moved' AND (SELECT true FROM chat_labels l WHERE l.label_id = $12 AND l.chat_id = o.chat_id))
          AND ($13::bool IS NULL OR o.is_open = $13)
        ORDER BY o.last_key DESC, o.chat_id DESC
        LIMIT $14
    ) place
    ORDER BY place.last_key DESC, place.chat_id DESC
    LIMIT $14
)
SELECT s.* FROM page JOIN chats_shown s ON s.id = page.chat_id ORDER BY s.last_key DESC, s.id DESC;
