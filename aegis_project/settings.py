"""Django's settings, all of them from :class:`aegis_project.env.Environment`."""

import os
import sys
from pathlib import Path

from pydantic import ValidationError

from aegis_project.database_url import database
from aegis_project.env import Environment
from aegis_project.model_keys import ModelKeys
from aegis_project.unfold import UNFOLD  # noqa: F401 -- a setting that Unfold reads

try:
    ENVIRONMENT = Environment()
except ValidationError as mistakes:
    lines = (
        f"  {'.'.join(map(str, m['loc'])) or 'settings'}: {m['msg']}" for m in mistakes.errors()
    )
    sys.exit("The settings have mistakes:\n" + "\n".join(lines))

MODEL_KEYS = ModelKeys()
BASE_DIR = Path(__file__).resolve().parent.parent
DATASETS = ENVIRONMENT.dataset_paths()
IS_PRODUCTION = ENVIRONMENT.profile == "production"

DEBUG = False
SECRET_KEY = ENVIRONMENT.signing_key()
SECRET_KEY_FALLBACKS = ENVIRONMENT.former_keys()
ALLOWED_HOSTS = [host.strip() for host in ENVIRONMENT.hosts.split(",") if host.strip()]
ROOT_URLCONF = "aegis_project.urls"
ASGI_APPLICATION = "aegis_project.asgi.application"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False

INSTALLED_APPS = [
    # Its app is `runserver` and nothing else; every other process would import Twisted for it.
    *(["daphne"] if "runserver" in sys.argv[1:2] else []),
    "unfold",
    "unfold.contrib.filters",
    # The pages are imported with the addresses: no command or worker has use for them.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "servestatic.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_typer",
    "axes",
    "csp",
    *(["corsheaders"] if ENVIRONMENT.cors_origins else []),
    "streaming.apps.StreamingConfig",
    "components.apps.ComponentsConfig",
    "sessions.apps.SessionsConfig",
]

MIDDLEWARE = [
    "aegis_project.rest.RequestIdMiddleware",
    "aegis_project.handler.Files",
    "django.middleware.security.SecurityMiddleware",
    *(["corsheaders.middleware.CorsMiddleware"] if ENVIRONMENT.cors_origins else []),
    "aegis_project.browsers.ContentPolicy",
    "aegis_project.browsers.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "aegis_project.browsers.Users",
    "aegis_project.browsers.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "aegis_project.site.who",
            ],
        },
    }
]

DATABASES = {"default": database(ENVIRONMENT.database_url, ENVIRONMENT.home)}

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
# Who is behind a proxy, the server has found out, for proxies that it trusts. A header is no proof.
AXES_CLIENT_IP_CALLABLE = "aegis_project.pages.peer"
AXES_LOCKOUT_CALLABLE = "aegis_project.pages.locked_out"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = IS_PRODUCTION
CSRF_COOKIE_SECURE = IS_PRODUCTION
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = IS_PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_PRODUCTION
SECURE_HSTS_PRELOAD = IS_PRODUCTION
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "aegis_project.rest.forged"
# For the pages of the admin: Alpine, which Unfold ships, evaluates its expressions, and Unfold
# writes its colours into each page. Others get less, see aegis_project.browsers.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
    }
}

# Browsers elsewhere may call the API with a credential of their own, never with our cookies.
CORS_ALLOWED_ORIGINS = ENVIRONMENT.origins()
CORS_URLS_REGEX = r"^/(api/v1|a2a|\.well-known|aegis/commands|bus|sessions|agents)(/|$)"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "last-event-id",
    "x-request-id",
)
CORS_EXPOSE_HEADERS = ("etag", "location", "retry-after", "x-request-id")

STATIC_URL = "/static/"
STATIC_ROOT = ENVIRONMENT.home / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    # Nobody else on the machine reads what sessions hold.
    "sessions": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": ENVIRONMENT.home / "storage",
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
}
STATICFILES_DIRS = [BASE_DIR / "aegis_project" / "static"]
SERVESTATIC_USE_FINDERS = True
SERVESTATIC_AUTOREFRESH = False

CHANNEL_LAYERS: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [ENVIRONMENT.redis_url]},
    }
    if ENVIRONMENT.redis_url
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# What a body takes in memory until it is whole; the rest waits in a file. Many may come slowly.
FILE_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "components.auth.BearerAuthentication",
        "components.auth.OpenAuthentication",
        "components.auth.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["components.auth.IsPrincipal"],
    "DEFAULT_PARSER_CLASSES": ["aegis_project.rest.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "aegis_project.rest.CompactJSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "aegis_project.rest.render_error",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Aegis",
    "DESCRIPTION": "The control plane for live sessions.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    # They would give names to words, which stand in their places.
    "POSTPROCESSING_HOOKS": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
}

# Rich tracebacks print local variables, and with them secrets; the rest of Rich is slow to import.
DT_RICH_TRACEBACK_CONFIG = {"no_install": True}
os.environ.setdefault("TYPER_USE_RICH", "0")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "aegis_project.logs.JSONFormatter" if IS_PRODUCTION else "logging.Formatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "filters": {"brief": {"()": "aegis_project.logs.Brief"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["brief"],
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        **{
            name: {"level": ENVIRONMENT.log_level}
            for name in ("aegis_project", "sessions", "components", "streaming")
        },
        # While Valkey is away it says so each second with a traceback; the engine says it once.
        "channels_redis": {"level": "CRITICAL"},
    },
}
