"""Look at pages in a logged-in headless Chromium."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import re
import shutil

from playwright.async_api import Page, async_playwright
import pytest

from nrj_demo.house import House
from nrj_tools import ROOT
from tests.support.pace import patience

SCREENSHOTS = ROOT / "screenshots"

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PAGE_TIMEOUT = 30.0
"""Seconds for a page to show what it should; 4 s are usual."""

VISIBLE_TEXT = """
() => {
  const lines = [];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const text = node.textContent.trim();
      if (text) lines.push(text);
      return;
    }
    if (node.nodeType === Node.ELEMENT_NODE) {
      if (["SCRIPT", "STYLE", "TEMPLATE"].includes(node.tagName)) return;
      if (node.checkVisibility && !node.checkVisibility()
          && getComputedStyle(node).display !== "contents") return;
      if (node.tagName === "SLOT" && node.assignedNodes().length) {
        node.assignedNodes().forEach(walk);
        return;
      }
    }
    (node.shadowRoot ?? node).childNodes.forEach(walk);
  };
  walk(document.body);
  return lines.join("\\n");
}
"""
"""What a person can read on the page, through all shadow roots."""

COLOURED_PIXELS = """
(canvas) => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const colours = [data[i], data[i + 1], data[i + 2]];
    if (data[i + 3] > 50 && Math.max(...colours) - Math.min(...colours) > 40) count++;
  }
  return count;
}
"""
"""How much of a chart is neither white nor grey, as its axes are."""


@asynccontextmanager
async def logged_in_page(house: House) -> AsyncIterator[Page]:
    """Open an English-speaking browser logged in to a house."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("needs Debian's chromium: scripts/setup test installs it")
    tokens = json.dumps(json.dumps(house.login.browser_tokens()))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=list(FLAGS)
        )
        try:
            context = await browser.new_context(
                viewport={"width": 1400, "height": 1000}, locale="en-GB"
            )
            await context.add_init_script(
                f"localStorage.setItem('hassTokens', {tokens});"
                "localStorage.setItem('selectedLanguage', '\"en\"');"
            )
            page = await context.new_page()
            page.set_default_timeout(1000 * patience(PAGE_TIMEOUT))
            yield page
        finally:
            await browser.close()


async def wait_for_text(page: Page, *patterns: str) -> list[re.Match[str]]:
    """Wait until all patterns can be read on the page, and return where."""
    text = ""
    try:
        async with asyncio.timeout(patience(PAGE_TIMEOUT)):
            while True:
                text = await page.evaluate(VISIBLE_TEXT)
                found = [re.search(pattern, text) for pattern in patterns]
                matches = [match for match in found if match is not None]
                if len(matches) == len(patterns):
                    return matches
                await asyncio.sleep(0.3)
    except TimeoutError:
        missing = [p for p in patterns if re.search(p, text) is None]
        pytest.fail(f"not on the page {page.url}: {missing}; it says:\n{text}")


async def screenshot(page: Page, name: str) -> None:
    """Keep a picture of the page in a folder ignored by git."""
    SCREENSHOTS.mkdir(exist_ok=True)
    # Let animations come to rest.
    await asyncio.sleep(1.5)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png")
