//! The files of one run.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use super::{FileId, LineIndex, Position, Span, join_path, parent_path};

/// One file that was read.
#[derive(Debug)]
pub struct SourceFile {
    /// As shown to the user: relative to the working directory, `/` between the parts, `../x` where it lies outside.
    pub path: String,
    pub text: Arc<str>,
    /// `false` for a neighbour that was read only to understand the others: a finding is reported only when one of its
    /// labels lies in a file that is in scope.
    pub in_scope: bool,
    lines: OnceLock<LineIndex>,
}

impl SourceFile {
    pub fn lines(&self) -> &LineIndex {
        self.lines.get_or_init(|| LineIndex::new(&self.text))
    }
}

/// All files of a run, sorted by path, so that ids do not depend on the order of the walk.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    by_path: HashMap<String, FileId>,
    /// Symbolic links of the repository, to files and to folders: the path of each and of what it leads to.
    links: BTreeMap<String, String>,
    /// By file: whether it is analyzed; all are if nothing says which.
    analyzed: Option<Vec<bool>>,
}

/// How many links one path may lead over.
const MAX_LINKS: usize = 8;

impl Sources {
    /// Builds from `(path, text, in_scope)`; a path given twice counts once, in scope if either is.
    pub fn new(files: impl IntoIterator<Item = (String, Arc<str>, bool)>) -> Self {
        let mut files: Vec<SourceFile> = files
            .into_iter()
            .map(|(path, text, in_scope)| SourceFile {
                path,
                text,
                in_scope,
                lines: OnceLock::new(),
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path).then(b.in_scope.cmp(&a.in_scope)));
        files.dedup_by(|b, a| a.path == b.path);
        let by_path = files
            .iter()
            .enumerate()
            .map(|(i, f)| (f.path.clone(), FileId(u32::try_from(i).unwrap_or(u32::MAX))))
            .collect();
        Self {
            files,
            by_path,
            links: BTreeMap::new(),
            analyzed: None,
        }
    }

    /// The same, of which only the files that `is_analyzed` accepts are parsed. Of the others the path and the text count.
    pub fn with_analyzed(mut self, is_analyzed: impl Fn(FileId) -> bool) -> Self {
        self.analyzed = Some(self.ids().map(is_analyzed).collect());
        self
    }

    /// The same, of which only those are in scope that were so and that `is_asked` accepts.
    pub fn with_scope(mut self, is_asked: impl Fn(FileId) -> bool) -> Self {
        for (id, file) in self.ids().zip(&mut self.files) {
            file.in_scope &= is_asked(id);
        }
        self
    }

    /// The same, of which those at these paths are not analyzed.
    pub fn without(self, paths: &BTreeSet<String>) -> Self {
        let chosen: Vec<bool> = self.files.iter().map(|f| !paths.contains(&f.path)).collect();
        self.with_analyzed(|id| chosen.get(id.0 as usize).copied().unwrap_or(true))
    }

    /// Whether the file is parsed, if it is of a format.
    pub fn is_analyzed(&self, id: FileId) -> bool {
        self.analyzed.as_ref().is_none_or(|analyzed| analyzed[id.0 as usize])
    }

    /// The same with symbolic links, over which paths lead to these files.
    pub fn with_links(mut self, links: impl IntoIterator<Item = (String, String)>) -> Self {
        self.links.extend(links);
        self
    }

    /// Symbolic links, with what each leads to.
    pub fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        self.links.iter().map(|(link, to)| (link.as_str(), to.as_str()))
    }

    /// The path with the links on its way resolved.
    pub fn resolved<'p>(&self, path: &'p str) -> Cow<'p, str> {
        let mut out = Cow::Borrowed(path);
        for _ in 0..MAX_LINKS {
            let mut at: &str = &out;
            let link = loop {
                match self.links.get(at) {
                    Some(to) => break Some((at.len(), to)),
                    None if at.is_empty() => break None,
                    None => at = parent_path(at),
                }
            };
            let Some((end, to)) = link.filter(|_| !self.links.is_empty()) else {
                break;
            };
            let rest = out[end..].trim_start_matches('/');
            out = Cow::Owned(join_path(to, rest));
        }
        out
    }

    /// For tests and examples: every file in scope.
    pub fn from_strings(files: &[(&str, &str)]) -> Self {
        Self::new(files.iter().map(|(p, t)| ((*p).to_owned(), Arc::from(*t), true)))
    }

    pub fn ids(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..u32::try_from(self.files.len()).unwrap_or(u32::MAX)).map(FileId)
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    pub fn path(&self, id: FileId) -> &str {
        &self.file(id).path
    }

    pub fn text(&self, id: FileId) -> &Arc<str> {
        &self.file(id).text
    }

    /// The file at this path (as `join_path` makes it), with links resolved.
    pub fn find(&self, path: &str) -> Option<FileId> {
        let exact = self.by_path.get(path).copied();
        exact.or_else(|| match self.resolved(path) {
            Cow::Owned(path) => self.by_path.get(&path).copied(),
            Cow::Borrowed(_) => None,
        })
    }

    /// Whether a file is in the folder at this path, or below it.
    pub fn has_folder(&self, path: &str) -> bool {
        let inside = format!("{}/", self.resolved(path));
        let first = self.files.partition_point(|f| f.path < inside);
        self.files.get(first).is_some_and(|f| f.path.starts_with(&inside))
    }

    /// The bytes of `span` as text; empty where the span does not fit its file.
    pub fn slice(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.range()).unwrap_or("")
    }

    /// Start and end of `span` for people.
    pub fn positions(&self, span: Span) -> (Position, Position) {
        let file = self.file(span.file);
        let lines = file.lines();
        (
            lines.position(&file.text, span.start as usize),
            lines.position(&file.text, span.end as usize),
        )
    }
}
