"""A real browser on the running console, a Triton to talk to, and hands that keep both in line."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from playwright.sync_api import Page, sync_playwright

from monitoring.reconcile import reconcile
from usage.services.leases import close_expired

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 30_000


class Watched:
    """A page, and what went wrong in it."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.faults: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("request", self._note_request)
        page.on("dialog", lambda dialog: dialog.accept())

    def sign_in(self, name: str, password: str) -> None:
        self.page.goto(f"{self.origin}/admin/")
        self.page.fill("[name=username]", name)
        self.page.fill("[name=password]", password)
        self.page.click("#login-form [type=submit]")
        self.page.wait_for_selector("#overview")

    def open(self, path: str) -> None:
        self.page.goto(self.origin + path)

    def status(self, label: str) -> None:
        """Wait until the model's panel shows this status."""
        self.page.wait_for_selector(f"#model-panel .mm-panel-title .mm-badge:has-text('{label}')")

    def press(self, label: str) -> None:
        """Press a button of the panel."""
        self.page.click(f"#model-panel .mm-button:has-text('{label}')")

    def confirm(self) -> None:
        """Press the button of the open dialog, and wait for the page that follows."""
        with self.page.expect_navigation():
            self.page.click("#modal-content [type=submit]")

    def said(self) -> str:
        """The messages at the top of the page."""
        return self.page.inner_text("#main")

    def _note_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{message.type}: {message.text}")

    def _note_request(self, request: Any) -> None:
        if not request.url.startswith((self.origin, "data:", "blob:")):
            self.faults.append(f"left the host: {request.url}")


@contextmanager
def browser_at(origin: str, *, locale: str) -> Iterator[Watched]:
    """Chromium with an empty profile, as somebody of this locale has it."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = chromium.new_context(locale=locale, viewport={"width": 1440, "height": 900}).new_page()
        try:
            yield Watched(page, origin)
        finally:
            chromium.close()


@contextmanager
def kept_in_line(provider_id: int) -> Iterator[None]:
    """The watcher's work in a thread, until the test is over."""
    done = threading.Event()
    faults: list[BaseException] = []

    def work() -> None:
        from modelmanager.lib.clock import now

        try:
            while not done.wait(0.1):
                close_expired(now())
                reconcile(provider_id)
        except BaseException as fault:  # told by the test's own thread
            faults.append(fault)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work, name="watcher")
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(30)
    assert not faults, faults
