"""How the API is built: who is let in, what is read and written, and what its schema tells."""

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
        "HealthStateEnum": "models_registry.api.provider_serializers.HEALTH_STATES",
        "ErrorCodeEnum": "models_registry.vocabulary.ErrorCode",
        "ModelKindEnum": "models_registry.vocabulary.ModelKind",
        "AuditKindEnum": "models_registry.vocabulary.AuditKind",
        "AuditActionEnum": "models_registry.vocabulary.AuditAction",
        "OperationKindEnum": "monitoring.models.OperationKind",
        "UsageOutcomeEnum": "usage.models.Outcome",
        "ProviderOutcomeEnum": "models_registry.api.provider_serializers.OUTCOMES",
        "ImportOutcomeEnum": "models_registry.api.provider_serializers.IMPORT_OUTCOMES",
    },
}
