-- name: find_upload
-- $1 device, $2 the file, $3 its kind, $4 for how many seconds an upload is worth something. Of one that is said to come nobody
-- knows when it was: the clock was set back since.
SELECT answer FROM uploads
WHERE device_no = $1 AND sha256 = $2 AND kind = $3
  AND uploaded_at BETWEEN now() - make_interval(secs => $4) AND now() + interval '1 minute'

-- name: keep_upload
-- $5 what WhatsApp answered. What is worth nothing any more of this device goes.
WITH old AS (
    DELETE FROM uploads WHERE device_no = $1 AND uploaded_at <= now() - make_interval(secs => $4) AND (sha256, kind) <> ($2, $3)
)
INSERT INTO uploads (tenant_id, device_no, sha256, kind, answer)
SELECT tenant_id, no, $2, $3, $5 FROM devices WHERE no = $1
ON CONFLICT (device_no, sha256, kind) DO UPDATE SET answer = excluded.answer, uploaded_at = excluded.uploaded_at
