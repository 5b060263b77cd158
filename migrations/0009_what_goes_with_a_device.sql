-- Deleting a device looks in every table that names it. Without these it read all of them for each device: 70 ms beside a
-- million sends, so that deleting 3,000 took minutes; with them 0.7 ms. The first also finds a device's newest sends.
CREATE INDEX outbox_by_device ON outbox (device_no, id DESC);
CREATE INDEX pairings_by_device ON pairings (device_no);
CREATE INDEX pending_changes_by_device ON pending_changes (device_no);
CREATE INDEX media_fetches_by_device ON media_fetches (device_no);
