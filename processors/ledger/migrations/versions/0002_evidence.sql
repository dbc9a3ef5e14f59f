-- Where a chain begins since months were taken out: the last offset that left with them, and the signed anchor, a year
-- old, that covers it. Whoever owns the database can write a row here, and no such anchor.
ALTER TABLE ledger.pruned ADD COLUMN "offset" bigint NOT NULL DEFAULT -1, ADD COLUMN anchor json;

-- The anchors of one chain, among those of all.
CREATE INDEX ledger_events_anchors ON ledger.ledger_events
    ((payload->>'topic'), (payload->>'partition'), appended_at) WHERE kind = 'LedgerAnchored';

CREATE INDEX ON ledger.blocks (request_id);

-- The first anchor that covers a row of a chain and is a year old, null if there is none.
CREATE FUNCTION ledger.covering_anchor(of_topic text, of_partition integer, of_sequence bigint) RETURNS json
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT payload FROM ledger.ledger_events
    WHERE topic = 'compat.ledger-anchors' AND kind = 'LedgerAnchored' AND status = 'recorded'
      AND payload->>'topic' = of_topic AND payload->>'partition' = of_partition::text
      AND CASE kind WHEN 'LedgerAnchored' THEN (payload->>'sequence')::bigint >= of_sequence
          AND (payload->>'at')::bigint <= extract(epoch FROM now() - interval '365 days') * 1000 END
    ORDER BY appended_at LIMIT 1
$$;
REVOKE ALL ON FUNCTION ledger.covering_anchor FROM PUBLIC;

-- Take a month out of the ledger. Its rows must be the beginning of every chain that is in it, and anchored; nothing
-- anchors the chain of the anchors.
CREATE OR REPLACE FUNCTION ledger.detach_month(which text, manifest text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
DECLARE
    gap record;
    parent text;
BEGIN
    PERFORM ledger.refuse_young(which);
    EXECUTE format($q$
        CREATE TEMP TABLE leaving ON COMMIT DROP AS
        SELECT topic, partition, min(sequence) AS first, max(sequence) AS last, max("offset") AS "offset",
               count(*) AS rows, ledger.covering_anchor(topic, partition, max(sequence)) AS anchor
        FROM ledger.%I GROUP BY topic, partition $q$, 'ledger_events_' || which);
    SELECT l.topic, l.partition INTO gap FROM pg_temp.leaving l
        LEFT JOIN (SELECT topic, partition, max(sequence) AS last FROM ledger.pruned GROUP BY 1, 2) p
        USING (topic, partition)
        WHERE l.first <> coalesce(p.last, 0) + 1 OR l.last - l.first + 1 <> l.rows LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'month % is kept: its rows of %/% are not the beginning of the chain',
            which, gap.topic, gap.partition;
    END IF;
    SELECT l.topic, l.partition, l.last INTO gap FROM pg_temp.leaving l
        WHERE l.anchor IS NULL AND l.topic <> 'compat.ledger-anchors' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'month % is kept: no anchor that is 365 days old covers row % of %/%',
            which, gap.last, gap.topic, gap.partition USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format($q$
        INSERT INTO ledger.pruned (topic, partition, sequence, hash, month, "offset", anchor)
        SELECT e.topic, e.partition, e.sequence, e.row_hash, %L, l."offset", l.anchor FROM ledger.%I e
        JOIN pg_temp.leaving l ON (e.topic, e.partition, e.sequence) = (l.topic, l.partition, l.last) $q$,
        which, 'ledger_events_' || which);
    INSERT INTO ledger.retired_months (month, rows, youngest, manifest_digest)
        VALUES (which, (SELECT coalesce(sum(rows), 0) FROM pg_temp.leaving), ledger.youngest_of(which), manifest);
    DROP TABLE pg_temp.leaving;
    FOREACH parent IN ARRAY ARRAY['ledger_events', 'event_findings'] LOOP
        EXECUTE format('ALTER TABLE ledger.%I DETACH PARTITION ledger.%I', parent, parent || '_' || which);
        -- The trigger that came from the parent went with it.
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.%I '
                       'FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change()', parent || '_' || which);
    END LOOP;
END $$;

-- The partition of one month. It is made by itself and then attached, so that it waits for no reader of its parent;
-- the parent's truncate trigger would not protect it.
CREATE OR REPLACE FUNCTION ledger.ensure_month(of timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET lock_timeout = '5s' AS $$
DECLARE
    lower timestamptz := date_trunc('month', of);
    upper timestamptz := lower + interval '1 month';
    parent text;
    child text;
BEGIN
    IF of NOT BETWEEN '2020-01-01' AND now() + interval '1 year' THEN
        RAISE EXCEPTION 'no month is made for %: expected 2020 to a year from now', of;
    END IF;
    FOREACH parent IN ARRAY ARRAY['ledger_events', 'event_findings'] LOOP
        child := parent || to_char(lower, '_YYYY_MM');
        IF to_regclass(format('ledger.%I', child)) IS NOT NULL THEN
            CONTINUE;
        END IF;
        PERFORM pg_advisory_xact_lock(hashtext('ledger.ensure_month'));
        IF to_regclass(format('ledger.%I', child)) IS NOT NULL THEN
            CONTINUE;
        END IF;
        EXECUTE format('CREATE TABLE ledger.%I (LIKE ledger.%I INCLUDING ALL)', child, parent);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ledger.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', child);
        EXECUTE format('GRANT SELECT ON ledger.%I TO guard_auditor, guard_maintenance', child);
        EXECUTE format('ALTER TABLE ledger.%I ATTACH PARTITION ledger.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, child, lower, upper);
    END LOOP;
END $$;
