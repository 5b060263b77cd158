-- Each message that comes takes an old one of its chat away, so a table in use is rewritten in hours, or in minutes under
-- full load. Vacuum at its usual pace (200 cost units every 2 ms) takes longer for a pass than the table takes to double:
-- of 8 million messages at 80,000 a second it came round once. Without pauses and from a twentieth of dead rows on, the
-- table stays as large as what is kept.
ALTER TABLE messages SET (autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE thumbnails SET (autovacuum_vacuum_cost_delay = 0, autovacuum_vacuum_scale_factor = 0.05);
