"""The addresses of topics."""

from streaming.api import views
from streaming.api.paths import route

urlpatterns = [route("topics", views.Topics, name="topics")]
