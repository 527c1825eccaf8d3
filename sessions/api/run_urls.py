"""The addresses of runs, of what begins them by itself, and of how many there may be."""

from sessions.api import budgets, quotas, runs, triggers
from streaming.api.paths import route

urlpatterns = [
    route("budgets", budgets.Budgets, name="budgets"),
    route("budgets/<str:budget>", budgets.OneBudget, name="budget"),
    route("quotas", quotas.Quotas, name="quotas"),
    route("runs", runs.Runs, name="runs"),
    route("runs/<str:run>", runs.OneRun, name="run"),
    route("runs/<str:run>/cancel", runs.Cancel, name="run-cancel"),
    route("runs/<str:run>/limits", runs.Limits, name="run-limits"),
    route("agents/<str:agent>/triggers", triggers.AgentTriggers, name="agent-triggers"),
    route("triggers", triggers.Triggers, name="triggers"),
    route("triggers/<str:trigger>", triggers.OneTrigger, name="trigger"),
    route("triggers/<str:trigger>/test", triggers.Trial, name="trigger-test"),
    route("sessions/<str:session>/runs", runs.SessionRuns, name="session-runs"),
]
