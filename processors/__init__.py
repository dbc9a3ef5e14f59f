"""The compatibility guard: decides whether a plugin fits before it is installed.

Rooms, one for each processor. No room imports another; only topics connect them:

    checker               answers every install request: rules, ways out, report
    exception_workflow    exceptions: rules, proof, notifications, state
    ledger                stores every event once in Postgres, in hash chains
    staleness             warns when a source of the matrix becomes stale
    relay                 sends events to platforms, mail servers and chat rooms
    security_context      asks a platform for the security status of the plugins in the matrix
    gateway               the HTTP interface of the guard

Pure libraries that rooms share:

    documents             strict YAML and JSON, canonical JSON, digests
    versions              versions and ranges of every dialect
    manifests             the manifests of every ecosystem
    matrix, policies      compatibility matrices, security policies
    trust                 which signatures are trusted for which source of the matrix
    events, contracts     events as types; topics and schemas as a contract
    masking               masks what must not be stored or logged
    errors                the hierarchy of all errors

Adapters to the outside, each in one place:

    stream                Kafka and the schema registry
    outbound              HTTP to configured addresses
    embedded              runs the servers on this machine
    configuration         settings, config/guard.yaml
    observability         logs and metrics

Entry points:

    bootstrap             builds clients, processors and the supervisor from settings
    client                the client library of the guard, through Kafka or a gateway
    cli                   the command line
"""

__version__ = "0.2.0"
