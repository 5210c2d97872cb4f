"""Addresses."""

from django.contrib import admin
from django.urls import include, path, register_converter
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from models_registry.api import models, providers, records
from monitoring.api import health, operations
from usage.api import bindings, impact, leases


class RowId:
    """A number that a row's id can have."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(RowId, "id")

api = [
    path("providers/", providers.Providers.as_view()),
    path("providers/<str:name>/", providers.OneProvider.as_view()),
    path("providers/<str:name>/restore/", providers.RestoreProvider.as_view()),
    path("providers/<str:name>/check/", providers.CheckProvider.as_view()),
    path("providers/<str:name>/catalog/", providers.Catalog.as_view()),
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
    path("models/<str:name>/configs/", records.Configs.as_view()),
    path("models/<str:name>/configs/<id:number>/", records.OneConfig.as_view()),
    path("leases/", leases.Leases.as_view()),
    path("leases/<id:lease_id>/", leases.OneLease.as_view()),
    path("leases/<id:lease_id>/renew/", leases.Renew.as_view()),
    path("leases/<id:lease_id>/release/", leases.Release.as_view()),
    path("bindings/", bindings.Bindings.as_view()),
    path("bindings/<id:binding_id>/", bindings.OneBinding.as_view()),
    path("operations/", operations.Operations.as_view()),
    path("operations/<id:operation_id>/", operations.OneOperation.as_view()),
]

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", include(api)),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]

handler400 = "modelmanager.api.problems.bad_request"
handler404 = "modelmanager.api.problems.not_found"
handler500 = "modelmanager.api.problems.server_error"
