//! The access graph, as `overgrant graph` writes it.
//!
//! **Invariant:** what a file says is text in every format: it closes no string, no element, and no script. The page holds all
//! that it shows and loads nothing. Secrets are masked when a [`GraphPage`] is made, before any format escapes them.

mod dot;
mod html;
mod layout;
mod mermaid;
mod model;
mod svg;

use std::collections::{BTreeMap, HashMap};

use crate::finding::Severity;
use crate::source::{json_without_commands, one_line, pretty_json};
use model::DrawnNode;
#[cfg(feature = "cli")]
pub(crate) use model::schema;
pub use model::{GraphInput, GraphPage};

/// What the graph can be written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum), value(rename_all = "lower"))]
pub enum GraphFormat {
    /// One page for a browser, with search, filters, and links to the source.
    #[default]
    Html,
    /// A picture.
    Svg,
    /// For Graphviz.
    Dot,
    /// For Markdown that draws Mermaid: the paths, as far as Mermaid draws them.
    Mermaid,
    /// The whole graph, with a schema.
    Json,
}

impl GraphFormat {
    /// The format that the name of a file asks for.
    pub fn of_file(name: &str) -> Option<Self> {
        let (_, ending) = name.rsplit_once('.')?;
        match ending {
            "html" | "htm" => Some(Self::Html),
            "svg" => Some(Self::Svg),
            "dot" | "gv" => Some(Self::Dot),
            "mmd" | "mermaid" => Some(Self::Mermaid),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl GraphPage {
    /// Whether a file could not be read completely.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The graph as `format`. `href` gives the path of a file from where the page is.
    pub fn render(&self, format: GraphFormat, href: &dyn Fn(&str) -> String) -> String {
        match format {
            GraphFormat::Html => html::render(self, href),
            GraphFormat::Svg => svg::render(self),
            GraphFormat::Dot => dot::render(self),
            GraphFormat::Mermaid => mermaid::render(self),
            GraphFormat::Json => json_without_commands(pretty_json(self)),
        }
    }

    /// Names like `who`, for a message that nothing is called so.
    pub fn candidates(&self, who: &str) -> Vec<&str> {
        const MOST: usize = 8;
        let wanted = who.to_lowercase();
        let labels = || self.nodes.iter().filter(|n| n.members.is_none()).map(|n| &*n.label);
        let mut like: Vec<&str> = labels().filter(|l| l.to_lowercase().contains(&wanted)).collect();
        if like.is_empty() {
            let names = self.nodes.iter().filter(|n| n.members.is_none());
            let names = names.flat_map(|n| [(&*n.name, &*n.label), (&*n.label, &*n.label)]);
            like.extend(crate::edit_distance::nearest(who, names));
        }
        if like.is_empty() {
            like.extend(labels());
        }
        like.sort_unstable();
        like.dedup();
        like.truncate(MOST);
        like
    }
}

/// What is drawn as one line: all edges of a pair of nodes.
#[derive(Debug)]
struct DrawnLine {
    from: usize,
    to: usize,
    /// "assumes the role; reads the secret"
    by: String,
    severity: Option<Severity>,
    has_conditions: bool,
    is_unsure: bool,
}

/// The lines between nodes, the worst first.
fn lines(page: &GraphPage) -> Vec<DrawnLine> {
    let mut out: Vec<DrawnLine> = Vec::new();
    let mut at: HashMap<(usize, usize), usize> = HashMap::new();
    let mut texts: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for e in &page.edges {
        let next = out.len();
        let i = *at.entry(e.ends).or_insert(next);
        if i == next {
            out.push(DrawnLine {
                from: e.ends.0,
                to: e.ends.1,
                by: String::new(),
                severity: None,
                has_conditions: true,
                is_unsure: true,
            });
        }
        let line = &mut out[i];
        line.severity = line.severity.max(e.severity);
        line.has_conditions &= !e.conditions.is_empty();
        line.is_unsure &= !e.unknown.is_empty();
        let texts = texts.entry(i).or_default();
        if !texts.contains(&e.by) {
            texts.push(e.by);
        }
    }
    for (i, texts) in texts {
        let more = texts.len().saturating_sub(2);
        let shown: Vec<&str> = texts.into_iter().take(2).collect();
        let rest = if more > 0 {
            format!("; {more} more")
        } else {
            String::new()
        };
        out[i].by = shown.join("; ") + &rest;
    }
    out.sort_by_key(|l| std::cmp::Reverse(l.severity));
    out
}

/// "role, administrator"
fn about(node: &DrawnNode) -> String {
    let what = match (node.gain, node.start) {
        (Some("admin"), _) => Some("administrator"),
        (Some(_), _) => Some("data"),
        (None, true) if node.severity.is_some() => Some("start"),
        (None, _) => None,
    };
    let kind = match node.members {
        Some(members) => crate::phrase::count(members, "member", "members"),
        None => node.kind.to_owned(),
    };
    match what {
        Some(what) => format!("{kind}, {what}"),
        None => kind,
    }
}

/// Text for a drawing: on one line, and not longer than `most` characters.
fn short(text: &str, most: usize) -> String {
    let text = one_line(text);
    let count = text.chars().count();
    if count <= most {
        return text.into_owned();
    }
    let head = most.saturating_sub(1) * 2 / 3;
    let tail = most.saturating_sub(1) - head;
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(count - tail).collect();
    format!("{start}…{end}")
}
