"""Draw the pictures of the report that the documentation shows: needs the extra "test" and a Chromium.

python docs/pictures/make.py
"""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from identica import DICA, Training
from identica.datasets import load_digits
from identica.report import report_of_fit, write_report


def main() -> None:
    """Fit scikit-learn's digits, open the report and take its picture, light and dark."""
    images, labels = load_digits()
    dica = DICA(8, training=Training(max_steps=1500), random_state=0).fit(images)
    page = report_of_fit(
        dica,
        dica.transform(images),
        title="Handwritten digits",
        facts={"images": len(images), "pixels": "8 x 8", "components": 8},
        low=images.min(),
        high=images.max(),
        sample_names=[f"a {label}" for label in labels],
        samples=images,
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "report.html"
        write_report(page_file, page)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            tab = browser.new_page(viewport={"width": 1000, "height": 1340}, color_scheme=scheme)
            tab.goto(page_file.as_uri())
            tab.get_by_label("start at").select_option("3")
            tab.screenshot(path=Path(__file__).parent / f"report-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main()
