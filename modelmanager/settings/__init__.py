"""Settings: everything an installation may change comes from the environment.

DATA_DIR holds what the installation owns: the embedded database and the two secret files, see installation.py.
What no installation changes, how the API is built and how the console looks, stands in files of its own.
"""

from pathlib import Path
from typing import Any

import environ
from django.core.management.utils import get_random_secret_key

from modelmanager.installation import (
    CREDENTIAL_KEYS_FILE,
    SECRET_KEY_FILE,
    given_or_kept,
    listed,
    make_secrets,
    problem_with_database_url,
)
from modelmanager.lib.sqlite_urls import sqlite_url
from modelmanager.settings.api import REST_FRAMEWORK as REST_FRAMEWORK
from modelmanager.settings.api import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from modelmanager.settings.console import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
EMBEDDED_DATABASE = sqlite_url(DATA_DIR / "db.sqlite3")
DATABASE_URL = env.str("DATABASE_URL", default=EMBEDDED_DATABASE)
if DATABASE_URL == EMBEDDED_DATABASE:
    make_secrets(DATA_DIR)
# What is missing or wrong, modelmanager.checks tells, and nothing starts.
_secret_key = given_or_kept(env.str("SECRET_KEY", default=""), DATA_DIR / SECRET_KEY_FILE)
SECRET_KEY_IS_GIVEN = bool(_secret_key)
SECRET_KEY = _secret_key or get_random_secret_key()
# Newest first: the first key encrypts, every key decrypts.
CREDENTIAL_KEYS = listed(given_or_kept(env.str("CREDENTIAL_KEYS", default=""), DATA_DIR / CREDENTIAL_KEYS_FILE))

DEBUG = env.bool("DEBUG", default=False)
DEFAULT_EXCEPTION_REPORTER_FILTER = "modelmanager.error_reports.WithoutValues"
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_TLS = env.bool("BEHIND_TLS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
X_FRAME_OPTIONS = "SAMEORIGIN"

INSTALLED_APPS = [
    "modelmanager",  # first: its commands outrank those of the packages
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "axes",
    "models_registry",
    "usage",
    "monitoring",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "modelmanager.api.slashes.Slashes",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "modelmanager.urls"
WSGI_APPLICATION = "modelmanager.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_REDIRECT_URL = "admin:index"  # for who comes to the sign-in page by itself
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
            **_patience(env.int("DATABASE_PATIENCE_S", default=0)),
        }
        config["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_bin"}
    return config


def _patience(patience_s: int) -> dict[str, int]:
    """How long a server that hangs is waited for; 0: for ever, as a migration or a rebuild may have to."""
    if not patience_s:
        return {}
    return dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), patience_s)


DATABASES = {} if problem_with_database_url(DATABASE_URL) else {"default": _database(DATABASE_URL)}

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
WHITENOISE_USE_FINDERS = True  # served straight from the packages: nothing to collect, nothing to go stale
WHITENOISE_AUTOREFRESH = DEBUG

# -- API ---------------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000  # a catalog with every model ticked

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
LOAD_LIMIT_S = env.float("LOAD_LIMIT_S", default=300.0)
UNLOAD_LIMIT_S = env.float("UNLOAD_LIMIT_S", default=60.0)
LOST_AFTER_S = env.float("LOST_AFTER_S", default=10.0)
HAND_OVER_AFTER_S = env.float("HAND_OVER_AFTER_S", default=60.0)
MISSES_APART_S = env.float("MISSES_APART_S", default=3.0)
METRICS_SETTLE_S = env.float("METRICS_SETTLE_S", default=3.0)
QUEUE_LIMIT_S = env.float("QUEUE_LIMIT_S", default=900.0)
TRITON_TIMEOUT_S = env.float("TRITON_TIMEOUT_S", default=2.0)
# Free checks of API providers: how often, how soon again while one answer contradicts what is believed, and
# how many in a row it takes to believe it. No question of theirs takes longer than API_PATIENCE_S, whatever a provider
# allows: a stretch of the watcher and twice that must end before its job's time-out.
API_CHECK_S = env.float("API_CHECK_S", default=300.0)
API_RECHECK_S = env.float("API_RECHECK_S", default=30.0)
API_FAILURES_TO_ERROR = env.int("API_FAILURES_TO_ERROR", default=3)
API_SUCCESSES_TO_RECOVER = env.int("API_SUCCESSES_TO_RECOVER", default=2)
API_PATIENCE_S = env.float("API_PATIENCE_S", default=15.0)
MAX_LEASE_LIFE_S = env.int("MAX_LEASE_LIFE_S", default=12 * 3600)
USAGE_RETENTION_DAYS = env.int("USAGE_RETENTION_DAYS", default=400)
WEB_THREADS = env.int("WEB_THREADS", default=8)

# -- Logs ----------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # The clients of API providers would log every request, and with DEBUG headers that hold keys.
    "loggers": {name: {"level": "WARNING"} for name in ("django-q", "axes", "openai", "httpx2", "httpcore2")},
}
