"""The schema: committed as it is generated, valid, complete; and its page, served by us alone."""

import re
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import yaml
from django.core.management import call_command
from django.test import Client as Browser

from tests.api.calls import refused
from tests.api.endpoints import ENDPOINTS, SCHEMA, Endpoint

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.yaml"
ASSET = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=["']?([^"'\s>]+)""", re.IGNORECASE)
FOREIGN = re.compile(r"""(?:https?:)?//[\w.-]+\.\w+/""")


def test_the_committed_schema_is_the_generated_one_and_valid_without_warnings() -> None:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    assert out.getvalue() == COMMITTED.read_text(encoding="utf-8")


def test_the_schema_needs_no_key_and_tells_its_language(db: None) -> None:
    response = Browser().get("/api/schema/")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("application/vnd.oai.openapi")
    served = yaml.safe_load(response.content)
    assert set(served["paths"]) == set(SCHEMA["paths"])
    assert Browser().get("/api/schema/?format=json").json()["openapi"].startswith("3.")


@pytest.mark.parametrize("query", ["format=xml", "lang=xx", "lang=%00", "version=2", "format=%00"])
def test_a_strange_wish_for_the_schema_is_no_fault(db: None, query: str) -> None:
    response = Browser().get(f"/api/schema/?{query}")
    if response.status_code != 200:
        refused(response, 404, "not_found")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_every_endpoint_is_described_with_its_refusals(endpoint: Endpoint) -> None:
    operation: dict[str, Any] = SCHEMA["paths"][endpoint.template][endpoint.method]
    assert operation["operationId"]
    assert operation["description"]
    assert {"400", "401", "403", "404"} <= set(operation["responses"])
    assert [status for status in operation["responses"] if status.startswith("2")]


def test_an_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for path in SCHEMA["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_the_page_of_the_docs_is_ours_alone(db: None) -> None:
    browser = Browser()
    response = browser.get("/api/docs/")
    assert response.status_code == 200
    page = response.content.decode()
    assets = ASSET.findall(page)
    assert [asset for asset in assets if asset.endswith(".js")]
    assert [asset for asset in assets if asset.endswith(".css")]
    for asset in assets:
        url = urljoin("http://testserver/api/docs/", asset)
        assert urlsplit(url).netloc == "testserver", asset
        assert browser.get(urlsplit(url).path).status_code == 200, asset
    assert FOREIGN.findall(page) == []


def test_nothing_the_page_loads_asks_another_host(db: None) -> None:
    page = Browser().get("/api/docs/").content.decode()
    for asset in (asset for asset in ASSET.findall(page) if asset.endswith(".css")):
        style = b"".join(Browser().get(asset)).decode()
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", style), asset


def test_a_person_need_not_be_signed_in_to_read(db: None) -> None:
    assert Browser().get("/api/docs/").status_code == Browser().get("/api/schema/").status_code == 200
