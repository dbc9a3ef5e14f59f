"""The compatibility guard: decides before a plugin is installed whether it fits.

Rooms, one for each processor; none imports another, and topics are all that connects them:

    checker               answers every install request: rules, ways out, report
    exception_workflow    exceptions: rules, proof, notices, state
    ledger                every event once in Postgres, in hash chains
    staleness             notices a matrix that goes stale
    relay                 tells platforms, mail servers and chat rooms what happened
    security_context      asks a platform what its security says of the plugins in the matrix
    gateway               the guard over HTTP

Ground that rooms share, pure:

    documents             strict YAML and JSON, canonical JSON, digests
    versions              versions and ranges of every dialect
    manifests             the manifests of every ecosystem
    matrix, policies      compatibility matrices, security policies
    trust                 whose signature counts for which source of the matrix
    events, contracts     events as types; topics and schemas as a contract
    masking               what may be stored or logged
    errors                the tree of all errors

The world, each known in one place:

    stream                Kafka and the schema registry
    outbound              HTTP to places that are configured
    embedded              servers on this machine
    configuration         settings, config/guard.yaml
    observability         logs and metrics

Doors:

    bootstrap             settings to real things: clients, processors, the supervisor
    client                what any program needs that talks to the guard, through Kafka or a gateway
    cli                   the command line
"""

__version__ = "0.2.0"
