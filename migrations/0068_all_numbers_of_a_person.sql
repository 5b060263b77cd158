-- Of a person who was two leads, the names of each number count for the other as well, and all numbers of one that became many.

-- What WhatsApp knows a number as: itself, how it names that, and all it names so.
CREATE FUNCTION numbers_named_as(of_tenant int4, of_phone text) RETURNS TABLE (phone text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT of_phone
  UNION
    SELECT p.phone FROM jids_of_phone(of_tenant, of_phone) named CROSS JOIN LATERAL phones_of(of_tenant, named.jid) p
$$;

-- The other numbers of the lead that has this one, or that its lead became part of.
CREATE FUNCTION numbers_of_lead(of_tenant int4, of_phone text) RETURNS TABLE (phone text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT other.phone
    FROM (SELECT l.id FROM leads l WHERE l.tenant_id = of_tenant AND l.phone = of_phone
          UNION ALL
          SELECT f.lead_id FROM former_leads f WHERE f.tenant_id = of_tenant AND f.phone = of_phone) own
    CROSS JOIN LATERAL (SELECT l.phone FROM leads l WHERE l.id = own.id
                        UNION ALL
                        SELECT f.phone FROM former_leads f WHERE f.lead_id = own.id) other
    WHERE other.phone <> of_phone
$$;

CREATE OR REPLACE FUNCTION numbers_of_person(of_tenant int4, of_phone text) RETURNS TABLE (phone text) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH known AS (SELECT n.phone FROM numbers_named_as(of_tenant, of_phone) n)
    SELECT k.phone FROM known k
  UNION
    SELECT n.phone FROM known k
    CROSS JOIN LATERAL numbers_of_lead(of_tenant, k.phone) o
    CROSS JOIN LATERAL numbers_named_as(of_tenant, o.phone) n
$$;
