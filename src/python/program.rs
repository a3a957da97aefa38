//! The modules of a repository and how their imports find each other.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::iam::sdk;
use crate::python::{BindingValue, ExprKind, ImportFrom, PythonModule};
use crate::source::{FileId, Sources, file_name, folders_around, parent_path, staged_folder};

/// Folders from which Python code is commonly imported as if they were on the path.
pub const IMPORT_ROOTS: &[&str] = &[
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

/// Files that build a package of the folders beside them.
const BUILD_FILES: &[&str] = &["pyproject.toml", "setup.cfg", "setup.py"];

/// Packages that many have.
const COMMON_PACKAGES: &[&str] = &[
    "api",
    "app",
    "classes",
    "client",
    "clients",
    "cli",
    "code",
    "common",
    "config",
    "core",
    "data",
    "db",
    "functions",
    "handler",
    "handlers",
    "helper",
    "helpers",
    "internal",
    "lambda",
    "lambdas",
    "lib",
    "libs",
    "main",
    "model",
    "models",
    "modules",
    "package",
    "python",
    "scripts",
    "server",
    "service",
    "services",
    "shared",
    "src",
    "test",
    "tests",
    "tools",
    "types",
    "util",
    "utilities",
    "utils",
    "vendor",
];

/// The module that a `from` import names, and the one that its name is.
type ImportedName = (Option<usize>, Option<usize>);
/// By the name that is imported.
type Imports = HashMap<Arc<str>, Option<usize>>;
type FromImports = HashMap<ImportFrom, ImportedName>;

/// All modules of a run.
#[derive(Debug)]
pub struct Program<'a> {
    pub sources: &'a Sources,
    pub modules: &'a [PythonModule],
    by_file: BTreeMap<FileId, usize>,
    /// Folders that are on the path of all code: the layers of functions.
    shared: &'a [String],
    /// Paths that end in `/python/…` or stand under a folder named like a layer: path after it → file.
    layers: BTreeMap<&'a str, Option<FileId>>,
    /// What can be imported from each folder: the names of its modules and of its folders.
    folders: HashMap<&'a str, HashSet<&'a str>>,
    /// Of the folders of [`IMPORT_ROOTS`], those that each folder has, in that order.
    roots: BTreeMap<&'a str, Vec<&'a str>>,
    /// Folders with an `__init__.py`, by name: what they stand in, `None` for several.
    packages: HashMap<&'a str, Option<&'a str>>,
    /// Every part of a path: a name that is not one of these is no module of the program.
    names: HashSet<&'a str>,
    /// What the imports that stand in each module find.
    imports: Vec<Imports>,
    froms: Vec<FromImports>,
    /// For [`Program::is_imported_elsewhere`], by module.
    taken: OnceLock<Vec<FxHashSet<Arc<str>>>>,
}

impl<'a> Program<'a> {
    pub fn new(sources: &'a Sources, modules: &'a [PythonModule]) -> Self {
        Self::with_shared_folders(sources, modules, &[])
    }

    /// With folders that are on the path of all code.
    pub fn with_shared_folders(sources: &'a Sources, modules: &'a [PythonModule], shared: &'a [String]) -> Self {
        let by_file: BTreeMap<FileId, usize> = modules.iter().enumerate().map(|(i, m)| (m.file, i)).collect();
        let mut names = HashSet::new();
        let mut folders: HashMap<&str, HashSet<&str>> = HashMap::new();
        let mut roots: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for &file in by_file.keys() {
            let path = sources.path(file);
            let mut at = path;
            loop {
                let dir = parent_path(at);
                let name = at[dir.len()..].trim_start_matches('/');
                let name = name.strip_suffix(".py").unwrap_or(name);
                names.insert(name);
                if !folders.entry(dir).or_default().insert(name) {
                    break;
                }
                if at.len() < path.len() && IMPORT_ROOTS.contains(&name) {
                    roots.entry(dir).or_default().push(at);
                }
                if dir.is_empty() {
                    break;
                }
                at = dir;
            }
        }
        let mut packages: HashMap<&str, Option<&str>> = HashMap::new();
        let all = sources.ids().map(|file| sources.path(file));
        for folder in all.filter_map(package_folder) {
            let within = parent_path(folder);
            let name = folder[within.len()..].trim_start_matches('/');
            let one = packages.entry(name).or_insert(Some(within));
            *one = one.filter(|one| *one == within);
        }
        // Of two layers with such a file, none is meant: which one a function has is not asked.
        let mut layers: BTreeMap<&str, Option<FileId>> = BTreeMap::new();
        for file in sources.ids() {
            let path = sources.path(file);
            if let Some(at) = path.find("python/").filter(|at| *at == 0 || path[..*at].ends_with('/')) {
                let one = layers.entry(&path[at + "python/".len()..]).or_insert(Some(file));
                *one = one.filter(|one| *one == file);
            }
        }
        for (link, _) in sources.links() {
            let dir = parent_path(link);
            let name = link[dir.len()..].trim_start_matches('/');
            let module = name.strip_suffix(".py").unwrap_or(name);
            names.insert(module);
            folders.entry(dir).or_default().insert(module);
            if IMPORT_ROOTS.contains(&name) {
                roots.entry(dir).or_default().push(link);
            }
        }
        for all in roots.values_mut() {
            all.sort_by_key(|dir| IMPORT_ROOTS.iter().position(|r| file_name(dir) == *r));
        }
        let mut program = Self {
            sources,
            modules,
            by_file,
            shared,
            layers,
            folders,
            roots,
            packages,
            names,
            imports: Vec::new(),
            froms: Vec::new(),
            taken: OnceLock::new(),
        };
        let (imports, froms) = modules.par_iter().map(|m| program.resolve(m)).unzip();
        program.imports = imports;
        program.froms = froms;
        program
    }

    fn resolve(&self, m: &PythonModule) -> (Imports, FromImports) {
        let mut imports = HashMap::new();
        let mut froms = HashMap::new();
        for s in &m.scopes {
            for b in s.bindings.values().flatten() {
                match &b.bound {
                    BindingValue::Import(i) => {
                        for name in [&i.module, &i.full] {
                            if !imports.contains_key(name) {
                                imports.insert(name.clone(), self.find(m.file, 0, name));
                            }
                        }
                    }
                    BindingValue::From(i) if !froms.contains_key(i) => {
                        froms.insert(i.clone(), self.find_from(m.file, i));
                    }
                    _ => {}
                }
            }
        }
        (imports, froms)
    }

    /// The indices of its modules.
    pub fn all_modules(&self) -> Vec<usize> {
        (0..self.modules.len()).collect()
    }

    /// These modules and those that they import, however indirectly. Sorted.
    pub fn with_imported(&self, modules: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut seen: BTreeSet<usize> = BTreeSet::new();
        let mut open: Vec<usize> = modules.into_iter().collect();
        while let Some(at) = open.pop() {
            if !seen.insert(at) {
                continue;
            }
            let m = &self.modules[at];
            for bound in m
                .scopes
                .iter()
                .flat_map(|s| s.bindings.values().flatten())
                .map(|b| &b.bound)
            {
                if let BindingValue::Import(i) = bound {
                    open.extend(self.import(m.file, 0, &i.module));
                    open.extend(self.import(m.file, 0, &i.full));
                    open.extend(self.packages_through(m.file, 0, &i.full));
                }
            }
            let texts = m.exprs.iter().filter_map(|e| match &e.kind {
                ExprKind::Str(text) => text.known(),
                _ => None,
            });
            open.extend(texts.filter_map(|text| Some(self.named_by_text(m.file, &text)?.0)));
            for i in m.all_from_imports() {
                let (module, inner) = self.import_from(m.file, i);
                open.extend(module.into_iter().chain(inner));
                open.extend(self.packages_through(m.file, i.level, &i.module));
            }
        }
        seen.into_iter().collect()
    }

    pub fn index_of(&self, file: FileId) -> Option<usize> {
        self.by_file.get(&file).copied()
    }

    /// The packages that a dotted name leads through, which run before what it names. The Python Language Reference, "The import
    /// system".
    pub fn packages_through(&self, from: FileId, level: u32, dotted: &str) -> impl Iterator<Item = usize> {
        let through = dotted.match_indices('.').map(|(at, _)| &dotted[..at]);
        through.filter_map(move |name| self.import(from, level, name))
    }

    /// The module that a string names, with what it names in it: `"jobs.nightly"`, `"settings.Production"`, `"jobs:run"`.
    pub fn named_by_text<'t>(&self, from: FileId, text: &'t str) -> Option<(usize, Option<&'t str>)> {
        const LONGEST: usize = 120;
        let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':');
        let first = text.split(['.', ':']).next()?;
        if first.len() == text.len()
            || text.len() > LONGEST
            || !self.names.contains(first)
            || !text.bytes().all(is_part)
        {
            return None;
        }
        let (path, name) = text
            .split_once(':')
            .map_or((text, None), |(path, name)| (path, Some(name)));
        if let Some(module) = self.import(from, 0, path) {
            return Some((module, name));
        }
        let (path, last) = path.rsplit_once('.')?;
        let module = self.import(from, 0, path)?;
        Some((module, name.or(Some(last))))
    }

    /// The packages around a module, whose `__init__.py` runs before it does, the nearest first.
    pub fn packages_around(&self, module: usize) -> impl Iterator<Item = usize> {
        let own = parent_path(self.sources.path(self.modules[module].file));
        let packages = folders_around(own).filter_map(|dir| self.at(dir, ""));
        packages.filter(move |package| *package != module)
    }

    /// The module that `dotted` (with `level` dots before it) names in a file of this program; packages are their
    /// `__init__.py`.
    pub fn import(&self, from: FileId, level: u32, dotted: &str) -> Option<usize> {
        let known = self
            .index_of(from)
            .and_then(|m| self.imports.get(m))
            .filter(|_| level == 0);
        match known.and_then(|k| k.get(dotted)) {
            Some(found) => *found,
            None => self.find(from, level, dotted),
        }
    }

    fn find(&self, from: FileId, level: u32, dotted: &str) -> Option<usize> {
        if level == 0 && !self.names.contains(dotted.split('.').next().unwrap_or("")) {
            return None;
        }
        let path = self.sources.path(from);
        let rest = dotted.replace('.', "/");
        let mut dir = parent_path(path);
        if level > 0 {
            for _ in 1..level {
                dir = parent_path(dir);
            }
            return self.at(dir, &rest);
        }
        if rest.is_empty() || is_known_library(dotted) && !self.is_shadowed(dir, &rest) {
            return None;
        }
        let first = rest.split('/').next().unwrap_or("");
        let found = self.folders_with(dir, first).find_map(|dir| self.at(dir, &rest));
        if found.is_some() {
            return found;
        }
        // A copy of a library in a layer is the library.
        if sdk::library(dotted).is_some() {
            return None;
        }
        let mut shared = self
            .shared
            .iter()
            .filter(|dir| self.has(dir, first))
            .filter_map(|dir| self.at(dir, &rest));
        if let Some(first) = shared.next() {
            // Which of several layers a function has is not asked.
            return shared.all(|other| other == first).then_some(first);
        }
        let layer = [format!("{rest}.py"), format!("{rest}/__init__.py")];
        let of_layer = layer.iter().find_map(|p| *self.layers.get(p.as_str())?);
        of_layer
            .and_then(|f| self.index_of(f))
            .or_else(|| self.only_package(first, &rest))
    }

    /// The module of a package that is there once in the repository and that a build step puts beside the code. Of some names,
    /// other code is as likely meant, unless the package is one that is installed: it stands in a folder of its name, or beside
    /// what builds it.
    fn only_package(&self, package: &str, rest: &str) -> Option<usize> {
        let within = (*self.packages.get(package)?)?;
        let builds = |name: &str| self.sources.find(&format!("{within}/{name}")).is_some();
        let is_installed = || file_name(within) == package || BUILD_FILES.iter().any(|name| builds(name));
        (!COMMON_PACKAGES.contains(&package) || is_installed())
            .then(|| self.at(within, rest))
            .flatten()
    }

    /// Whether a file of the repository that we did not read hides the library of this name.
    pub fn is_hidden(&self, from: FileId, dotted: &str) -> bool {
        is_known_library(dotted) && self.is_shadowed(parent_path(self.sources.path(from)), &dotted.replace('.', "/"))
    }

    /// The module that `from m import name` reads from, and, where `name` is itself a module, that one.
    pub fn import_from(&self, from: FileId, import: &ImportFrom) -> (Option<usize>, Option<usize>) {
        let known = self.index_of(from).and_then(|m| self.froms.get(m));
        match known.and_then(|k| k.get(import)) {
            Some(found) => *found,
            None => self.find_from(from, import),
        }
    }

    /// Whether another module takes this name from the module.
    pub fn is_imported_elsewhere(&self, module: usize, name: &str) -> bool {
        let taken = self.taken.get_or_init(|| self.taken_names());
        let names = &taken[module];
        names.contains(name) || names.contains("*")
    }

    /// What other modules take from each module; `*` stands for all of it.
    fn taken_names(&self) -> Vec<FxHashSet<Arc<str>>> {
        let mut out = vec![FxHashSet::default(); self.modules.len()];
        for m in self.modules {
            for i in m.all_from_imports() {
                if let Some(from) = self.import_from(m.file, i).0 {
                    out[from].insert(i.name.clone());
                }
            }
        }
        out
    }

    fn find_from(&self, from: FileId, import: &ImportFrom) -> (Option<usize>, Option<usize>) {
        let module = self.find(from, import.level, &import.module);
        let dotted = if import.module.is_empty() {
            import.name.to_string()
        } else {
            format!("{}.{}", import.module, import.name)
        };
        (module, self.find(from, import.level, &dotted))
    }

    /// The folder whose module or package `dotted` begins with, for a file that imports it: a part that was not read is there.
    pub fn folder_of_import(&self, from: FileId, dotted: &str) -> Option<&str> {
        let first: &'a str = self.names.get(dotted.split('.').next().unwrap_or(""))?;
        self.folders_with(parent_path(self.sources.path(from)), first).next()
    }

    /// Whether something of the name `first` can be imported from a folder.
    fn has(&self, dir: &str, first: &str) -> bool {
        let names = self.folders.get(dir);
        let names = names.or_else(|| self.folders.get(&*self.sources.resolved(dir)));
        names.is_some_and(|names| names.contains(first))
    }

    /// The folders around `dir`, and their roots of imports, that have something of the name `first`, the nearest first.
    fn folders_with<'p>(&'p self, dir: &'p str, first: &'p str) -> impl Iterator<Item = &'p str> {
        folders_around(dir)
            .flat_map(|base| std::iter::once(base).chain(self.roots.get(base).into_iter().flatten().copied()))
            .filter(move |dir| self.has(dir, first))
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
    fn is_shadowed(&self, dir: &str, rest: &str) -> bool {
        let first = rest.split('/').next().unwrap_or(rest);
        let path = if dir.is_empty() {
            format!("{first}.py")
        } else {
            format!("{dir}/{first}.py")
        };
        self.sources.find(&path).is_some()
    }
}

/// The folder of a package whose `__init__.py` this is. What the CDK stages are copies, which stand beside their originals.
fn package_folder(path: &str) -> Option<&str> {
    path.strip_suffix("/__init__.py")
        .filter(|folder| staged_folder(folder).is_none())
}

/// Libraries that we know by name and never look for in the repository, unless a single file beside the importer hides
/// them.
pub fn is_known_library(dotted: &str) -> bool {
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
