-- The gallery: what was sent in a chat, or in all chats of a device. $1 is always the tenant, $2 the devices within reach
-- (NULL: all of the tenant's).

-- name: gallery
-- $3 device, $4 chat (NULL: all of the device's), $5 kinds, $6 whether links are wanted instead, $7 $8 the place after
-- which the page starts (key, chat), $9 rows looked at a chat, $10 how many. No index of messages knows devices, so the
-- device's chats are walked: those whose newest message is not older than the place, and as many again, but 200 at least.
-- So a page is quick where much was sent, and a device of 10,000 chats without any takes six. A chat's rows are a range of
-- the primary key. Nothing older than `bound` is shown, as some chat's rows were not looked at beyond it.
WITH mine AS MATERIALIZED (
    SELECT c.id, c.floor_key, c.last_key
    FROM chats c
    WHERE $4::int8 IS NULL AND c.tenant_id = $1 AND c.device_no = $3 AND c.last_key IS NOT NULL
), newer AS (
    SELECT * FROM mine WHERE last_key >= (($7::int8 - 1) >> 32 << 32)
), older AS MATERIALIZED (
    SELECT * FROM mine WHERE last_key < (($7::int8 - 1) >> 32 << 32)
    ORDER BY last_key DESC
    FETCH FIRST (greatest(200, (SELECT count(*) FROM newer))) ROWS WITH TIES
), near AS (
    SELECT * FROM newer
    UNION ALL
    SELECT * FROM older
    UNION ALL
    SELECT c.id, c.floor_key, c.last_key
    FROM chats c JOIN devices d ON d.no = c.device_no
    WHERE c.id = $4 AND c.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2))
), looked AS MATERIALIZED (
    SELECT n.id AS chat_id, m.key, m.nth,
           m.kind <> 14 AND CASE WHEN $6 THEN m.body ~* 'https?://|www\.' ELSE m.kind = ANY ($5::int2[]) END AS is_wanted
    FROM near n
    CROSS JOIN LATERAL (
        SELECT r.key, r.kind, r.body, row_number() OVER (ORDER BY r.key DESC) AS nth
        FROM messages r
        WHERE r.chat_id = n.id AND r.key > n.floor_key AND r.key <= $7 AND (r.key, r.chat_id) < ($7, $8)
        ORDER BY r.key DESC LIMIT $9
    ) m
), bound AS (
    SELECT greatest(
        (SELECT max(l.key) FROM looked l WHERE l.nth = $9),
        (SELECT (max(last_key) | 4294967295) + 1 FROM mine WHERE last_key < (SELECT min(last_key) FROM older))
    ) AS key
), shown AS (
    SELECT l.chat_id, l.key FROM looked l, bound b
    WHERE l.is_wanted AND (b.key IS NULL OR l.key >= b.key)
    ORDER BY l.key DESC, l.chat_id DESC LIMIT $10
)
SELECT s.chat_id, s.key, (SELECT b.key FROM bound b) AS bound
FROM shown s
UNION ALL
SELECT NULL, NULL, b.key FROM bound b WHERE NOT EXISTS (SELECT FROM shown);
