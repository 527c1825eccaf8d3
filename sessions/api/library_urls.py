"""The addresses of the library: tags, bookmarks, templates, search, statistics."""

from sessions.api import bookmarks, search, statistics, tags, template_uses, templates
from streaming.api.paths import route

ONE = "sessions/<str:session>"
TEMPLATE = "templates/<str:template>"

urlpatterns = [
    route("search", search.Search, name="search"),
    route(f"{ONE}/search", search.SessionSearch, name="session-search"),
    route("statistics", statistics.Statistics, name="statistics"),
    route("statistics/export", statistics.StatisticsFile, name="statistics-export"),
    route("tags", tags.Tags, name="tags"),
    route("tags/popular", tags.Popular, name="tags-popular"),
    route("tags/<str:tag>", tags.OneTag, name="tag"),
    route(f"{ONE}/tags", tags.SessionTags, name="session-tags"),
    route(f"{ONE}/tags/suggested", tags.SuggestedTags, name="session-tags-suggested"),
    route(f"{ONE}/tags/<str:tag>", tags.SessionTag, name="session-tag"),
    route("bookmarks", bookmarks.Bookmarks, name="bookmarks"),
    route("bookmarks/<str:bookmark>", bookmarks.OneBookmark, name="bookmark"),
    route(f"{ONE}/bookmarks", bookmarks.SessionBookmarks, name="session-bookmarks"),
    route("templates", templates.Templates, name="templates"),
    route("templates/import", templates.Import, name="template-import"),
    route("templates/from-session", templates.FromSession, name="template-from-session"),
    route(TEMPLATE, templates.OneTemplate, name="template"),
    route(f"{TEMPLATE}/versions", templates.Versions, name="template-versions"),
    route(f"{TEMPLATE}/versions/<str:version>", templates.OneVersion, name="template-version"),
    route(f"{TEMPLATE}/diff", templates.Differences, name="template-diff"),
    route(f"{TEMPLATE}/export", templates.Export, name="template-export"),
    route(f"{TEMPLATE}/activate", templates.Activate, name="template-activate"),
    route(f"{TEMPLATE}/apply", template_uses.Apply, name="template-apply"),
    route(f"{TEMPLATE}/test", template_uses.Test, name="template-test"),
]
