"""The addresses of components and credentials."""

from components.api import views
from streaming.api.paths import route

urlpatterns = [
    route("components", views.Components, name="components"),
    route("components/<str:component>", views.OneComponent, name="component"),
    route("credentials", views.Credentials, name="credentials"),
    route("credentials/<str:credential>", views.OneCredential, name="credential"),
]
