"""How things are called in the story: who takes part, on which topics, with which tools."""

SYMBOL = "BTCUSDT"
EXCHANGE, BOOK_FEED, STRATEGY, DESK, METER = (
    "sim-exchange",
    "book-feed",
    "ma-cross",
    "paper-desk",
    "risk-meter",
)

KLINES = f"klines.{SYMBOL}.1m"
BOOK = f"orderbook.{SYMBOL}"
SIGNALS = f"signals.{SYMBOL}"
ORDERS = f"orders.{SYMBOL}"
POSITIONS = f"positions.{SYMBOL}"
ERRORS = f"errors.{SYMBOL}"
RISK = f"risk.{SYMBOL}"
ALERTS = f"alerts.{SYMBOL}"
INCIDENTS = f"incidents.{SYMBOL}"

BOOK_NUMBER = "last_update_id"

CHECKPOINT = "before incident"
REPORT = "incident-report.md"


def tool(name: str) -> str:
    """The whole name of a tool of the desk."""
    return f"component.{DESK}.{name}"


OPEN_INCIDENT = tool("open_incident")
READ_INCIDENT = tool("read_incident")
FLATTEN = tool("flatten_position")
HALT = tool("halt_strategy")
RESTART = tool("restart_component")

DETECTION, TRIAGE, RESOLUTION, AUDIT = (
    "DetectionAgent",
    "TriageAgent",
    "ResolutionAgent",
    "AuditAgent",
)
HOST = "DeskAgent"
"""Who answers people in the session of the story, and in the chat beside it."""

# What is told on the topic of incidents: it is decided or it is not, and a book that somebody
# restarts or that comes back after a decision has resumed.
OPENED, EXPLAINED = "opened", "explained"
DECIDED, UNRESOLVED = "decided", "unresolved"
RESTARTED, RESUMED = "restarted", "resumed"
# What somebody decided.
APPROVED, HALTED, REJECTED, EXPIRED = "approved", "halted", "rejected", "expired"

TAG = "demo"
