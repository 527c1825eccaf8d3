"""People who may less than the administrator, in browsers of their own."""

import time
from collections.abc import Sequence

from playwright.sync_api import Browser, Page

from tests.browser.desk import LIST
from tests.serving import Running, manage

PASSWORD = "correct horse battery"
PERSON = """
from django.contrib.auth.models import Group, Permission, User
user = User.objects.create_user({name!r}, password={password!r}, is_staff=True)
user.groups.add(Group.objects.get_or_create(name={team!r})[0])
user.user_permissions.add(*Permission.objects.filter(codename__in={codenames!r}))
"""


def signed_in(
    browser: Browser, served: Running, codenames: Sequence[str], *, team: str = "default"
) -> Page:
    """A page at which somebody with these permissions is signed in; its context is to be closed."""
    name = f"p{time.monotonic_ns()}"
    given = {"name": name, "password": PASSWORD, "team": team, "codenames": list(codenames)}
    manage(served.environment, "shell", "-v", "0", "-c", PERSON.format(**given))
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(f"{served.url}/admin/login/?next={LIST}")
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"**{LIST}")
    return page
