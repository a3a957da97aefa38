// Tries the HTML report in Chromium: `node tests/browser/report.mjs REPORT.html [FOLDER]`. Needs `npm install playwright-core` and a
// Chromium, whose path is in CHROMIUM (default /usr/bin/chromium). FOLDER gets pictures at two sizes in both color schemes. After
// `npm install axe-core`, the rules of axe for WCAG 2.2 AA are tried too.
// Exits with 1 where something does not hold, and prints the milliseconds that loading and filtering take.

import { createRequire } from "node:module";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.cwd(), "package.json"));
const { chromium } = require("playwright-core");
const axe = (() => {
  try {
    return readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
  } catch {
    return null;
  }
})();

const [file, pictures] = process.argv.slice(2);
const address = pathToFileURL(resolve(file)).href;
const profile = mkdtempSync(join(tmpdir(), "report-"));
const options = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    .concat(["--disable-component-update", "--disable-sync"]),
};
let failed = false;
const ensure = (holds, what) => {
  console.log(`${holds ? "ok  " : "FAIL"} ${what}`);
  failed ||= !holds;
};
const luminance = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const contrast = (a, b) => {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
};

const context = await chromium.launchPersistentContext(profile, { ...options, viewport: { width: 1280, height: 900 } });
const page = await context.newPage();
const errors = [];
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
page.on("pageerror", (error) => errors.push(String(error)));
const requests = [];
page.on("request", (request) => requests.push(request.url()));

const before = performance.now();
await page.goto(address, { waitUntil: "load" });
await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
// "12 findings" or "3 of 12 findings": not all that are shown are drawn.
const said = async () => ((await page.textContent("#shown")) || "0").replaceAll(",", "").match(/\d+/g).map(Number);
const all = (await said()).at(-1);
console.log(`loaded and drawn after ${Math.round(performance.now() - before)} ms, ${all} findings`);
ensure(requests.every((url) => url === address), "nothing else is loaded");

const shown = async () => (await said())[0];
// From the change of a value to the next frame.
const timed = (what, change) =>
  page.evaluate(change).then(async () => {
    const ms = await page.evaluate(() => window.took);
    console.log(`${what}: ${Math.round(ms)} ms`);
    return ms;
  });
// A report without findings has nothing to filter.
if (all > 0) {
  const slowest = [];
  slowest.push(
    await timed("filter by severity", async () => {
      const start = performance.now();
      document.querySelector("[name=severity][value='0']").click();
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      window.took = performance.now() - start;
    }),
  );
  ensure((await shown()) < all || all === 0, "a severity is left out");
  await page.click("#clear");
  for (const [n, word] of ["s3", "iam role", "no-such-word"].entries()) {
    await page.fill("#search", "");
    await page.waitForTimeout(150);
    slowest.push(
      await timed(`search ${word}${n === 0 ? " (first)" : ""}`, `(async () => {
        const start = performance.now();
        document.querySelector("#search").value = ${JSON.stringify(word)};
        document.querySelector("#by-r").dispatchEvent(new Event("change", { bubbles: true }));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        window.took = performance.now() - start;
      })()`),
    );
  }
  ensure((await shown()) === 0, "a word that no finding has shows none");
  ensure((await page.textContent("#shown")).startsWith("0 of "), "the number of shown findings is said");
  await page.click("#clear");
  ensure((await shown()) === all, "reset shows all");
  for (const key of ["f", "r", "p", "i", "s"]) {
    slowest.push(
      await timed(`group by ${key}`, `(async () => {
        const start = performance.now();
        document.querySelector("#group").value = "${key}";
        document.querySelector("#group").dispatchEvent(new Event("change", { bubbles: true }));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        window.took = performance.now() - start;
      })()`),
    );
    ensure((await shown()) === all, `all are there when grouped by ${key}`);
  }
  console.log(`slowest: ${Math.round(Math.max(...slowest))} ms`);

  const facet = page.locator("[data-facet=r] tbody tr").first();
  await page.evaluate(() => document.querySelectorAll(".facet").forEach((d) => (d.open = true)));
  const number = Number(await facet.locator("td").last().textContent());
  await facet.locator("button").click();
  ensure((await shown()) === number, "a row of the overview shows its findings");
  await page.click("#clear");
  await page.keyboard.press("Escape");
  await page.locator("#findings").focus();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  ensure((await page.locator("li[data-s] > details[open]").count()) === 1, "j and Enter expand the first finding");
  await page.keyboard.press("/");
  ensure(await page.evaluate(() => document.activeElement.id === "search"), "/ goes to the search");
  await page.keyboard.type("zzzz");
  await page.waitForTimeout(200);
  ensure((await shown()) === 0, "typing filters");
  await page.keyboard.press("Escape");
  ensure((await shown()) === all, "Escape clears the search");

  const isFocused = (id) => page.evaluate((id) => document.activeElement.id === id, id);
  await page.locator("#keys").focus();
  await page.keyboard.press("Space");
  await page.locator("#findings").focus();
  await page.keyboard.press("j");
  await page.keyboard.press("/");
  ensure(await isFocused("findings"), "shortcuts can be switched off");
  await page.click("#clear");
  ensure(!(await page.isChecked("#keys")), "reset leaves the shortcuts off");
  await page.check("#keys");

  await page.reload();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  ensure(await isFocused("search"), "the first link skips to the filters and the findings");
  await page.reload();
  const rules = page.locator("[id^=rule-] > summary").last();
  const last = (await rules.count()) > 0 ? rules : page.locator("li[data-s] > details > summary").last();
  let [stops, hidden, ended] = [0, 0, false];
  while (!ended && stops < 2000) {
    await page.keyboard.press("Tab");
    stops += 1;
    const at = await last.evaluate((last) => {
      const { activeElement: e } = document;
      const { top, bottom } = e.getBoundingClientRect();
      const { outlineStyle, outlineWidth } = getComputedStyle(e);
      return {
        seen: outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2 && bottom > 0 && top < innerHeight,
        ended: e === last,
      };
    });
    if (!at.seen) hidden += 1;
    ended = at.ended;
  }
  ensure(ended, `Tab goes through the page: ${stops} stops`);
  ensure(hidden === 0, `the focus is visible at every stop (${hidden} without)`);
}
const structure = await page.evaluate(() => ({
  landmarks: ["header", "main", "footer", "[role=search]"].every((s) => document.querySelector(s)),
  headings: document.querySelectorAll("h1").length === 1 && document.querySelectorAll("h2").length >= 1,
  unlabeled: [...document.querySelectorAll("input, select, button")].filter(
    (e) => !(e.labels?.length > 0 || e.textContent.trim() || e.getAttribute("aria-label")),
  ).length,
  twice: document.querySelectorAll("[id]").length - new Set([...document.querySelectorAll("[id]")].map((e) => e.id)).size,
}));
ensure(structure.landmarks && structure.headings, "landmarks and headings");
ensure(structure.unlabeled === 0, "every control has a label");
ensure(structure.twice === 0, "every id is there once");

for (const scheme of ["light", "dark"]) {
  await page.emulateMedia({ colorScheme: scheme });
  const pairs = await page.evaluate(() => {
    const rgb = (text) => text.match(/[\d.]+/g).map(Number);
    const ground = (e) => {
      for (let at = e; at; at = at.parentElement) {
        const color = rgb(getComputedStyle(at).backgroundColor);
        if (color.length === 3 || color[3] > 0) return color.slice(0, 3);
      }
      return [255, 255, 255];
    };
    const texts = ".verdict, header p, .count, .severity, .place code, .message, .number, mark, span.primary, span.secondary, dt, dd, a, kbd, .keys, button, select, footer p, th, figcaption code";
    document.querySelector("li[data-s] > details")?.setAttribute("open", "");
    return [...document.querySelectorAll(texts)]
      .slice(0, 4000)
      .map((e) => [e.className || e.tagName, rgb(getComputedStyle(e).color).slice(0, 3), ground(e)]);
  });
  const low = pairs.map(([name, a, b]) => [name, contrast(a, b)]).filter(([, ratio]) => ratio < 4.5);
  ensure(low.length === 0, `contrast of 4.5 in ${scheme} mode ${low.slice(0, 3).join("; ")}`);
  for (const [name, width, height] of [["wide", 1280, 900], ["narrow", 390, 844]]) {
    await page.setViewportSize({ width, height });
    await page.evaluate(() => scrollTo(0, 0));
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    ensure(overflow <= 0, `nothing is wider than the window: ${name}, ${scheme}`);
    if (pictures) {
      await page.screenshot({ path: join(pictures, `${name}-${scheme}-top.png`) });
      await page.evaluate(() => document.querySelector("li[data-s]")?.scrollIntoView({ behavior: "instant" }));
      await page.screenshot({ path: join(pictures, `${name}-${scheme}-finding.png`) });
    }
  }
}

// A window of 1280 pixels at 200 % and at 400 %, and letters of twice the size.
for (const [width, height] of [[640, 400], [320, 256]]) {
  await page.setViewportSize({ width, height });
  ensure(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `nothing is wider than ${width} pixels`);
}
await page.setViewportSize({ width: 1280, height: 900 });
const grown = await page.evaluate(() => {
  const size = () => Number.parseFloat(getComputedStyle(document.querySelector(".message") ?? document.body).fontSize);
  const before = size();
  document.documentElement.style.fontSize = "200%";
  const after = size();
  const fits = document.documentElement.scrollWidth <= innerWidth;
  document.documentElement.style.fontSize = "";
  return after === 2 * before && fits;
});
ensure(grown, "the text grows with the size that the browser is set to");

// Paper is white, whatever the screen is.
await page.emulateMedia({ media: "print", colorScheme: "dark" });
await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
const paper = await page.evaluate(() => ({
  color: getComputedStyle(document.body).backgroundColor,
  findings: document.querySelectorAll("li[data-s]").length,
  closed: [...document.querySelectorAll("li[data-s]")].slice(0, 50).filter((f) => f.querySelector(".body").getClientRects().length === 0).length,
  rows: [...document.querySelectorAll(".facet tbody tr")].filter((row) => row.getClientRects().length === 0).length,
  filters: [...document.querySelectorAll("form input, form select, form button")].filter((e) => e.getClientRects().length > 0).length,
}));
ensure(paper.color === "rgb(255, 255, 255)", "print is dark on white in dark mode");
ensure(paper.findings === all && paper.closed === 0 && paper.rows === 0, "print has all findings, expanded, and all rows");
ensure(paper.filters === 0, "print has no controls");
await page.emulateMedia({ media: "screen", colorScheme: "light", forcedColors: "active" });
if (all > 0) {
  const adjust = await page.evaluate(
    () => getComputedStyle(document.querySelector("li[data-s] summary"), "::before").forcedColorAdjust,
  );
  ensure(adjust === "none", "forced colors leave the markers as they are");
}
ensure(errors.length === 0, `the console has no errors ${errors.slice(0, 2).join("; ")}`);
await context.close();

const plain = await chromium.launch(options);
for (const scheme of axe ? ["light", "dark"] : []) {
  for (const [width, height] of [[1280, 800], [390, 844]]) {
    const other = await plain.newContext({ bypassCSP: true, colorScheme: scheme, viewport: { width, height } });
    const tried = await other.newPage();
    await tried.goto(address);
    // Of what a browser has not laid out yet, axe takes the colors from elsewhere.
    await tried.addStyleTag({ content: ".group > ol > li { content-visibility: visible !important; }" });
    await tried.evaluate(() => {
      [...document.querySelectorAll("#list li[data-s]")].slice(30).forEach((f) => f.remove());
      document.querySelectorAll(".group").forEach((g) => g.querySelector("li") || g.remove());
      document.querySelectorAll("details").forEach((d) => (d.open = true));
    });
    await tried.evaluate(axe);
    const broken = await tried.evaluate(async () => {
      const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
      const { violations } = await globalThis.axe.run(document, { runOnly: tags });
      return violations.map((v) => `${v.id}: ${v.nodes[0].html.slice(0, 80)}`);
    });
    ensure(broken.length === 0, `axe finds nothing at ${width}x${height} in ${scheme} mode ${broken.slice(0, 2).join("; ")}`);
    await other.close();
  }
}
const bare = await (await plain.newContext({ javaScriptEnabled: false })).newPage();
await bare.goto(address);
ensure((await bare.locator("li[data-s]").count()) === all, "without a script, all findings are listed");
if (all > 0) {
  await bare.locator("li[data-s] summary").first().click();
  ensure(await bare.locator("li[data-s] .body").first().isVisible(), "without a script, a finding expands");
}
ensure(!(await bare.locator("#filters").isVisible()), "without a script, there is no form that does nothing");
await plain.close();
rmSync(profile, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
