-- name: show_code
-- $1 device, $2 $3 the lease (hold_device, 0031), $4 pairing, $5 QR text, $6 code to type: what is NULL stays. From the
-- first on there are $7 seconds. Nothing happens to one that has ended.
UPDATE pairings p SET
    qr = coalesce($5, p.qr),
    code = coalesce($6, p.code),
    expires_at = CASE WHEN p.qr IS NULL AND p.code IS NULL THEN now() + make_interval(secs => $7) ELSE p.expires_at END
FROM hold_device($1, $2, $3) held
WHERE p.id = $4 AND p.state = 'waiting' AND p.device_no = held.no
RETURNING p.tenant_id, p.device_no

-- name: end_pairing
-- $1 device, $2 $3 the lease, $4 pairing, $5 failed or expired, $6 why.
UPDATE pairings p SET state = $5, reason = $6, qr = NULL, code = NULL, ended_at = now()
FROM hold_device($1, $2, $3) held
WHERE p.id = $4 AND p.state = 'waiting' AND p.device_no = held.no
RETURNING p.tenant_id, p.device_no

-- name: hold_device
SELECT store FROM hold_device($1, $2, $3)

-- name: complete_pairing
-- Of a device that is held.
UPDATE pairings SET state = 'paired', qr = NULL, code = NULL, ended_at = now()
WHERE id = $1 AND state = 'waiting'
RETURNING tenant_id, device_no

-- name: write_identity
-- Once per pairing, of a device that is held by worker $8: $2 jid, $3 lid, $4 phone, $5 WhatsApp's number of the device,
-- $6 its session file.
UPDATE devices SET
    jid = $2, lid = $3, phone = $4, wa_device = $5, store = $6, paired_at = now(), push_name = NULL,
    home = (SELECT home FROM workers WHERE id = $8),
    desired_state = 'connected', state = 'connecting', state_reason = $7, state_at = now(), retry_at = NULL, failures = 0
WHERE no = $1

-- name: device_of_number
SELECT o.name FROM devices d JOIN devices o ON o.tenant_id = d.tenant_id AND o.network = d.network
WHERE d.no = $1 AND o.jid = $2 AND o.no <> d.no
