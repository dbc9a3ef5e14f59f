-- Records that a topic no longer held when the ledger came to file them, and that somebody has given up: a sink starts
-- behind them.
CREATE TABLE ledger.losses (
    topic text NOT NULL,
    partition integer NOT NULL CHECK (partition >= 0),
    first bigint NOT NULL CHECK (first >= 0),
    next_offset bigint NOT NULL CHECK (next_offset > first),
    noted_at timestamptz NOT NULL DEFAULT now(),
    noted_by text NOT NULL DEFAULT session_user,
    PRIMARY KEY (topic, partition, first)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.losses
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ledger.losses
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

GRANT SELECT ON ledger.losses TO guard_sink, guard_auditor, guard_maintenance;
GRANT INSERT (topic, partition, first, next_offset) ON ledger.losses TO guard_maintenance; -- when, and by whom, it says itself
