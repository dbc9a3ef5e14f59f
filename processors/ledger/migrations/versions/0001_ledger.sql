-- The ledger. Everything belongs to guard_owner, who cannot log in; the sink may add and read, and nobody may change.

CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;

-- One row for each record of every topic. Columns as in records.py.
CREATE TABLE ledger.ledger_events (
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    appended_at timestamptz(3) NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    event_id text NOT NULL,
    tenant text,
    environment text,
    plugin_id text,
    plugin_version text,
    host text,
    host_version text,
    operator text,
    approver text,
    request_id text,
    exception_id text,
    approval_id text,
    verdict text,
    band text,
    state text,
    monitoring text,
    monitoring_profile text,
    reason text,
    finding_codes text[] NOT NULL,
    value_digest bytea NOT NULL,
    payload json NOT NULL,
    sequence bigint NOT NULL,
    row_hash bytea NOT NULL,
    PRIMARY KEY (topic, partition, "offset", appended_at)
) PARTITION BY RANGE (appended_at);

-- Large payloads are compressed, by lz4 where the server has it: it takes a tenth of the time.
DO $$ BEGIN
    ALTER TABLE ledger.ledger_events ALTER COLUMN payload SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;

CREATE INDEX ON ledger.ledger_events (appended_at);
CREATE INDEX ON ledger.ledger_events (event_id);
CREATE INDEX ON ledger.ledger_events (plugin_id, appended_at) WHERE plugin_id IS NOT NULL;
CREATE INDEX ON ledger.ledger_events (host_version, appended_at) WHERE host_version IS NOT NULL;
CREATE INDEX ON ledger.ledger_events (tenant, appended_at) WHERE tenant IS NOT NULL;
CREATE INDEX ON ledger.ledger_events (operator, appended_at) WHERE operator IS NOT NULL;
CREATE INDEX ON ledger.ledger_events (approver, appended_at) WHERE approver IS NOT NULL;
CREATE INDEX ON ledger.ledger_events (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX ON ledger.ledger_events (exception_id, appended_at) WHERE exception_id IS NOT NULL;
CREATE INDEX ON ledger.ledger_events (approval_id) WHERE approval_id IS NOT NULL;
CREATE INDEX ON ledger.ledger_events (band, appended_at) WHERE band IS NOT NULL;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.ledger_events
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();

-- Which events have a finding of a code: a plain index, where an inverted one would be slow for a common code.
CREATE TABLE ledger.event_findings (
    code text NOT NULL,
    appended_at timestamptz(3) NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    PRIMARY KEY (code, appended_at, topic, partition, "offset")
) PARTITION BY RANGE (appended_at);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.event_findings
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();

-- Where each chain stands. Locked by whoever extends it, so it is also the fence: `next_offset` moves with the rows.
CREATE TABLE ledger.chain_head (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    sequence bigint NOT NULL,
    hash bytea NOT NULL,
    batches bigint NOT NULL,
    frontier bytea NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
);

CREATE FUNCTION ledger.only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.next_offset < OLD.next_offset OR NEW.sequence < OLD.sequence
        OR (NEW.topic, NEW.partition) <> (OLD.topic, OLD.partition)
    THEN
        RAISE EXCEPTION 'a chain only grows: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER only_forward BEFORE UPDATE OR DELETE ON ledger.chain_head
    FOR EACH ROW EXECUTE FUNCTION ledger.only_forward();

-- The root over the rows of each transaction, by chain. Kept for ever: small, and every later proof needs them.
CREATE TABLE ledger.batches (
    topic text NOT NULL,
    partition integer NOT NULL,
    number bigint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    root bytea NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, number)
);

-- Event ids that were met, and what they stood for: the same id again is one event sent twice, or two in conflict.
CREATE TABLE ledger.event_seen (
    key uuid PRIMARY KEY,
    same uuid NOT NULL,
    appended_at timestamptz(3) NOT NULL
);

-- Records that were dropped because the ledger holds their event already.
CREATE TABLE ledger.duplicates (
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    event_id text NOT NULL,
    value_digest bytea NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, "offset")
);

-- What somebody should look at: unreadable records and ids in conflict. Their rows are in ledger_events, too.
CREATE TABLE ledger.quarantine (
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    event_id text NOT NULL,
    reason text NOT NULL,
    why text NOT NULL,
    quarantined_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, "offset")
);

-- Where the chains begin since months were taken out by retention.
CREATE TABLE ledger.pruned (
    topic text NOT NULL,
    partition integer NOT NULL,
    sequence bigint NOT NULL,
    hash bytea NOT NULL,
    month text NOT NULL,
    pruned_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, sequence)
);

-- Months that were detached, and what proves that they were exported before.
CREATE TABLE ledger.retired_months (
    month text PRIMARY KEY,
    rows bigint NOT NULL,
    youngest timestamptz NOT NULL,
    manifest_digest text NOT NULL,
    detached_at timestamptz NOT NULL DEFAULT now(),
    dropped_at timestamptz
);

-- Current state, folded from the events in the transaction that adds them; see compaction.py.
CREATE TABLE ledger.requests (
    request_id text PRIMARY KEY,
    tenant text, environment text, plugin_id text, plugin_version text, host text, host_version text,
    operator text, exception_id text, recheck boolean, requested_at timestamptz, requested_position bigint[],
    verdict text, band text, approval_id text, answered_at timestamptz, answered_position bigint[],
    outcome text, finished_at timestamptz, finished_position bigint[]
) WITH (fillfactor = 70);

CREATE TABLE ledger.blocks (
    block_id text PRIMARY KEY,
    request_id text, tenant text, environment text, plugin_id text, plugin_version text, host text,
    host_version text, operator text, band text, finding_codes text[], blocked_at timestamptz,
    blocked_position bigint[]
);

CREATE TABLE ledger.exceptions (
    exception_id text PRIMARY KEY,
    requester text, category text, asked_at timestamptz, asked_position bigint[],
    round integer, change integer, state text, event text, tenant text, environment text, plugin_id text,
    plugin_version text, host text, host_version text, request_id text, band text, approval_id text,
    monitoring_profile text, uses integer, valid_until_ms bigint, due_at_ms bigint, changed_at timestamptz,
    changed_position bigint[]
) WITH (fillfactor = 70);

CREATE TABLE ledger.executions (
    request_id text PRIMARY KEY,
    exception_id text, approval_id text, required_profile text, authorised_at timestamptz,
    authorised_position bigint[],
    outcome text, outcome_at timestamptz, outcome_position bigint[],
    monitoring text, monitoring_profile text, monitoring_at timestamptz, monitoring_position bigint[]
) WITH (fillfactor = 70);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['batches', 'duplicates', 'quarantine', 'pruned'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.%I '
                       'FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change()', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['ledger_events', 'event_findings', 'chain_head', 'batches', 'duplicates',
                                'quarantine', 'pruned', 'event_seen'] LOOP
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ledger.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', name);
    END LOOP;
END $$;

-- The partition of one month, with the trigger that a parent's truncate trigger would not give it.
CREATE FUNCTION ledger.ensure_month(of timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
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
        EXECUTE format('CREATE TABLE ledger.%I PARTITION OF ledger.%I FOR VALUES FROM (%L) TO (%L)',
                       child, parent, lower, upper);
        EXECUTE format('CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ledger.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', child);
        EXECUTE format('GRANT SELECT ON ledger.%I TO guard_auditor, guard_maintenance', child);
    END LOOP;
END $$;

-- The age of a month is that of its youngest row, by the clock of the database. No argument can lower the 365 days.
CREATE FUNCTION ledger.youngest_of(month text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE youngest timestamptz;
BEGIN
    IF month !~ '^\d{4}_\d{2}$' THEN
        RAISE EXCEPTION '`%` is not a month: expected such as 2026_01', month;
    END IF;
    EXECUTE format('SELECT max(appended_at) FROM ledger.%I', 'ledger_events_' || month) INTO youngest;
    RETURN coalesce(youngest, '-infinity');
END $$;

CREATE FUNCTION ledger.refuse_young(month text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE youngest timestamptz := ledger.youngest_of(month);
BEGIN
    IF youngest > now() - interval '365 days'
        OR to_date(month, 'YYYY_MM') + interval '1 month' > now() - interval '365 days' AND youngest = '-infinity'
    THEN
        RAISE EXCEPTION 'month % is kept: its youngest row is of %, and nothing younger than 365 days is removed',
            month, youngest USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- Take a month out of the ledger. Its rows must be the beginning of every chain that is in it.
CREATE FUNCTION ledger.detach_month(which text, manifest text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
DECLARE gap record;
BEGIN
    PERFORM ledger.refuse_young(which);
    EXECUTE format($q$
        CREATE TEMP TABLE leaving ON COMMIT DROP AS
        SELECT topic, partition, min(sequence) AS first, max(sequence) AS last, count(*) AS rows
        FROM ledger.%I GROUP BY topic, partition $q$, 'ledger_events_' || which);
    SELECT l.topic, l.partition INTO gap FROM pg_temp.leaving l
        LEFT JOIN (SELECT topic, partition, max(sequence) AS last FROM ledger.pruned GROUP BY 1, 2) p
        USING (topic, partition)
        WHERE l.first <> coalesce(p.last, 0) + 1 OR l.last - l.first + 1 <> l.rows LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'month % is kept: its rows of %/% are not the beginning of the chain',
            which, gap.topic, gap.partition;
    END IF;
    EXECUTE format($q$
        INSERT INTO ledger.pruned (topic, partition, sequence, hash, month)
        SELECT e.topic, e.partition, e.sequence, e.row_hash, %L FROM ledger.%I e
        JOIN pg_temp.leaving l ON (e.topic, e.partition, e.sequence) = (l.topic, l.partition, l.last) $q$,
        which, 'ledger_events_' || which);
    INSERT INTO ledger.retired_months (month, rows, youngest, manifest_digest)
        VALUES (which, (SELECT coalesce(sum(rows), 0) FROM pg_temp.leaving), ledger.youngest_of(which), manifest);
    DROP TABLE pg_temp.leaving;
    EXECUTE format('ALTER TABLE ledger.ledger_events DETACH PARTITION ledger.%I', 'ledger_events_' || which);
    EXECUTE format('ALTER TABLE ledger.event_findings DETACH PARTITION ledger.%I', 'event_findings_' || which);
END $$;

-- Drop a month that was detached a week ago at least.
CREATE FUNCTION ledger.drop_month(which text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
BEGIN
    PERFORM ledger.refuse_young(which);
    PERFORM 1 FROM ledger.retired_months
        WHERE month = which AND dropped_at IS NULL AND detached_at <= now() - interval '7 days';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'month % is kept: it must have been detached for 7 days', which
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('DROP TABLE ledger.%I, ledger.%I', 'ledger_events_' || which, 'event_findings_' || which);
    UPDATE ledger.retired_months SET dropped_at = now() WHERE month = which;
END $$;

-- Forget event ids whose rows may be dropped. Never younger ones, whatever is asked.
CREATE FUNCTION ledger.forget_seen(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE gone bigint;
BEGIN
    DELETE FROM ledger.event_seen WHERE appended_at < least(before, now() - interval '365 days');
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT USAGE ON SCHEMA ledger TO guard_sink, guard_auditor, guard_maintenance;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO guard_sink, guard_auditor, guard_maintenance;
GRANT INSERT ON ledger.ledger_events, ledger.event_findings, ledger.batches, ledger.event_seen, ledger.duplicates,
    ledger.quarantine TO guard_sink;
GRANT INSERT, UPDATE ON ledger.chain_head, ledger.requests, ledger.blocks, ledger.exceptions, ledger.executions
    TO guard_sink;
GRANT INSERT ON ledger.ledger_events, ledger.event_findings TO guard_maintenance; -- reconciliation fills holes
GRANT INSERT, DELETE ON ledger.requests, ledger.blocks, ledger.exceptions, ledger.executions TO guard_maintenance;
GRANT EXECUTE ON FUNCTION ledger.ensure_month TO guard_sink, guard_maintenance;
GRANT EXECUTE ON FUNCTION ledger.youngest_of TO guard_auditor, guard_maintenance;
GRANT EXECUTE ON FUNCTION ledger.detach_month, ledger.drop_month, ledger.forget_seen TO guard_maintenance;
