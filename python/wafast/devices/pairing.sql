-- name: show_code
-- $1 pairing, $2 $3 the lease, $4 QR text, $5 code to type: what is NULL stays. Nothing happens to one that has ended.
UPDATE pairings p SET qr = coalesce($4, p.qr), code = coalesce($5, p.code)
FROM leases l
WHERE p.id = $1 AND p.state = 'waiting' AND l.device_no = p.device_no AND l.worker_id = $2 AND l.epoch = $3
RETURNING p.tenant_id, p.device_no

-- name: end_pairing
-- $2 $3 the lease, $4 failed or expired, $5 why.
UPDATE pairings p SET state = $4, reason = $5, qr = NULL, code = NULL, ended_at = now()
FROM leases l
WHERE p.id = $1 AND p.state = 'waiting' AND l.device_no = p.device_no AND l.worker_id = $2 AND l.epoch = $3
RETURNING p.tenant_id, p.device_no

-- name: complete_pairing
-- $2 $3 the lease.
UPDATE pairings p SET state = 'paired', qr = NULL, code = NULL, ended_at = now()
FROM leases l
WHERE p.id = $1 AND p.state = 'waiting' AND l.device_no = p.device_no AND l.worker_id = $2 AND l.epoch = $3
RETURNING p.tenant_id, p.device_no

-- name: write_identity
-- Once per pairing: $4 jid, $5 lid, $6 phone, $7 WhatsApp's number of the device, $8 its session file.
UPDATE devices d SET
    jid = $4, lid = $5, phone = $6, wa_device = $7, store = $8, paired_at = now(), push_name = NULL,
    desired_state = 'connected', state = 'connecting', state_reason = $9, state_at = now(), retry_at = NULL, failures = 0
FROM leases l
WHERE d.no = $1 AND l.device_no = d.no AND l.worker_id = $2 AND l.epoch = $3 AND d.state = 'pairing'
RETURNING d.tenant_id

-- name: device_of_number
SELECT o.name FROM devices d JOIN devices o ON o.tenant_id = d.tenant_id AND o.network = d.network
WHERE d.no = $1 AND o.jid = $2 AND o.no <> d.no
