-- A line's home: the data folder with its session file, by the name that folder has among those of all nodes
-- (devices/home.py). Workers on other folders don't connect the line. NULL: of a line that was never paired, or of before
-- this migration, until a worker that finds the file says so.
ALTER TABLE devices ADD home text;
ALTER TABLE workers ADD home text;
CREATE INDEX devices_without_home ON devices (network) WHERE home IS NULL AND store IS NOT NULL;
