-- How a campaign went. $1 tenant, $2 source, unless something else is said.

-- name: report_devices
-- A row a device, bucket and cause of failure. $3: what a cancelled campaign still holds is cancelled.
SELECT d.id AS device_id, d.name AS device_name,
       CASE WHEN $3 AND b.bucket = 'waiting' THEN 'cancelled' ELSE b.bucket END AS bucket, b.cause, sum(b.n)::int8 AS n
FROM sources s
JOIN source_buckets b ON b.source_id = s.id
LEFT JOIN devices d ON d.no = b.device_no
WHERE s.tenant_id = $1 AND s.id = $2 AND b.source_id = $2
GROUP BY 1, 2, 3, 4

-- name: report_days
-- Each row on the day it left, in the zone $3, in the bucket it is in now; those that have not left on no day. With when the
-- first and the last of them left.
SELECT (sent_at AT TIME ZONE $3)::date AS day, outbox_bucket(state, cause, replied_at) AS bucket, count(*)::int8 AS n,
       min(sent_at) AS first, max(sent_at) AS last
FROM outbox
WHERE tenant_id = $1 AND source_id = $2 AND enrolment_id IS NULL
GROUP BY 1, 2

-- name: report_times
-- What happened when, by $4 of the zone $3: minute, hour or day. Whoever answered has read it, and whoever read it has got
-- it, as in the buckets, also where no receipt says so.
SELECT date_trunc($4, e.at, $3) AS at, e.what, count(*)::int8 AS n
FROM outbox o
CROSS JOIN LATERAL (VALUES ('sent', o.sent_at), ('delivered', coalesce(o.delivered_at, o.read_at, o.replied_at)),
                           ('read', coalesce(o.read_at, o.replied_at)), ('replied', o.replied_at)) AS e (what, at)
WHERE o.tenant_id = $1 AND o.source_id = $2 AND o.enrolment_id IS NULL AND e.at IS NOT NULL
GROUP BY 1, 2

-- name: recipients
-- By number, behind $3, at most $4; only those in bucket $5, and of device $6, when given; $7 the devices within reach
-- (NULL: all). Before it has a device, a row is within reach as its lead is, as in `get_outbox`.
SELECT o.id, o.to_jid, o.lead_id, l.name, d.id AS device_id, d.name AS device_name, o.state,
       outbox_bucket(o.state, o.cause, o.replied_at) AS bucket, o.reason, o.cause, o.body, o.not_before,
       o.sent_at, o.delivered_at, o.read_at, o.replied_at
FROM outbox o
LEFT JOIN leads l ON l.id = o.lead_id AND l.tenant_id = o.tenant_id
LEFT JOIN devices d ON d.no = o.device_no
LEFT JOIN devices own ON own.no = coalesce(o.device_no, l.device_no)
WHERE o.tenant_id = $1 AND o.source_id = $2 AND o.enrolment_id IS NULL AND o.to_jid > $3
  AND ($5::text IS NULL OR outbox_bucket(o.state, o.cause, o.replied_at) = $5)
  AND ($6::uuid IS NULL OR d.id = $6)
  AND ($7::uuid[] IS NULL OR own.id = ANY ($7) OR own.no IS NULL AND o.attempts = 0)
ORDER BY o.to_jid
LIMIT $4
