"""What is counted of conversations, under the names of seed 004; labels are words, never ids."""

from decimal import Decimal

from prometheus_client import Counter, Gauge, Histogram

sessions = Counter("session_created", "Sessions that were made.")
messages = Counter("message_count", "Messages of sessions, by the role that said them.", ["role"])

tool_calls = Counter(
    "tool_call_count",
    "Tool calls that came to an end, by where the tool is from.",
    ["tool", "status"],
)
tool_execution_time = Histogram(
    "tool_execution_time_seconds",
    "How long tools took.",
    ["tool"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60),
)


def tool_label(tool: str, source: str) -> str:
    """
    What a tool is counted as: its own name if it is part of Aegis, else where it is from.

    Others name as many as they like.
    """
    return tool if source == "builtin" else source or "unknown"


llm_response_time = Histogram(
    "llm_response_time_seconds",
    "How long models took, from the request to the end of the answer.",
    ["model"],
    buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60),
)
llm_first_token = Histogram(
    "aegis_llm_first_token_seconds",
    "How long models took, from the request to the first piece of the answer.",
    ["model"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60),
)
llm_tokens = Counter("aegis_llm_tokens", "Tokens of models.", ["model", "direction"])
llm_cost = Counter("aegis_llm_cost_dollars", "US dollars that models cost.", ["model"])
runs = Counter("aegis_runs", "Runs that ended, by their state.", ["state"])
run_claims = Counter("aegis_run_claims", "Runs that a worker took.")
run_losses = Counter("aegis_run_losses", "Runs whose worker was gone.")
approvals = Counter("aegis_approvals", "Decisions on tool calls, by what they were.", ["state"])
runs_at_work = Gauge(
    "aegis_runs_at_work", "Runs that are worked on here.", multiprocess_mode="livesum"
)


# What seed 004's decorator times, by the name it gives: the histogram and its label.
TIMES = {
    "llm_response": (llm_response_time, "model"),
    "tool_execution": (tool_execution_time, "tool"),
}


def timed(name: str, **labels: str) -> Histogram:
    """
    The histogram of what seed 004 calls so, under its label.

    :raises KeyError: for a name that it does not have
    """
    histogram, label = TIMES[name]
    return histogram.labels(labels.get(label, "unknown"))


def count_request(model: str, input_tokens: int, output_tokens: int, cost: Decimal) -> None:
    """Count what one request to a model took."""
    llm_tokens.labels(model, "input").inc(input_tokens)
    llm_tokens.labels(model, "output").inc(output_tokens)
    llm_cost.labels(model).inc(float(cost))
