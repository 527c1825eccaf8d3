"""The addresses of A2A."""

from sessions.dialects import a2a_views as views
from streaming.api.paths import route

CARD = ".well-known/agent-card.json"
AGENT = "a2a/<str:agent>"

urlpatterns = [
    route(CARD, views.Card, name="a2a-card"),
    route(f"{AGENT}/{CARD}", views.Card, name="a2a-agent-card"),
    route(AGENT, views.Rpc, name="a2a"),
    route(f"{AGENT}/message:send", views.Send, name="a2a-send"),
    route(f"{AGENT}/message:stream", views.Stream, name="a2a-stream"),
    route(f"{AGENT}/extendedAgentCard", views.Extended, name="a2a-extended-card"),
    route(f"{AGENT}/tasks", views.Several, name="a2a-tasks"),
    route(f"{AGENT}/tasks/<str:task>:cancel", views.Cancel, name="a2a-cancel"),
    route(f"{AGENT}/tasks/<str:task>:subscribe", views.Subscribe, name="a2a-subscribe"),
    route(f"{AGENT}/tasks/<str:task>", views.One, name="a2a-task"),
    route(f"{AGENT}/tasks/<str:task>/pushNotificationConfigs", views.Pushes, name="a2a-pushes"),
    route(
        f"{AGENT}/tasks/<str:task>/pushNotificationConfigs/<str:push>",
        views.Push,
        name="a2a-push",
    ),
]
