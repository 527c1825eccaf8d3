"""The admin pages of components and credentials."""

from components.admin import component as component
from components.admin import credential as credential
