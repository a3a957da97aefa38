"use strict";
(() => {
  const KINDS = { f: "family", r: "rule", p: "file", i: "identity" };
  const PLURALS = { f: "families", r: "rules", p: "files", i: "identities" };
  const SEVERITIES = ["low", "medium", "high", "critical"];
  // More findings, and more rows of the overview, are drawn when they are asked for.
  const PAGE = 100;
  const ROWS = 5;
  const $ = (id) => document.getElementById(id);
  const list = $("list");
  const source = list.querySelector("noscript")?.textContent;
  if (!source) return;

  // Where scripts run, a browser keeps the list as text: it takes no time until a part of it is drawn.
  const items = [];
  const head = /<li\sid="f\d+" data-s="(\d)" data-f="(\d*)" data-r="(\d*)" data-p="(\d*)" data-i="([\d ]*)">/g;
  for (let found = head.exec(source); found; ) {
    const start = found.index;
    const [, s, ...kinds] = found;
    const [f, r, p, i] = kinds.map((numbers) => numbers.split(" ").filter(Boolean));
    found = head.exec(source);
    const end = source.lastIndexOf("</li>", found?.index ?? source.length) + 5;
    items.push({ number: items.length, markup: source.slice(start, end), s, f, r, p, i, element: null, text: null });
  }
  const names = {};
  const collator = new Intl.Collator("en", { numeric: true });
  const whole = (number) => number.toLocaleString("en");
  const findings = (number) => `${whole(number)} ${number === 1 ? "finding" : "findings"}`;

  const option = (value, text) => {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    return made;
  };
  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  };

  const makeRow = (key, row, number) => {
    const made = button(names[key][number], () => {
      $("by-" + key).value = String(number);
      arrange();
      $("findings").scrollIntoView();
      $("findings").focus({ preventScroll: true });
    });
    made.title = `Show only the findings of this ${KINDS[key]}`;
    row.firstElementChild.replaceChildren(made);
    row.className = "shown";
    row.hidden = false;
  };

  const narrow = matchMedia("(max-width: 40rem)").matches;
  for (const key of Object.keys(KINDS)) {
    const select = $("by-" + key);
    const rows = [...document.querySelectorAll(`[data-facet="${key}"] tbody tr`)];
    names[key] = rows.map((row) => row.firstElementChild.textContent);
    select.parentElement.hidden = rows.length === 0;
    const sorted = rows.map((row, number) => number).sort((a, b) => collator.compare(names[key][a], names[key][b]));
    select.append(
      option("", "all"),
      ...sorted.map((n) => option(String(n), `${names[key][n]} (${rows[n].lastElementChild.textContent})`)),
    );
    // Two more rows take no more room than the button; `page.css` knows of 7.
    const first = rows.length > ROWS + 2 ? ROWS : rows.length;
    rows.forEach((row, number) => (number < first ? makeRow(key, row, number) : (row.hidden = true)));
    const facet = rows[0]?.closest("details");
    // Its rows are buttons now: the keyboard reaches all of it without a stop of its own.
    const scroll = facet?.querySelector(".scroll");
    for (const name of ["tabindex", "role", "aria-label"]) scroll?.removeAttribute(name);
    let made = first;
    const more = button("", () => {
      const at = made;
      made = Math.min(made + PAGE, rows.length);
      rows.slice(at, made).forEach((row, number) => makeRow(key, row, number + at));
      rows[at].querySelector("button").focus();
      label();
    });
    const label = () => {
      const left = rows.length - made;
      more.textContent =
        left > PAGE ? `Show ${PAGE} more of ${whole(rows.length)} ${PLURALS[key]}` : `Show all ${whole(rows.length)} ${PLURALS[key]}`;
      if (left === 0) more.remove();
    };
    more.className = "more";
    if (made < rows.length) facet.append(more);
    label();
    if (facet && narrow) facet.open = false;
  }

  const group = $("group");
  group.append(option("s", "severity"), ...Object.entries(KINDS).map(([key, kind]) => option(key, kind)));
  const isBySeverity = items.every((item, n) => n === 0 || item.s <= items[n - 1].s);
  if (!isBySeverity) group.querySelector("[value=p]").defaultSelected = true;

  const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&" };
  const textOf = (item) =>
    (item.text ??= item.markup
      .replace(/<[^>]*>/g, "")
      .replace(/&(?:lt|gt|quot|amp);/g, (entity) => ENTITIES[entity])
      .toLowerCase());

  const labelOf = (item, key) => {
    if (key === "s") return SEVERITIES[item.s];
    const labels = item[key].map((number) => names[key][number]);
    if (labels.length === 0) return "no identity";
    return labels.length > 3 ? `${labels.slice(0, 3).join(", ")}, and ${labels.length - 3} more` : labels.join(", ");
  };

  // What is shown, in its order, and how much of it is drawn.
  let order = [];
  let drawn = 0;
  let expanded = false;
  const more = button("", () => {
    const at = drawn;
    draw(drawn + PAGE);
    order[at].item.element.querySelector("summary").focus();
  });
  more.className = "more";

  const elementsOf = (wanted) => {
    const missing = wanted.filter((item) => !item.element);
    const made = document.createElement("template");
    made.innerHTML = missing.map((item) => item.markup).join("");
    missing.forEach((item, n) => (item.element = made.content.children[n]));
    for (const item of wanted) if (expanded) item.element.firstElementChild.open = true;
  };

  const draw = (end) => {
    const next = order.slice(drawn, end);
    elementsOf(next.map(({ item }) => item));
    for (const { item, at } of next) {
      if (!at.list) {
        const section = document.createElement("section");
        section.className = "group";
        const heading = document.createElement("h3");
        const count = document.createElement("span");
        count.className = "count";
        count.textContent = whole(at.members.length);
        heading.append(at.label, " ", count);
        at.list = document.createElement("ol");
        at.list.setAttribute("role", "list");
        section.append(heading, at.list);
        list.append(section);
      }
      at.list.append(item.element);
    }
    drawn += next.length;
    const left = order.length - drawn;
    more.textContent = left > PAGE ? `Show ${PAGE} more of ${findings(order.length)}` : `Show all ${findings(order.length)}`;
    if (left > 0) list.append(more);
    else more.remove();
  };

  const arrange = () => {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = new Set([...document.querySelectorAll("[name=severity]:checked")].map((box) => box.value));
    const picked = Object.keys(KINDS).map((key) => [key, $("by-" + key).value]).filter(([, value]) => value !== "");
    const shown = items.filter(
      (item) =>
        severities.has(item.s) &&
        picked.every(([key, value]) => item[key].includes(value)) &&
        words.every((word) => textOf(item).includes(word)),
    );
    const groups = new Map();
    for (const item of shown) {
      const label = labelOf(item, group.value);
      if (!groups.has(label)) groups.set(label, { label, members: [], worst: 0, list: null });
      const at = groups.get(label);
      at.members.push(item);
      at.worst = Math.max(at.worst, Number(item.s));
    }
    const sorted = [...groups.values()].sort((a, b) => b.worst - a.worst || collator.compare(a.label, b.label));
    order = sorted.flatMap((at) => at.members.map((item) => ({ item, at })));
    list.replaceChildren();
    drawn = 0;
    draw(PAGE);
    if (order.length === 0) {
      const none = document.createElement("p");
      none.className = "none";
      none.textContent = "No finding matches. Change the search or the filters, or reset them.";
      list.append(none);
    }
    $("shown").textContent =
      shown.length === items.length ? findings(items.length) : `${whole(shown.length)} of ${findings(items.length)}`;
  };

  let waiting = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(arrange, 100);
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("filters").addEventListener("change", (event) => {
    if (event.target !== $("search") && event.target !== $("keys")) arrange();
  });
  const reset = () => {
    const { checked } = $("keys");
    $("filters").reset();
    $("keys").checked = checked;
    arrange();
  };
  $("clear").addEventListener("click", reset);
  const expand = $("expand");
  expand.addEventListener("click", () => {
    expanded = !expanded;
    for (const { element } of items) if (element) element.firstElementChild.open = expanded;
    expand.textContent = expanded ? "Collapse all" : "Expand all";
  });

  const step = (forward) => {
    const current = document.activeElement.closest?.("li[data-s]");
    const at = order.findIndex(({ item }) => item.element === current);
    const next = current ? at + (forward ? 1 : -1) : forward ? 0 : drawn - 1;
    if (next === drawn) draw(drawn + PAGE);
    order[next]?.item.element.querySelector("summary").focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("[type=search], select")) {
      if (event.key === "Escape" && event.target === $("search")) {
        $("search").value = "";
        arrange();
      }
      return;
    }
    // Who speaks to a computer, or hits keys by accident, can switch them off.
    if (!$("keys").checked) return;
    if (event.key === "/") {
      event.preventDefault();
      $("search").focus();
    } else if (event.key === "j" || event.key === "k") {
      step(event.key === "j");
    }
  });

  const openTarget = () => {
    const id = location.hash.slice(1);
    const finding = /^f(\d+)$/.exec(id);
    if (finding && items[finding[1]]) {
      const place = () => order.findIndex(({ item }) => item.number === Number(finding[1]));
      if (place() < 0) reset();
      if (place() >= drawn) draw(place() + 1);
    }
    // An id is encoded in the page as it is in the address.
    const target = id && document.getElementById(id);
    const details = target && (target.matches("details") ? target : target.querySelector(":scope > details"));
    if (!details) return;
    details.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", openTarget);
  // What is printed is everything that the filters show, and open: by the style or, in older browsers, here.
  let opened = [];
  addEventListener("beforeprint", () => {
    draw(order.length);
    if (CSS.supports("selector(::details-content)")) return;
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
    opened = [];
  });

  // The first search finds its texts ready.
  let indexed = 0;
  const prepare = (deadline) => {
    while (indexed < items.length && deadline.timeRemaining() > 2) textOf(items[indexed++]);
    if (indexed < items.length) requestIdleCallback(prepare);
  };
  if ("requestIdleCallback" in window) requestIdleCallback(prepare);

  $("filters").hidden = false;
  arrange();
  openTarget();
})();
