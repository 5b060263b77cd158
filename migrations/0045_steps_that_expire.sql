-- How long after its time a step may still leave; NULL: however late. Its time is when its delay is over. Whoever hasn't got it
-- by then goes on to the next one.
ALTER TABLE sequence_steps ADD COLUMN expires_seconds int8 CHECK (expires_seconds > 0);
