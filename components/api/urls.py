"""The addresses of components, programs and credentials."""

from components.api import logs, programs, views
from streaming.api.paths import route

urlpatterns = [
    route("components", views.Components, name="components"),
    route("components/<str:component>", views.OneComponent, name="component"),
    route("components/<str:component>/log", logs.ComponentLog, name="component-log"),
    route("programs", programs.Programs, name="programs"),
    route("programs/<str:program>", programs.OneProgram, name="program"),
    route("credentials", views.Credentials, name="credentials"),
    route("credentials/<str:credential>", views.OneCredential, name="credential"),
    route("credentials/<str:credential>/rotate", views.RotateCredential, name="credential-rotate"),
]
