//! `[[workload]]` of the settings: code joined to the role that it runs with.
//!
//! What such an entry names and is not there is a problem at the entry, where all that the settings govern was read.

use std::collections::{BTreeMap, BTreeSet};

use super::index::last_known_name;
use super::workloads::{Linking, is_in_folders};
use crate::iam::{DeclaredWorkload, SettingValue};
use crate::model::Resource;
use crate::project::{
    CodePlace, Handler, Identity, IdentityId, IdentityKind, Project, RunsAs, Workload, WorkloadCode, WorkloadContent,
    WorkloadKind,
};
use crate::python::ScopeId;
use crate::source::{FileId, Problem, ProblemKind, Span, file_name, join_path, parent_path};

/// Files that a text names.
const MAX_NAMED: usize = 3;

/// Adds what the settings declare to `out`: the code of tasks, instances and functions whose own cannot be seen, and
/// workloads of their own for the rest. What it takes to see the code is added to `wanted`.
pub(super) fn add_declared_workloads(
    linking: &Linking<'_, '_>,
    out: &mut Vec<Workload>,
    wanted: &mut BTreeSet<String>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for entry in &linking.project.own.workloads {
        let Some(file) = linking.project.sources.find(&entry.file) else {
            continue;
        };
        let entry = DeclaredEntry { linking, entry, file };
        let code = entry.code(wanted);
        let roles = entry.roles();
        if entry.entry.whole {
            let faults = [code.as_ref().err(), roles.as_ref().err()].into_iter().flatten();
            problems.extend(faults.cloned());
        }
        if let (Ok(code), Ok(roles)) = (code, roles) {
            problems.extend(entry.join(&roles, &code, out).err().filter(|_| entry.entry.whole));
        }
    }
    problems
}

struct DeclaredEntry<'e, 'a> {
    linking: &'e Linking<'e, 'a>,
    entry: &'e DeclaredWorkload,
    /// The settings.
    file: FileId,
}

impl DeclaredEntry<'_, '_> {
    /// The place of a value; all of nothing where the file is not the one that was parsed.
    fn span(&self, written: &SettingValue) -> Span {
        let known = self.linking.project.sources.text(self.file).get(written.place.clone());
        match known {
            Some(_) => Span::new(self.file, written.place.start, written.place.end),
            None => Span::new(self.file, 0, 0),
        }
    }

    fn problem(&self, at: &SettingValue, message: String) -> Problem {
        Problem::new(ProblemKind::Settings, self.span(at), message)
    }

    // ---- the code ----

    fn code(&self, wanted: &mut BTreeSet<String>) -> Result<WorkloadCode, Problem> {
        let project = self.linking.project;
        let paths: Vec<String> = self.entry.code.iter().map(|c| c.text.clone()).collect();
        for code in &self.entry.code {
            let one = std::slice::from_ref(&code.text);
            let any = project
                .modules
                .iter()
                .any(|m| is_in_folders(project.sources.path(m.file), one));
            if !any {
                wanted.insert(code.text.clone());
                wanted.insert(format!("{}/", code.text));
                return Err(self.problem(code, format!("`{}` contains no Python code that uses AWS", code.text)));
            }
        }
        let handler =
            match &self.entry.entry {
                Some(written) => {
                    let found = match file_name(&written.text).contains("Dockerfile") {
                        true => self.container(&written.text, &paths, wanted),
                        false => self.handler(&written.text, &paths),
                    };
                    Some(found.ok_or_else(|| {
                        self.problem(written, format!("`{}` was not found in the code", written.text))
                    })?)
                }
                None => None,
            };
        Ok(WorkloadCode {
            span: self
                .entry
                .code
                .first()
                .map_or(Span::new(self.file, 0, 0), |c| self.span(c)),
            place: CodePlace::Paths(paths),
            handler,
        })
    }

    /// `main.py`, `main.py:run`, `package.main:run`, a package with a `__main__.py`, relative to the code or to the settings.
    fn handler(&self, entry: &str, paths: &[String]) -> Option<Handler> {
        let (module, function) = match entry.split_once(':') {
            Some((module, function)) => (module, Some(function)),
            None => (entry, None),
        };
        let module = match module.strip_suffix(".py") {
            Some(path) => path.to_owned(),
            None => module.replace('.', "/"),
        };
        let folders = paths
            .iter()
            .map(|p| if p.ends_with(".py") { parent_path(p) } else { p });
        let file = folders.chain([parent_path(&self.entry.file)]).find_map(|folder| {
            let main = || {
                self.linking
                    .module(folder, &join_path(&module, "__main__"))
                    .filter(|_| function.is_none())
            };
            main().or_else(|| self.linking.module(folder, &module))
        })?;
        let modules = &self.linking.project.modules;
        let m = &modules[modules.binary_search_by_key(&file, |m| m.file).ok()?];
        let first = function.and_then(|f| f.split('.').next());
        let is_there = first.is_none_or(|name| m.scope(ScopeId::MODULE).bindings.contains_key(name));
        is_there.then(|| Handler {
            file,
            function: function.map(str::to_owned),
        })
    }

    /// What the image of a Dockerfile starts.
    fn container(&self, dockerfile: &str, paths: &[String], wanted: &mut BTreeSet<String>) -> Option<Handler> {
        let path = join_path(parent_path(&self.entry.file), dockerfile);
        let image = self.linking.image(&path, None, wanted)?;
        let folders: Vec<String> = paths.iter().cloned().chain([parent_path(&path).to_owned()]).collect();
        self.linking.handler_of_image(&image, &folders)
    }

    // ---- the role ----

    /// The roles that are meant: several only where one text makes several.
    fn roles(&self) -> Result<Vec<IdentityId>, Problem> {
        let project = self.linking.project;
        let written = &self.entry.role;
        let (under, name) = match written.text.rsplit_once(':') {
            Some((path, name)) if !written.text.starts_with("arn:") => {
                (Some(join_path(parent_path(&self.entry.file), path)), name)
            }
            _ => (None, written.text.as_str()),
        };
        let mut found: BTreeMap<Span, Vec<IdentityId>> = BTreeMap::new();
        for (id, identity) in project.identities.iter_enumerated() {
            let r = &project.resources[identity.resource];
            let path = project.sources.path(identity.header.file);
            let here = under
                .as_ref()
                .is_none_or(|u| is_in_folders(path, std::slice::from_ref(u)));
            if identity.kind == IdentityKind::Role && here && is_called(identity, r, name) {
                found.entry(identity.header).or_default().push(id);
            }
        }
        let mut places = found.into_iter();
        match (places.next(), places.next()) {
            (None, _) => Err(self.problem(
                written,
                format!("role `{}` was not found in the files that were read", written.text),
            )),
            (Some((_, roles)), None) => {
                let modules: BTreeSet<String> = roles.iter().map(|role| project.module_of(*role)).collect();
                if let (Some(first), true) = (modules.first(), modules.len() > 1) {
                    let message = format!("several modules make this role: write {first}.{name}");
                    return Err(self.problem(written, message));
                }
                Ok(roles)
            }
            (Some((first, _)), Some((second, _))) => {
                let all = [first, second].into_iter().chain(places.map(|(span, _)| span));
                let files: BTreeSet<&str> = all.map(|s| project.sources.path(s.file)).collect();
                let files: Vec<&str> = files.into_iter().take(MAX_NAMED).collect();
                let message = format!("several roles have this name ({}): write PATH:{name}", files.join(", "));
                Err(self.problem(written, message))
            }
        }
    }

    // ---- what runs ----

    /// Joins the code to what is meant of all that runs with these roles, else makes it a workload of its own.
    fn join(&self, roles: &[IdentityId], code: &WorkloadCode, out: &mut Vec<Workload>) -> Result<(), Problem> {
        let resources = &self.linking.project.resources;
        let has_role = |w: &&mut Workload| w.roles.iter().any(|r| roles.contains(&r.role));
        let runs_python = |w: &&mut Workload| {
            let runtime = resources[w.resource].get("Runtime").and_then(|v| v.as_str());
            runtime.is_none_or(|name| name.starts_with("python"))
        };
        let mut meant: Vec<&mut Workload> = out.iter_mut().filter(has_role).filter(runs_python).collect();
        if let Some(name) = &self.entry.name {
            meant.retain(|w| is_resource_called(&resources[w.resource], &name.text));
            if meant.is_empty() {
                let message = format!("nothing called `{}` runs with this role", name.text);
                return Err(self.problem(name, message));
            }
        }
        meant.retain(|w| w.code().is_none());
        // Of several, it is not known which one is meant; one text may make several.
        let places: BTreeSet<Span> = meant.iter().map(|w| resources[w.resource].header).collect();
        if places.len() == 1 {
            for w in meant {
                w.content = Ok(WorkloadContent::Code(code.clone()));
            }
            return Ok(());
        }
        out.extend(roles.iter().map(|&role| Workload {
            kind: WorkloadKind::Declared,
            resource: self.linking.project.identities[role].resource,
            roles: vec![RunsAs {
                role,
                span: self.span(&self.entry.role),
            }],
            role_gap: None,
            content: Ok(WorkloadContent::Code(code.clone())),
        }));
        Ok(())
    }
}

impl Project<'_> {
    /// The module of Terraform that makes a role, without the keys of its instances; empty for the root module.
    pub fn module_of(&self, role: IdentityId) -> String {
        module_of_resource(&self.resources[self.identities[role].resource])
    }

    /// What the settings call a resource: its address without keys, with the module that makes it.
    pub(crate) fn name_in_settings(&self, r: &Resource) -> String {
        let (module, name) = (module_of_resource(r), keyless(&r.address.name));
        match module.is_empty() {
            true => name,
            false => format!("{module}.{name}"),
        }
    }
}

fn module_of_resource(r: &Resource) -> String {
    keyless(r.address.scope.split_once('#').map_or("", |(_, path)| path))
}

/// An address without its keys: `module.a` of `module.a["k"]`.
fn keyless(text: &str) -> String {
    let mut deep = 0usize;
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '[' => deep += 1,
            ']' => deep = deep.saturating_sub(1),
            _ if deep == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

/// Whether a role goes by `name`: its address, with the modules before it or not, or its physical name or ARN.
fn is_called(identity: &Identity, r: &Resource, name: &str) -> bool {
    let physical = identity.name.as_ref().and_then(|n| n.known());
    is_called_by_address_or(physical.as_deref(), r, name)
}

/// The same of what runs.
fn is_resource_called(r: &Resource, name: &str) -> bool {
    let given = ["FunctionName", "Name"]
        .iter()
        .find_map(|property| r.get(property)?.as_str());
    is_called_by_address_or(given.as_deref(), r, name)
}

fn is_called_by_address_or(physical: Option<&str>, r: &Resource, name: &str) -> bool {
    let unquoted = |text: &str| text.replace(['"', '\''], "");
    let plain = unquoted(name);
    // `module.a.module.b["k"].aws_iam_role.r`: the modules are part of the scope.
    let mut path = Vec::new();
    let mut rest = plain.as_str();
    while let Some(after) = rest.strip_prefix("module.") {
        let end = after.find(['.', '[']).unwrap_or(after.len());
        let end = match after[end..].strip_prefix('[') {
            Some(key) => end + 1 + key.find(']').map_or(key.len(), |i| i + 1),
            None => end,
        };
        path.push(&rest[.."module.".len() + end]);
        rest = after[end..].trim_start_matches('.');
    }
    let same = |written: &str, known: &str| {
        let known = unquoted(known);
        written == known || written == keyless(&known) || keyless(written) == known
    };
    let scope = r.address.scope.split_once('#').map_or("", |(_, path)| path);
    let in_module = path.is_empty() || same(&path.join("."), scope);
    if in_module && same(rest, &r.address.name) {
        return true;
    }
    physical.is_some_and(|known| path.is_empty() && last_known_name(&plain) == Some(known))
}
