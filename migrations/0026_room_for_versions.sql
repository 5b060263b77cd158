-- The clock of a device and the place of a lane change with every send. While some transaction holds an old snapshot none
-- of their versions can go: where a page has room for them they cost one walk within it; where not, each is one more entry
-- in every index, and every look reads them all (40 sends a device: 41 pages instead of 5).
ALTER TABLE devices SET (fillfactor = 10);
ALTER TABLE lanes SET (fillfactor = 10);
