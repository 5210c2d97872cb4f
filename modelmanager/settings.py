"""Settings: everything an installation may change comes from the environment.

DATA_DIR holds what the installation owns: the embedded database and the two secret files.
"""

from pathlib import Path
from typing import Any

import environ
from cryptography.fernet import Fernet
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

from modelmanager.lib.secret_files import read_or_create

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
SECRET_KEY = env.str("SECRET_KEY", default="") or read_or_create(DATA_DIR / "secret.key", get_random_secret_key)
# Newest first: the first key encrypts, every key decrypts.
_credential_keys = env.str("CREDENTIAL_KEYS", default="") or read_or_create(
    DATA_DIR / "credential.keys", lambda: Fernet.generate_key().decode()
)
CREDENTIAL_KEYS = [key.strip() for key in _credential_keys.replace("\n", ",").split(",") if key.strip()]

DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_TLS = env.bool("BEHIND_TLS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
X_FRAME_OPTIONS = "SAMEORIGIN"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "axes",
    "modelmanager",
    "models_registry",
    "usage",
    "monitoring",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "modelmanager.urls"
WSGI_APPLICATION = "modelmanager.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# -- Databases ---------------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")


def _database(url: str) -> dict[str, Any]:
    """Connection settings for `url`, with what each engine needs to be safe under concurrency."""
    config: dict[str, Any] = env.db_url_config(url)
    config |= {"CONN_MAX_AGE": 300, "CONN_HEALTH_CHECKS": True}
    if "sqlite" in config["ENGINE"]:
        Path(config["NAME"]).parent.mkdir(parents=True, exist_ok=True)
        # IMMEDIATE: writers queue at BEGIN; a deferred transaction that turns writer late fails at once.
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        # A file, not memory: threads and processes of one test must see the same database.
        config["TEST"] = {"NAME": str(Path(config["NAME"]).with_suffix(".test.sqlite3"))}
    if "mysql" in config["ENGINE"]:
        config["OPTIONS"] = {
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "init_command": "SET sql_mode='STRICT_TRANS_TABLES', innodb_lock_wait_timeout=10",
        }
        config["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_bin"}
    return config


DATABASES = {"default": _database(DATABASE_URL)}

REDIS_URL = env.str("REDIS_URL", default="")
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# -- Languages and time ------------------------------------------------------------------------------

LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="ko")
LANGUAGES = [("ko", "한국어"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="Asia/Seoul")
USE_I18N = USE_TZ = True

# -- Static files ------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True  # served straight from the packages: nothing to collect, nothing to go stale
WHITENOISE_AUTOREFRESH = DEBUG

# -- API ---------------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "usage.authentication.ClientKeyAuthentication",
        "usage.authentication.StaffSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["modelmanager.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["modelmanager.api.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "modelmanager.api.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "modelmanager.api.problems.exception_handler",
    "DATETIME_FORMAT": "iso-8601",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Model Manager",
    "DESCRIPTION": "May I use this model now? Leases, models, providers and operations for downstream systems.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "modelmanager.api.schema.describe_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ProviderKindEnum": "models_registry.vocabulary.ProviderKind",
        "StatusEnum": "models_registry.api.serializers.STATUS_WORDS",
        "ObservedEnum": "models_registry.vocabulary.Observed",
        "SwitchStateEnum": "models_registry.vocabulary.SwitchState",
        "HealthStateEnum": "models_registry.api.serializers.HEALTH_STATES",
        "ErrorCodeEnum": "models_registry.vocabulary.ErrorCode",
        "ModelKindEnum": "models_registry.vocabulary.ModelKind",
        "OperationKindEnum": "monitoring.models.OperationKind",
    },
}

# -- Jobs --------------------------------------------------------------------------------------------

Q_BROKER = env.str("Q_BROKER", default="orm")
# Rows carry truth and retries: a task may run twice or never, so it is acknowledged whatever happens.
# `retry` counts from the moment a task is taken: keep it above timeout * (queue_limit / workers + 2).
Q_CLUSTER: dict[str, Any] = {
    "name": "modelmanager",
    "workers": env.int("WORKERS", default=3),
    "timeout": 90,
    "retry": 600,
    "queue_limit": 6,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "bulk": 1,
    "save_limit": -1,  # no result rows: what matters is in our own
    "poll": 0.1,
    "recycle": 500,
    "label": "Queue",
    **({"redis": REDIS_URL} if Q_BROKER == "redis" else {"orm": "default"}),
}

# -- Keeping wanted and observed together (seconds) ----------------------------------------------------

POLL_S = 120
TICK_S = env.float("TICK_S", default=0.2)
STRETCH_S = 50.0
HEARTBEAT_LIMIT_S = env.float("HEARTBEAT_LIMIT_S", default=15.0)
LOAD_LIMIT_S = env.float("LOAD_LIMIT_S", default=300.0)
UNLOAD_LIMIT_S = env.float("UNLOAD_LIMIT_S", default=60.0)
LOST_AFTER_S = env.float("LOST_AFTER_S", default=10.0)
QUEUE_LIMIT_S = env.float("QUEUE_LIMIT_S", default=900.0)
TRITON_TIMEOUT_S = env.float("TRITON_TIMEOUT_S", default=2.0)
MAX_LEASE_LIFE_S = env.int("MAX_LEASE_LIFE_S", default=12 * 3600)
WEB_THREADS = env.int("WEB_THREADS", default=8)

# -- Logs ----------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"django-q": {"level": "WARNING"}, "axes": {"level": "WARNING"}},
}

UNFOLD = {
    "SITE_TITLE": "Model Manager",
    "SITE_HEADER": "Model Manager",
    "SITE_SUBHEADER": _("Models, leases, GPU"),
    "SITE_SYMBOL": "hub",
    "SHOW_LANGUAGES": True,
    "SHOW_HISTORY": True,
}
