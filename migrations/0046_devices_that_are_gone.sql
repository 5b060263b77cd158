-- Devices that were deleted are chosen no more, and nobody is limited to them: as with those that are deleted from now on
-- (distribution/choices.sql, devices/bulk.sql).

CREATE FUNCTION those_there(ids uuid[]) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(one ORDER BY place), '{}')
    FROM unnest(ids) WITH ORDINALITY AS u (one, place) JOIN devices d ON d.id = one
$$;
UPDATE members SET device_ids = those_there(device_ids) WHERE device_ids <> those_there(device_ids);
UPDATE api_keys SET device_ids = those_there(device_ids) WHERE device_ids <> those_there(device_ids);
UPDATE campaigns SET device_ids = those_there(device_ids) WHERE device_ids <> those_there(device_ids);
UPDATE sources SET device_ids = those_there(device_ids) WHERE device_ids <> those_there(device_ids);
DROP FUNCTION those_there;

-- One that is left with none waits for a person before it sends from every device.
UPDATE sources SET state = 'paused' WHERE id IN (
    SELECT source_id FROM campaigns WHERE device_ids = '{}' AND state = 'running' AND ended_at IS NULL);
UPDATE lanes SET is_live = false WHERE is_live AND source_id IN (
    SELECT source_id FROM campaigns WHERE device_ids = '{}' AND state = 'running' AND ended_at IS NULL);
UPDATE campaigns SET
    reason = 'its chosen devices were deleted; once it goes on, people without a device get any of yours',
    state = CASE WHEN state = 'running' AND ended_at IS NULL THEN 'paused'
                 WHEN state IN ('scheduled', 'planning') THEN 'draft' ELSE state END,
    (on_date, at_time, zone, starts_at) = (
        SELECT on_date, at_time, zone, starts_at WHERE state NOT IN ('scheduled', 'planning'))
WHERE device_ids = '{}';
UPDATE campaigns SET device_ids = NULL WHERE device_ids = '{}';
UPDATE sources SET device_ids = NULL WHERE device_ids = '{}';
