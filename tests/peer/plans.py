"""Plans in the formats for other readers, before their readers: pages in a real browser, comments
through a renderer of Markdown, pictures through a rasteriser and Graphviz.

Usage: plans.py MLINFRA QUICKSTART.hcl FOLDER-FOR-SCREENSHOTS
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import resvg_py
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from playwright.sync_api import sync_playwright

# As packages install it: Playwright's own comes from elsewhere.
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# GitHub refuses longer comments.
LIMIT = 65_536
HOSTILE = "</pre></script><img src=x onerror=alert(1)> `x`|@octocat ![a](http://evil.test/b) www.evil.test"
TAGS = f"""
bucket "hostile" {{
  tags = {{ note = {json.dumps(HOSTILE)} }}
}}

output "hostile" {{
  value = {json.dumps(HOSTILE)}
}}
"""
MANY = """
stack "many" {
  region = "us-east-1"
}

queue "jobs" {
  count = 5000
}
"""


def check(name, holds, more=""):
    assert holds, f"{name}: {more}"
    print(f"holds: {name}", flush=True)


class Stack:
    def __init__(self, binary, folder, text):
        self.binary, self.folder = binary, folder
        folder.mkdir()
        (folder / "main.hcl").write_text(text)

    def run(self, *args, code=(0,)):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "MLINFRA_SANDBOX": "1",
               "MLINFRA_INPUT": "0", "NO_COLOR": "1"}
        done = subprocess.run([self.binary, *args], cwd=self.folder, capture_output=True, text=True,
                              env=env, timeout=600)
        assert done.returncode in code, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def plan(self, form, *more):
        return self.run("plan", "--format", form, *more)


# -- Markdown -----------------------------------------------------------------------------------


def rendered(markdown):
    """As GitHub does: CommonMark with tables, strikethrough and links that nobody has marked."""
    return BeautifulSoup(MarkdownIt("gfm-like", {"html": True, "linkify": True}).render(markdown), "html.parser")


def comment(stack, name):
    markdown = stack.plan("md")
    check(f"{name}: it has room in a comment", len(markdown.encode()) < LIMIT, len(markdown.encode()))
    first = markdown.splitlines()[0]
    check(f"{name}: the marker stands first", first == f"<!-- mlinfra-plan:{name} -->", first)
    page = rendered(markdown)
    for element in ("img", "script", "a", "h1", "h2", "ol", "iframe"):
        check(f"{name}: no <{element}>", page.find(element) is None, page.find(element))
    titles = [it.get_text() for it in page.find_all("h3")]
    check(f"{name}: one heading", len(titles) == 1 and name in titles[0], titles)
    lines = [it.get_text() for it in page.find_all("p")]
    check(f"{name}: totals come first", lines[0].startswith("Plan: "), lines[:2])
    check(f"{name}: then what it costs", "Cost: $" in lines[0] or "Cost: only" in lines[0], lines[:2])
    opened, ends = markdown.count("<details>"), markdown.count("</details>")
    check(f"{name}: what opens closes", opened == ends == len(page.find_all("details")), (opened, ends))
    check(f"{name}: each part is code", all(it.find("pre") for it in page.find_all("details")))
    summaries = [it.find("summary").get_text() for it in page.find_all("details")]
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in page.find("table").find_all("tr")[1:]]
    check(f"{name}: the table has a row for each block",
          all(any(row[0] in it for it in summaries) for row in rows), (rows, summaries))
    outside = BeautifulSoup(str(page), "html.parser")
    for code in outside.find_all(["code", "pre"]):
        code.decompose()
    check(f"{name}: nobody is mentioned", "@" not in outside.get_text())
    return markdown, page, rows


def comments(stack, many):
    markdown, page, rows = comment(stack, "quickstart")
    check("blocks of the table", sorted(row[0] for row in rows) == [
        "bucket.checkpoints", "bucket.datasets", "bucket.hostile", "cluster.train", "network.main",
        "queue.training"], rows)
    code = "\n".join(it.get_text() for it in page.find_all("pre"))
    check("what is hostile stands there as it is", "onerror=alert(1)" in code, code[-500:])
    check("signs begin their lines", "\n+ create network.main/nat-address" in code)
    costs = next(row[2] for row in rows if row[0] == "cluster.train")
    check("costs before and after", costs.startswith("$0.00 → $5.02/h"), costs)
    _, page, rows = comment(many, "many")
    check("ten thousand changes are one row", len(rows) == 2 and "5000" in page.get_text(), rows)
    return markdown


# -- HTML ---------------------------------------------------------------------------------------

# What stands out of the page, unless it can be scrolled to.
OVERFLOWS = """() => {
  const wide = document.documentElement.clientWidth;
  const inside = (it) => it.closest('.scroll, pre, svg');
  const bad = [...document.body.querySelectorAll('*')].filter((it) => !inside(it) || it.matches('.scroll, pre'));
  return bad.filter((it) => it.getBoundingClientRect().right > wide + 1).map((it) => it.outerHTML.slice(0, 120));
}"""

# Texts whose colour is too near to what is behind them (WCAG 2.2, 1.4.3: 4.5 to 1).
PALE = """() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const linear = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (it) => {
    for (; it; it = it.parentElement) {
      if (it.matches('.picture g')) return parts(getComputedStyle(it.querySelector('rect')).fill);
      const colour = parts(getComputedStyle(it).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const bad = [];
  for (const it of document.querySelectorAll('body *')) {
    const own = [...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || it.matches('title, desc, style')) continue;
    const style = getComputedStyle(it);
    const [a, b] = [light(parts(it.matches('text') ? style.fill : style.color)), light(behind(it))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push([ratio.toFixed(2), it.outerHTML.slice(0, 100)]);
  }
  return bad;
}"""

# What a screen reader needs.
UNNAMED = """() => {
  const bad = [];
  const named = (it) => it.getAttribute('aria-label') ||
    (it.getAttribute('aria-labelledby') || '').split(' ').some((id) => id && document.getElementById(id)?.textContent.trim());
  const levels = [...document.querySelectorAll('h1, h2, h3')].map((it) => Number(it.tagName[1]));
  if (levels[0] !== 1 || levels.filter((it) => it === 1).length !== 1) bad.push(`headings ${levels}`);
  levels.reduce((a, b) => { if (b > a + 1) bad.push(`headings ${levels}`); return b; });
  for (const it of document.querySelectorAll('table')) if (!it.caption?.textContent) bad.push('a table without caption');
  for (const it of document.querySelectorAll('th')) if (!it.scope) bad.push('a th without scope');
  for (const it of document.querySelectorAll('section, .scroll, svg:not([aria-hidden])')) if (!named(it)) bad.push(it.outerHTML.slice(0, 80));
  for (const it of document.querySelectorAll('.scroll, pre')) if (it.tabIndex !== 0) bad.push('what scrolls takes no key');
  const ids = [...document.querySelectorAll('[id]')].map((it) => it.id);
  if (new Set(ids).size !== ids.length) bad.push(`ids ${ids}`);
  if (!document.documentElement.lang || !document.querySelector('main')) bad.push('no language or no main');
  return bad;
}"""


def looked_at(browser, path, folder, name):
    for scheme in ("light", "dark"):
        for width in (360, 800, 1400):
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page = context.new_page()
            asked, wrong = [], []
            page.on("request", lambda it: asked.append(it.url))
            page.on("console", lambda it: wrong.append(it.text))
            page.on("pageerror", lambda it: wrong.append(str(it)))
            page.on("dialog", lambda it: wrong.append(it.message))
            page.goto(f"file://{path}")
            page.evaluate("document.querySelectorAll('details').forEach((it) => { it.open = true; })")
            where = f"{name} at {width} px, {scheme}"
            over = page.evaluate(OVERFLOWS)
            check(f"{where}: nothing overflows", over == [], over[:5])
            wide = page.evaluate("document.documentElement.scrollWidth")
            check(f"{where}: it does not scroll sideways", wide <= width, wide)
            pale = page.evaluate(PALE)
            check(f"{where}: every text can be read", pale == [], pale[:5])
            unnamed = page.evaluate(UNNAMED)
            check(f"{where}: everything has a name", unnamed == [], unnamed[:5])
            page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
            check(f"{where}: nothing else is asked for", asked == [f"file://{path}"], asked)
            check(f"{where}: the browser complains of nothing", wrong == [], wrong)
            context.close()


def policed(browser, path):
    """Even what would get into the page could do nothing."""
    page = browser.new_page()
    blocked = []
    page.on("requestfailed", lambda it: blocked.append((it.url, it.failure)))
    page.goto(f"file://{path}")
    page.evaluate("""() => {
        document.body.insertAdjacentHTML('beforeend', '<img src="http://evil.test/x"><p style="color: red" id="bad" onclick="x = 1">x</p>');
        const script = document.createElement('script');
        script.textContent = 'window.ran = true';
        document.body.append(script);
    }""")
    page.wait_for_timeout(200)
    check("its policy lets no script run", page.evaluate("window.ran") is None)
    check("and no style of others", page.evaluate("getComputedStyle(document.getElementById('bad')).color") != "rgb(255, 0, 0)")
    check("and nothing be fetched", blocked == [("http://evil.test/x", "csp")], blocked)
    page.close()


def pages(stacks, folder):
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, text in stacks.items():
            path = folder / f"{name}.html"
            path.write_text(text)
            looked_at(browser, path, folder, name)
            policed(browser, path)
        browser.close()


# -- pictures -----------------------------------------------------------------------------------


def picture(text, folder, name):
    tree = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    boxes = [[float(it.get(key)) for key in ("x", "y", "width", "height")] for it in tree.iter(f"{space}rect")]
    wide, high = float(tree.get("width")), float(tree.get("height"))
    for at, (x, y, w, h) in enumerate(boxes):
        check(f"{name}: a box is in the picture", 0 <= x and x + w <= wide and 0 <= y and y + h <= high) if at == 0 else None
        assert 0 <= x and x + w <= wide and 0 <= y and y + h <= high, (name, at)
        for x2, y2, w2, h2 in boxes[at + 1:]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y, f"{name}: two boxes on each other"
    words = [it.text for it in tree.iter(f"{space}text") if it.get("class") == "sign"]
    check(f"{name}: each box says in sign and word what happens", len(words) == len(boxes) and all(
        re.match(r"(\+|~|-|-/\+|\+/-|!|->|in|out) \w+", it) for it in words), words)
    png = bytes(resvg_py.svg_to_bytes(svg_string=text, background="white", font_family="DejaVu Sans Mono",
                                      monospace_family="DejaVu Sans Mono"))
    check(f"{name}: it can be rasterised", png[:8] == b"\x89PNG\r\n\x1a\n" and len(png) > 1000, len(png))
    (folder / f"{name}.svg").write_text(text)
    (folder / f"{name}.png").write_bytes(png)
    return len(boxes)


def graph(text, boxes, folder, name):
    done = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, timeout=60)
    check(f"{name}: Graphviz takes it without a word", (done.returncode, done.stderr) == (0, ""), done.stderr)
    tree = ElementTree.fromstring(done.stdout)
    nodes = [it for it in tree.iter("{http://www.w3.org/2000/svg}g") if it.get("class") == "node"]
    check(f"{name}: and draws as many boxes", len(nodes) == boxes, (len(nodes), boxes))
    (folder / f"{name}-dot.svg").write_text(done.stdout)


def main():
    binary, text, folder = sys.argv[1], Path(sys.argv[2]).read_text(), Path(sys.argv[3]).resolve()
    with tempfile.TemporaryDirectory() as scratch:
        stack = Stack(binary, Path(scratch) / "quickstart", text + TAGS)
        many = Stack(binary, Path(scratch) / "many", MANY)
        begun = time.monotonic()
        comments(stack, many)
        found = {"first": stack.plan("html"), "many": many.plan("html")}
        pictures = {"first": stack, "many": many}
        for name, it in pictures.items():
            graph(it.plan("dot"), picture(it.plan("svg"), folder, name), folder, name)
        json.loads(stack.plan("json"))
        stack.run("apply", "--yes")
        stack.run("sandbox", "edit", "bucket.datasets", "versioning", "false")
        changed = (text + TAGS).replace("g5.8xlarge", "g5.12xlarge").replace('queue "training"', 'queue "other"')
        (stack.folder / "main.hcl").write_text(changed.replace("queue.training", "queue.other"))
        stack.run("plan", "--out", "saved")
        for form in ("md", "html", "svg", "dot", "json"):
            now, saved = stack.plan(form), stack.run("show", "saved", "--format", form)
            check(f"a saved plan is the same as {form}", len(saved) > 100 and now[:40] == saved[:40], saved[:80])
        comment(stack, "quickstart")
        found["changed"] = stack.plan("html")
        graph(stack.plan("dot"), picture(stack.plan("svg"), folder, "changed"), folder, "changed")
        found["destroy"] = stack.plan("html", "--destroy")
        graph(stack.plan("dot", "--destroy"), picture(stack.plan("svg", "--destroy"), folder, "destroy"), folder, "destroy")
        print(f"{time.monotonic() - begun:.0f} s of plans", flush=True)
        pages(found, folder)
    print("plans: all of it holds", flush=True)


main()
