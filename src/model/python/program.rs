//! The modules of a repository and how their imports find each other.

use std::collections::BTreeMap;

use super::{ImportFrom, Module};
use crate::source::{FileId, Sources, parent_path};

/// Folders from which Python code is commonly imported as if they were on the path.
const ROOTS: &[&str] = &[
    "src",
    "python",
    "lib",
    "app",
    "lambda",
    "lambdas",
    "common",
    "shared",
    "functions",
];

/// All modules of a run.
#[derive(Debug)]
pub struct Program<'a> {
    pub sources: &'a Sources,
    pub modules: &'a [Module],
    by_file: BTreeMap<FileId, usize>,
    /// Paths that end in `/python/…` or stand under a folder named like a layer: path after it → file.
    layers: BTreeMap<&'a str, FileId>,
}

impl<'a> Program<'a> {
    pub fn new(sources: &'a Sources, modules: &'a [Module]) -> Self {
        let by_file: BTreeMap<FileId, usize> = modules.iter().enumerate().map(|(i, m)| (m.file, i)).collect();
        let mut layers = BTreeMap::new();
        for &file in by_file.keys() {
            let path = sources.path(file);
            if let Some(at) = path.find("python/").filter(|at| *at == 0 || path[..*at].ends_with('/')) {
                layers.entry(&path[at + "python/".len()..]).or_insert(file);
            }
        }
        Self {
            sources,
            modules,
            by_file,
            layers,
        }
    }

    pub fn index_of(&self, file: FileId) -> Option<usize> {
        self.by_file.get(&file).copied()
    }

    /// The module that `dotted` (with `level` dots before it) names in a file of this program; packages are their
    /// `__init__.py`.
    pub fn import(&self, from: FileId, level: u32, dotted: &str) -> Option<usize> {
        let path = self.sources.path(from);
        let rest = dotted.replace('.', "/");
        let mut dir = parent_path(path);
        if level > 0 {
            for _ in 1..level {
                dir = parent_path(dir);
            }
            return self.at(dir, &rest);
        }
        if rest.is_empty() || is_library(dotted) && !self.shadowed(dir, &rest) {
            return None;
        }
        let mut base = dir;
        loop {
            if let Some(m) = self.at(base, &rest) {
                return Some(m);
            }
            for root in ROOTS {
                let dir = if base.is_empty() {
                    (*root).to_owned()
                } else {
                    format!("{base}/{root}")
                };
                if let Some(m) = self.at(&dir, &rest) {
                    return Some(m);
                }
            }
            if base.is_empty() {
                break;
            }
            base = parent_path(base);
        }
        let layer = [format!("{rest}.py"), format!("{rest}/__init__.py")];
        layer
            .iter()
            .find_map(|p| self.layers.get(p.as_str()))
            .and_then(|f| self.index_of(*f))
    }

    /// The module that `from m import name` reads from, and, where `name` is itself a module, that one.
    pub fn import_from(&self, from: FileId, import: &ImportFrom) -> (Option<usize>, Option<usize>) {
        let module = self.import(from, import.level, &import.module);
        let dotted = if import.module.is_empty() {
            import.name.to_string()
        } else {
            format!("{}.{}", import.module, import.name)
        };
        (module, self.import(from, import.level, &dotted))
    }

    fn at(&self, dir: &str, rest: &str) -> Option<usize> {
        let base = match (dir.is_empty(), rest.is_empty()) {
            (true, _) => rest.to_owned(),
            (false, true) => dir.to_owned(),
            (false, false) => format!("{dir}/{rest}"),
        };
        let found = |path: String| self.sources.find(&path).and_then(|f| self.index_of(f));
        let module = if rest.is_empty() {
            None
        } else {
            found(format!("{base}.py"))
        };
        module.or_else(|| found(format!("{base}/__init__.py")))
    }

    /// A file of the repository beside the importing one takes precedence over a library, but a vendored copy is the
    /// library.
    fn shadowed(&self, dir: &str, rest: &str) -> bool {
        let first = rest.split('/').next().unwrap_or(rest);
        let path = if dir.is_empty() {
            format!("{first}.py")
        } else {
            format!("{dir}/{first}.py")
        };
        self.sources.find(&path).is_some()
    }
}

/// Libraries that we know by name and never look for in the repository, unless a single file beside the importer hides
/// them.
fn is_library(dotted: &str) -> bool {
    matches!(
        dotted.split('.').next().unwrap_or(""),
        "boto3"
            | "botocore"
            | "aioboto3"
            | "aiobotocore"
            | "json"
            | "os"
            | "sys"
            | "typing"
            | "functools"
            | "contextlib"
            | "textwrap"
            | "copy"
            | "string"
            | "aws_cdk"
            | "aws_lambda_powertools"
    )
}
