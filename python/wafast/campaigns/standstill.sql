-- name: standing_still
-- Of sources $1 those of which nothing can leave, as none of the devices where it waits is online, or WhatsApp holds back those
-- that are for more than a minute, or they are quiet in all of its hours; what waits in the pool could leave from any that is
-- chosen. With the devices by what holds them: `gone` have no link to a phone. Mostly the first lane that is looked at says that
-- something can; one probe a lane, whatever waits.
WITH still AS MATERIALIZED (
    SELECT s.id FROM sources s
    WHERE s.id = ANY ($1::int8[]) AND s.state = 'running'
      AND (SELECT true FROM lanes n JOIN devices d ON d.no = n.device_no
           WHERE n.source_id = s.id AND d.state = 'online' AND (d.paused_until > now() + interval '1 minute') IS NOT TRUE
             AND (SELECT true FROM outbox o WHERE o.lane_id = n.id AND o.state = 'queued' LIMIT 1)
             AND next_open(d, s, n.zone, now()) IS NOT NULL LIMIT 1) IS NULL
      AND (SELECT true FROM lanes n
           WHERE n.source_id = s.id AND n.device_no IS NULL
             AND (SELECT true FROM outbox o WHERE o.lane_id = n.id AND o.state = 'queued' LIMIT 1)
             AND (SELECT true FROM devices d
                  WHERE d.tenant_id = s.tenant_id AND (s.device_ids IS NULL OR d.id = ANY (s.device_ids))
                    AND d.state = 'online' AND (d.paused_until > now() + interval '1 minute') IS NOT TRUE
                    AND next_open(d, s, n.zone, now()) IS NOT NULL LIMIT 1)
           LIMIT 1) IS NULL
)
SELECT s.id AS source_id, w.* FROM still s
CROSS JOIN LATERAL (
    SELECT count(DISTINCT d.no) FILTER (WHERE d.is_over OR d.state IN ('new', 'pairing')) AS gone,
           count(DISTINCT d.no) FILTER (WHERE NOT d.is_over AND d.state NOT IN ('new', 'pairing', 'online')) AS offline,
           count(DISTINCT d.no) FILTER (WHERE d.state = 'online' AND d.is_held_back) AS held_back,
           count(DISTINCT d.no) FILTER (WHERE d.state = 'online' AND NOT d.is_held_back) AS never_open,
           min(d.paused_until) FILTER (WHERE d.state = 'online' AND d.is_held_back) AS until,
           coalesce(bool_or(n.device_no IS NULL), false) AS has_pool,
           count(*) AS lanes
    FROM lanes n
    LEFT JOIN (SELECT *, is_over(devices), coalesce(paused_until > now() + interval '1 minute', false) AS is_held_back
               FROM devices) d ON d.no = n.device_no
    WHERE n.source_id = s.id AND (SELECT true FROM outbox o WHERE o.lane_id = n.id AND o.state = 'queued' LIMIT 1)
) w
WHERE w.lanes > 0
