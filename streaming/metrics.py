"""What is counted of streams, processes and edges; labels are words of few kinds, never ids."""

from prometheus_client import Counter, Gauge, Histogram

from streaming.core.errors import CloseCode

# Edges
requests = Counter(
    "aegis_http_requests",
    "HTTP requests that were answered, by address of the routing table, method and status.",
    ["route", "method", "status"],
)
request_time = Histogram(
    "aegis_http_request_seconds",
    "How long HTTP requests took to their answer, or to the beginning of a stream.",
    ["method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
refusals = Counter(
    "aegis_refusals",
    "What was refused before it was a command: no credential, a foreign origin, too often, too many, "
    "a sign-in.",
    ["transport", "why"],
)
# Sockets that are closed for what their clients are or do, by the word that counts them.
REFUSING = {
    CloseCode.BAD_TOKEN: "credential",
    CloseCode.TOKEN_EXPIRED: "credential",
    CloseCode.FORBIDDEN: "permission",
    CloseCode.FRAME_TOO_LARGE: "size",
    CloseCode.CAPACITY: "capacity",
    CloseCode.RATE_LIMITED: "rate",
}
sockets = Gauge(
    "aegis_sockets",
    "Sockets of components that are open here.",
    ["kind"],
    multiprocess_mode="livesum",
)
commands = Counter(
    "aegis_commands", "Commands, by whether they were carried out or refused.", ["outcome"]
)

# The hub
topics = Gauge("aegis_topics_open", "Topics that are open here.", multiprocess_mode="livesum")
lag = Gauge(
    "aegis_lag_records",
    "Records that the slowest subscriber here has not taken yet.",
    multiprocess_mode="livemax",
)
published = Counter("aegis_published_records", "Records that were published here.")
deliveries = Counter("aegis_deliveries", "Records times the subscribers that they were sent to.")
gaps = Counter("aegis_gaps", "GAP and REWIND frames that were sent.")
dropped = Counter("aegis_dropped_records", "Records that GAP and REWIND frames named.")
flushes = Counter("aegis_hub_flushes", "Turns in which the hub sent something.")
flush_time = Counter("aegis_hub_flush_seconds", "Time that the hub spent on these turns.")

# The process
slow_statements = Counter(
    "aegis_slow_statements",
    "Statements of servers and workers to the database that took longer than they should.",
)
job_ends = Gauge(
    "aegis_job_end_timestamp_seconds",
    "When a periodic job last ended well, in Unix time; now less this is its age.",
    ["job"],
    multiprocess_mode="livemin",
)
job_failures = Counter("aegis_job_failures", "Turns of periodic jobs that failed.", ["job"])
lease_losses = Counter("aegis_lease_losses", "Times that a process found its lease gone.")
connections = Gauge(
    "aegis_database_connections",
    "Connections in the pool of PostgreSQL that are used and idle, and who is waiting for one.",
    ["state"],
    multiprocess_mode="livesum",
)


def count_close(transport: str, code: CloseCode) -> None:
    """Count a socket that is closed from here, if that refuses its client something."""
    if code in REFUSING:
        refusals.labels(transport, REFUSING[code]).inc()
