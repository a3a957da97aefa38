//! Which file of the repository is a function's code, where only names say it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::code::{NEAR_FOLDERS, Start, gap_of_package, other_runtime, place_of_package, said_of_code, shown};
use super::workloads::Linking;
use crate::iam::SourceFormat;
use crate::model::Resource;
use crate::project::{CodePlace, ContentGap, Handler, ResourceId, WorkloadCode};
use crate::python::PythonModule;
use crate::source::{FileId, file_name, folders_around, is_within, join_path, parent_path};
use crate::test_code::is_test_code;
use crate::value::Value;

/// What files of handlers are called anywhere: that there is one says nothing.
const COMMON_NAMES: &[&str] = &[
    "__init__",
    "app",
    "code",
    "function",
    "handler",
    "index",
    "lambda",
    "lambda_function",
    "lambda_handler",
    "main",
];

/// What scripts of jobs are called anywhere.
const COMMON_SCRIPTS: &[&str] = &["etl", "glue", "glue_job", "gluejob", "job", "run", "script"];

/// What packages are called that have no name of their own.
const PLAIN_PACKAGES: &[&str] = &[
    "deployment",
    "deployment_package",
    "dist",
    "package",
    "payload",
    "source",
    "src",
];

/// How many folders a package is called after at most.
const NAMED_FOLDERS: usize = 8;

impl Linking<'_, '_> {
    /// The code of a function whose package is not made of files that are named: the one file of the repository that is called
    /// as the handler says and has its function; of several, or with a common name, the one in a folder that is called as the
    /// package, else the only one near the function. Not a file in `taken`, which is the code of another function, and none
    /// that is as near to another one of `unplaced`.
    pub(super) fn code_by_name(
        &self,
        r: &Resource,
        taken: &BTreeSet<FileId>,
        unplaced: &[ResourceId],
        wanted: &mut BTreeSet<String>,
    ) -> Option<WorkloadCode> {
        // What is called after its content may be of any folder.
        const DIGITS: usize = 32;
        let is_hash = |name: String| name.len() >= DIGITS && name.bytes().all(|b| b.is_ascii_hexdigit());
        if other_runtime(r).is_some() || package_name(r).is_some_and(is_hash) {
            return None;
        }
        let written = r.get("Handler")?;
        let start = Start::from_handler(&written.as_str()?)?;
        let function = start.function.as_deref()?;
        let file_name = format!("{}.py", start.module);
        let root = |file: FileId| {
            let root = self.project.sources.path(file).strip_suffix(&*file_name)?;
            (root.is_empty() || root.ends_with('/')).then(|| root.trim_end_matches('/'))
        };
        let has_function = |m: &PythonModule| m.scopes.iter().take(1).any(|s| s.bindings.contains_key(function));
        let last = start.module.rsplit('/').next().unwrap_or_default();
        let called = self.modules.get(last).into_iter().flatten();
        let files = called
            .filter(|m| has_function(m) && !taken.contains(&m.file))
            .map(|m| m.file);
        let mut found: Vec<(FileId, &str)> = files.filter_map(|f| Some((f, root(f)?))).collect();
        found.retain(|(f, _)| !is_test_code(self.project.sources.path(*f)));
        let others = || unplaced.iter().map(|id| &self.project.resources[*id]);
        // Packages of different names are not all made of one file.
        let place = place_of_package(r).map(shown);
        let is_rival = |o: &Resource| {
            let same = |name: &str| o.get(name).and_then(Value::as_str) == r.get(name).and_then(Value::as_str);
            same("Handler") && place.is_some() && place_of_package(o).is_some_and(|p| Some(shown(p)) != place)
        };
        if found.len() > 1 || COMMON_NAMES.contains(&last) || others().any(is_rival) {
            let package = telling_package_name(r, others());
            let end_of =
                |root: &'_ str, package: &str| Some(ends_of(root).find(|end| is_same_name(end, package))?.len());
            // `users/articles` is the code of `users_articles`, and not that of `articles`.
            let is_called = |root: &str| {
                let end = package.as_ref().and_then(|package| end_of(root, package));
                let rivals = || others().filter_map(package_name);
                end.is_some_and(|end| !rivals().any(|rival| end_of(root, &rival).is_some_and(|other| other > end)))
            };
            let is_named = found.iter().any(|(_, root)| is_called(root));
            if is_named {
                found.retain(|(_, root)| is_called(root));
            }
            if !is_named || found.len() > 1 {
                let files: Vec<FileId> = found.iter().map(|(file, _)| *file).collect();
                let near = self.folder_around(r, &files, unplaced)?;
                found.retain(|(file, _)| is_within(self.project.sources.path(*file), near));
            }
        }
        let [(file, root)] = found[..] else { return None };
        if self.is_in_own_folder(r) {
            return None;
        }
        // The Dockerfile that is not named may say what stands beside the code.
        if matches!(gap_of_package(r), ContentGap::Image) {
            let beside = [root, parent_path(root)].map(|folder| join_path(folder, "Dockerfile"));
            wanted.extend(
                beside
                    .into_iter()
                    .filter(|path| self.project.sources.find(path).is_none()),
            );
        }
        Some(WorkloadCode {
            span: written.span,
            place: CodePlace::Paths(vec![root.to_owned()]),
            handler: Some(Handler {
                file,
                function: start.function,
            }),
        })
    }

    /// The script of a job that a bucket has under this address: the one file of the repository with its name; of several, or with
    /// a common name, the one in folders that are called as those of the address.
    pub(super) fn script_by_name(&self, address: &str) -> Option<String> {
        let stem = file_name(address)
            .strip_suffix(".py")
            .filter(|stem| !stem.contains(['$', '{', '*']))?;
        let paths = self
            .modules
            .get(stem)
            .into_iter()
            .flatten()
            .map(|m| self.project.sources.path(m.file));
        let found: Vec<&str> = paths.filter(|path| !is_test_code(path)).collect();
        let shared = |path: &str| {
            let (own, given) = (path.rsplit('/'), address.rsplit('/'));
            own.zip(given).take_while(|(a, b)| a == b).count()
        };
        let most = found.iter().map(|path| shared(path)).max()?;
        let is_common = COMMON_NAMES.contains(&stem) || COMMON_SCRIPTS.contains(&stem);
        let mut nearest = found.iter().filter(|path| shared(path) == most);
        let only = nearest.next().filter(|_| nearest.next().is_none())?;
        (most > 1 || found.len() == 1 && !is_common).then(|| (*only).to_owned())
    }

    /// The nearest folder around a function that has any of `files`, where it is the only function of its handler there whose
    /// code is not known, or all of them have one package.
    fn folder_around(&self, r: &Resource, files: &[FileId], unplaced: &[ResourceId]) -> Option<&str> {
        let package = place_of_package(r).map(shown)?;
        // A class of the CDK may be used with several folders.
        if r.format == SourceFormat::Python {
            return None;
        }
        let path = |file: FileId| self.project.sources.path(file);
        let near = folders_around(parent_path(path(r.header.file)))
            .take(NEAR_FOLDERS)
            .find(|dir| files.iter().any(|file| is_within(path(*file), dir)))?;
        // One that has a name of its own, and no part of the folder's, may come from elsewhere.
        let folder = file_name(near).replace('-', "_");
        let is_related = |name: &str| !folder.is_empty() && (name.contains(&folder) || folder.contains(name));
        let others = || unplaced.iter().map(|id| &self.project.resources[*id]);
        if telling_package_name(r, others()).is_some_and(|name| {
            let name = name.replace('-', "_");
            !is_plain(&name) && !is_related(&name)
        }) {
            return None;
        }
        let handler = r.get("Handler").and_then(Value::as_str)?;
        let mut rivals = others().filter(|o| is_within(path(o.header.file), near)).filter(|o| {
            other_runtime(o).is_none() && o.get("Handler").and_then(Value::as_str).is_some_and(|h| h == handler)
        });
        rivals
            .all(|o| place_of_package(o).is_some_and(|p| shown(p) == package))
            .then_some(near)
    }
}

/// The path of a function's package: a key of a bucket, or a file.
fn package_key(r: &Resource) -> Option<Cow<'_, str>> {
    let uri = |name: &str| r.get(name).map(|uri| uri.get("Key").unwrap_or(uri));
    let key = said_of_code(r, "S3Key")
        .or_else(|| uri("CodeUri"))
        .or_else(|| uri("Code"));
    key.and_then(Value::as_str).or_else(|| r.get("PackagePath")?.as_str())
}

/// The name of a function's package, without its folder and ending.
fn package_name(r: &Resource) -> Option<String> {
    let key = package_key(r)?;
    let name = key.rsplit('/').next()?;
    Some(name.split('.').next()?.to_owned())
}

/// The folders that are called as the package of a function.
pub(crate) fn called_as_package<'p>(r: &Resource, folders: impl Iterator<Item = &'p str>) -> Vec<&'p str> {
    let Some(package) = package_name(r) else {
        return Vec::new();
    };
    let is_called = |folder: &&str| ends_of(folder).any(|end| is_same_name(end, &package));
    folders.filter(is_called).collect()
}

/// The name of a function's package; where `others` are called the same in other folders, that of its folder.
fn telling_package_name<'r>(r: &Resource, mut others: impl Iterator<Item = &'r Resource>) -> Option<String> {
    let (name, key) = (package_name(r)?, package_key(r)?);
    let folder = file_name(parent_path(&key));
    let is_elsewhere = |o: &Resource| package_name(o).as_ref() == Some(&name) && package_key(o).as_ref() != Some(&key);
    match !folder.is_empty() && is_plain(&name.replace('-', "_")) && others.any(is_elsewhere) {
        true => Some(folder.to_owned()),
        false => Some(name),
    }
}

/// Whether a package is called as many are.
fn is_plain(name: &str) -> bool {
    COMMON_NAMES.contains(&name) || PLAIN_PACKAGES.contains(&name)
}

/// The last folder of a path, the last two, the last three: `read`, `consumer/read`, `api/consumer/read`, and so on.
fn ends_of(path: &str) -> impl Iterator<Item = &str> {
    let starts = path.rmatch_indices('/').map(|(at, _)| at + 1).chain([0]);
    starts.take(NAMED_FOLDERS).map(|start| &path[start..])
}

/// Whether folders are called as a package, but for hyphens, underscores, and slashes.
fn is_same_name(folders: &str, package: &str) -> bool {
    let plain = |name: &str| name.replace(['-', '/'], "_");
    plain(folders).eq_ignore_ascii_case(&plain(package))
}
