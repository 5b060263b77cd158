-- name: standing_still
-- Of sources $1 those of which nothing can leave, as none of the devices where it waits is online, or WhatsApp holds back those
-- that are for more than a minute; what waits in the pool could leave from any that is chosen. With the devices by what holds
-- them: `gone` have no link to a phone. Mostly the first lane that is looked at says that something can; one probe a lane,
-- whatever waits.
WITH still AS MATERIALIZED (
    SELECT s.id FROM sources s
    WHERE s.id = ANY ($1::int8[]) AND s.state = 'running'
      AND (SELECT true FROM lanes n JOIN devices d ON d.no = n.device_no
           WHERE n.source_id = s.id AND d.state = 'online' AND (d.paused_until > now() + interval '1 minute') IS NOT TRUE
             AND (SELECT true FROM outbox o WHERE o.lane_id = n.id AND o.state = 'queued' LIMIT 1) LIMIT 1) IS NULL
      AND (SELECT true FROM lanes n
           WHERE n.source_id = s.id AND n.device_no IS NULL
             AND (SELECT true FROM outbox o WHERE o.lane_id = n.id AND o.state = 'queued' LIMIT 1)
             AND (SELECT true FROM devices d
                  WHERE d.tenant_id = s.tenant_id AND (s.device_ids IS NULL OR d.id = ANY (s.device_ids))
                    AND d.state = 'online' AND (d.paused_until > now() + interval '1 minute') IS NOT TRUE LIMIT 1)
           LIMIT 1) IS NULL
)
SELECT s.id AS source_id, w.* FROM still s
CROSS JOIN LATERAL (
    SELECT count(DISTINCT d.no) FILTER (WHERE is_over(d) OR d.state IN ('new', 'pairing')) AS gone,
           count(DISTINCT d.no) FILTER (WHERE NOT is_over(d) AND d.state NOT IN ('new', 'pairing', 'online')) AS offline,
           count(DISTINCT d.no) FILTER (WHERE d.state = 'online') AS held_back,
           min(d.paused_until) FILTER (WHERE d.state = 'online') AS until,
           coalesce(bool_or(n.device_no IS NULL), false) AS has_pool,
           count(*) AS lanes
    FROM lanes n LEFT JOIN devices d ON d.no = n.device_no
    WHERE n.source_id = s.id AND (SELECT true FROM outbox o WHERE o.lane_id = n.id AND o.state = 'queued' LIMIT 1)
) w
WHERE w.lanes > 0
