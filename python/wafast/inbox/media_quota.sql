-- Reads the outbox itself: the $1 files that may go are the first that nothing is to send. Whoever asked the outbox for
-- each would read on through all that are still to be sent.

-- name: try_to_sweep
-- One sweep at a time, in all processes of all nodes.
SELECT pg_try_advisory_lock(7205759405);

-- name: end_sweep
SELECT pg_advisory_unlock(7205759405);

-- name: bytes_on_disk
-- A file of several tenants lies there once. Asked once a sweep: it reads the whole index.
SELECT coalesce(sum(size), 0)::int8 FROM (SELECT max(size) AS size FROM media GROUP BY sha256) file;

-- name: least_recently_viewed
-- A file of several tenants is as fresh as its last view. What was viewed a moment ago or is still to be sent stays.
SELECT m.sha256 FROM media m
WHERE m.viewed_at < now() - interval '10 minutes'
  AND NOT EXISTS (SELECT FROM media o
                  WHERE o.sha256 = m.sha256 AND (o.viewed_at, o.tenant_id) > (m.viewed_at, m.tenant_id))
  AND NOT EXISTS (SELECT FROM outbox o
                  WHERE o.media_sha256 = m.sha256 AND o.state IN ('queued', 'sending', 'unknown'))
  AND NOT EXISTS (SELECT FROM sources s WHERE s.media_sha256 = m.sha256 AND s.state <> 'ended')
ORDER BY m.viewed_at
LIMIT $1;
