//! What is drawn: nodes, edges, paths, and the findings about them, with names, places, and masked texts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;

use super::super::json::{JsonSpan, SCHEMA_VERSION, span, unjudged, unread};
#[cfg(feature = "cli")]
use super::super::json::{JsonUnjudged, JsonUnread};
use crate::finding::{Cause, Severity};
use crate::paths::{AccessGraph, AccessPath, Gain, GraphEnd, GraphLink};
use crate::project::Project;
use crate::secrets::Mask;
use crate::source::{FileId, Sources, Span};
use crate::triage::{Report, ReportedFinding};

/// What a page is made from.
#[derive(Clone, Copy, Debug)]
pub struct GraphInput<'a> {
    pub project: &'a Project<'a>,
    pub graph: &'a AccessGraph,
    pub report: &'a Report,
    pub mask: &'a Mask,
}

/// What `overgrant graph` shows.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct GraphPage {
    /// Version of this layout.
    schema_version: &'static str,
    /// Identities, and what edges lead from or to.
    pub(super) nodes: Vec<DrawnNode>,
    pub(super) edges: Vec<DrawnEdge>,
    /// Those to an administrator first, then the worst first.
    pub(super) paths: Vec<DrawnPath>,
    /// What was found about nodes and edges.
    pub(super) findings: Vec<DrawnFinding>,
    /// Files that could not be read completely.
    #[cfg_attr(feature = "cli", schemars(with = "Vec<JsonUnread<'static>>"))]
    pub(super) errors: Vec<serde_json::Value>,
    /// What could not be judged.
    #[cfg_attr(feature = "cli", schemars(with = "Vec<JsonUnjudged<'static>>"))]
    pub(super) unjudged: Vec<serde_json::Value>,
    /// What the reader asked for: indices of nodes.
    #[serde(skip)]
    pub(super) focus: Vec<usize>,
}

/// An identity, a resource, someone outside, or each of several.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(super) struct DrawnNode {
    /// What edges and paths call it.
    pub(super) id: String,
    /// `role`, `user`, `function`, `bucket`, `public`, … or `set` for each of several.
    pub(super) kind: &'static str,
    /// The literal name, without unknown parts at its end.
    pub(super) name: String,
    /// As the file calls it; null for what is not in the repository.
    pub(super) address: Option<String>,
    /// Unknown parts are `${name}`.
    pub(super) arn: Option<String>,
    pub(super) path: Option<String>,
    pub(super) span: Option<JsonSpan>,
    /// The number of its account, if known.
    pub(super) account: Option<String>,
    /// The root module or template that deploys it.
    pub(super) stack: Option<String>,
    /// `admin` for an administrator, `data` for data.
    pub(super) gain: Option<&'static str>,
    /// Someone may begin here.
    pub(super) start: bool,
    /// The worst path that starts here or leads through.
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub(super) severity: Option<Severity>,
    /// How many a node of the kind `set` stands for.
    pub(super) members: Option<usize>,
    /// Indices into `findings`.
    pub(super) findings: Vec<usize>,
    /// `role/deploy`
    #[serde(skip)]
    pub(super) label: String,
}

/// What leads from one node to another.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(super) struct DrawnEdge {
    /// The `id` of a node.
    from: String,
    /// The `id` of a node.
    to: String,
    /// What happens: "assumes the role".
    pub(super) by: &'static str,
    pub(super) needs: Vec<DrawnNeed>,
    /// Keys of conditions that must be met.
    pub(super) conditions: Vec<String>,
    /// What is not known and may stand in the way.
    pub(super) unknown: Vec<String>,
    /// The worst path that leads along it.
    #[cfg_attr(feature = "cli", schemars(with = "Option<String>"))]
    pub(super) severity: Option<Severity>,
    /// Indices into `findings`.
    pub(super) findings: Vec<usize>,
    /// Indices of nodes.
    #[serde(skip)]
    pub(super) ends: (usize, usize),
}

/// What makes an edge possible, and where it is written.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(super) struct DrawnNeed {
    /// Null for what is not a permission: the role that a function runs as.
    pub(super) action: Option<&'static str>,
    pub(super) resource: Option<String>,
    /// Null for a managed policy of AWS.
    pub(super) path: Option<String>,
    pub(super) span: Option<JsonSpan>,
}

/// The place of a gain among all, those first that give most.
pub(super) fn gain_rank(name: &str) -> usize {
    let all = Gain::ALL.iter();
    all.take_while(|g| g.name() != name).count()
}

/// A start, edges, and a gain.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(super) struct DrawnPath {
    /// `admin`, `identity-administration`, `data`, or `account`.
    pub(super) gain: &'static str,
    #[cfg_attr(feature = "cli", schemars(with = "String"))]
    pub(super) severity: Severity,
    pub(super) confidence: &'static str,
    /// The `id` of each node, from the start on.
    nodes: Vec<String>,
    /// Indices into `edges`, one for each step.
    pub(super) edges: Vec<usize>,
    /// Indices of nodes.
    #[serde(skip)]
    pub(super) ends: Vec<usize>,
}

/// A finding, as far as a reader needs it to look it up.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub(super) struct DrawnFinding {
    pub(super) rule: String,
    #[cfg_attr(feature = "cli", schemars(with = "String"))]
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) path: String,
    pub(super) span: JsonSpan,
    fingerprint: String,
}

/// The JSON Schema of the graph.
#[cfg(feature = "cli")]
pub(crate) fn schema() -> serde_json::Value {
    let about = "What `overgrant graph --format json` writes.";
    super::super::json::schema_of::<GraphPage, DrawnNeed>("overgrant graph", about)
}

impl GraphPage {
    pub fn new(input: &GraphInput<'_>) -> Self {
        let (sources, mask) = (input.project.sources, input.mask);
        let findings = FindingsAbout::new(input);
        let masked = |value: &String| mask.text(value.clone());
        let nodes = input.graph.ends.iter().map(|e| drawn_node(input, &findings, e));
        let mut nodes: Vec<DrawnNode> = nodes.collect();
        make_unique(&mut nodes);
        let edge = |l: &GraphLink| DrawnEdge {
            from: nodes[l.from].id.clone(),
            to: nodes[l.to].id.clone(),
            by: l.by,
            needs: (l.needs.iter())
                .map(|n| {
                    let at = Some(n.span).filter(|s| s.is_in_source());
                    DrawnNeed {
                        action: n.action,
                        resource: n.resource.as_ref().map(masked),
                        path: at.map(|s| path_of(sources, mask, s)),
                        span: at.map(|s| span(sources, s)),
                    }
                })
                .collect(),
            conditions: l.conditions.iter().map(masked).collect(),
            unknown: l.unknown.iter().map(masked).collect(),
            severity: None,
            findings: findings.of_needs(l),
            ends: (l.from, l.to),
        };
        let edges: Vec<DrawnEdge> = input.graph.links.iter().map(edge).collect();
        let mut paths: Vec<&(AccessPath, Vec<usize>)> = input.graph.paths.iter().collect();
        paths.sort_by_key(|(p, _)| (p.gain, Reverse(p.severity)));
        let paths = paths.into_iter().map(|(p, links)| drawn_path(p, links, &nodes, &edges));
        let mut page = Self {
            schema_version: SCHEMA_VERSION,
            paths: paths.collect(),
            nodes,
            edges,
            findings: findings.drawn(input),
            errors: values(&unread(sources, &input.report.errors), mask),
            unjudged: values(&unjudged(sources, &input.report.unjudged), mask),
            focus: Vec::new(),
        };
        page.grade();
        page.without_unused_findings();
        page
    }

    /// One graph of those of several repositories.
    pub fn merge(pages: Vec<Self>) -> Self {
        let mut pages = pages.into_iter();
        let mut all = pages.next().unwrap_or_else(|| Self {
            schema_version: SCHEMA_VERSION,
            nodes: Vec::new(),
            edges: Vec::new(),
            paths: Vec::new(),
            findings: Vec::new(),
            errors: Vec::new(),
            unjudged: Vec::new(),
            focus: Vec::new(),
        });
        for page in pages {
            all.add(page);
        }
        all.paths.sort_by_key(|p| (gain_rank(p.gain), Reverse(p.severity)));
        all.grade();
        all
    }

    fn add(&mut self, page: Self) {
        let outside = self.nodes.iter().enumerate().filter(|(_, n)| n.is_outside());
        let outside: HashMap<String, usize> = outside.map(|(i, n)| (n.id.clone(), i)).collect();
        let (edges, findings) = (self.edges.len(), self.findings.len());
        let mut at = Vec::with_capacity(page.nodes.len());
        for mut node in page.nodes {
            node.findings.iter_mut().for_each(|f| *f += findings);
            let known = outside.get(&node.id).copied().filter(|_| node.is_outside());
            at.push(known.unwrap_or(self.nodes.len()));
            if known.is_none() {
                self.nodes.push(node);
            }
        }
        make_unique(&mut self.nodes);
        let place = |i: usize| at.get(i).copied().unwrap_or(0);
        for mut edge in page.edges {
            edge.findings.iter_mut().for_each(|f| *f += findings);
            edge.ends = (place(edge.ends.0), place(edge.ends.1));
            edge.from = self.nodes[edge.ends.0].id.clone();
            edge.to = self.nodes[edge.ends.1].id.clone();
            self.edges.push(edge);
        }
        for mut path in page.paths {
            path.edges.iter_mut().for_each(|e| *e += edges);
            path.ends.iter_mut().for_each(|n| *n = place(*n));
            path.nodes = path.ends.iter().map(|n| self.nodes[*n].id.clone()).collect();
            self.paths.push(path);
        }
        self.findings.extend(page.findings);
        self.errors.extend(page.errors);
        self.unjudged.extend(page.unjudged);
    }

    /// Whether `is_wanted` names a node.
    pub fn has(&self, is_wanted: &dyn Fn(&[&str]) -> bool) -> bool {
        self.nodes.iter().any(|n| is_wanted(&n.names()))
    }

    /// Only the nodes that `is_wanted` names, what they lead to, what leads to them, and the paths through them.
    #[must_use]
    pub fn focused(self, is_wanted: &dyn Fn(&[&str]) -> bool) -> Self {
        let wanted: Vec<bool> = self.nodes.iter().map(|n| is_wanted(&n.names())).collect();
        let mut keeps_node = wanted.clone();
        let mut keeps_edge: Vec<bool> = self
            .edges
            .iter()
            .map(|e| wanted[e.ends.0] || wanted[e.ends.1])
            .collect();
        let through = |p: &DrawnPath| p.ends.iter().any(|n| wanted[*n]);
        for p in self.paths.iter().filter(|p| through(p)) {
            p.edges.iter().for_each(|e| keeps_edge[*e] = true);
        }
        // What a set leads to, where something wanted leads to the set.
        let is_set = |n: usize| self.nodes[n].members.is_some();
        let sets = self.edges.iter().filter(|e| wanted[e.ends.0] && is_set(e.ends.1));
        let sets: HashSet<usize> = sets.map(|e| e.ends.1).collect();
        let sources = self.edges.iter().filter(|e| wanted[e.ends.1] && is_set(e.ends.0));
        let sources: HashSet<usize> = sources.map(|e| e.ends.0).collect();
        for (e, keeps) in self.edges.iter().zip(&mut keeps_edge) {
            *keeps |= sets.contains(&e.ends.0) || sources.contains(&e.ends.1);
        }
        for (e, _) in self.edges.iter().zip(&keeps_edge).filter(|(_, keeps)| **keeps) {
            keeps_node[e.ends.0] = true;
            keeps_node[e.ends.1] = true;
        }
        let paths: Vec<bool> = self.paths.iter().map(through).collect();
        let focus = wanted.iter().enumerate().filter(|(_, w)| **w).map(|(i, _)| i).collect();
        let page = Self { focus, ..self };
        page.part(&keeps_node, &keeps_edge, &paths)
    }

    /// A part of the page. A path is kept only with all of its edges, an edge with its nodes.
    pub(super) fn part(self, keeps_node: &[bool], keeps_edge: &[bool], keeps_path: &[bool]) -> Self {
        let nodes = new_places(keeps_node);
        let kept = |e: &DrawnEdge| nodes[e.ends.0].is_some() && nodes[e.ends.1].is_some();
        let keeps: Vec<bool> = self.edges.iter().zip(keeps_edge).map(|(e, k)| *k && kept(e)).collect();
        let edges = new_places(&keeps);
        let place = |n: usize| nodes[n].unwrap_or(0);
        let mut page = Self {
            nodes: self
                .nodes
                .into_iter()
                .zip(keeps_node)
                .filter(|(_, k)| **k)
                .map(|(n, _)| n)
                .collect(),
            edges: (self.edges.into_iter().zip(&keeps))
                .filter(|(_, k)| **k)
                .map(|(e, _)| DrawnEdge {
                    ends: (place(e.ends.0), place(e.ends.1)),
                    ..e
                })
                .collect(),
            paths: (self.paths.into_iter().zip(keeps_path))
                .filter(|(p, k)| **k && p.edges.iter().all(|e| edges[*e].is_some()))
                .map(|(p, _)| DrawnPath {
                    edges: p.edges.iter().filter_map(|e| edges[*e]).collect(),
                    ends: p.ends.iter().map(|n| place(*n)).collect(),
                    ..p
                })
                .collect(),
            focus: self.focus.iter().filter_map(|n| nodes[*n]).collect(),
            ..self
        };
        page.without_unused_findings();
        page
    }

    /// Nodes and edges are as bad as the worst path through them.
    fn grade(&mut self) {
        for p in &self.paths {
            for n in &p.ends {
                let of = &mut self.nodes[*n].severity;
                *of = (*of).max(Some(p.severity));
            }
            for e in &p.edges {
                let of = &mut self.edges[*e].severity;
                *of = (*of).max(Some(p.severity));
            }
        }
    }

    fn without_unused_findings(&mut self) {
        let mut used = vec![false; self.findings.len()];
        let lists = || {
            self.nodes
                .iter()
                .map(|n| &n.findings)
                .chain(self.edges.iter().map(|e| &e.findings))
        };
        lists().flatten().for_each(|f| used[*f] = true);
        let places = new_places(&used);
        let lists = self.nodes.iter_mut().map(|n| &mut n.findings);
        let lists = lists.chain(self.edges.iter_mut().map(|e| &mut e.findings));
        for list in lists {
            *list = list.iter().filter_map(|f| places[*f]).collect();
        }
        let mut used = used.into_iter();
        self.findings.retain(|_| used.next().unwrap_or(false));
    }
}

impl DrawnNode {
    /// Not of one repository.
    fn is_outside(&self) -> bool {
        self.address.is_none() && self.members.is_none()
    }

    /// All that it is called.
    fn names(&self) -> Vec<&str> {
        let all = [
            Some(&*self.label),
            Some(&*self.name),
            Some(&*self.id),
            self.address.as_deref(),
            self.arn.as_deref(),
            (self.kind == "public").then_some("public"),
        ];
        all.into_iter().flatten().collect()
    }
}

/// Where each of those that are kept is then.
fn new_places(keeps: &[bool]) -> Vec<Option<usize>> {
    let mut next = 0;
    let place = |keep: &bool| {
        keep.then(|| {
            next += 1;
            next - 1
        })
    };
    keeps.iter().map(place).collect()
}

/// Numbers those of several nodes that would be called the same.
fn make_unique(nodes: &mut [DrawnNode]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let taken: HashSet<String> = nodes.iter().map(|n| n.id.clone()).collect();
    for n in nodes {
        let count = seen.entry(n.id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            let mut number = *count;
            while taken.contains(&format!("{}#{number}", n.id)) {
                number += 1;
            }
            *count = number;
            n.id = format!("{}#{number}", n.id);
        }
    }
}

fn values<T: Serialize>(all: &[T], mask: &Mask) -> Vec<serde_json::Value> {
    let value = |item: &T| serde_json::from_str(&mask.text(serde_json::to_string(item).ok()?)).ok();
    all.iter().filter_map(value).collect()
}

fn path_of(sources: &Sources, mask: &Mask, at: Span) -> String {
    mask.text(sources.path(at.file).to_owned())
}

fn drawn_node(input: &GraphInput<'_>, findings: &FindingsAbout, e: &GraphEnd) -> DrawnNode {
    let (sources, mask) = (input.project.sources, input.mask);
    let masked = |value: &String| mask.text(value.clone());
    let at = e.end.span.filter(|s| s.is_in_source());
    let stack = e.stack.as_ref().map(masked);
    let name = masked(&e.end.name);
    let address = e.end.address.as_ref().map(masked);
    let arn = e.end.arn.as_ref().map(masked);
    let label = match (e.members, e.is_settings) {
        (Some(_), _) => name.clone(),
        (None, true) => format!("settings of {}", mask.text(e.end.text())),
        (None, false) => mask.text(e.end.text()),
    };
    let id = match (&address, &arn) {
        (Some(address), _) => {
            let stack = stack.as_ref().map_or(String::new(), |s| format!("{s}:"));
            format!("{stack}{address}{}", if e.is_settings { " settings" } else { "" })
        }
        (None, Some(arn)) => arn.clone(),
        (None, None) => label.clone(),
    };
    DrawnNode {
        id,
        kind: e.end.kind,
        name,
        address,
        arn,
        path: at.map(|s| path_of(sources, mask, s)),
        span: at.map(|s| span(sources, s)),
        account: e.account.clone(),
        stack,
        gain: e.gain.map(Gain::name),
        start: e.is_start,
        severity: None,
        members: e.members,
        findings: if e.is_settings { Vec::new() } else { findings.of_end(e) },
        label,
    }
}

fn drawn_path(p: &AccessPath, links: &[usize], nodes: &[DrawnNode], edges: &[DrawnEdge]) -> DrawnPath {
    let start = links.first().map(|l| edges[*l].ends.0);
    let ends: Vec<usize> = start
        .into_iter()
        .chain(links.iter().map(|l| edges[*l].ends.1))
        .collect();
    DrawnPath {
        gain: p.gain.name(),
        severity: p.severity,
        confidence: p.confidence.name(),
        nodes: ends.iter().map(|n| nodes[*n].id.clone()).collect(),
        edges: links.to_vec(),
        ends,
    }
}

/// What was found, by what it is about.
struct FindingsAbout {
    by_identity: BTreeMap<crate::project::IdentityId, Vec<usize>>,
    by_resource: BTreeMap<crate::project::ResourceId, Vec<usize>>,
    /// Of the primary labels, in order.
    places: BTreeMap<FileId, Vec<(u32, u32, usize)>>,
    longest: u32,
}

impl FindingsAbout {
    fn new(input: &GraphInput<'_>) -> Self {
        let project = input.project;
        let mut out = Self {
            by_identity: BTreeMap::new(),
            by_resource: BTreeMap::new(),
            places: BTreeMap::new(),
            longest: 0,
        };
        for (i, f) in input.report.active().enumerate() {
            let at = f.span();
            out.places.entry(at.file).or_default().push((at.start, at.end, i));
            out.longest = out.longest.max(at.end.saturating_sub(at.start));
            match f.finding.cause {
                Cause::Identity(id) => out.by_identity.entry(id).or_default().push(i),
                Cause::Resource(id) => out.by_resource.entry(id).or_default().push(i),
                Cause::Document(id) | Cause::Statement(id, _) => {
                    for identity in project.holders(id) {
                        out.by_identity.entry(*identity).or_default().push(i);
                    }
                    if let Some(resource) = project.documents.get(id).and_then(|d| d.resource) {
                        out.by_resource.entry(resource).or_default().push(i);
                    }
                }
                Cause::Place(_) | Cause::Alone => {}
            }
        }
        out.places.values_mut().for_each(|p| p.sort_unstable());
        out
    }

    fn of_end(&self, e: &GraphEnd) -> Vec<usize> {
        let of_identity = e
            .identity
            .and_then(|id| self.by_identity.get(&id))
            .into_iter()
            .flatten();
        let of_resource = e
            .resource
            .and_then(|id| self.by_resource.get(&id))
            .into_iter()
            .flatten();
        let all: BTreeSet<usize> = of_identity.chain(of_resource).copied().collect();
        all.into_iter().collect()
    }

    /// Those whose place is one of what an edge needs.
    fn of_needs(&self, link: &GraphLink) -> Vec<usize> {
        let mut all = BTreeSet::new();
        for at in link.needs.iter().map(|n| n.span).filter(|s| s.is_in_source()) {
            let Some(places) = self.places.get(&at.file) else {
                continue;
            };
            let from = places.partition_point(|(start, ..)| start.saturating_add(self.longest) < at.start);
            let near = places.iter().skip(from).take_while(|(start, ..)| *start < at.end);
            all.extend(near.filter(|(_, end, _)| *end > at.start).map(|(.., i)| *i));
        }
        all.into_iter().collect()
    }

    fn drawn(&self, input: &GraphInput<'_>) -> Vec<DrawnFinding> {
        let (sources, mask) = (input.project.sources, input.mask);
        let drawn = |f: &ReportedFinding| DrawnFinding {
            rule: f.rule().to_owned(),
            severity: f.severity,
            message: mask.text(f.finding.message.clone()),
            path: path_of(sources, mask, f.span()),
            span: span(sources, f.span()),
            fingerprint: f.identity.fingerprint.clone(),
        };
        input.report.active().map(drawn).collect()
    }
}
