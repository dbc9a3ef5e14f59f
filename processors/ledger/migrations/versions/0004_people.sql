-- The names behind pseudonyms, sealed with a key that the database does not have, and every look at one of them.
CREATE TABLE ledger.people (
    pseudonym text PRIMARY KEY,
    sealed_name bytea NOT NULL
);

CREATE TABLE ledger.looks (
    look_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    looked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    login text NOT NULL,
    pseudonym text NOT NULL,
    reason text NOT NULL CHECK (btrim(reason) <> '')
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['people', 'looks'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.%I '
                       'FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change()', name);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ledger.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', name);
    END LOOP;
END $$;

-- The one way to a name: whoever goes it leaves a look behind, in the same transaction.
CREATE FUNCTION ledger.look(wanted text, why text) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO ledger.looks (login, pseudonym, reason) VALUES (session_user, wanted, why);
    RETURN (SELECT sealed_name FROM ledger.people WHERE pseudonym = wanted);
END $$;
REVOKE ALL ON FUNCTION ledger.look FROM PUBLIC;

GRANT USAGE ON SCHEMA ledger TO guard_privacy;
GRANT EXECUTE ON FUNCTION ledger.look TO guard_privacy;
GRANT INSERT ON ledger.people TO guard_sink;
GRANT SELECT ON ledger.looks TO guard_auditor, guard_privacy;
