-- The chats of all devices in one list. $1 is always the tenant, $2 the devices within reach (NULL: all of the tenant's).

-- name: devices_among_reach
-- Numbers of the devices of $3 (NULL: all) that are within reach.
SELECT d.id, d.no FROM devices d
WHERE d.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND ($3::uuid[] IS NULL OR d.id = ANY ($3));

-- name: plan_each_time
-- What the filters leave of list_all_chats decides which index is walked; several processes would walk far past the page.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('max_parallel_workers_per_gather', '0', true);

-- name: are_few
-- Whether user $2 has, and label $3 is on, fewer than $4 chats.
SELECT (SELECT count(*) FROM (SELECT FROM chat_work WHERE tenant_id = $1 AND assignee_id = $2 LIMIT $4) w) < $4 AS assigned,
       (SELECT count(*) FROM (SELECT FROM chat_labels WHERE tenant_id = $1 AND label_id = $3 LIMIT $4) l) < $4 AS labelled;

-- name: list_all_chats
-- $2 device numbers (NULL: all), $3 the oldest last_key shown, $4 $5 the chat after which the page starts (last_key, id),
-- $6 the pinned ones or the others, $7 the archived ones or the others. Filters, NULL each for all: $8 unread, $9 groups,
-- $10 assignee, $11 assigned to nobody, $12 label, $13 open. $14 how many. $15 $16 the assignee's or the label's chats are
-- few: each is looked up. Else activity is walked; it orders as last_key does, so only chats of one of its stretches are
-- sorted at a time, and no more than the page needs.
WITH page AS (
    SELECT c.id
    FROM chats c
    LEFT JOIN chat_work w ON w.chat_id = c.id
    WHERE c.tenant_id = $1 AND ($2::int4[] IS NULL OR c.device_no = ANY ($2))
      AND c.activity >= ($3::int8 >> 36)::int4 AND c.last_key >= $3
      AND c.activity <= ($4::int8 >> 36)::int4 AND (c.last_key, c.id) < ($4, $5::int8)
      AND (c.pinned_at IS NOT NULL) = $6::bool
      AND c.archived = $7::bool
      AND ($8::bool IS NULL OR (c.unread > 0) = $8)
      AND ($9::bool IS NULL OR c.is_group = $9)
      AND (NOT $15::bool OR c.id = ANY (ARRAY(
              SELECT a.chat_id FROM chat_work a WHERE a.tenant_id = $1 AND a.assignee_id = $10)))
      AND (NOT $16::bool OR c.id = ANY (ARRAY(
              SELECT l.chat_id FROM chat_labels l WHERE l.tenant_id = $1 AND l.label_id = $12)))
      AND ($10::int8 IS NULL OR w.assignee_id = $10)
      AND ($11::bool IS NULL OR (w.assignee_id IS NULL) = $11)
      AND ($12::int4 IS NULL OR (SELECT true FROM chat_labels l WHERE l.label_id = $12 AND l.chat_id = c.id))
      AND ($13::bool IS NULL OR (w.closed_at IS NULL OR (c.last_key IS DISTINCT FROM w.closed_key
                                 AND has_come_since(c.id, w.closed_key, w.closed_at))) = $13)
    ORDER BY c.activity DESC, c.last_key DESC, c.id DESC
    LIMIT $14
)
SELECT s.* FROM page JOIN chats_shown s ON s.id = page.id ORDER BY s.last_key DESC, s.id DESC;
