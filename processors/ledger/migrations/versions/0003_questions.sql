-- The digest of a question, in a request and in what answers it. Null in rows from before, whose hashes it is no part of.
ALTER TABLE ledger.ledger_events ADD COLUMN input_digest text;

-- A request id is its sender's choice. So an answer is kept by id and question, and a request shows the one to its own.
ALTER TABLE ledger.requests RENAME TO asked;
ALTER TABLE ledger.asked ADD COLUMN question text;
UPDATE ledger.asked SET question = md5(concat_ws(chr(31), coalesce(tenant, ''), coalesce(environment, ''),
    coalesce(plugin_id, ''), coalesce(plugin_version, ''), coalesce(host, ''), coalesce(host_version, ''),
    coalesce(operator, ''), coalesce(exception_id, ''), ''))
    WHERE requested_position IS NOT NULL;

CREATE TABLE ledger.answers (
    request_id text NOT NULL,
    question text NOT NULL,
    verdict text, band text, approval_id text, answered_at timestamptz, answered_position bigint[],
    PRIMARY KEY (request_id, question)
) WITH (fillfactor = 70);
INSERT INTO ledger.answers
    SELECT request_id, coalesce(question, ''), verdict, band, approval_id, answered_at, answered_position
    FROM ledger.asked WHERE answered_position IS NOT NULL;
ALTER TABLE ledger.asked DROP COLUMN verdict, DROP COLUMN band, DROP COLUMN approval_id, DROP COLUMN answered_at,
    DROP COLUMN answered_position;

CREATE VIEW ledger.requests AS
    SELECT request_id, tenant, environment, plugin_id, plugin_version, host, host_version, operator, exception_id,
           recheck, requested_at, verdict, band, approval_id, answered_at, outcome, finished_at
    FROM ledger.asked LEFT JOIN ledger.answers USING (request_id, question);

GRANT SELECT ON ledger.answers, ledger.requests TO guard_sink, guard_auditor, guard_maintenance;
GRANT INSERT, UPDATE ON ledger.answers TO guard_sink;
GRANT INSERT, DELETE ON ledger.answers TO guard_maintenance;
