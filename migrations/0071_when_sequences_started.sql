-- The time in which a step may leave counts from when it is due, but not from before its sequence was started last.
ALTER TABLE sequences ADD active_since timestamptz;
UPDATE sequences SET active_since = now() WHERE state = 'active';
CREATE OR REPLACE FUNCTION step_end(s sequences, p sequence_steps, since timestamptz) RETURNS timestamptz LANGUAGE sql STABLE RETURN
    CASE WHEN s.state = 'active' THEN
        greatest(since + make_interval(secs => p.delay_seconds), s.active_since) + make_interval(secs => p.expires_seconds)
    END;
