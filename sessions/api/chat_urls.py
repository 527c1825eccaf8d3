"""The addresses of chats."""

from sessions.api import chat
from streaming.api.paths import route

ONE = "sessions/<str:session>"

urlpatterns = [
    route(f"{ONE}/chat", chat.Chat, name="session-chat"),
    route(f"{ONE}/chat/stream", chat.ChatStream, name="session-chat-stream"),
    route(f"{ONE}/stream", chat.Stream, name="session-stream"),
]
