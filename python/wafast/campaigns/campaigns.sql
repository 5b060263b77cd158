-- Campaigns as rows. $1 is the tenant, $2 the campaign, unless something else is said.

-- name: get_campaign
SELECT * FROM campaigns_shown WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL

-- name: get_campaigns
-- Of any tenant, for the live frames.
SELECT * FROM campaigns_shown WHERE id = ANY ($1::int8[])

-- name: list_campaigns
-- $2 only those in these states, $3 a part of the name, $4 below this id, $5 how many.
SELECT * FROM campaigns_shown
WHERE tenant_id = $1 AND deleted_at IS NULL AND id < $4
  AND ($2::text[] IS NULL OR state = ANY ($2)) AND ($3::text IS NULL OR strpos(lower(name), lower($3)) > 0)
ORDER BY id DESC
LIMIT $5

-- name: list_campaigns_between
-- For the calendar: begun or to begin in [$2, $3).
SELECT * FROM campaigns_shown
WHERE tenant_id = $1 AND deleted_at IS NULL AND starts_at >= $2 AND starts_at < $3
ORDER BY starts_at, id
LIMIT $4

-- name: create_campaign
-- $2 source, $3 name, $4 audience, $5 devices, $6 end, $7 who.
INSERT INTO campaigns (tenant_id, source_id, name, audience, device_ids, expires_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id

-- name: set_source_devices
-- $2 the source: distribution reads them there.
UPDATE sources SET device_ids = $3 WHERE tenant_id = $1 AND id = $2

-- name: lock_campaign
SELECT id, source_id, state, name, expires_at FROM campaigns
WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL
FOR NO KEY UPDATE

-- name: change_campaign
UPDATE campaigns SET name = $3, audience = $4, device_ids = $5, expires_at = $6 WHERE tenant_id = $1 AND id = $2

-- name: schedule_campaign
-- $3 $4 $5 day, time and zone as a person wrote them, NULL for "now"; $6 the instant.
UPDATE campaigns SET on_date = $3, at_time = $4, zone = $5, starts_at = coalesce($6, now()), state = $7, reason = NULL
WHERE tenant_id = $1 AND id = $2

-- name: unschedule_campaign
-- It does not begin by itself. $3 $4 $5 what a person has in mind for when, or NULL.
UPDATE campaigns SET on_date = $3, at_time = $4, zone = $5, starts_at = NULL, state = 'draft', reason = NULL
WHERE tenant_id = $1 AND id = $2

-- name: set_campaign_state
UPDATE campaigns SET state = $3, reason = $4 WHERE tenant_id = $1 AND id = $2

-- name: delete_campaign
UPDATE campaigns SET deleted_at = now() WHERE tenant_id = $1 AND id = $2

-- name: failed_rows
-- $2 the source; the next $4 behind the number $3.
SELECT id, to_jid FROM outbox
WHERE tenant_id = $1 AND source_id = $2 AND enrolment_id IS NULL AND to_jid > $3 AND state = 'failed'
ORDER BY to_jid LIMIT $4

-- name: campaign_of_row
-- $2 a row of the outbox.
SELECT c.id FROM outbox o JOIN campaigns c ON c.source_id = o.source_id WHERE o.tenant_id = $1 AND o.id = $2

-- name: reopen_campaign
UPDATE campaigns SET ended_at = NULL, state = $3, reason = NULL WHERE tenant_id = $1 AND id = $2

-- name: zone_of_tenant
SELECT time_zone FROM tenants WHERE id = $1

-- name: newest_of_audience
-- The person a message is shown for when nobody is asked for. $2 audience.
SELECT max(lead_id) FROM campaign_audience($1, $2)

-- name: newest_row
SELECT last_value FROM outbox_id_seq
