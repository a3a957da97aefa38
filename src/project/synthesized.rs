//! What the CDK synthesized of the repository.

use std::collections::BTreeSet;

use super::Project;
use crate::source::{file_name, folders_around, is_within, join_path, parent_path};
use crate::unjudged::{Language, Unjudged, UnjudgedReason};

impl Project<'_> {
    /// The paths of those files in languages that are not read whose policies were judged nevertheless: a file that names one
    /// had it read, or templates that are made of it were. `exists` says whether there is a file.
    pub fn judged_sources<'u>(&self, unread: &'u [Unjudged], exists: &dyn Fn(&str) -> bool) -> BTreeSet<&'u str> {
        let languages = unread.iter().filter_map(|u| match u.why {
            UnjudgedReason::Language(language) => Some((&*u.path, language)),
            _ => None,
        });
        let mut languages = languages.peekable();
        if languages.peek().is_none() {
            return BTreeSet::new();
        }
        let read: BTreeSet<&str> = self.documents.iter().map(|d| self.sources.path(d.span.file)).collect();
        let applications = self.synthesized_applications();
        let is_judged = |(path, language): &(&str, Language)| match language {
            Language::Cdk => is_synthesized(path, &applications, exists),
            _ => read.contains(path),
        };
        languages.filter(is_judged).map(|(path, _)| path).collect()
    }

    /// The folders with a `cdk.out` whose templates were asked for.
    fn synthesized_applications(&self) -> BTreeSet<&str> {
        let of_cdk = self.resources.iter().filter(|r| r.format.is_cloudformation());
        let of_cdk = of_cdk.filter(|r| r.construct_path().is_some());
        let files: BTreeSet<_> = of_cdk.map(|r| r.header.file).collect();
        let asked = files.into_iter().filter(|file| self.sources.file(*file).in_scope);
        let assemblies = asked.map(|file| match parent_path(self.sources.path(file)) {
            stage if file_name(stage).starts_with("assembly-") => parent_path(stage),
            folder => folder,
        });
        assemblies
            .filter(|folder| file_name(folder) == "cdk.out")
            .map(parent_path)
            .collect()
    }
}

/// Whether a file lies in the folder of an application, and in no project of its own inside.
fn is_synthesized(path: &str, applications: &BTreeSet<&str>, exists: &dyn Fn(&str) -> bool) -> bool {
    applications.iter().any(|app| {
        let mut inner = folders_around(parent_path(path)).take_while(|folder| folder != app);
        let is_project = |folder: &str| {
            ["cdk.json", "package.json"]
                .iter()
                .any(|f| exists(&join_path(folder, f)))
        };
        is_within(path, app) && !inner.any(is_project)
    })
}
