"""Can this model ever be loaded on its server? Pure."""

from django.utils.translation import gettext as _


def why_it_never_fits(size_mb: int | None, *, server_mb: int | None) -> tuple[str, str] | None:
    """`(code, reason)` when a model of this size is refused on a server of that memory, else None.

    A size is required where the server declares its memory; a model that fits only an empty server fits.
    """
    if server_mb is None:
        return None
    if size_mb is None:
        return "required", _("Declare the model's GPU memory: its server declares %(mb)d MB.") % {"mb": server_mb}
    if size_mb > server_mb:
        return "too_large", _("%(size)d MB never fit the server's %(mb)d MB.") % {"size": size_mb, "mb": server_mb}
    return None
