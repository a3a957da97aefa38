"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const D = JSON.parse($("data").textContent);
  const SEVERITY = ["", "low", "medium", "high", "critical"];
  const GAIN = ["gains administrator access", "gains administration of identities", "gains access to data", "gains access to another account"];
  const GAIN_NAME = ["admin", "identities", "data", "account"];
  const BOX = { w: 200, h: 40 };
  const ROW = 54;
  const MOST_NEIGHBORS = 16;
  const MOST_LISTED = 40;
  const nodes = D.nodes;
  const paths = D.paths.map(([gain, severity, confidence, ends, edges]) => ({ gain, severity, confidence, ends, edges }));
  const edges = D.edges.map(([from, to, by, needs, conditions, unknown, findings, severity]) =>
    ({ from, to, by: D.texts[by], needs: needs.map((n) => D.needs[n]), conditions, unknown, findings, severity }));
  const number = new Intl.NumberFormat("en-US");
  const count = (n, one, many) => `${number.format(n)} ${n === 1 ? one : many}`;

  nodes.forEach((n) => { n.before = []; n.after = []; n.paths = []; n.w = n.w || 0; });
  edges.forEach((e, i) => {
    nodes[e.from].after.push(i);
    if (e.from !== e.to) nodes[e.to].before.push(i);
  });
  paths.forEach((p, i) => new Set(p.ends).forEach((n) => nodes[n].paths.push(i)));

  // What is searched is lower case, and made when it is first needed.
  const fileOf = (place) => (place ? D.files[place[0]][0] : "");
  const nodeText = (n) => (n.text ??= [n.l, n.k, n.a, n.r, n.c, n.s, fileOf(n.p)].filter(Boolean).join("\n").toLowerCase());
  const edgeText = (e) => (e.text ??= [e.by, ...e.needs.flatMap(([action, resource, file]) =>
    [action, resource, file === null ? null : D.files[file][0]])].filter(Boolean).join("\n").toLowerCase());
  const pathText = (p) => (p.text ??= [...p.ends.map((n) => nodeText(nodes[n])), ...p.edges.map((e) => edgeText(edges[e])),
    GAIN[p.gain]].join("\n"));

  const state = {
    list: paths.length ? "paths" : "nodes",
    words: [], severity: 0, account: "", stack: "",
    // What is listed, and which of it the keyboard is on.
    items: [], active: 0,
    shown: null,
    scene: null,
    hover: -1,
  };

  const el = (tag, options = {}, ...children) => {
    const out = document.createElement(tag);
    for (const [key, value] of Object.entries(options)) {
      if (key === "class") out.className = value;
      else if (key.startsWith("on")) out.addEventListener(key.slice(2), value);
      else if (value !== null && value !== undefined) out.setAttribute(key, value);
    }
    out.append(...children.filter((c) => c !== null && c !== undefined));
    return out;
  };
  const say = (text) => { $("status").textContent = text; };
  const short = (text, most) => {
    if (text.length <= most) return text;
    const head = Math.ceil(((most - 1) * 2) / 3);
    return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`;
  };
  const badge = (severity) => el("span", { class: `badge s${severity}` }, SEVERITY[severity]);
  const about = (n) => {
    const kind = n.m ? count(n.m, "member", "members") : n.k;
    const what = n.g === 1 ? "administrator" : n.g === 2 ? "data" : n.b && n.w ? "start" : "";
    return what ? `${kind}, ${what}` : kind;
  };

  // Filters and the list.

  const passes = (n) => (!state.account || (n.c || "unknown") === state.account) && (!state.stack || n.s === state.stack);
  const hasWords = (text) => state.words.every((w) => text.includes(w));
  const isFiltered = () => state.words.length || state.severity || state.account || state.stack;

  const listed = () => {
    const found = { paths: [], nodes: [] };
    paths.forEach((p, i) => {
      if (p.severity >= state.severity && p.ends.some((n) => passes(nodes[n])) && hasWords(pathText(p))) found.paths.push(i);
    });
    nodes.forEach((n, i) => {
      if (n.w >= state.severity && passes(n) && hasWords(nodeText(n))) found.nodes.push(i);
    });
    found.nodes.sort((a, b) => nodes[b].w - nodes[a].w || (nodes[a].g || 3) - (nodes[b].g || 3) ||
      (nodes[a].l < nodes[b].l ? -1 : nodes[a].l > nodes[b].l ? 1 : a - b));
    return found;
  };

  let found = { paths: [], nodes: [] };
  const apply = () => {
    found = listed();
    $("paths-count").textContent = number.format(found.paths.length);
    $("nodes-count").textContent = number.format(found.nodes.length);
    showList();
    if (!state.shown) drawAll();
    say(`${count(found.paths.length, "path", "paths")}, ${count(found.nodes.length, "node", "nodes")}`);
  };

  const showList = () => {
    state.items = found[state.list];
    state.active = 0;
    $("tab-paths").setAttribute("aria-pressed", String(state.list === "paths"));
    $("tab-nodes").setAttribute("aria-pressed", String(state.list === "nodes"));
    $("list").setAttribute("aria-label", state.list === "paths"
      ? "Paths: to administrators first, then the worst first" : "Nodes: those of the worst paths first");
    $("list").scrollTop = 0;
    $("rows").style.height = `${state.items.length * ROW}px`;
    $("empty").hidden = state.items.length > 0;
    $("empty").textContent = isFiltered() ? "Nothing matches the search and the filters." : "No paths.";
    drawRows();
  };

  const isShown = (i) => state.shown && state.shown.kind === state.list && state.shown.index === i;

  const row = (at) => {
    const index = state.items[at];
    const out = el("div", {
      class: `row${isShown(index) ? " picked" : ""}${at === state.active ? " active" : ""}`,
      id: `row-${at}`, role: "option", "aria-selected": String(Boolean(isShown(index))),
      "aria-setsize": state.items.length, "aria-posinset": at + 1, style: null,
      onclick: () => { state.active = at; show(state.list, index); },
    });
    out.style.top = `${at * ROW}px`;
    if (state.list === "paths") {
      const p = paths[index];
      const first = nodes[p.ends[0]], last = nodes[p.ends[p.ends.length - 1]];
      out.title = p.ends.map((n) => nodes[n].l).join(" → ");
      out.append(
        el("div", {}, badge(p.severity), " ", el("strong", {}, first.l)),
        el("div", { class: "second" }, [GAIN_NAME[p.gain], `${count(p.edges.length, "step", "steps")} ${first === last ? "by itself" : `→ ${last.l}`}`, first.s]
          .filter(Boolean).join(" · ")));
    } else {
      const n = nodes[index];
      out.title = n.r || n.a || n.l;
      out.append(
        el("div", {}, n.w ? badge(n.w) : null, n.w ? " " : null, el("strong", {}, n.l)),
        el("div", { class: "second" }, [about(n), n.s].filter(Boolean).join(" · ")));
    }
    return out;
  };

  const drawRows = () => {
    const list = $("list");
    const from = Math.max(0, Math.floor(list.scrollTop / ROW) - 4);
    const to = Math.min(state.items.length, Math.ceil((list.scrollTop + (list.clientHeight || 600)) / ROW) + 4);
    const out = [];
    for (let at = from; at < to; at++) out.push(row(at));
    $("rows").replaceChildren(...out);
    if (state.items.length) list.setAttribute("aria-activedescendant", `row-${state.active}`);
    else list.removeAttribute("aria-activedescendant");
  };

  const moveTo = (at) => {
    if (!state.items.length) return;
    state.active = Math.max(0, Math.min(state.items.length - 1, at));
    const list = $("list"), top = state.active * ROW;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
    drawRows();
  };

  // What is shown: a path, a node, or everything.

  const view = (name) => {
    document.querySelector("main").dataset.view = name;
    document.querySelectorAll(".views button").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.view === name)));
    if (name === "drawing") { resize(); fit(); }
    if (name === "list") drawRows();
  };
  const isNarrow = () => matchMedia("(max-width: 900px)").matches;

  const show = (kind, index) => {
    state.shown = { kind, index };
    $("clear").hidden = false;
    if (isNarrow()) view("drawing");
    if (kind === "paths") {
      pathDetails(paths[index]);
      setScene(pathScene(paths[index]));
      say(`Path shown: ${paths[index].ends.map((n) => nodes[n].l).join(", ")}`);
    } else {
      nodeDetails(index);
      setScene(nodeScene(index));
      say(`Node shown: ${nodes[index].l}`);
    }
    $("details").scrollTop = 0;
    drawRows();
  };

  const clear = () => {
    state.shown = null;
    $("clear").hidden = true;
    overviewDetails();
    drawAll();
    drawRows();
    say("Whole graph shown");
  };

  // Scenes: nodes with places, and lines between them.

  const linesOf = (shown, wanted) => {
    const by = new Map();
    for (const i of wanted) {
      const e = edges[i];
      if (!shown.has(e.from) || !shown.has(e.to)) continue;
      const key = e.from * nodes.length + e.to;
      const line = by.get(key);
      const sure = !e.conditions.length && !e.unknown.length;
      if (line) {
        line.severity = Math.max(line.severity, e.severity);
        line.sure ||= sure;
      } else by.set(key, { from: e.from, to: e.to, severity: e.severity, sure });
    }
    return [...by.values()].sort((a, b) => a.severity - b.severity);
  };

  const scene = (places, lines, options = {}) => {
    let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
    for (const { x, y } of places.values()) {
      left = Math.min(left, x); top = Math.min(top, y);
      right = Math.max(right, x + BOX.w); bottom = Math.max(bottom, y + BOX.h);
    }
    if (!places.size) left = top = right = bottom = 0;
    right += options.room || 0;
    return { places, lines, left, top, right, bottom, marked: new Set(), down: false, ...options };
  };

  /// In the columns of the whole graph, or in those of `columnOf`, as far as they are used; from top to bottom where the drawing
  /// is narrow.
  const arrange = (shown, wanted, marked, columnOf = (n) => nodes[n].q ?? 1e9) => {
    const lines = linesOf(shown, wanted);
    const down = canvas.clientWidth < canvas.clientHeight * 0.9;
    const columns = [...new Set([...shown].map(columnOf))].sort((a, b) => a - b);
    const rows = columns.map(() => []);
    const at = new Map(columns.map((q, i) => [q, i]));
    [...shown].sort((a, b) => nodes[a].y - nodes[b].y || nodes[a].x - nodes[b].x || a - b)
      .forEach((n) => rows[at.get(columnOf(n))].push(n));
    const beside = new Map([...shown].map((n) => [n, []]));
    lines.forEach((l) => { beside.get(l.from).push(l.to); beside.get(l.to).push(l.from); });
    const height = new Map();
    const measure = (r) => r.forEach((n, i) => height.set(n, (i + 0.5) / r.length));
    rows.forEach(measure);
    for (let sweep = 0; sweep < 4; sweep++) {
      for (const r of rows) {
        const key = new Map(r.map((n) => {
          const near = beside.get(n);
          return [n, near.length ? near.reduce((sum, m) => sum + height.get(m), 0) / near.length : height.get(n)];
        }));
        r.sort((a, b) => key.get(a) - key.get(b) || height.get(a) - height.get(b));
        measure(r);
      }
    }
    const most = down ? 2 : Math.max(18, Math.ceil(Math.sqrt(shown.size * 3)));
    const places = new Map();
    if (down) {
      let top = 0;
      for (const r of rows) {
        const tall = Math.ceil(r.length / most);
        r.forEach((n, i) => {
          const inRow = Math.min(most, r.length - Math.floor(i / most) * most);
          places.set(n, { x: (i % most) * 216 - (inRow * 216) / 2, y: top + Math.floor(i / most) * 58 });
        });
        top += (tall - 1) * 58 + 104;
      }
    } else {
      const tallest = Math.max(1, ...rows.map((r) => Math.min(r.length, most)));
      let left = 0;
      for (const r of rows) {
        const wide = Math.ceil(r.length / most), tall = Math.ceil(r.length / wide);
        r.forEach((n, i) => places.set(n, { x: left + Math.floor(i / tall) * 216, y: ((tallest - tall) * 56) / 2 + (i % tall) * 56 }));
        left += (wide - 1) * 216 + 290;
      }
    }
    return scene(places, lines, { marked, down });
  };

  const pathScene = (p) => {
    const places = new Map();
    const lines = p.edges.map((i, step) => ({ ...edges[i], sure: !edges[i].conditions.length && !edges[i].unknown.length, step }));
    p.ends.forEach((n, i) => { if (!places.has(n)) places.set(n, { x: 0, y: i * 108 }); });
    return scene(places, lines, {
      marked: new Set(), down: true, isPath: true, room: 90,
      caption: `${nodes[p.ends[0]].l} ${GAIN[p.gain]}`,
    });
  };

  const nodeScene = (index) => {
    const shown = new Set([index]), wanted = new Set();
    const n = nodes[index];
    let left = 0;
    const take = (list, other) => {
      const order = [...list].sort((a, b) => edges[b].severity - edges[a].severity || a - b);
      const seen = new Set();
      for (const i of order) {
        const end = edges[i][other];
        if (!seen.has(end) && seen.size >= MOST_NEIGHBORS) { left += 1; continue; }
        seen.add(end);
        shown.add(end);
        wanted.add(i);
      }
    };
    take(n.before, "from");
    take(n.after, "to");
    for (const i of n.paths.slice(0, 4)) {
      paths[i].ends.forEach((end) => shown.add(end));
      paths[i].edges.forEach((e) => wanted.add(e));
    }
    // What leads here stands before it, what it leads to after it, in steps.
    const column = new Map([[index, 0]]);
    const walk = (step, near, far) => {
      let last = [index];
      while (last.length) {
        const next = [];
        for (const i of wanted) {
          const e = edges[i];
          if (last.includes(e[near]) && !column.has(e[far])) { column.set(e[far], column.get(e[near]) + step); next.push(e[far]); }
        }
        last = next;
      }
    };
    walk(-1, "to", "from");
    walk(1, "from", "to");
    const out = arrange(shown, wanted, new Set([index]), (m) => column.get(m) ?? 0);
    out.caption = `${n.l} and what is next to it${left ? `; ${number.format(left)} more in the details` : ""}`;
    return out;
  };

  const drawAll = () => {
    let shown, wanted;
    if (isFiltered()) {
      shown = new Set(found.nodes);
      found.paths.forEach((i) => paths[i].ends.forEach((n) => shown.add(n)));
      wanted = edges.keys();
    } else {
      shown = new Set(nodes.keys());
      wanted = edges.keys();
    }
    const focus = new Set(D.focus);
    const isTall = canvas.clientWidth < canvas.clientHeight * 0.9;
    if ((isFiltered() && shown.size <= 300) || (isTall && shown.size <= 80)) {
      const out = arrange(shown, wanted, focus);
      out.caption = isFiltered() ? `${count(shown.size, "node", "nodes")} of ${number.format(nodes.length)}` : "Whole graph: starts at the top, gains at the bottom";
      setScene(out);
      return;
    }
    const places = new Map([...shown].map((i) => [i, { x: nodes[i].x, y: nodes[i].y }]));
    setScene(scene(places, linesOf(shown, wanted), {
      marked: focus, isWhole: true,
      caption: isFiltered() ? `${count(shown.size, "node", "nodes")} of ${number.format(nodes.length)}` : "Whole graph: starts on the left, gains on the right",
    }));
  };

  // Drawing.

  const canvas = $("canvas"), context = canvas.getContext("2d");
  const camera = { scale: 1, x: 0, y: 0 };
  let colors = {}, pending = false;

  const readColors = () => {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["bg", "panel", "fg", "dim", "line", "bad", "badbox", "warn", "warnbox", "accent", "picked"]) {
      colors[name] = style.getPropertyValue(`--${name}`).trim();
    }
  };

  const setScene = (s) => {
    state.scene = s;
    state.hover = -1;
    $("caption").textContent = s.caption || "";
    canvas.setAttribute("aria-label", `Drawing: ${s.caption || ""}. ${count(s.places.size, "node", "nodes")}. The list and the details say the same in words.`);
    fit();
  };

  const fit = () => {
    const s = state.scene;
    if (!s || !canvas.clientWidth) return;
    const margin = 16, topBar = isNarrow() ? 80 : 46, legend = 44;
    const w = s.right - s.left || 1, h = s.bottom - s.top || 1;
    const roomX = Math.max(40, canvas.clientWidth - 2 * margin), roomY = Math.max(40, canvas.clientHeight - topBar - legend - 10);
    camera.scale = Math.min(1.15, roomX / w, roomY / h);
    // What goes down and is longer than the drawing begins at its top, in letters that can be read.
    if (s.down) camera.scale = Math.max(camera.scale, Math.min(0.8, roomX / w));
    camera.x = canvas.clientWidth / 2 - ((s.left + s.right) / 2) * camera.scale;
    camera.y = topBar + Math.max(0, (roomY - h * camera.scale) / 2) - s.top * camera.scale;
    draw();
  };

  const resize = () => {
    const ratio = window.devicePixelRatio || 1;
    const w = Math.round(canvas.clientWidth * ratio), h = Math.round(canvas.clientHeight * ratio);
    if (!w || !h || (canvas.width === w && canvas.height === h)) return;
    canvas.width = w;
    canvas.height = h;
    const shown = state.shown;
    // Whether a drawing goes across or down depends on its room.
    if (shown && shown.kind === "nodes") setScene(nodeScene(shown.index));
    else if (!shown) drawAll();
    else fit();
  };

  const draw = () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => { pending = false; paint(); });
  };

  const curve = (s, a, b, loop) => {
    if (loop) {
      context.moveTo(a.x + BOX.w - 34, a.y);
      context.bezierCurveTo(a.x + BOX.w - 30, a.y - 30, a.x + BOX.w + 30, a.y - 24, a.x + BOX.w, a.y + 12);
      return [a.x + BOX.w, a.y + 12, Math.PI * 0.75];
    }
    if (s.down) {
      const x1 = a.x + BOX.w / 2, x2 = b.x + BOX.w / 2;
      if (b.y > a.y) {
        const bend = Math.max(20, (b.y - a.y - BOX.h) / 2);
        context.moveTo(x1, a.y + BOX.h);
        context.bezierCurveTo(x1, a.y + BOX.h + bend, x2, b.y - bend, x2, b.y);
        return [x2, b.y, Math.PI / 2];
      }
      const side = Math.max(a.x, b.x) + BOX.w + 34;
      context.moveTo(a.x + BOX.w, a.y + BOX.h / 2);
      context.bezierCurveTo(side, a.y + BOX.h / 2, side, b.y + BOX.h / 2, b.x + BOX.w, b.y + BOX.h / 2);
      return [b.x + BOX.w, b.y + BOX.h / 2, Math.PI];
    }
    const y1 = a.y + BOX.h / 2, y2 = b.y + BOX.h / 2;
    if (b.x >= a.x + BOX.w) {
      const bend = Math.max(24, Math.min(160, (b.x - a.x - BOX.w) / 2));
      context.moveTo(a.x + BOX.w, y1);
      context.bezierCurveTo(a.x + BOX.w + bend, y1, b.x - bend, y2, b.x, y2);
      return [b.x, y2, 0];
    }
    const side = Math.max(a.x, b.x) + BOX.w + 50;
    context.moveTo(a.x + BOX.w, y1);
    context.bezierCurveTo(side, y1, side, y2, b.x + BOX.w, y2);
    return [b.x + BOX.w, y2, Math.PI];
  };

  const head = ([x, y, angle]) => {
    context.save();
    context.translate(x, y);
    context.rotate(angle);
    context.beginPath();
    context.moveTo(0, 0);
    context.lineTo(-9, -4.5);
    context.lineTo(-9, 4.5);
    context.fill();
    context.restore();
  };

  const wrap = (text, width) => {
    const out = [];
    let line = "";
    for (const word of text.split(" ")) {
      if (line && context.measureText(`${line} ${word}`).width > width) { out.push(line); line = word; } else line = line ? `${line} ${word}` : word;
    }
    out.push(line);
    return out;
  };

  const paint = () => {
    const s = state.scene, ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = colors.bg;
    context.fillRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    if (!s) return;
    const k = camera.scale;
    const seen = {
      left: -camera.x / k - BOX.w, right: (canvas.clientWidth - camera.x) / k,
      top: -camera.y / k - BOX.h, bottom: (canvas.clientHeight - camera.y) / k,
    };
    context.translate(camera.x, camera.y);
    context.scale(k, k);
    const readable = k > 0.42;
    const many = s.lines.length > 1500;
    // The more lines there are, the fainter is each.
    const faint = (n) => Math.max(0.12, Math.min(0.9, 250 / (n || 1)));
    const bad = faint(s.lines.filter((l) => l.severity >= 3).length);
    if (many && !readable) paintBundles(s, k, bad);
    const isNear = (line) => state.hover === line.from || state.hover === line.to;
    const single = !many || readable ? s.lines : state.hover >= 0 ? s.lines.filter(isNear) : [];
    for (const line of single) {
      const a = s.places.get(line.from), b = s.places.get(line.to);
      if (!a || !b) continue;
      const outside = (a.x < seen.left && b.x < seen.left) || (a.x > seen.right && b.x > seen.right) ||
        (a.y < seen.top && b.y < seen.top) || (a.y > seen.bottom && b.y > seen.bottom);
      if (outside) continue;
      const near = isNear(line);
      const color = near ? colors.accent : line.severity >= 3 ? colors.bad : line.severity ? colors.warn : colors.line;
      context.strokeStyle = context.fillStyle = color;
      context.globalAlpha = near ? 1 : line.severity ? 0.9 : 0.55;
      context.lineWidth = Math.max((near || line.severity ? 1.8 : 1.1), (near ? 1.4 : 0.7) / k);
      context.setLineDash(!line.sure && readable ? [6, 4] : []);
      context.beginPath();
      const end = curve(s, a, b, line.from === line.to);
      context.stroke();
      if (k > 0.25) head(end);
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
    for (const [i, at] of s.places) {
      if (at.x < seen.left || at.x > seen.right || at.y < seen.top || at.y > seen.bottom) continue;
      paintNode(s, i, at, readable, k);
    }
    if (s.isPath) paintSteps(s);
    if (s.isWhole && D.apart !== null && !isFiltered()) {
      context.fillStyle = colors.dim;
      context.font = `${Math.max(13, 11 / k)}px system-ui, sans-serif`;
      context.fillText("without edges", 0, D.apart + 22);
    }
    if (!readable) paintNames(s, k);
  };

  /// Many lines at once: straight, and one stroke for each severity.
  const paintBundles = (s, k, bad) => {
    if (!s.bundles) {
      s.bundles = [0, 1, 2, 3, 4].map(() => new Path2D());
      for (const line of s.lines) {
        const a = s.places.get(line.from), b = s.places.get(line.to);
        s.bundles[line.severity].moveTo(a.x + BOX.w / 2, a.y + BOX.h / 2);
        s.bundles[line.severity].lineTo(b.x + BOX.w / 2, b.y + BOX.h / 2);
      }
    }
    context.setLineDash([]);
    context.lineWidth = 0.8 / k;
    s.bundles.forEach((lines, severity) => {
      context.strokeStyle = severity >= 3 ? colors.bad : severity ? colors.warn : colors.line;
      context.globalAlpha = [0.1, 0.07, 0.07, Math.max(bad, 0.35), 0.9][severity];
      context.stroke(lines);
    });
  };

  const paintNode = (s, i, at, readable, k) => {
    const n = nodes[i], marked = s.marked.has(i), hover = state.hover === i;
    context.fillStyle = n.g === 1 ? colors.badbox : n.g === 2 ? colors.warnbox : colors.panel;
    context.strokeStyle = marked || hover ? colors.accent : n.g === 1 ? colors.bad : n.g === 2 ? colors.warn : colors.line;
    if (!readable) {
      // Smaller than a box, for lines to be seen between them; what is on no bad path is faint.
      const part = s.places.size > 400 ? 0.55 : 1;
      const h = Math.max(BOX.h * 0.7, 1.5 / k), w = Math.max(BOX.w * part, 2 / k);
      context.globalAlpha = marked || hover || n.g === 1 ? 1 : n.w >= 3 ? 0.9 : 0.45;
      context.fillStyle = marked || hover ? colors.accent : n.g === 1 ? colors.bad : n.g === 2 ? colors.warn : n.w >= 3 ? colors.fg : colors.line;
      context.fillRect(at.x + (BOX.w - w) / 2, at.y + (BOX.h - h) / 2, w, h);
      context.globalAlpha = 1;
      return;
    }
    context.lineWidth = marked ? 3 : hover ? 2 : 1;
    context.setLineDash(n.m ? [5, 4] : []);
    context.beginPath();
    context.roundRect(at.x, at.y, BOX.w, BOX.h, 6);
    context.fill();
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colors.fg;
    context.font = "600 12px system-ui, sans-serif";
    context.fillText(fitted(n, 180), at.x + 10, at.y + 17);
    context.fillStyle = colors.dim;
    context.font = "11px system-ui, sans-serif";
    context.fillText(short(about(n), 32), at.x + 10, at.y + 32);
  };

  const fitted = (n, width) => {
    if (n.fitted === undefined) {
      let most = n.l.length;
      n.fitted = n.l;
      while (context.measureText(n.fitted).width > width && most > 6) n.fitted = short(n.l, --most);
    }
    return n.fitted;
  };

  const paintSteps = (s) => {
    context.font = "12px system-ui, sans-serif";
    for (const line of s.lines) {
      const a = s.places.get(line.from), b = s.places.get(line.to);
      const text = `${line.step + 1}. ${line.by}${line.sure ? "" : " (conditions or unknowns)"}`;
      const rows = wrap(text, 180);
      const x = a.x + BOX.w / 2 + 10, y = line.from === line.to ? a.y + BOX.h + 14 : (a.y + BOX.h + b.y) / 2 + 4 - (rows.length - 1) * 7;
      rows.forEach((r, i) => {
        const w = context.measureText(r).width;
        context.fillStyle = colors.bg;
        context.fillRect(x - 2, y + i * 14 - 11, w + 4, 14);
        context.fillStyle = colors.fg;
        context.fillText(r, x, y + i * 14);
      });
    }
  };

  /// Names of what is marked or pointed at, as large as other text, where the boxes are too small for them.
  const paintNames = (s, k) => {
    context.setTransform(1, 0, 0, 1, 0, 0);
    const ratio = window.devicePixelRatio || 1;
    context.scale(ratio, ratio);
    context.font = "600 12px system-ui, sans-serif";
    for (const i of new Set([...s.marked, state.hover])) {
      const at = s.places.get(i);
      if (!at) continue;
      const text = short(nodes[i].l, 60), w = context.measureText(text).width;
      const x = Math.max(4, Math.min(canvas.clientWidth - w - 12, at.x * k + camera.x)), y = Math.max(20, at.y * k + camera.y - 6);
      context.fillStyle = colors.bg;
      context.strokeStyle = colors.accent;
      context.lineWidth = 1;
      context.beginPath();
      context.roundRect(x - 5, y - 15, w + 10, 20, 4);
      context.fill();
      context.stroke();
      context.fillStyle = colors.fg;
      context.fillText(text, x, y);
    }
  };

  const nodeAt = (x, y) => {
    const k = camera.scale, sx = (x - camera.x) / k, sy = (y - camera.y) / k;
    const slack = Math.max(0, 6 / k - BOX.h / 2);
    let best = -1, distance = Infinity;
    for (const [i, at] of state.scene.places) {
      if (sx < at.x - slack || sx > at.x + BOX.w + slack || sy < at.y - slack || sy > at.y + BOX.h + slack) continue;
      const d = Math.abs(sy - at.y - BOX.h / 2);
      if (d <= distance) { best = i; distance = d; }
    }
    return best;
  };

  const zoom = (factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) => {
    const scale = Math.max(0.01, Math.min(4, camera.scale * factor));
    camera.x = x - ((x - camera.x) * scale) / camera.scale;
    camera.y = y - ((y - camera.y) * scale) / camera.scale;
    camera.scale = scale;
    draw();
  };

  const pointers = new Map();
  let moved = false;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    if (pointers.size === 1) moved = false;
  });
  canvas.addEventListener("pointermove", (event) => {
    const old = pointers.get(event.pointerId), now = { x: event.offsetX, y: event.offsetY };
    if (!old) {
      const hover = state.scene ? nodeAt(now.x, now.y) : -1;
      if (hover !== state.hover) {
        state.hover = hover;
        canvas.classList.toggle("over", hover >= 0);
        canvas.title = hover >= 0 ? nodes[hover].l : "";
        draw();
      }
      return;
    }
    if (Math.hypot(now.x - old.x, now.y - old.y) < 3 && !moved) return;
    moved = true;
    if (pointers.size === 1) {
      camera.x += now.x - old.x;
      camera.y += now.y - old.y;
    } else {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const before = Math.hypot(old.x - other.x, old.y - other.y) || 1;
      zoom(Math.hypot(now.x - other.x, now.y - other.y) / before, other.x, other.y);
    }
    pointers.set(event.pointerId, now);
    draw();
  });
  const release = (event) => {
    const was = pointers.delete(event.pointerId);
    if (event.type === "pointerup" && was && !moved && state.scene) {
      const i = nodeAt(event.offsetX, event.offsetY);
      if (i >= 0) show("nodes", i);
    }
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.offsetX, event.offsetY);
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const step = 60;
    const keys = {
      ArrowLeft: () => { camera.x += step; }, ArrowRight: () => { camera.x -= step; },
      ArrowUp: () => { camera.y += step; }, ArrowDown: () => { camera.y -= step; },
      "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "0": fit,
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
    draw();
  });

  // Details.

  const copy = async (text, button) => {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = el("textarea", { class: "hidden" });
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
    }
    button.textContent = done ? "copied" : "not copied";
    say(done ? "Copied" : "Not copied");
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  };
  const copyButton = (text, what) => el("button", {
    class: "copy", type: "button", "aria-label": `Copy ${what}`, onclick: (event) => copy(text, event.currentTarget),
  }, "copy");
  const place = (file, line, column) => {
    const [name, href] = D.files[file], text = `${name}:${line}:${column}`;
    return el("span", { class: "place" }, el("a", { href: `${href}#L${line}` }, text), copyButton(text, `the place ${text}`));
  };
  const nodeLink = (i) => el("button", { class: "link", type: "button", onclick: () => { show("nodes", i); $("details").focus(); } }, nodes[i].l);
  const pathLink = (i) => {
    const p = paths[i];
    return el("button", { class: "link", type: "button", onclick: () => { show("paths", i); $("details").focus(); } },
      p.ends.map((n) => nodes[n].l).join(" → "));
  };
  const needsList = (e) => {
    const out = el("ul", { class: "needs" });
    for (const [action, resource, file, line, column] of e.needs) {
      out.append(el("li", {},
        action ? el("code", {}, action) : "declared", action && resource ? " on " : null, action && resource ? el("code", {}, resource) : null,
        el("br"), file === null ? el("span", { class: "dim" }, "a managed policy of AWS") : place(file, line, column)));
    }
    if (e.conditions.length) out.append(el("li", { class: "caution" }, `under a condition on ${e.conditions.join(", ")}`));
    e.unknown.forEach((u) => out.append(el("li", { class: "caution" }, `unknown: ${u}`)));
    return out;
  };
  const findingsList = (list) => {
    if (!list.length) return null;
    return el("div", {}, el("h3", {}, count(list.length, "finding", "findings")), el("ul", { class: "plain" },
      ...list.slice(0, MOST_LISTED).map((i) => {
        const [rule, severity, message, file, line, column] = D.findings[i];
        return el("li", {}, badge(severity), " ", el("code", {}, rule), copyButton(`overgrant explain ${rule}`, `overgrant explain ${rule}`), el("br"),
          message, el("br"), place(file, line, column));
      }),
      list.length > MOST_LISTED ? el("li", { class: "dim" }, `${number.format(list.length - MOST_LISTED)} more: overgrant check`) : null));
  };
  /// A list that begins with so many, and says the rest when it is asked.
  const longList = (title, items, make, ordered) => {
    if (!items.length) return null;
    const list = el(ordered ? "ol" : "ul", { class: ordered ? "" : "plain" });
    let next = 0;
    const more = el("button", { type: "button", onclick: () => add() });
    const add = () => {
      items.slice(next, next + MOST_LISTED).forEach((item) => list.append(make(item)));
      next += MOST_LISTED;
      more.hidden = next >= items.length;
      more.textContent = `Show more (${number.format(Math.max(0, items.length - next))} left)`;
    };
    add();
    return el("div", {}, el("h3", {}, `${title} (${number.format(items.length)})`), list, more);
  };
  const edgeItem = (other) => (i) => {
    const e = edges[i];
    return el("li", {}, el("details", {},
      el("summary", {}, e.severity ? badge(e.severity) : null, e.severity ? " " : null, `${other === "to" ? "" : "from "}`, nodeLink(e[other]),
        el("br"), el("span", { class: "dim" }, e.by)),
      needsList(e), findingsList(e.findings)));
  };

  const pathDetails = (p) => {
    const first = nodes[p.ends[0]];
    const steps = el("ol", {});
    p.edges.forEach((i) => {
      const e = edges[i];
      steps.append(el("li", {}, nodeLink(e.from), ` ${e.by}`, e.from === e.to ? null : ": ", e.from === e.to ? null : nodeLink(e.to), needsList(e)));
    });
    const about = [...new Set(p.edges.flatMap((i) => edges[i].findings))];
    $("details").replaceChildren(
      el("h2", {}, `${first.l} ${GAIN[p.gain]}`),
      el("p", {}, badge(p.severity), ` ${p.confidence} confidence, ${count(p.edges.length, "step", "steps")}`),
      steps, findingsList(about) || el("p", { class: "dim" }, "No finding stands at these places."));
  };

  const nodeDetails = (index) => {
    const n = nodes[index];
    const facts = el("dl", {});
    const fact = (name, ...value) => facts.append(el("dt", {}, name), el("dd", {}, ...value));
    fact("Kind", about(n));
    if (n.r) fact("ARN", el("code", {}, n.r), copyButton(n.r, "the ARN"));
    if (n.a) fact("Address", el("code", {}, n.a));
    if (n.p) fact("Declared", place(...n.p));
    if (n.c) fact("Account", n.c);
    if (n.s) fact("Stack", n.s);
    if (n.w) fact("Worst path", badge(n.w));
    const rank = (list) => [...list].sort((a, b) => edges[b].severity - edges[a].severity || a - b);
    $("details").replaceChildren(el("h2", {}, n.l), facts, ...[
      findingsList(n.f || []),
      longList("Paths", n.paths, (i) => el("li", {}, badge(paths[i].severity), " ", pathLink(i))),
      longList("Leads to", rank(n.after), edgeItem("to")),
      longList("Reached from", rank(n.before), edgeItem("from")),
      n.after.length || n.before.length ? null : el("p", { class: "dim" }, "No edge leads from here or to it."),
    ].filter(Boolean));
  };

  const overviewDetails = () => {
    const admins = nodes.flatMap((n, i) => (n.g === 1 ? [i] : [])).sort((a, b) => nodes[b].paths.length - nodes[a].paths.length || a - b);
    const tally = [4, 3, 2, 1].map((s) => [s, paths.filter((p) => p.severity === s).length]).filter(([, n]) => n);
    $("details").replaceChildren(
      el("h2", {}, "Overview"),
      el("p", {}, "Choose a path or a node in the list or in the drawing to see each step, what it needs, and where that is written."),
      el("ul", { class: "plain" }, ...tally.map(([s, n]) => el("li", {}, badge(s), ` ${count(n, "path", "paths")}`))),
      ...[
        paths.length ? null : el("p", {}, "No paths to administrator access or data were found."),
        longList("Administrators", admins, (i) => el("li", {}, nodeLink(i), " ", el("span", { class: "dim" }, count(nodes[i].paths.length, "path", "paths")))),
      ].filter(Boolean));
  };

  // Controls.

  const options = (select, box, values, all) => {
    box.hidden = values.length < 2;
    select.append(el("option", { value: "" }, all), ...values.map((v) => el("option", { value: v }, v)));
  };
  options($("account"), $("account-box"), [...new Set(nodes.filter((n) => !n.m).map((n) => n.c || "unknown"))].sort(), "all");
  options($("stack"), $("stack-box"), [...new Set(nodes.map((n) => n.s).filter(Boolean))].sort(), "all");
  for (const name of ["severity", "account", "stack"]) {
    $(name).addEventListener("change", (event) => {
      state[name] = name === "severity" ? Number(event.target.value) : event.target.value;
      apply();
    });
  }
  let typing;
  $("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(search, 90);
  });
  const search = () => {
    clearTimeout(typing);
    state.words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!found[state.list].length && state.list === "nodes" && paths.length) state.list = "paths";
    apply();
    if (!found[state.list].length) {
      const other = state.list === "paths" ? "nodes" : "paths";
      if (found[other].length) { state.list = other; showList(); }
    }
  };
  $("search").addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); search(); $("list").focus(); }
    if (event.key === "Enter") { search(); if (state.items.length) show(state.list, state.items[0]); }
  });
  $("list").addEventListener("scroll", drawRows, { passive: true });
  $("list").addEventListener("keydown", (event) => {
    const page = Math.max(1, Math.floor($("list").clientHeight / ROW) - 1);
    const keys = {
      ArrowDown: () => moveTo(state.active + 1), ArrowUp: () => moveTo(state.active - 1),
      PageDown: () => moveTo(state.active + page), PageUp: () => moveTo(state.active - page),
      Home: () => moveTo(0), End: () => moveTo(state.items.length - 1),
      Enter: () => { if (state.items.length) show(state.list, state.items[state.active]); },
      " ": () => { if (state.items.length) show(state.list, state.items[state.active]); },
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.addEventListener("keydown", (event) => {
    const typed = event.target.matches("input, select, textarea");
    if (event.key === "/" && !typed && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (isNarrow()) view("list");
      $("search").focus();
      $("search").select();
    } else if (event.key === "Escape") {
      event.preventDefault();
      const inSearch = event.target === $("search");
      if (state.shown && !(inSearch && $("search").value)) clear();
      else if ($("search").value || state.words.length) { $("search").value = ""; search(); }
      else if (inSearch) $("list").focus();
    }
  });
  $("tab-paths").addEventListener("click", () => { state.list = "paths"; showList(); });
  $("tab-nodes").addEventListener("click", () => { state.list = "nodes"; showList(); });
  $("zoom-in").addEventListener("click", () => zoom(1.25));
  $("zoom-out").addEventListener("click", () => zoom(0.8));
  $("fit").addEventListener("click", fit);
  $("clear").addEventListener("click", () => { clear(); $("list").focus(); });
  $("keys").addEventListener("click", (event) => {
    $("help").hidden = !$("help").hidden;
    event.currentTarget.setAttribute("aria-expanded", String(!$("help").hidden));
  });
  document.querySelectorAll(".views button").forEach((b) => b.addEventListener("click", () => view(b.dataset.view)));
  const themes = [["", "◐ Auto", "as the system"], ["light", "☀ Light", "light"], ["dark", "☾ Dark", "dark"]];
  let theme = 0;
  const recolor = () => { readColors(); draw(); };
  $("theme").addEventListener("click", (event) => {
    theme = (theme + 1) % themes.length;
    const [name, text, said] = themes[theme];
    if (name) document.documentElement.dataset.theme = name;
    else delete document.documentElement.dataset.theme;
    event.currentTarget.textContent = text;
    event.currentTarget.setAttribute("aria-label", `Color scheme: ${said}`);
    recolor();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolor);
  new ResizeObserver(() => { resize(); drawRows(); }).observe(canvas.parentElement);
  new ResizeObserver(drawRows).observe($("list"));

  const notes = [];
  if (D.left[0]) notes.push(`${count(D.left[0], "edge", "edges")} that no path needs are not drawn.`);
  if (D.left[1]) notes.push(`${count(D.left[1], "path", "paths")} are not listed: --focus shows a part, --format json all.`);
  if (D.errors) notes.push(`${count(D.errors, "file", "files")} could not be read completely.`);
  if (D.unjudged) notes.push(`${count(D.unjudged, "part", "parts")} of the files could not be judged.`);
  if (notes.length) { $("notes").hidden = false; $("notes").textContent = notes.join(" "); }
  $("counts").textContent = [count(nodes.length, "node", "nodes"), count(edges.length + D.left[0], "edge", "edges"), count(paths.length + D.left[1], "path", "paths")].join(" · ");

  readColors();
  found = listed();
  apply();
  if (D.focus.length === 1) show("nodes", D.focus[0]);
  else overviewDetails();
  if (isNarrow()) view("list");
  resize();
})();
