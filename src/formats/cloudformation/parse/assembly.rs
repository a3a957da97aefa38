//! What the CDK writes beside the templates of an application: which line of its source makes each construct, and what is
//! uploaded.
//!
//! **Invariant:** a place is a call, in a file that was read.

use std::collections::{BTreeMap, BTreeSet};

use super::assets::CloudAssets;
use crate::formats::data;
use crate::source::{FileId, Sources, Span, join_path, parent_path};
use crate::syntax::{NodeId, NodeKind, Tree};

/// Files of source code that are asked for in one application.
const MAX_FILES: usize = 64;
/// Places that are kept of one construct.
const MAX_PLACES: usize = 16;
/// Languages whose calls are shown.
const ENDINGS: [&str; 6] = [".cjs", ".cts", ".mts", ".py", ".ts", ".tsx"];
/// What frames of libraries lie in.
const LIBRARIES: [&str; 4] = ["node_modules/", "site-packages/", "jsii-", "internal/"];

/// Where a construct is made, and where what it makes is changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConstructPlaces {
    pub(crate) made: Option<Span>,
    pub(crate) changed: Vec<Span>,
}

/// The places of the constructs, and the assets, of one folder, `cdk.out` or one of a stage in it. AWS CDK, "Cloud assembly schema".
#[derive(Debug, Default)]
pub(crate) struct CloudAssembly {
    by_path: BTreeMap<String, ConstructPlaces>,
    /// What its templates upload.
    pub(crate) assets: CloudAssets,
    /// Files that would say more.
    pub(crate) wanted: BTreeSet<String>,
}

/// A line of a stack trace.
struct TraceFrame {
    path: String,
    line: u32,
    column: Option<u32>,
}

impl CloudAssembly {
    /// What lies in `folder`, which has templates of the CDK.
    pub(crate) fn read(sources: &Sources, folder: &str) -> Self {
        let mut out = Self::default();
        let Some(tree) = out.open(sources, join_path(folder, "manifest.json")) else {
            return out;
        };
        let artifacts = tree.roots.first().and_then(|root| tree.get(*root, "artifacts"));
        let artifacts: Vec<NodeId> = artifacts
            .into_iter()
            .flat_map(|a| tree.entries(a))
            .map(|(_, a)| a)
            .collect();
        let mut asked = BTreeSet::new();
        for artifact in artifacts {
            if let Some(metadata) = tree.get(artifact, "metadata") {
                out.add_all(sources, (folder, &tree), metadata, &mut asked);
            }
            let is_manifest =
                tree.get(artifact, "type").and_then(|t| text(&tree, t)).as_deref() == Some("cdk:asset-manifest");
            let properties = tree.get(artifact, "properties").filter(|_| is_manifest);
            let manifest = properties.and_then(|p| text(&tree, tree.get(p, "file")?));
            if let Some(manifest) = manifest.and_then(|name| out.open(sources, join_path(folder, &name))) {
                out.assets.add(folder, &manifest);
            }
            let more = tree
                .get(artifact, "additionalMetadataFile")
                .and_then(|f| text(&tree, f));
            if let Some(tree) = more.and_then(|name| out.open(sources, join_path(folder, &name)))
                && let Some(root) = tree.roots.first()
            {
                out.add_all(sources, (folder, &tree), *root, &mut asked);
            }
        }
        out
    }

    /// The places of the construct at `path`, `Orders/Save/Resource`.
    pub(crate) fn places(&self, path: &str) -> ConstructPlaces {
        let own = self.by_path.get(path).cloned().unwrap_or_default();
        // What a construct makes inside itself is made where it is made. A stack is made of many.
        let mut at = path;
        let mut made = own.made;
        while made.is_none() && at.matches('/').count() > 1 {
            at = parent_path(at);
            let inner = self.by_path.get(&format!("{at}/Resource"));
            made = inner.or_else(|| self.by_path.get(at)).and_then(|places| places.made);
        }
        ConstructPlaces { made, ..own }
    }

    fn open(&mut self, sources: &Sources, path: String) -> Option<Tree> {
        let Some(file) = sources.find(&path) else {
            self.wanted.insert(path);
            return None;
        };
        Some(data::parse(file, &path, sources.text(file)))
    }

    /// `{"/Orders/Save/Resource": [{"type": …, "data": …, "trace": […]}]}`
    fn add_all(
        &mut self,
        sources: &Sources,
        (folder, tree): (&str, &Tree),
        metadata: NodeId,
        asked: &mut BTreeSet<String>,
    ) {
        for (path, entries) in tree.entries(metadata) {
            let Some(path) = text(tree, path) else { continue };
            let mut found = ConstructPlaces::default();
            for entry in tree.children(entries).filter(|e| tree.kind(*e) == NodeKind::Map) {
                let data = tree.get(entry, "data");
                let property = || data.and_then(|d| text(tree, tree.get(d, "propertyName")?));
                let (trace, is_change) = match tree.get(entry, "type").and_then(|t| text(tree, t)).as_deref() {
                    Some("aws:cdk:logicalId") => (tree.get(entry, "trace"), false),
                    Some("aws:cdk:creationStack") => (data, false),
                    Some("aws:cdk:propertyAssignment") if property().as_deref() == Some("PolicyDocument") => {
                        (data.and_then(|d| tree.get(d, "stackTrace")), true)
                    }
                    _ => continue,
                };
                let mut frames = trace
                    .into_iter()
                    .flat_map(|t| tree.children(t))
                    .filter_map(|line| frame(&text(tree, line)?));
                let Some(frame) = frames.find(TraceFrame::is_of_user) else {
                    continue;
                };
                let Some(span) = self.locate(sources, folder, &frame, asked) else {
                    continue;
                };
                match is_change {
                    false => found.made = found.made.or(Some(span)),
                    true if found.changed.len() < MAX_PLACES && !found.changed.contains(&span) => {
                        found.changed.push(span)
                    }
                    true => {}
                }
            }
            if found.made.is_some() || !found.changed.is_empty() {
                self.by_path.insert(path.trim_start_matches('/').to_owned(), found);
            }
        }
    }

    /// The call of a frame. Its path is that of the machine that synthesized: the longest end of it that is a file here, seen
    /// from the folder of the application or one around it.
    fn locate(
        &mut self,
        sources: &Sources,
        folder: &str,
        frame: &TraceFrame,
        asked: &mut BTreeSet<String>,
    ) -> Option<Span> {
        let app = parent_path(folder);
        let mut around = vec![app, parent_path(app)];
        while let Some(last) = around.last().copied().filter(|last| !last.is_empty()) {
            around.push(parent_path(last));
        }
        let parts: Vec<&str> = frame.path.split('/').filter(|p| !p.is_empty()).collect();
        let ends = (0..parts.len()).map(|from| parts[from..].join("/"));
        let candidates: Vec<String> = ends
            .flat_map(|end| around.iter().map(move |top| join_path(top, &end)).collect::<Vec<_>>())
            .collect();
        let Some(file) = candidates.iter().find_map(|path| sources.find(path)) else {
            if asked.len() < MAX_FILES && asked.insert(frame.path.clone()) {
                self.wanted.extend(candidates);
            }
            return None;
        };
        called_at(sources, file, frame)
    }
}

impl TraceFrame {
    fn is_of_user(&self) -> bool {
        ENDINGS.iter().any(|end| self.path.ends_with(end)) && !LIBRARIES.iter().any(|part| self.path.contains(part))
    }
}

pub(super) fn text(tree: &Tree, node: NodeId) -> Option<String> {
    tree.text(node)?.known().map(|text| text.into_owned())
}

/// `new Orders (/work/lib/orders.ts:20:17)`, `__init__ (/work/stacks/orders.py:36)`.
fn frame(text: &str) -> Option<TraceFrame> {
    let inner = text
        .strip_suffix(')')
        .and_then(|t| t.rsplit_once('('))
        .map_or(text, |(_, inner)| inner);
    let (rest, last) = inner.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    let before = rest
        .rsplit_once(':')
        .and_then(|(path, line)| Some((path, line.parse().ok()?)));
    let (path, line, column) = match before {
        Some((path, line)) => (path, line, Some(last)),
        None => (rest, last, None),
    };
    Some(TraceFrame {
        path: path.trim_start_matches("file://").replace('\\', "/"),
        line,
        column,
    })
}

/// The call at a place of a file: its name, or the class that is made, without the arguments.
fn called_at(sources: &Sources, file: FileId, frame: &TraceFrame) -> Option<Span> {
    let source = sources.text(file);
    let index = usize::try_from(frame.line.checked_sub(1)?).ok()?;
    let line = source.split_inclusive('\n').nth(index)?;
    let start: usize = source.split_inclusive('\n').take(index).map(str::len).sum();
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.' || c == '$';
    let from = match frame.column {
        Some(column) => {
            let column = usize::try_from(column.checked_sub(1)?).ok()?;
            line.char_indices().nth(column)?.0
        }
        // The call that ends last is the one that is made.
        None => {
            let open = line.find('(')?;
            let grant = line.match_indices(['.', '(']).map(|(at, _)| at + 1);
            let mut grant = grant.filter(|at| line[*at..].starts_with("grant") || line[*at..].starts_with("add_"));
            grant
                .next_back()
                .unwrap_or_else(|| line[..open].rfind(|c| !is_name(c)).map_or(0, |at| at + 1))
        }
    };
    let rest = &line[from..];
    let word = rest.strip_prefix("new ").map_or(rest, str::trim_start);
    let skipped = rest.len() - word.len();
    let name = word.find(|c| !is_name(c)).unwrap_or(word.len());
    let is_call = name > 0 && word[name..].trim_start().starts_with(['(', '<']);
    is_call.then(|| Span::new(file, start + from, start + from + skipped + name))
}
