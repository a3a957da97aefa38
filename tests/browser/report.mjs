// Tries the HTML report in Chromium: `node tests/browser/report.mjs REPORT.html [FOLDER]`. Needs `npm install playwright-core` and a
// Chromium, whose path is in CHROMIUM (default /usr/bin/chromium). FOLDER gets pictures at two sizes in both color schemes.
// Exits with 1 where something does not hold, and prints the milliseconds that loading and filtering take.

import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.cwd(), "package.json"));
const { chromium } = require("playwright-core");

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

if (all > 0) {
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
  ensure((await page.locator("li[data-s] > details[open]").count()) === 1, "j and Enter unfold the first finding");
  await page.keyboard.press("/");
  ensure(await page.evaluate(() => document.activeElement.id === "search"), "/ goes to the search");
  await page.keyboard.type("zzzz");
  await page.waitForTimeout(200);
  ensure((await shown()) === 0, "typing filters");
  await page.keyboard.press("Escape");
  ensure((await shown()) === all, "Escape clears the search");
}
const structure = await page.evaluate(() => ({
  landmarks: ["header", "main", "footer", "[role=search]"].every((s) => document.querySelector(s)),
  headings: document.querySelectorAll("h1").length === 1 && document.querySelectorAll("h2").length >= 2,
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
ensure(errors.length === 0, `the console has no errors ${errors.slice(0, 2).join("; ")}`);
await context.close();

const plain = await chromium.launch(options);
const bare = await (await plain.newContext({ javaScriptEnabled: false })).newPage();
await bare.goto(address);
ensure((await bare.locator("li[data-s]").count()) === all, "without a script, all findings are listed");
ensure(!(await bare.locator("#filters").isVisible()), "without a script, there is no form that does nothing");
await plain.close();
rmSync(profile, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
