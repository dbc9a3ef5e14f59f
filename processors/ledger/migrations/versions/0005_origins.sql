-- Which cluster and which topic the chains were filed from. A topic that is created anew under its name, or found on
-- another cluster, begins its offsets again: what is filed of it goes to chains of a life of their own.
CREATE TABLE ledger.origins (
    topic text NOT NULL,
    life integer NOT NULL CHECK (life BETWEEN 0 AND 99),
    cluster_id text NOT NULL,
    topic_id text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    noted_by text NOT NULL DEFAULT session_user,
    PRIMARY KEY (topic, life)
);

-- Up to where the sink has compared what it filed with the topics by itself.
CREATE TABLE ledger.compared (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    compared_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition)
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.origins
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ledger.origins
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

GRANT SELECT ON ledger.origins, ledger.compared TO guard_sink, guard_auditor, guard_maintenance;
GRANT INSERT ON ledger.origins TO guard_sink, guard_maintenance;
GRANT INSERT, UPDATE ON ledger.compared TO guard_sink;
