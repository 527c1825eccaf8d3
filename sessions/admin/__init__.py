"""The admin pages of sessions."""

from sessions.admin import agents as agents
from sessions.admin import providers as providers
from sessions.admin import session as session
from sessions.admin import topics as topics
