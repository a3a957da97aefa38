//! The page for a browser: one file that loads nothing.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::super::escape_uri;
use super::layout::GraphLayout;
use super::model::{DrawnNeed, GraphPage, gain_rank};
use crate::finding::Severity;
use crate::report::offline::filled;
use crate::source::{json_without_commands, one_line};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const CODE: &str = include_str!("page.js");

/// A browser draws so much without delay; paths come first.
const MAX_EDGES: usize = 60_000;
const MAX_PATHS: usize = 20_000;

pub(super) fn render(page: &GraphPage, href: &dyn Fn(&str) -> String) -> String {
    let data = json_without_commands(data(page, href).to_string());
    // No text ends the script or begins a comment in it.
    let data = data
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026");
    filled(PAGE, &[("/*style*/", STYLE), ("/*data*/", &data), ("/*code*/", CODE)])
}

/// PageTables that refer to each other by number, since many edges need the same permission.
fn data(page: &GraphPage, href: &dyn Fn(&str) -> String) -> Value {
    let layout = GraphLayout::new(page);
    let mut tables = PageTables::default();
    let mut edges_left = MAX_EDGES;
    let mut kept: Vec<Option<usize>> = vec![None; page.edges.len()];
    // Edges of paths come first, whatever their number.
    let paths: Vec<_> = page.paths.iter().take(MAX_PATHS).collect();
    paths.iter().flat_map(|p| &p.edges).for_each(|e| kept[*e] = Some(0));
    for place in kept.iter_mut().filter(|k| k.is_none()) {
        if let Some(left) = edges_left.checked_sub(1) {
            edges_left = left;
            *place = Some(0);
        }
    }
    for (next, place) in kept.iter_mut().flatten().enumerate() {
        *place = next;
    }
    let nodes: Vec<Value> = (0..page.nodes.len())
        .map(|i| node(page, &layout, i, &mut tables))
        .collect();
    let edges = page.edges.iter().zip(&kept).filter(|(_, k)| k.is_some());
    let edges: Vec<Value> = edges
        .map(|(e, _)| {
            let needs: Vec<usize> = e.needs.iter().map(|n| tables.need(n)).collect();
            let by = tables.text(e.by);
            json!([
                e.ends.0,
                e.ends.1,
                by,
                needs,
                shown(&e.conditions),
                shown(&e.unknown),
                e.findings,
                rank(e.severity)
            ])
        })
        .collect();
    let shown_paths = paths.iter().map(|p| {
        let edges: Vec<usize> = p.edges.iter().filter_map(|e| kept[*e]).collect();
        json!([gain_rank(p.gain), rank(Some(p.severity)), p.confidence, p.ends, edges])
    });
    let shown_paths: Vec<Value> = shown_paths.collect();
    let findings = page.findings.iter().map(|f| {
        let (line, column) = f.span.place();
        json!([
            f.rule,
            rank(Some(f.severity)),
            one_line(&f.message),
            tables.file(&f.path),
            line,
            column
        ])
    });
    let findings: Vec<Value> = findings.collect();
    let files = tables
        .files
        .iter()
        .map(|path| json!([one_line(path), format!("./{}", escape_uri(&href(path)))]));
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "nodes": nodes,
        "edges": edges,
        "paths": shown_paths,
        "findings": findings,
        "needs": tables.needs,
        "texts": tables.texts,
        "files": files.collect::<Vec<_>>(),
        "size": [layout.width, layout.height],
        "apart": layout.apart,
        "focus": page.focus,
        "left": [page.edges.len() - edges.len(), page.paths.len() - paths.len()],
        "errors": page.errors.len(),
        "unjudged": page.unjudged.len(),
    })
}

fn node<'p>(page: &'p GraphPage, layout: &GraphLayout, at: usize, tables: &mut PageTables<'p>) -> Value {
    let n = &page.nodes[at];
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    put("l", json!(one_line(&n.label)));
    put("k", json!(n.kind));
    put("x", json!(layout.places[at].0));
    put("y", json!(layout.places[at].1));
    if let Some(column) = layout.columns[at] {
        put("q", json!(column));
    }
    let texts = [("a", &n.address), ("r", &n.arn), ("c", &n.account), ("s", &n.stack)];
    for (key, value) in texts {
        if let Some(value) = value {
            put(key, json!(one_line(value)));
        }
    }
    if let (Some(path), Some(span)) = (&n.path, &n.span) {
        let (line, column) = span.place();
        put("p", json!([tables.file(path), line, column]));
    }
    match n.gain {
        Some("admin") => put("g", json!(1)),
        Some(_) => put("g", json!(2)),
        None => {}
    }
    if n.start {
        put("b", json!(1));
    }
    if n.severity.is_some() {
        put("w", json!(rank(n.severity)));
    }
    if let Some(members) = n.members {
        put("m", json!(members));
    }
    if !n.findings.is_empty() {
        put("f", json!(n.findings));
    }
    Value::Object(out)
}

/// 1 is low, 4 is critical.
fn rank(severity: Option<Severity>) -> u8 {
    match severity {
        None => 0,
        Some(Severity::Low) => 1,
        Some(Severity::Medium) => 2,
        Some(Severity::High) => 3,
        Some(Severity::Critical) => 4,
    }
}

fn shown(texts: &[String]) -> Vec<String> {
    texts.iter().map(|t| one_line(t).into_owned()).collect()
}

#[derive(Default)]
struct PageTables<'p> {
    files: Vec<&'p str>,
    needs: Vec<Value>,
    texts: Vec<&'static str>,
    file_index: HashMap<&'p str, usize>,
    need_index: HashMap<String, usize>,
}

impl<'p> PageTables<'p> {
    fn file(&mut self, path: &'p str) -> usize {
        let next = self.files.len();
        let at = *self.file_index.entry(path).or_insert(next);
        if at == next {
            self.files.push(path);
        }
        at
    }

    fn text(&mut self, text: &'static str) -> usize {
        let known = self.texts.iter().position(|t| *t == text);
        known.unwrap_or_else(|| {
            self.texts.push(text);
            self.texts.len() - 1
        })
    }

    fn need(&mut self, need: &'p DrawnNeed) -> usize {
        let file = need.path.as_ref().map(|path| self.file(path));
        let (line, column) = need.span.as_ref().map_or((0, 0), super::super::json::JsonSpan::place);
        let value = json!([
            need.action,
            need.resource.as_ref().map(|r| one_line(r)),
            file,
            line,
            column
        ]);
        let next = self.needs.len();
        let at = *self.need_index.entry(value.to_string()).or_insert(next);
        if at == next {
            self.needs.push(value);
        }
        at
    }
}
