"""Looks at what people are shown with a real browser: pictures in docs/images, and what axe says of the pages.

Needs Chromium, pdftoppm and axe-core (`npm install axe-core`), which nothing else here needs: a target of its own.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, Final

from services.intake.notices.texts import LANGUAGES
from shared.privacy.claims import Language
from tests.looks.published import published
from tests.looks.sample import letter, page

IMAGES: Final = Path("docs/images")
PROOF: Final = Path("docs/proof/accessibility.md")
WIDTHS: Final = {"phone": (390, 1900), "desktop": (1100, 1900)}
RUN_AXE: Final = """
<script>%s</script>
<script>
window.addEventListener("load", () => axe.run(document, {runOnly: %s}).then(found => {
  const said = document.createElement("pre");
  said.id = "axe-said";
  said.textContent = JSON.stringify({
    version: axe.version,
    passes: found.passes.length,
    violations: found.violations.map(one => [one.id, one.impact, one.nodes.map(node => node.html)]),
    incomplete: found.incomplete.map(one => [one.id, one.nodes.length]),
  });
  document.body.append(said);
}));
</script>
"""
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def main() -> None:
    """Take the pictures, ask axe, write what it says; exit 1 where it finds anything."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--axe", type=Path, required=True, help="axe.min.js of the package axe-core")
    chosen = options.parse_args()
    browser = next(path for name in ("chromium", "chromium-browser") if (path := shutil.which(name)))
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pages = {**{f"answer-{one}": page(one) for one in LANGUAGES}, **published()}
        found = {
            (name, how): said
            for name, content in pages.items()
            for how, said in _looked(Path(folder), browser, chosen.axe, name, content)
        }
        for language in LANGUAGES:
            _print(Path(folder), language)
    PROOF.write_text(_page(found))
    bad = [said for said in found.values() if said["violations"]]
    for said in bad:
        sys.stderr.write(json.dumps(said["violations"], indent=1))
    raise SystemExit(1 if bad else 0)


def _looked(
    folder: Path, browser: str, axe: Path, name: str, content: bytes
) -> Iterator[tuple[str, dict[str, Any]]]:
    shown = folder / f"{name}.html"
    shown.write_bytes(content)
    asked = folder / f"axe-{name}.html"
    # The page forbids every script, which is right for a person and in the way of axe.
    script = RUN_AXE % (axe.read_text(), json.dumps(RULES))
    plain = shown.read_text().replace("default-src 'none'; style-src 'unsafe-inline'", "")
    asked.write_text(plain.replace("</body>", f"{script}</body>"))
    for how, (width, height) in WIDTHS.items():
        picture = IMAGES / f"{name}-{how}.png"
        _chromium(browser, f"--window-size={width},{height}", f"--screenshot={picture}", shown.as_uri())
        dom = _chromium(
            browser,
            f"--window-size={width},{height}",
            "--virtual-time-budget=20000",
            "--dump-dom",
            asked.as_uri(),
        )
        yield how, json.loads(unescape(dom.split('id="axe-said">')[1].split("</pre>")[0]))


def _print(folder: Path, language: Language) -> None:
    printed = folder / f"letter-{language}.pdf"
    printed.write_bytes(letter(language))
    target = IMAGES / f"letter-{language}"
    subprocess.run(["pdftoppm", "-r", "80", "-png", "-singlefile", printed, target], check=True)  # noqa: S603, S607 - Debian's


def _chromium(browser: str, *arguments: str) -> str:
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - found above
    return done.stdout


def _page(found: dict[tuple[str, str], dict[str, Any]]) -> str:
    version = next(iter(found.values()))["version"]
    rows = "\n".join(
        f"| {name} | {how} | {said['passes']} | {len(said['violations'])} | "
        f"{', '.join(f'{rule} ({n})' for rule, n in said['incomplete']) or 'nothing'} |"
        for (name, how), said in found.items()
    )
    return f"""# What axe says of the pages that people read

Written by `make looks`: axe-core {version} in headless Chromium, over a sample answer of two systems in both
languages, the yearly figures, the notice at collection and the privacy policy's tables of the demonstration, with the
rules of WCAG 2.2 A and AA and the best practices. The pictures that were taken are in [docs/images](../images).

| page | width | rules passed | violations | left to a person |
|---|---|---|---|---|
{rows}

The letter is a PDF of which the typesetter itself checks that it is PDF/UA-1: it does not make one that is not.
"""


if __name__ == "__main__":
    main()
