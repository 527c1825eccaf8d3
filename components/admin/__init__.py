"""The admin pages of components, credentials and programs."""

from components.admin import component as component
from components.admin import credential as credential
from components.admin import program as program
