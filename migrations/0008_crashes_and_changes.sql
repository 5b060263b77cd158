-- A device whose session takes its worker's process down must not take all others with it for ever: who was coming online
-- when a worker died is blamed, and tried apart from the others (devices/lease.sql).
ALTER TABLE devices
    ADD crashes   int2 NOT NULL DEFAULT 0 CHECK (crashes >= 0),   -- workers that died in a row while it came online
    ADD blamed_at timestamptz;
CREATE INDEX devices_suspected ON devices (network) WHERE crashes > 0;

-- A worker that only tries suspected devices, one or few at a time; when a worker said last that it lives; and whether its
-- process ended by itself, as nobody knows who did not see it end.
ALTER TABLE workers
    ADD is_trial   bool NOT NULL DEFAULT false,
    ADD beat_at    timestamptz NOT NULL DEFAULT now(),
    ADD crashed    bool NOT NULL DEFAULT false;

-- Every change of a device's state, whoever made it.
CREATE TABLE device_changes (
    id        int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    device_no int4 NOT NULL REFERENCES devices (no) ON DELETE CASCADE,
    at        timestamptz NOT NULL DEFAULT now(),
    state     text NOT NULL,
    reason    text
);
CREATE INDEX device_changes_by_device ON device_changes (device_no, id DESC);
CREATE INDEX device_changes_by_age ON device_changes USING brin (at);

CREATE FUNCTION note_device_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO device_changes (tenant_id, device_no, state, reason)
    VALUES (NEW.tenant_id, NEW.no, NEW.state, NEW.state_reason);
    RETURN NULL;
END
$$;
CREATE TRIGGER device_added AFTER INSERT ON devices FOR EACH ROW EXECUTE FUNCTION note_device_change();
CREATE TRIGGER device_changed AFTER UPDATE OF state, state_reason ON devices FOR EACH ROW
    WHEN ((OLD.state, OLD.state_reason) IS DISTINCT FROM (NEW.state, NEW.state_reason))
    EXECUTE FUNCTION note_device_change();
