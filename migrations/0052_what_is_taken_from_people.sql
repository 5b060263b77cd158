-- Who may see less, or nothing any more, is told to the sockets: each asks again who is at its other end. Here and not
-- where it is changed, so that no way to change it is forgotten, a console's neither. What is read while a login lives
-- (seen_at, last_used_at) names none of these columns.
CREATE FUNCTION tell_of_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('wafast_event', json_build_array(json_build_object('k', 'access', 't', OLD.tenant_id))::text);
    RETURN NULL;
END $$;

CREATE TRIGGER login_changed AFTER DELETE OR UPDATE OF tenant_id ON logins FOR EACH ROW EXECUTE FUNCTION tell_of_access();
CREATE TRIGGER member_changed AFTER DELETE OR UPDATE OF role, device_ids ON members FOR EACH ROW
    EXECUTE FUNCTION tell_of_access();
CREATE TRIGGER key_changed AFTER DELETE OR UPDATE OF scope, device_ids, revoked_at ON api_keys FOR EACH ROW
    EXECUTE FUNCTION tell_of_access();
