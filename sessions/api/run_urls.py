"""The addresses of runs."""

from sessions.api import runs
from streaming.api.paths import route

urlpatterns = [
    route("runs", runs.Runs, name="runs"),
    route("runs/<str:run>", runs.OneRun, name="run"),
    route("runs/<str:run>/cancel", runs.Cancel, name="run-cancel"),
    route("runs/<str:run>/limits", runs.Limits, name="run-limits"),
    route("sessions/<str:session>/runs", runs.SessionRuns, name="session-runs"),
]
