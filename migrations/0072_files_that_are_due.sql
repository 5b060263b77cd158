-- Which files are to be fetched now is asked with each that comes: of 150,000 that wait for their next attempt none is read.
CREATE INDEX media_fetches_due ON media_fetches (device_no, retry_at) WHERE state = 'wanted';
