"""What a person reads once the product is ready."""

from modelmanager.embedded.environment import Environment
from modelmanager.embedded.prepare import ADMIN, ADMIN_PASSWORD_FILE


def welcome(chosen: Environment, triton_url: str, *, key: str, fresh: bool, took_s: float) -> str:
    """Addresses and credentials; passwords and keys are shown on the first start only."""
    password_file, key_file = chosen.path(ADMIN_PASSWORD_FILE), chosen.path("client-key")
    shown_once = "(shown this once, kept in {})"
    if not password_file.exists():
        login = f"{ADMIN} (its password is not known here: manage.py changepassword {ADMIN})"
    elif fresh:
        login = f"{ADMIN} / {password_file.read_text(encoding='utf-8').strip()}  {shown_once.format(password_file)}"
    else:
        login = f"{ADMIN}, password in {password_file}"
    key_line = f"{key}  {shown_once.format(key_file)}" if fresh else f"in {key_file}"
    rows = {
        "Console": f"{chosen.url}/admin/",
        "API": f"{chosen.url}/api/v1/    documented at {chosen.url}/api/docs/",
        "Sign in": login,
        "Client key": key_line,
        "Triton": triton_url or "none (TRITON_URL=http://… registers one)",
        "Logs": str(chosen.path("logs")),
    }
    lines = [f"  {name:<11}{text}" for name, text in rows.items()]
    return "\n".join(["", f"Model Manager is ready after {took_s:.1f} s. Ctrl-C ends it.", *lines, ""])
