"""Settings, driven by the environment; production refuses to start with a missing secret and says which."""

import os
from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from pghistory import ContextJSONField, ForeignKey, ObjForeignKey

from creditplatform import identity_platforms

BASE_DIR = Path(__file__).resolve().parent.parent
# Any variable may be given as NAME_FILE, the path of a file that holds it; the line break at its end is not part of it.
NAMED_BY_FILE = {
    name.removesuffix("_FILE"): Path(place).read_text(encoding="utf-8").strip()
    for name, place in os.environ.items()
    if name.endswith("_FILE") and name.startswith(("SECRET_KEY", "DATABASE_", "REDIS_", "CREDIT_", "ALLOWED_", "CSRF_"))
}
env = environ.Env()
env.ENVIRON = {**os.environ, **NAMED_BY_FILE}

# Development has a public key, demonstration accounts and cookies without TLS: it has to be asked for by name.
MODE = env("CREDIT_MODE", default="") or "production"
if MODE not in {"development", "test", "production"}:
    raise ImproperlyConfigured("CREDIT_MODE must be development, test or production")
PRODUCTION = MODE == "production"
DEBUG = False
VAR_DIR = Path(env("CREDIT_VAR", default=str(BASE_DIR / "var")))

NEEDED_IN_PRODUCTION = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "CREDIT_KEYRING", "ALLOWED_HOSTS")
missing = [name for name in NEEDED_IN_PRODUCTION if not env.str(name, default="")]
if PRODUCTION and missing:
    raise ImproperlyConfigured(
        f"Production cannot start: set {', '.join(missing)} (or the same name with _FILE, holding a path). "
        "To try the platform out: make run. Without it CREDIT_MODE is production; other modes are development and test."
    )

SECRET_KEY = env("SECRET_KEY", default="not-secret-only-for-development-and-tests-0000000000")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", "testserver"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CREDIT_KEYRING = Path(env("CREDIT_KEYRING", default=str(VAR_DIR / "secrets" / "keyring.json")))
# What signs credit reports: the operator's key (PEM or PKCS#12) with its certificates (PEM: the signing one first, the
# root last), else, in a demonstration only, an authority made at set-up in the folder beside the key ring.
REPORT_KEY = env("CREDIT_REPORT_KEY", default="")
REPORT_CERT = env("CREDIT_REPORT_CERT", default="")
REPORT_KEY_PASSPHRASE = env("CREDIT_REPORT_KEY_PASSPHRASE", default="")
REPORT_AUTHORITY = CREDIT_KEYRING.parent / "report-authority"
REPORT_RARE_FONT = env("CREDIT_REPORT_RARE_FONT", default="/usr/share/fonts/truetype/hanazono/HanaMinB.ttf")
CREDIT_CIPHER = env("CREDIT_CIPHER", default="AES-256-GCM")
# The banner "demonstration data" and the demonstration real-name register; never in production by default.
DEMONSTRATION = env.bool("CREDIT_DEMONSTRATION", default=not PRODUCTION)
REAL_NAME_ADAPTER = env("CREDIT_REAL_NAME_ADAPTER", default="records.realname.DemonstrationRegister")
ALLOW_TWO_ELEMENT_REGISTER = env.bool("CREDIT_ALLOW_TWO_ELEMENT_REGISTER", default=False)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "guardian",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "creditplatform.apps.SessionsConfig",
    "rest_framework",
    "oauth2_provider",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "import_export",
    "bootstrap",
    "creditplatform.core",
    "records",
    "sanctions",
    "repair",
    "publicity",
    "creditplatform.apps.StaffAdminConfig",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "creditplatform.core.middleware.RequestLogMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "creditplatform.core.middleware.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "creditplatform.core.middleware.BodySizeMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "creditplatform.core.middleware.RateLimitMiddleware",
    "creditplatform.core.middleware.AccessRuleMiddleware",
    "creditplatform.second_factor.SecondFactorMiddleware",
    "creditplatform.core.middleware.AuditContextMiddleware",
]

ROOT_URLCONF = "creditplatform.urls"
WSGI_APPLICATION = "creditplatform.wsgi.application"
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
                "creditplatform.core.context.page",
            ],
        },
    },
]

DATABASES = {"default": env.db("DATABASE_URL", default="postgres:///credit")}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CREDIT_CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if MODE == "test":
    # Test clean-up truncates; the guard of append-only tables is lifted for the owner's test connection alone.
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c credit.allow_truncate=on"

REDIS_URL = env("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL.replace("redis+socket://", "unix://"),
        "KEY_PREFIX": "credit",
    }
}

# Who changed what: the context travels in database settings and every history row keeps a copy.
PGHISTORY_APPEND_ONLY = True
PGHISTORY_CONTEXT_FIELD = ContextJSONField()
PGHISTORY_FOREIGN_KEY_FIELD = ForeignKey(db_index=False)  # history is asked for by the row it is about
PGHISTORY_OBJ_FIELD = ObjForeignKey(db_index=True)

AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
GUARDIAN_RAISE_403 = True
ANONYMOUS_USER_NAME = None
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "me:home"
ACCOUNT_ADAPTER = "creditplatform.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
if MODE == "test":
    # The cast of the tests signs in hundreds of times; strong hashing is for real passwords.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
ACCOUNT_SESSION_REMEMBER = False
# Unified identity platforms (OpenID Connect), none unless named, see docs/accounts.md.
IDENTITY_PLATFORMS = identity_platforms.from_environment(env.ENVIRON, secure=PRODUCTION)
SOCIALACCOUNT_PROVIDERS = identity_platforms.library_settings(IDENTITY_PLATFORMS)
SOCIALACCOUNT_ADAPTER = "creditplatform.oidc.PlatformAdapter"
SOCIALACCOUNT_STORE_TOKENS = SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_EMAIL_REQUIRED = False
RECOVERY_CODE_MINUTES = env.int("CREDIT_RECOVERY_CODE_MINUTES", default=30)  # a code from the window, on paper
WINDOW_REQUEST_MINUTES = env.int("CREDIT_WINDOW_REQUEST_MINUTES", default=30)  # for a second official to confirm
# Codes of an authenticator app and recovery codes; accounts bear no e-mail address that could be verified first.
MFA_ADAPTER = "creditplatform.second_factor.SealedAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = env("CREDIT_MFA_ISSUER", default="Public credit platform")
MFA_ROLES = ["centre", "supervisor", "security", "auditor", "operator"] if PRODUCTION else []
MFA_REQUIRED_ROLES = env.list("CREDIT_MFA_REQUIRED_ROLES", default=MFA_ROLES)
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("CREDIT_TRUSTED_PROXIES", default=0)
# How often one client may open a page in a minute; a name of a page goes before the name of its app.
UNLIMITED = 10**9  # the walks of the tests are faster than people
LIMITS_PER_MINUTE = {
    "publicity:search": env.int("CREDIT_SEARCHES_PER_MINUTE", default=UNLIMITED if MODE == "test" else 60),
    "publicity:*": env.int("CREDIT_PAGES_PER_MINUTE", default=UNLIMITED if MODE == "test" else 300),
    "share": env.int("CREDIT_SHARES_PER_MINUTE", default=UNLIMITED if MODE == "test" else 20),
    "verify:*": env.int("CREDIT_CHECKS_PER_MINUTE", default=UNLIMITED if MODE == "test" else 30),
    "api:token": env.int("CREDIT_TOKENS_PER_MINUTE", default=UNLIMITED if MODE == "test" else 30),
}
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_SSL_REDIRECT = PRODUCTION and env.bool("CREDIT_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: []
    for name in (
        "accelerometer", "autoplay", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer",
        "microphone", "midi", "payment", "usb",
    )
}  # fmt: skip

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["creditplatform.formats"]
TIME_ZONE = "Asia/Shanghai"
USE_I18N = USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if MODE == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = VAR_DIR / "files"
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000
FEED_INBOX = env("CREDIT_FEED_INBOX", default="")  # where exchange machines lay files down, a folder per feed
FEED_CHUNK_ROWS = env.int("CREDIT_FEED_CHUNK_ROWS", default=4000)  # rows of a file in one transaction
# JSON and XML up to this size are read to their end while their sender waits, and refused at once where broken.
FEED_SYNTAX_AT_ONCE_BYTES = env.int("CREDIT_FEED_SYNTAX_AT_ONCE_BYTES", default=4 * 1024**2)
FEED_FILE_MAX_BYTES = env.int("CREDIT_FEED_FILE_MAX_BYTES", default=4 * 1024**3)
# What a request may bring at most; of the routes named here the page takes a file and a form around it, from staff, the
# address of the interface the file alone, from a machine client.
BODY_MAX_BYTES = env.int("CREDIT_BODY_MAX_BYTES", default=10 * 1024**2)
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_MAX_BYTES
LARGE_BODY_ROUTES = {
    "desk:deliver": FEED_FILE_MAX_BYTES + 1024**2,
    "desk:setaside_upload": FEED_FILE_MAX_BYTES + 1024**2,
    "desk:batch-check-new": FEED_FILE_MAX_BYTES + 1024**2,
    "api:feed-batches": FEED_FILE_MAX_BYTES,
}

# Letters to members of units, e.g. smtp+tls://name:password@host:587; without it nobody is written to.
EMAIL_URL = env("CREDIT_EMAIL_URL", default="")
EMAIL_CONFIGURED = bool(EMAIL_URL)
globals().update(env.email_url_config(EMAIL_URL or ("memorymail://" if MODE == "test" else "consolemail://")))
DEFAULT_FROM_EMAIL = env("CREDIT_EMAIL_FROM", default="credit@localhost")
EMAIL_DOMAIN = DEFAULT_FROM_EMAIL.rpartition("@")[2].strip(">")
PUBLIC_URL = env("CREDIT_PUBLIC_URL", default="").rstrip("/")  # how links in letters begin

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A broker that is away is told within seconds to whoever hands over work: rows of the database are what is promised,
# and timers find them. Workers wait for it as long as it takes.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 6 * 3600,
    "max_retries": 2,
    "interval_start": 0,
    "interval_step": 0.2,
    "interval_max": 0.5,
    "socket_connect_timeout": 5,
    "socket_timeout": 30,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_ROUTES = {
    "records.tasks.process_batch": {"queue": "feeds"},
    "records.tasks.process_check": {"queue": "feeds"},
    "records.tasks.push_changes": {"queue": "mail"},  # waits for others' networks, as letters do
    "records.tasks.*": {"queue": "timers"},
    "creditplatform.core.tasks.deliver_*": {"queue": "mail"},
    "creditplatform.core.tasks.*": {"queue": "timers"},
}
CELERY_TASK_DEFAULT_QUEUE = "celery"
CELERY_BEAT_SCHEDULE = {
    "seal-access-log": {"task": "creditplatform.core.tasks.seal_access_log", "schedule": 5.0},
    "dispatch-outbox": {"task": "creditplatform.core.tasks.deliver_outbox", "schedule": 5.0},
    "worker-heartbeat": {"task": "creditplatform.core.tasks.beat_heart", "schedule": 15.0},
    "log-partitions": {"task": "creditplatform.core.tasks.prepare_log_partitions", "schedule": 6 * 3600.0},
    "resume-batches": {"task": "records.tasks.resume_batches", "schedule": 30.0},
    "resume-checks": {"task": "records.tasks.resume_checks", "schedule": 60.0},
    "keep-queries": {"task": "records.tasks.keep_queries", "schedule": 3600.0},
    "take-up-inbox": {"task": "records.tasks.take_up_inbox", "schedule": 15.0},
    "push-changes": {"task": "records.tasks.push_changes", "schedule": 10.0, "options": {"expires": 60}},
    "tell-units": {"task": "records.tasks.tell_units", "schedule": 600.0},
    "expire-records": {"task": "records.tasks.expire_records", "schedule": 300.0},
    "refresh-figures": {"task": "records.tasks.refresh_figures", "schedule": 600.0},
}

REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "creditplatform.core.api.answer_error",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Public credit platform of Huizhou and Gansu",
    "VERSION": "1.0.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "PREPROCESSING_HOOKS": ["records.api.documentation.only_the_interface"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "records.api.documentation.finished",
    ],
    "OAUTH2_FLOWS": ["clientCredentials"],
    "OAUTH2_TOKEN_URL": "/api/v1/token/",
    "DESCRIPTION": (
        "For the systems of units. A client gets a token at `/api/v1/token/` (OAuth 2 client credentials) and sends it"
        " as `Authorization: Bearer …`. Every refusal has a stable `code`, a `message` in the language of"
        " `Accept-Language` (`zh` or `en`), and in `problems` every field with its own. Addresses work with and without"
        " a slash at the end."
    ),
    "ENFORCE_NON_BLANK_FIELDS": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}
# Machine clients: client credentials only, with short tokens.
OAUTH2_PROVIDER_APPLICATION_MODEL = "core.ApiClient"
OAUTH2_PROVIDER = {
    "SCOPES_BACKEND_CLASS": "creditplatform.core.api.ClientScopes",
    "OAUTH2_VALIDATOR_CLASS": "creditplatform.core.api.TokenInOneQuery",
    "ACCESS_TOKEN_EXPIRE_SECONDS": env.int("CREDIT_TOKEN_SECONDS", default=900),
    # Best current practice (RFC 9700): tokens are kept as digests, and no flow but the one we use is open.
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    **{
        f"COMPLIANT_BCP_RFC9700_{name}": True
        for name in (
            "IMPLICIT_GRANT", "PASSWORD_GRANT", "PKCE_METHOD", "ACCESS_TOKEN_TRANSPORT", "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE", "REFRESH_TOKEN", "REDIRECT_URI_SCHEME", "REDIRECT_URI_MATCHING", "PKCE_REQUIRED",
        )
    },
}  # fmt: skip
# How old a rule value or a purpose may be that a process keeps in memory, in seconds; tests ask the database each time.
REMEMBERED_SECONDS = env.float("CREDIT_REMEMBERED_SECONDS", default=0 if MODE == "test" else 5)
API_CALLS_PER_MINUTE = env.int("CREDIT_API_CALLS_PER_MINUTE", default=UNLIMITED if MODE == "test" else 600)
IMPORT_EXPORT_USE_TRANSACTIONS = True
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
LOGGING_CONFIG = "creditplatform.core.logs.configure"
LOGGING = {"level": env("CREDIT_LOG_LEVEL", default="INFO")}
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
# What is sealed beside the columns of our tables, for the change of the data key (manage.py rotate_keys).
SEALED_ELSEWHERE = (
    "records.services.check_files.FILES", "records.papers.FILES", "records.reports.store.FILES",
    "records.reports.authority.FILES", "creditplatform.second_factor.SECRETS",
)  # fmt: skip

# Pages of libraries cannot declare a rule themselves; ours all do (creditplatform.core.permissions).
THIRD_PARTY_ACCESS_RULES = {
    "admin:*": "creditplatform.core.permissions.staff",
    **dict.fromkeys(identity_platforms.OPEN_PAGES, "creditplatform.core.permissions.anyone"),
    **dict.fromkeys(identity_platforms.OWN_PAGES, "creditplatform.core.permissions.signed_in"),
}
