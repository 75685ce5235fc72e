"""The autoscaler's page in a real browser: it loads, shows what /status says, keeps up, and
survives the service's end and new beginning.

Whoever starts this holds the service: a line `do: WHAT` asks for something, and a line comes back
when it is done.

Usage: page.py URL FOLDER-FOR-SCREENSHOTS
"""

import json
import shutil
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

# As packages install it: Playwright's own comes from elsewhere.
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def do(what):
    print(f"do: {what}", flush=True)
    assert sys.stdin.readline().strip() == "done", what


def check(name, holds, more=""):
    assert holds, f"{name}: {more}"
    print(f"holds: {name}", flush=True)


def until(page, question):
    """Asks again and again; the page's own policy forbids what Playwright would ask itself."""
    end = time.monotonic() + 15
    while not page.evaluate(question):
        assert time.monotonic() < end, question
        page.wait_for_timeout(100)


def status(url):
    with urllib.request.urlopen(url + "status", timeout=10) as answer:
        return json.load(answer)


def tiles(page):
    pairs = page.locator("#tiles > div").all()
    return {it.locator("dt").inner_text(): it.locator("dd").inner_text().split("\n")[0] for it in pairs}


def as_told(page, url):
    """What the page shows is what the service says."""
    train = status(url)["clusters"]["cluster.train"]
    sums = train["sums"]
    wanted = {
        "Jobs waiting": str(sums["jobs_waiting"]),
        "Busy": str(sums["busy"]),
        "Free": str(sums["serving"] - sums["busy"]),
        "Coming": str(sums["coming"]),
        "Going": str(sums["going"]),
        "Nodes": str(sum(train["nodes"].values())),
        "Cost an hour": f"${float(sums['per_hour']):,.2f}",
    }
    assert tiles(page) == wanted, (tiles(page), wanted)
    assert page.locator("#why li").all_inner_texts() == train["words"]
    log = page.locator("#log > li").all()
    assert len(log) == len(train["log"]), (len(log), len(train["log"]))
    for item, taken in zip(log, reversed(train["log"])):
        assert item.locator("> ul li").all_inner_texts() == taken["words"][: taken["acts"]]
        assert item.locator("details li").all_text_contents() == taken["words"][taken["acts"]:]


def drawn(page):
    """How many points each chart holds, and whether anything is painted."""
    return page.evaluate("""() => charts.map(({ plot }) => {
        const { width, height } = plot.ctx.canvas;
        const pixels = plot.ctx.getImageData(0, 0, width, height).data;
        const colours = new Set();
        for (let at = 0; at < pixels.length; at += 4) colours.add(pixels.slice(at, at + 3).join());
        return [plot.data[0].length, colours.size > 3];
    })""")


def loads(page, url):
    outside = []
    page.on("request", lambda it: outside.append(it.url) if not it.url.startswith((url, "data:")) else None)
    wrong = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda it: wrong.append(it.text) if it.type == "error" else None)
    page.goto(url)
    page.wait_for_selector("#main:not([hidden])")
    as_told(page, url)
    check("it shows what /status says", True)
    points = len(status(url)["clusters"]["cluster.train"]["samples"])
    check("three charts on one axis", drawn(page) == [[points, True]] * 3, drawn(page))
    check("nothing is asked elsewhere", outside == [], outside)
    return wrong


def hostile(page, url):
    page.locator("nav button", has_text="cluster.video").click()
    page.wait_for_selector("#notes .note.bad")
    notes = page.locator("#notes").inner_text()
    told = status(url)["clusters"]["cluster.video"]["demand_problem"]
    check("text of the cloud is text", "<img src=x" in notes and "onerror" in told, notes)
    check("and no element", page.locator("#main img").count() == 0 and page.title() == "llm autoscale")
    check("a pause is told", "Paused by ann@host since 2026-11-28 09:00:00 until" in notes, notes)
    page.locator("nav button", has_text="cluster.train").click()
    until(page, "document.querySelectorAll('#log > li').length > 1")


def keeps_up(page, url):
    before = drawn(page)[0][0]
    do("look")
    until(page, f"charts[0].plot.data[0].length === {before + 1}")
    as_told(page, url)
    check("it keeps up", True)


def survives(page, url):
    had = drawn(page)[0][0]
    do("stop")
    page.wait_for_selector("#banner:not([hidden])", timeout=15000)
    banner = page.locator("#banner").inner_text()
    check("it says since when it hears nothing", "Not reachable since 20" in banner, banner)
    check("what was there stays", drawn(page)[0][0] == had and page.locator("#log > li").count() > 1)
    do("start")
    page.wait_for_selector("#banner", state="hidden", timeout=15000)
    until(page, f"charts[0].plot.data[0].length >= {had}")
    do("look")
    until(page, f"charts[0].plot.data[0].length > {had}")
    check("it goes on where it was", drawn(page)[0][0] > had)
    as_told(page, url)


def reads_well(browser, url, folder):
    for scheme in ("light", "dark"):
        for width in (375, 1280):
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page = context.new_page()
            page.goto(url)
            page.wait_for_selector("#main:not([hidden])")
            wide = page.evaluate("document.documentElement.scrollWidth")
            check(f"it fits {width} px, {scheme}", wide <= width, wide)
            at = page.evaluate("charts[1].plot.valToPos(heard.get('cluster.train').log[1].at / 1000, 'x')")
            page.locator("#charts .u-over").nth(1).hover(position={"x": at + 3, "y": 40})
            said = page.locator("#readout").inner_text()
            check("a point on the axis tells numbers and decision", "jobs wait" in said and "launches 8 nodes" in said, said)
            page.screenshot(path=folder / f"page-{width}-{scheme}.png", full_page=True)
            context.close()


def reaches(page):
    """Whoever sees nothing, or has no mouse."""
    label = page.locator("#charts").get_attribute("aria-label")
    check("the charts say what they show", "jobs wait" in label, label)
    page.locator("#numbers summary").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#rows tr")
    rows = page.locator("#rows tr").count()
    check("the same stands in a table", rows == drawn(page)[0][0], rows)
    roles = [page.locator(it).get_attribute("role") for it in ("#banner", "#service")]
    check("news is announced", roles == ["alert", "status"], roles)


def main():
    url, folder = sys.argv[1], Path(sys.argv[2])
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        wrong = loads(page, url)
        hostile(page, url)
        keeps_up(page, url)
        reaches(page)
        check("the browser complains of nothing", wrong == [], wrong)
        survives(page, url)
        reads_well(browser, url, folder)
        browser.close()
    print("page: all of it holds", flush=True)


main()
