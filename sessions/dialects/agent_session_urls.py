"""The addresses of seed 001."""

from sessions.dialects import agent_session_views as views
from streaming.api.paths import route

urlpatterns = [
    route("agent-sessions", views.AgentSessions, name="agent-sessions"),
    route("agent-sessions/stats", views.Statistics, name="agent-session-stats"),
    route("agent-sessions/<str:session>", views.OneAgentSession, name="agent-session"),
]
