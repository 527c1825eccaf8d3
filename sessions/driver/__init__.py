"""The driver of historical sessions: it lets their clocks run, and sets them."""

from sessions.driver.job import Driver as Driver
from sessions.driver.views import load_view as load_view
