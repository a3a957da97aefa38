"use strict";
(() => {
  const KINDS = { f: "family", r: "rule", p: "file", i: "identity" };
  const SEVERITIES = ["low", "medium", "high", "critical"];
  const $ = (id) => document.getElementById(id);
  const list = $("list");
  const items = [...list.querySelectorAll("li[data-s]")].map((element) => {
    const numbers = (key) => element.dataset[key].split(" ").filter(Boolean);
    return {
      element,
      details: element.firstElementChild,
      s: element.dataset.s,
      f: numbers("f"),
      r: numbers("r"),
      p: numbers("p"),
      i: numbers("i"),
      shown: true,
      text: null,
    };
  });
  if (items.length === 0) return;
  const names = {};
  const collator = new Intl.Collator("en", { numeric: true });

  const option = (value, text) => {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    return made;
  };

  for (const [key, kind] of Object.entries(KINDS)) {
    const select = $("by-" + key);
    const rows = [...document.querySelectorAll(`[data-facet="${key}"] tbody tr`)];
    names[key] = rows.map((row) => row.firstElementChild.textContent);
    select.parentElement.hidden = rows.length === 0;
    select.append(option("", "all"));
    const sorted = rows.map((row, number) => number).sort((a, b) => collator.compare(names[key][a], names[key][b]));
    for (const number of sorted) {
      select.append(option(String(number), `${names[key][number]} (${rows[number].lastElementChild.textContent})`));
    }
    rows.forEach((row, number) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = names[key][number];
      button.title = `Show only the findings of this ${kind}`;
      button.addEventListener("click", () => {
        select.value = String(number);
        filter();
        $("findings").scrollIntoView();
        $("findings").focus({ preventScroll: true });
      });
      row.firstElementChild.replaceChildren(button);
    });
  }
  const group = $("group");
  group.append(option("s", "severity"), ...Object.entries(KINDS).map(([key, kind]) => option(key, kind)));

  const textOf = (item) => (item.text ??= item.element.textContent.toLowerCase());

  const filter = () => {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set([...document.querySelectorAll("[name=severity]:checked")].map((box) => box.value));
    const picked = Object.keys(KINDS).map((key) => [key, $("by-" + key).value]).filter(([, value]) => value !== "");
    let count = 0;
    for (const item of items) {
      const shown =
        severities.has(item.s) &&
        picked.every(([key, value]) => item[key].includes(value)) &&
        words.every((word) => textOf(item).includes(word));
      if (shown !== item.shown) {
        item.shown = shown;
        item.element.hidden = !shown;
      }
      count += shown;
    }
    for (const section of list.querySelectorAll(".group")) {
      const shown = section.querySelectorAll("li[data-s]:not([hidden])").length;
      section.hidden = shown === 0;
      section.querySelector(".count").textContent = String(shown);
    }
    const whole = items.length.toLocaleString("en");
    $("shown").textContent =
      count === items.length ? `${whole} findings` : `${count.toLocaleString("en")} of ${whole} findings`;
  };

  const labelOf = (item, key) => {
    if (key === "s") return SEVERITIES[item.s];
    const labels = item[key].map((number) => names[key][number]);
    if (labels.length === 0) return "of no identity";
    return labels.length > 3 ? `${labels.slice(0, 3).join(", ")}, and ${labels.length - 3} more` : labels.join(", ");
  };

  const regroup = () => {
    const key = group.value;
    const groups = new Map();
    for (const item of items) {
      const label = labelOf(item, key);
      if (!groups.has(label)) groups.set(label, []);
      groups.get(label).push(item);
    }
    let order = [...groups];
    const worst = ([, members]) => Math.max(...members.map((item) => Number(item.s)));
    order = order.map((entry) => [entry, worst(entry)]).sort((a, b) => b[1] - a[1] || collator.compare(a[0][0], b[0][0]));
    const made = order.map(([[label, members]]) => {
      const section = document.createElement("section");
      section.className = "group";
      const heading = document.createElement("h3");
      const count = document.createElement("span");
      count.className = "count";
      heading.append(label, " ", count);
      const ordered = document.createElement("ol");
      ordered.setAttribute("role", "list");
      ordered.append(...members.map((item) => item.element));
      section.append(heading, ordered);
      return section;
    });
    list.replaceChildren(...made);
    filter();
  };

  let waiting = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 100);
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("filters").addEventListener("change", (event) => {
    if (event.target === group) regroup();
    else if (event.target !== $("search")) filter();
  });
  $("clear").addEventListener("click", () => {
    $("filters").reset();
    regroup();
  });
  const unfold = $("unfold");
  unfold.addEventListener("click", () => {
    const open = unfold.textContent === "Unfold all";
    for (const item of items) if (item.shown || !open) item.details.open = open;
    unfold.textContent = open ? "Fold all" : "Unfold all";
  });

  const step = (forward) => {
    const shown = [...list.querySelectorAll("li[data-s]:not([hidden]) > details > summary")];
    const current = document.activeElement.closest?.("li[data-s]");
    const at = current ? shown.findIndex((summary) => current.contains(summary)) : -1;
    const next = shown[at < 0 ? (forward ? 0 : shown.length - 1) : at + (forward ? 1 : -1)];
    next?.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea")) {
      if (event.key === "Escape" && event.target === $("search")) {
        $("search").value = "";
        filter();
      }
      return;
    }
    if (event.key === "/") {
      event.preventDefault();
      $("search").focus();
    } else if (event.key === "j" || event.key === "k") {
      step(event.key === "j");
    }
  });

  const openTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = target && (target.matches("details") ? target : target.querySelector(":scope > details"));
    if (!details) return;
    details.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", openTarget);
  $("filters").hidden = false;
  filter();
  openTarget();
})();
