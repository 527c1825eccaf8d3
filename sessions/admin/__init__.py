"""The admin pages of sessions."""

from sessions.admin import session as session
from sessions.admin import topics as topics
