//! What a file names: paths, names of identities and policies, exports, parameters.

use super::stacks::StackWords;
use super::tree::{FolderId, FolderTree};
use super::{code, names};
use crate::classify::{has_data_ending, without_template_ending};
use crate::formats::terraform;
use crate::source::{FileId, Sources, file_name, join_path, parent_path};

/// What a file is linked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum FileLink {
    File(FileId),
    /// The files directly in it.
    Folder(FolderId),
    /// The code in it, and in the folders inside it.
    Code(FolderId),
    /// All files in it, and in the folders inside it.
    Below(FolderId),
}

/// What one file names.
#[derive(Debug, Default)]
pub(super) struct FileLinks {
    /// It is of a kind that has links, or that others have links to.
    pub(super) may_link: bool,
    pub(super) links: Vec<FileLink>,
    /// What its Python imports, as paths without an ending.
    pub(super) imports: Vec<String>,
    /// Names that it gives to identities, policies, and objects, or by which it refers to them.
    pub(super) names: Vec<String>,
    pub(super) stack: StackWords,
    /// It says what an organization allows.
    pub(super) is_of_organization: bool,
    /// Folders that layers of functions may be made of.
    pub(super) layers: Vec<FolderId>,
}

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 300;

/// Larger files have links only if they are of a format, in bytes.
const MAX_UNKNOWN: usize = 32 << 10;

impl FileLinks {
    /// Whether a file with these links is joined by paths and imports with all that one with `earlier` links was joined with.
    pub(super) fn joins_as(&self, earlier: &Self) -> bool {
        self.layers == earlier.layers
            && self.imports.iter().all(|name| earlier.imports.contains(name))
            && self.links.iter().all(|link| earlier.links.contains(link))
    }

    pub(super) fn of(sources: &Sources, tree: &FolderTree, file: FileId) -> Self {
        let (path, text) = (tree.path(file), &**sources.text(file));
        let mut out = Self::default();
        let Some(kind) = LinkingKind::of(path) else {
            return out;
        };
        let has = |words: &[&str]| {
            let mut words = words.iter();
            words.any(|w| memchr::memmem::find(text.as_bytes(), w.as_bytes()).is_some())
        };
        // Large data is mostly of no format.
        if kind == LinkingKind::Other
            && text.len() > MAX_UNKNOWN
            && !has(&["Statement", "AWS::", "Parameter", "functions:"])
        {
            return out;
        }
        out.may_link = true;
        if kind == LinkingKind::Terraform {
            out.links.extend(tree.folder(parent_path(path)).map(FileLink::Folder));
        }
        if kind == LinkingKind::Python {
            out.imports = code::imports(path, text);
        }
        add_paths(tree, kind, path, text, &mut out.links);
        out.links.sort_unstable();
        out.links.dedup();
        names::collect(kind, text, &mut out.names);
        out.stack = StackWords::of(file_name(path), text);
        out.is_of_organization = has(&["AWS::Organizations::", "aws_organizations_"]);
        if has(&["LayerVersion", "lambda_layer_version"]) {
            out.layers = layers(tree, kind, path, text);
        }
        out
    }
}

/// What stands after a layer of a template, in bytes: its properties.
const LAYER: usize = 800;

/// The folders of layers: named in the properties of one, or, in Terraform, where a package is made that is called so.
fn layers(tree: &FolderTree, kind: LinkingKind, path: &str, text: &str) -> Vec<FolderId> {
    let mut links = Vec::new();
    let text_of_layers: String = match kind {
        LinkingKind::Terraform => {
            let of_layer = |line: &&str| ["layer", "python", "depend"].iter().any(|word| line.contains(word));
            text.lines().filter(of_layer).flat_map(|line| [line, "\n"]).collect()
        }
        _ => {
            let places = memchr::memmem::find_iter(text.as_bytes(), b"LayerVersion");
            let after = places.map(|at| text[at..].char_indices().take_while(|(i, _)| *i < LAYER));
            after.flatten().map(|(_, c)| c).collect()
        }
    };
    add_paths(tree, kind, path, &text_of_layers, &mut links);
    let folders = links.into_iter().filter_map(|link| match link {
        FileLink::Folder(folder) | FileLink::Below(folder) => Some(folder),
        _ => None,
    });
    folders.collect()
}

/// What a file is, as far as links go. Others have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkingKind {
    Terraform,
    Python,
    /// Templates, policies, settings, Dockerfiles.
    Other,
}

impl LinkingKind {
    fn of(path: &str) -> Option<Self> {
        let name = file_name(path);
        if terraform::is_code_file(name) || terraform::is_values_file(name) || name.ends_with(".hcl") {
            return Some(Self::Terraform);
        }
        if name.ends_with(".py") || name.ends_with(".ipynb") {
            return Some(Self::Python);
        }
        let is_other = has_data_ending(name)
            || without_template_ending(name).is_some()
            || name.ends_with(".toml")
            || name.contains("Dockerfile");
        is_other.then_some(Self::Other)
    }
}

/// Adds what paths in the text lead to, seen from the folder of the file and from those around it.
fn add_paths(tree: &FolderTree, kind: LinkingKind, path: &str, text: &str, links: &mut Vec<FileLink>) {
    let own = parent_path(path);
    let is_of_cdk = memchr::memmem::find(text.as_bytes(), b"aws_cdk").is_some();
    let lists = memchr::memmem::find(text.as_bytes(), b"fileset(").is_some();
    let mut seen = rustc_hash::FxHashSet::default();
    for token in PathTokens::new(text) {
        if !seen.insert((
            token.text,
            token.is_quoted,
            token.is_value,
            token.is_from_module,
            token.is_from_root,
        )) {
            continue;
        }
        let word = token.text.trim_end_matches('.');
        let last = file_name(word.trim_end_matches('/'));
        let is_here = word.bytes().all(|b| matches!(b, b'.' | b'/')) && token.is_value;
        let module = last.rsplit_once('.').map(|(module, _)| module).unwrap_or(last);
        let module = file_name_of_dotted(module);
        let above = parent_path(word.trim_end_matches('/'));
        let is_known = tree.has_name(last) || tree.has_name(module) || tree.has_name(file_name(above));
        if !(is_here || is_known) {
            continue;
        }
        let has_slash = word.contains('/');
        // A word alone may be anything: only what stands beside the file is meant, or what an application of the CDK quotes.
        let everywhere = match kind {
            LinkingKind::Python => has_slash || is_of_cdk && token.is_quoted,
            // From the folder of the root module, which may be one of those around it.
            LinkingKind::Terraform => has_slash && !word.starts_with('.') && !token.is_from_module,
            LinkingKind::Other => false,
        };
        let mut base = own;
        loop {
            let is_found = add_path(tree, base, word, (last, lists), links);
            if is_found || !everywhere || is_here || base.is_empty() {
                break;
            }
            base = parent_path(base);
        }
        if token.is_from_root {
            add_everywhere(tree, word, links);
        }
    }
}

/// The last part of `package.module`.
fn file_name_of_dotted(module: &str) -> &str {
    module.rsplit('.').next().unwrap_or(module)
}

/// Adds what a path leads to from one folder; whether it is there.
fn add_path(tree: &FolderTree, base: &str, word: &str, (last, lists): (&str, bool), links: &mut Vec<FileLink>) -> bool {
    let whole = join_path(base, word.trim_start_matches('/'));
    let is_found = add_target(tree, &whole, lists, links);
    // `src/app.handler`, `app.handler`, `package.app.handler`.
    if let Some((module, _)) = last.rsplit_once('.') {
        let folder = parent_path(&whole);
        for module in [module.to_owned(), module.replace('.', "/")] {
            let module = join_path(folder, &module);
            links.extend(tree.file(&format!("{module}.py")).map(FileLink::File));
        }
    }
    // `policies/${name}.json`, and names without an ending.
    if word.contains('/') && tree.file(&whole).is_none() && tree.folder(&whole).is_none() {
        links.extend(tree.file(&format!("{whole}.py")).map(FileLink::File));
        let folder = parent_path(&whole);
        if folder != base && !folder.is_empty() {
            links.extend(tree.folder(folder).map(FileLink::Folder));
        }
    }
    is_found
}

fn add_target(tree: &FolderTree, path: &str, lists: bool, links: &mut Vec<FileLink>) -> bool {
    let (file, folder) = (tree.file(path), tree.folder(path));
    links.extend(file.map(FileLink::File));
    if let Some(folder) = folder {
        links.push(if lists {
            FileLink::Below(folder)
        } else {
            FileLink::Folder(folder)
        });
        links.push(FileLink::Code(folder));
    }
    file.is_some() || folder.is_some()
}

/// `${path.root}/lambda`: of whichever root module.
fn add_everywhere(tree: &FolderTree, word: &str, links: &mut Vec<FileLink>) {
    let end = join_path("", word.trim_start_matches('/'));
    links.extend(tree.folders_ending_with(&end).map(FileLink::Code));
    links.extend(tree.files_ending_with(&end).map(FileLink::File));
}

/// A part of a text that may be a path.
struct PathToken<'t> {
    text: &'t str,
    /// It stands between quotes, alone.
    is_quoted: bool,
    /// A key, a quote, or an expression stands before it.
    is_value: bool,
    /// It follows the path of the module.
    is_from_module: bool,
    /// It follows the path of the root module.
    is_from_root: bool,
}

struct PathTokens<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> PathTokens<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }
}

const fn path_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        let byte = b as u8;
        table[b] =
            byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'@' | b'+');
        b += 1;
    }
    table
}

const PATH_BYTES: [bool; 256] = path_bytes();

impl<'t> Iterator for PathTokens<'t> {
    type Item = PathToken<'t>;

    fn next(&mut self) -> Option<PathToken<'t>> {
        let bytes = self.text.as_bytes();
        loop {
            let start = self.at + bytes[self.at..].iter().position(|b| PATH_BYTES[usize::from(*b)])?;
            let rest = &bytes[start..];
            let length = rest
                .iter()
                .position(|b| !PATH_BYTES[usize::from(*b)])
                .unwrap_or(rest.len());
            self.at = start + length;
            if length > MAX_TOKEN {
                continue;
            }
            let before = &bytes[..start];
            let quote = before.last().copied().filter(|b| matches!(b, b'"' | b'\''));
            let blank = before.iter().rposition(|b| *b != b' ').map(|at| before[at]);
            return Some(PathToken {
                text: self.text.get(start..self.at)?,
                is_quoted: quote.is_some() && quote == bytes.get(self.at).copied(),
                is_value: blank.is_some_and(|b| matches!(b, b':' | b'=' | b'"' | b'\'' | b'}')),
                is_from_module: before.ends_with(b"path.module}"),
                is_from_root: [&b"path.root}"[..], b"path.cwd}"]
                    .iter()
                    .any(|end| before.ends_with(end)),
            });
        }
    }
}
