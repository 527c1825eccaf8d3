"""The addresses of sessions."""

from sessions.api import (
    activation,
    agents,
    attachments,
    clock,
    collection,
    exports,
    lever,
    messages,
    parts,
    stream,
    subscribers,
    topics,
)
from streaming.api.paths import route

ONE = "sessions/<str:session>"

urlpatterns = [
    route("agents", agents.Agents, name="agents"),
    route("agents/<str:agent>", agents.OneAgent, name="agent"),
    route("agents/<str:agent>/card", agents.Card, name="agent-card"),
    route("providers", agents.Providers, name="providers"),
    route("providers/<str:provider>", agents.OneProvider, name="provider"),
    route("sessions", collection.Sessions, name="sessions"),
    route(ONE, collection.OneSession, name="session"),
    route(f"{ONE}/start", lever.Start, name="session-start"),
    route(f"{ONE}/resume", lever.Resume, name="session-resume"),
    route(f"{ONE}/pause", lever.Pause, name="session-pause"),
    route(f"{ONE}/activate", activation.Activate, name="session-activate"),
    route(f"{ONE}/suspend", activation.Suspend, name="session-suspend"),
    route(f"{ONE}/stop", lever.Stop, name="session-stop"),
    route(f"{ONE}/complete", lever.Complete, name="session-complete"),
    route(f"{ONE}/fail", lever.Fail, name="session-fail"),
    route(f"{ONE}/end", lever.End, name="session-end"),
    route(f"{ONE}/restart", clock.Restart, name="session-restart"),
    route(f"{ONE}/clock", clock.Clock, name="session-clock"),
    route(f"{ONE}/seek", clock.Seek, name="session-seek"),
    route(f"{ONE}/step", clock.Step, name="session-step"),
    route(f"{ONE}/speed", clock.Speed, name="session-speed"),
    route(f"{ONE}/attach", lever.Attach, name="session-attach"),
    route(f"{ONE}/components", parts.SessionComponents, name="session-components"),
    route(f"{ONE}/components/<str:component>", parts.SessionComponent, name="session-component"),
    route(f"{ONE}/topics", topics.SessionTopics, name="session-topics"),
    route(f"{ONE}/topics/<str:topic>", topics.SessionTopic, name="session-topic"),
    route(
        f"{ONE}/topics/<str:topic>/subscribers",
        subscribers.TopicSubscribers,
        name="session-topic-subscribers",
    ),
    route(f"{ONE}/topics/<str:topic>/export", exports.TopicExport, name="session-topic-export"),
    route(f"{ONE}/events", parts.SessionEvents, name="session-events"),
    route(f"{ONE}/messages", messages.Messages, name="session-messages"),
    route(f"{ONE}/messages/<str:message>", messages.OneMessage, name="session-message"),
    route(f"{ONE}/messages/<str:message>/branches", messages.Branches, name="message-branches"),
    route(f"{ONE}/messages/<str:message>/edit", messages.Edit, name="message-edit"),
    route(f"{ONE}/messages/<str:message>/choose", messages.Choose, name="message-choose"),
    route(f"{ONE}/attachments", attachments.Attachments, name="session-attachments"),
    route(
        f"{ONE}/attachments/<str:attachment>", attachments.OneAttachment, name="session-attachment"
    ),
    route(
        f"{ONE}/attachments/<str:attachment>/content",
        attachments.AttachmentContent,
        name="attachment-content",
    ),
    route(f"{ONE}/tokens", parts.SessionTokens, name="session-tokens"),
    route("runs/<str:run>/stream", stream.RunStream, name="run-stream"),
]
