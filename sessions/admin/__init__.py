"""The admin pages of sessions."""

from sessions.admin import agents as agents
from sessions.admin import approvals as approvals
from sessions.admin import audit as audit
from sessions.admin import grants as grants
from sessions.admin import policies as policies
from sessions.admin import providers as providers
from sessions.admin import session as session
from sessions.admin import templates as templates
from sessions.admin import tool_servers as tool_servers
from sessions.admin import topics as topics
from sessions.admin import triggers as triggers
from sessions.admin import webhooks as webhooks
