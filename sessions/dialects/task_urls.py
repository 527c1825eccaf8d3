"""The addresses of seed 002."""

from sessions.dialects import task_views as views
from streaming.api.paths import route

urlpatterns = [
    route("sessions", views.Sessions, name="task-sessions"),
    route("sessions/<str:session>", views.OneSession, name="task-session"),
    route("sessions/<str:session>/tasks", views.SessionTasks, name="task-session-tasks"),
    route("agents", views.Agents, name="task-agents"),
    route("agents/<str:agent>", views.OneAgent, name="task-agent"),
    route("agents/<str:agent>/tasks", views.AgentTasks, name="task-agent-tasks"),
    route("agents/<str:agent>/tasks/<str:task>", views.OneTask, name="task"),
]
