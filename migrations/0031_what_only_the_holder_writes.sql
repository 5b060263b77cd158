-- The fence of every write a worker makes for a device: it locks the device, then the lease, in the order in which all
-- do, and gives no row when the lease is another's by then. A lease that is only read is the one from before the wait
-- for the device, which whoever takes the lease makes others wait for.
CREATE FUNCTION hold_device(device int4, worker uuid, lease_epoch int8) RETURNS SETOF devices LANGUAGE sql AS $$
    SELECT d.* FROM devices d JOIN leases l ON l.device_no = d.no
    WHERE d.no = device AND l.worker_id = worker AND l.epoch = lease_epoch
    FOR NO KEY UPDATE OF d FOR SHARE OF l
$$;

-- What a device that is paired anew was before, and why: where nothing comes of it, that is what it is again, whichever
-- process says so.
ALTER TABLE devices
    ADD state_before_pairing  text,
    ADD reason_before_pairing text;

-- When a worker's process began, in the kernel's ticks since the boot. Its number alone may be another's by now.
ALTER TABLE workers ADD process_start int8;

-- How many messages of a line are unread is asked with each change of its state, and few of its chats have any: those
-- that are placed as unread, and those that wait for their place.
CREATE INDEX chat_order_unread_of_devices ON chat_order (device_no) WHERE is_unread;
CREATE FUNCTION unread_of(device int4, tenant int4) RETURNS int4 LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(c.unread) FILTER (WHERE c.device_no = device), 0)::int4
    FROM (SELECT chat_id FROM chat_order WHERE device_no = device AND is_unread
          UNION SELECT unnest(chat_ids) FROM chat_order_queue WHERE tenant_id = tenant) found
    JOIN chats c ON c.id = found.chat_id
$$;

-- Whether a device sends no more until a person acts: a ban with an end is over by itself.
CREATE FUNCTION is_over(d devices) RETURNS bool LANGUAGE sql STABLE PARALLEL SAFE RETURN
    d.state IN ('logged_out', 'banned', 'replaced', 'outdated') AND (d.retry_at < 'infinity') IS NOT TRUE;
