-- When a step whose delay began then is too late; never while its sequence stands still.
CREATE FUNCTION step_end(s sequences, p sequence_steps, since timestamptz) RETURNS timestamptz LANGUAGE sql STABLE RETURN
    CASE WHEN s.state = 'active' THEN since + make_interval(secs => p.delay_seconds + p.expires_seconds) END;
