-- What became of the rows of a sequence's steps. $1 the tenant, $2 the sequence.

-- name: step_buckets
-- Of all its steps, the deleted ones too if they have rows: together they are all rows of the sequence.
SELECT p.id AS step_id, p.deleted_at IS NOT NULL AS is_deleted, p.place, x.template, b.bucket, b.cause,
       coalesce(sum(b.n), 0)::int8 AS n
FROM sequence_steps p JOIN sources x ON x.id = p.source_id
LEFT JOIN source_buckets b ON b.source_id = p.source_id
WHERE p.tenant_id = $1 AND p.sequence_id = $2 AND (p.deleted_at IS NULL OR b.source_id IS NOT NULL)
GROUP BY p.id, x.template, b.bucket, b.cause
ORDER BY p.place

-- name: sent_by_day
-- The last $3 days, in the tenant's zone.
SELECT p.id AS step_id, (o.sent_at AT TIME ZONE t.time_zone)::date AS day, count(*) AS sent,
       count(o.delivered_at) AS delivered, count(o.read_at) AS read, count(o.replied_at) AS replied
FROM sequence_steps p JOIN tenants t ON t.id = p.tenant_id
JOIN outbox o ON o.source_id = p.source_id AND o.enrolment_id IS NOT NULL
             AND o.sent_at >= now() - make_interval(days => $3)
WHERE p.tenant_id = $1 AND p.sequence_id = $2
GROUP BY 1, 2 ORDER BY 2, 1
