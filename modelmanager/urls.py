"""Addresses."""

from django.contrib import admin
from django.urls import include, path, register_converter
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from modelmanager.console.fragments import fragment
from modelmanager.console.overview import overview_fragment
from modelmanager.console.usage.overview import usage_overview
from modelmanager.console.usage.today import today_fragment
from models_registry.api import audit, configs, models, providers, records, windows
from monitoring.api import health, operations
from usage.api import bindings, impact, leases, statistics, status_statistics
from usage.api import records as usage_records


class RowId:
    """A number that a row's id can have."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(RowId, "id")

api = [  # addresses are tried in this order: first those that are called at every use
    path("leases/", leases.Leases.as_view()),
    path("leases/<id:lease_id>/", leases.OneLease.as_view()),
    path("leases/<id:lease_id>/renew/", leases.Renew.as_view()),
    path("leases/<id:lease_id>/release/", leases.Release.as_view()),
    path("usage/records/", usage_records.Records.as_view()),
    path("providers/", providers.Providers.as_view()),
    path("providers/<str:name>/", providers.OneProvider.as_view()),
    path("providers/<str:name>/restore/", providers.RestoreProvider.as_view()),
    path("providers/<str:name>/promote-key/", providers.PromoteKey.as_view()),
    path("providers/<str:name>/check/", providers.CheckProvider.as_view()),
    path("providers/<str:name>/catalog/", providers.Catalog.as_view()),
    path("providers/<str:name>/import/", providers.ImportModels.as_view()),
    path("providers/<str:name>/verify/", providers.VerifyRemote.as_view()),
    path("providers/<str:name>/residents/", operations.Residents.as_view()),
    path("models/", models.Models.as_view()),
    path("models/<str:name>/", impact.OneModel.as_view()),
    path("models/<str:name>/impact/", impact.Impact.as_view()),
    path("models/<str:name>/restore/", models.RestoreModel.as_view()),
    path("models/<str:name>/activate/", models.Activate.as_view()),
    path("models/<str:name>/deactivate/", models.Deactivate.as_view()),
    path("models/<str:name>/verify/", models.VerifyModel.as_view()),
    path("models/<str:name>/history/", records.History.as_view()),
    path("models/<str:name>/configs/", configs.Configs.as_view()),
    path("models/<str:name>/configs/<id:number>/", configs.OneConfig.as_view()),
    path("models/<str:name>/configs/<id:number>/apply/", configs.ApplyConfig.as_view()),
    path("models/<str:name>/configs/<id:number>/diff/<id:other>/", configs.DiffConfigs.as_view()),
    path("config-schemas/<str:kind>/", configs.ConfigSchema.as_view()),
    path("models/<str:name>/statistics/", statistics.ModelStatistics.as_view()),
    path("usage/statistics/", statistics.UsageStatistics.as_view()),
    path("status-statistics/", status_statistics.StatusStatistics.as_view()),
    path("windows/", windows.Windows.as_view()),
    path("windows/<str:name>/", windows.OneWindow.as_view()),
    path("windows/<str:name>/restore/", windows.RestoreWindow.as_view()),
    path("bindings/", bindings.Bindings.as_view()),
    path("bindings/<id:binding_id>/", bindings.OneBinding.as_view()),
    path("audit/", audit.Audit.as_view()),
    path("operations/", operations.Operations.as_view()),
    path("operations/<id:operation_id>/", operations.OneOperation.as_view()),
]

urlpatterns = [
    path("api/v1/", include(api)),
    path("", RedirectView.as_view(url="/admin/")),
    path("admin/overview/", fragment(overview_fragment), name="console-overview"),
    path("admin/usage/today/", fragment(today_fragment), name="console-usage-today"),
    path("admin/usage/statistics/", admin.site.admin_view(usage_overview), name="console-usage"),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]

handler400 = "modelmanager.api.problems.bad_request"
handler404 = "modelmanager.api.problems.not_found"
handler500 = "modelmanager.api.problems.server_error"
