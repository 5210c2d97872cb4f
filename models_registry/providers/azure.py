"""The two styles of Azure OpenAI endpoints, and what a pasted one is made of. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

API_VERSION = re.compile(r"^\d{4}-\d{2}-\d{2}(-preview)?$")
DEPLOYMENT = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
V1 = "/openai/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint as a person gave it, taken apart.

    `root` is the resource (https://NAME.openai.azure.com). `is_v1`: it speaks the v1 API, which needs no API
    version. `deployment` and `api_version` are what does not belong into an endpoint; `rest` is any other path.
    """

    root: str
    is_v1: bool
    deployment: str = ""
    api_version: str = ""
    rest: str = ""

    @property
    def url(self) -> str:
        """The endpoint alone, as it should have been given."""
        return self.root + V1 if self.is_v1 else self.root


def endpoint_of(url: str) -> Endpoint:
    """The parts of an endpoint, also of one that was pasted whole from Azure's portal."""
    parts = urlsplit(url.strip())
    versions = parse_qs(parts.query).get("api-version", [""])
    root = f"{parts.scheme}://{parts.netloc}"
    before, openai, after = f"{parts.path.rstrip('/')}/".partition("/openai/")
    steps = [unquote(step) for step in after.split("/") if step]
    is_v1 = steps[:1] == ["v1"]
    deployment = steps[1] if steps[:1] == ["deployments"] and len(steps) > 1 else ""
    known = 1 if is_v1 else (2 if deployment else 0)
    # What follows a deployment is the call that the portal shows as an example.
    rest = "" if deployment else "/".join(steps[known:])
    prefix = before.rstrip("/")
    if not openai:
        return Endpoint(root + prefix, is_v1=False, api_version=versions[0])
    return Endpoint(root + prefix, is_v1, deployment, versions[0], rest)
