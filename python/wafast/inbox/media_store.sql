-- Rows of files. One of several tenants with the same file has a row each.
-- Reads the outbox itself: that nothing is to send a file must hold in the snapshot of the statement that deletes it.

-- name: lock_file
-- Until the end of the transaction. $1 the hash; two with the same lock only wait for each other.
SELECT pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0));

-- name: stored_media
-- $1 tenant, $2 hash.
SELECT mime, size, viewed_at < now() - interval '1 minute' AS is_stale FROM media WHERE tenant_id = $1 AND sha256 = $2;

-- name: view_media
UPDATE media SET viewed_at = now()
WHERE tenant_id = $1 AND sha256 = $2 AND viewed_at < now() - interval '1 minute';

-- name: store_media
-- The same file again keeps the type it had: it may be on its way out with it.
INSERT INTO media (tenant_id, sha256, mime, size) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, sha256) DO UPDATE SET viewed_at = now()
RETURNING mime;

-- name: describe_sound
UPDATE media SET seconds = $3, waveform = coalesce($4, waveform) WHERE tenant_id = $1 AND sha256 = $2;

-- name: describe_film
UPDATE media SET seconds = coalesce($3, seconds), width = coalesce($4, width), height = coalesce($5, height),
    poster = coalesce($6, poster)
WHERE tenant_id = $1 AND sha256 = $2;

-- name: evict_media
-- A statement of its own after the lock, so that it sees what was put into the outbox before. Ten minutes: an upload is
-- there before the message that sends it.
WITH evicted AS (
    DELETE FROM media m
    WHERE m.sha256 = $1
      AND NOT EXISTS (SELECT FROM media o WHERE o.sha256 = $1 AND o.viewed_at > now() - interval '10 minutes')
      AND NOT EXISTS (SELECT FROM outbox o
                      WHERE o.media_sha256 = $1 AND o.state IN ('queued', 'sending', 'unknown'))
      AND NOT EXISTS (SELECT FROM sources s WHERE s.media_sha256 = $1 AND s.state <> 'ended')
    RETURNING m.size
)
SELECT max(size) FROM evicted;
