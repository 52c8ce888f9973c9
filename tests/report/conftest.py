"""A browser, and the page of some fits in it."""

import shutil

import pytest

from identica.report import Report, write_report


@pytest.fixture(scope="session")
def browser():
    """Debian's or anyone's Chromium, without a window."""
    sync_api = pytest.importorskip("playwright.sync_api")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("there is no Chromium here")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def show(browser, tmp_path):
    """Open the report of some fits, and see to it that nothing is asked for and no error comes."""
    pages, faults, asked = [], [], []

    def opened(*fits, scheme="light", **parameters):
        write_report(tmp_path / "report.html", Report("A <b>title</b>", {"samples": 3}, fits, **parameters))
        page = browser.new_page(color_scheme=scheme)
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((tmp_path / "report.html").as_uri())
        pages.append(page)
        return page

    yield opened
    assert faults == []
    # Files inside the page are read from its own addresses.
    assert [url for url in asked if not url.startswith(("file://", "data:"))] == []
    assert sum(url.startswith("file://") for url in asked) == len(pages)
