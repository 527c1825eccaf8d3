"""The addresses of runs, and of what begins them by itself."""

from sessions.api import runs, triggers
from streaming.api.paths import route

urlpatterns = [
    route("runs", runs.Runs, name="runs"),
    route("runs/<str:run>", runs.OneRun, name="run"),
    route("runs/<str:run>/cancel", runs.Cancel, name="run-cancel"),
    route("runs/<str:run>/limits", runs.Limits, name="run-limits"),
    route("agents/<str:agent>/triggers", triggers.AgentTriggers, name="agent-triggers"),
    route("triggers/<str:trigger>", triggers.OneTrigger, name="trigger"),
    route("sessions/<str:session>/runs", runs.SessionRuns, name="session-runs"),
]
