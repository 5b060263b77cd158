-- Looking into the index (0013_search.sql). $1 is always the tenant.

-- name: device_numbers
-- Inner numbers of devices: $2 those within reach (NULL: all of the tenant's), $3 only this one (NULL: any).
SELECT d.no FROM devices d
WHERE d.tenant_id = $1 AND ($2::uuid[] IS NULL OR d.id = ANY ($2)) AND ($3::uuid IS NULL OR d.id = $3);

-- name: find_messages
-- $2 devices (NULL: all), $3 kinds (NULL: all), $4 highest bucket, $5 $6 the place (key, chat) to go on below, $7 grams that
-- a message must have, $8 grams of which it must have one, $9 patterns for its words, $10 how many, $11 seconds it may take.
-- Bucket by bucket from the newest, and no further than needed: an index scan each. When the time is over it gives the buckets
-- that are left, without a place in them. The page is put in order outside: an order by more than the bucket would make a whole
-- further bucket, of a common word 12,000 rows, to know where one ends.
SELECT page.bucket, page.chat_id, page.key FROM (
    SELECT b.bucket, found.chat_id, found.key
    FROM search_buckets b
    CROSS JOIN LATERAL (
        -- the first is looked through however late it is: a search that goes on gets on
        SELECT clock_timestamp() > statement_timestamp() + $11::float8 * interval '1 second' AND b.bucket < (
            SELECT max(bucket) FROM search_buckets WHERE tenant_id = $1 AND bucket <= $4
        ) AS is_over
    ) time
    CROSS JOIN LATERAL (SELECT array_agg((b.bucket & 4095) << 20 | gram) AS grams FROM unnest($7::int4[]) gram) every
    CROSS JOIN LATERAL (SELECT array_agg((b.bucket & 4095) << 20 | gram) AS grams FROM unnest($8::int4[]) gram) one
    CROSS JOIN LATERAL (
        (SELECT s.chat_id, s.key FROM message_search s
        WHERE NOT time.is_over AND s.grams @> every.grams AND s.grams && one.grams AND s.tenant_id = $1
          AND ($2::int4[] IS NULL OR s.device_no = ANY ($2)) AND ($3::int2[] IS NULL OR s.kind = ANY ($3))
          AND s.key >= (b.bucket::int8 * 14400) << 32 AND s.key < ((b.bucket::int8 + 1) * 14400) << 32
          AND (s.key, s.chat_id) < ($5::int8, $6::int8)
          AND s.words LIKE ALL ($9::text[])
        ORDER BY s.key DESC, s.chat_id DESC LIMIT $10)
        UNION ALL
        SELECT NULL, NULL WHERE time.is_over
    ) found
    WHERE b.tenant_id = $1 AND b.bucket <= $4
    ORDER BY b.bucket DESC LIMIT $10
) page
ORDER BY page.bucket DESC, page.key DESC, page.chat_id DESC;

-- name: find_in_chat
-- $2 chat, $3 kinds (NULL: all), $4 the key to go on below, $5 patterns, $6 how many. A walk of the chat's rows.
SELECT s.chat_id, s.key FROM message_search s
WHERE s.tenant_id = $1 AND s.chat_id = $2 AND ($3::int2[] IS NULL OR s.kind = ANY ($3)) AND s.key < $4
  AND s.words LIKE ALL ($5::text[])
ORDER BY s.key DESC LIMIT $6;
