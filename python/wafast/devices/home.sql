-- name: lock_for_adoption
-- As whoever takes a lease does: what is read next is not changed meanwhile.
SELECT FROM devices WHERE no = ANY ($1::int4[]) ORDER BY no FOR NO KEY UPDATE

-- name: to_adopt
SELECT d.no, d.network, d.store, d.home, w.node
FROM devices d
LEFT JOIN leases l ON l.device_no = d.no
LEFT JOIN workers w ON w.id = l.worker_id AND w.expires_at > now()
WHERE d.no = ANY ($1::int4[])
ORDER BY d.no

-- name: adopt
UPDATE devices SET home = $2, retry_at = NULL WHERE no = $1
