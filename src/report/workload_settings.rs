//! The entry of the settings that would tell what runs in a workload.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::checks::ComparedWorkload;
use crate::formats::docker::{self, Runs};
use crate::project::{
    CodePlace, ContentGap, IdentityId, IdentityKind, Project, RoleGap, Workload, WorkloadCode, WorkloadKind,
    called_as_package,
};
use crate::source::{file_name, is_within, parent_path};
use crate::test_code::is_test_code;
use crate::value::Value;

/// Other folders that a comment names.
const MAX_OTHERS: usize = 3;

/// A `[[workload]]` for what is not known of a workload, if the settings can say it. `in_settings` says how they call a file.
pub(super) fn settings_for(
    project: &Project<'_>,
    compared: &ComparedWorkload,
    in_settings: &dyn Fn(&str) -> String,
) -> Option<String> {
    let w = &project.workloads[compared.workload];
    let Some(role) = w.roles.first().map(|r| r.role) else {
        return settings_for_role(project, w, in_settings);
    };
    let is_read = |m: &crate::python::PythonModule| !is_test_code(project.sources.path(m.file));
    let has_no_entry = |code: &WorkloadCode| code.handler.is_none() && w.kind != WorkloadKind::Declared;
    let is_helped = match &w.content {
        Err(gap) => is_helped(gap),
        Ok(_) => w.code().is_some_and(has_no_entry),
    };
    if !is_helped || !project.modules.iter().any(is_read) {
        return None;
    }
    let guess = CodeGuess::new(project, w, in_settings);
    let r = &project.resources[w.resource];
    let is_meant_too = |o: &&Workload| {
        o.code().is_none() && o.roles.iter().any(|r| r.role == role) && project.resources[o.resource].header != r.header
    };
    let name = match project.workloads.iter().any(|o| is_meant_too(&o)) {
        true => Some(project.name_in_settings(r)),
        false => None,
    };
    Some(table(
        name.as_deref(),
        (&guess.code, &guess.others),
        (&name_of_role(project, role, in_settings), &[]),
        guess.entry.as_deref(),
    ))
}

/// Where it is to be said what is meant.
const PLACEHOLDER: &str = "path/to/code";

/// The text of the table, with other values that code and role may have.
fn table(name: Option<&str>, code: (&str, &[String]), role: (&str, &[String]), entry: Option<&str>) -> String {
    let mut out = String::from("[[workload]]\n");
    if let Some(name) = name {
        let _ = writeln!(out, "name = {name:?}");
    }
    for (key, (value, others)) in [("code", code), ("role", role)] {
        let _ = write!(out, "{key} = {value:?}");
        if !others.is_empty() {
            let word = if value == PLACEHOLDER { "such as" } else { "or" };
            let _ = write!(out, "  # {word} {}", others.join(", "));
        }
        out.push('\n');
    }
    if let Some(entry) = entry {
        let _ = writeln!(out, "entry = {entry:?}");
    }
    out
}

/// The same where the code is known, and which role it has is not.
fn settings_for_role(project: &Project<'_>, w: &Workload, in_settings: &dyn Fn(&str) -> String) -> Option<String> {
    let code = w.code().filter(|_| matches!(w.role_gap, Some(RoleGap::Unknown(_))))?;
    let CodePlace::Paths(paths) = &code.place else {
        return None;
    };
    let folder = parent_path(project.sources.path(project.resources[w.resource].header.file));
    let is_near = |id: &IdentityId| {
        let identity = &project.identities[*id];
        let path = project.sources.path(identity.header.file);
        identity.kind == IdentityKind::Role && parent_path(path) == folder && !is_test_code(path)
    };
    let mut roles = project.identities.ids().filter(is_near);
    let role = name_of_role(project, roles.next()?, in_settings);
    let others: Vec<String> = roles
        .take(MAX_OTHERS)
        .map(|id| name_of_role(project, id, in_settings))
        .collect();
    let first = paths.first()?;
    let entry = code.handler.as_ref().map(|handler| {
        let path = project.sources.path(handler.file);
        let inside = path
            .strip_prefix(first.as_str())
            .map(|rest| rest.trim_start_matches('/'));
        let file = inside
            .filter(|rest| !rest.is_empty())
            .unwrap_or_else(|| file_name(path));
        let function = handler.function.as_ref().map(|f| format!(":{f}")).unwrap_or_default();
        format!("{file}{function}")
    });
    Some(table(
        None,
        (&in_settings(first), &[]),
        (&role, &others),
        entry.as_deref(),
    ))
}

/// Whether the settings can say where the code is.
fn is_helped(gap: &ContentGap) -> bool {
    use ContentGap::{
        Command, Containers, Image, Instance, NoFile, NoPython, NotSaid, Package, PackageParts, Placeholder, Script,
        Stored, UnknownHandler, UnknownPlace,
    };
    match gap {
        NotSaid | UnknownPlace(_) | UnknownHandler(_) | Stored(_) | Package(_) | PackageParts(_) | Image
        | Command(_) | Placeholder | NoPython(_) | NoFile(_) | Script(_) | Containers | Instance => true,
        ContentGap::Runtime(_)
        | ContentGap::Inline(_)
        | ContentGap::NoAws(_)
        | ContentGap::OtherLanguage(_)
        | ContentGap::Synthesized
        | ContentGap::Definition(_) => false,
    }
}

/// Where the code of a workload may be.
struct CodeGuess {
    code: String,
    /// Other folders with such a file.
    others: Vec<String>,
    entry: Option<String>,
}

impl CodeGuess {
    fn new(project: &Project<'_>, w: &Workload, in_settings: &dyn Fn(&str) -> String) -> Self {
        let r = &project.resources[w.resource];
        let in_image = matches!(w.content, Err(ContentGap::Image | ContentGap::Containers));
        let script = match &w.content {
            Err(ContentGap::Stored(place)) if w.kind == WorkloadKind::Job => Some(file_name(place)),
            _ => None,
        };
        let handler = r.get("Handler").and_then(Value::as_str);
        if let Err(ContentGap::Script(path)) = &w.content {
            return Self {
                code: in_settings(parent_path(path)),
                others: Vec::new(),
                entry: Some(started_file(project, path).unwrap_or_else(|| "path/to/main.py".to_owned())),
            };
        }
        let (file, function) = match (script, handler.as_deref().and_then(|h| h.rsplit_once('.'))) {
            (Some(script), _) => (script.to_owned(), None),
            (None, Some((module, function))) => {
                let module = module.trim_start_matches("./").replace('.', "/");
                (format!("{module}.py"), Some(function))
            }
            (None, None) => {
                let known = w.code().and_then(|code| match &code.place {
                    CodePlace::Paths(paths) => paths.first().map(|path| in_settings(path)),
                    CodePlace::Inline(_) => None,
                });
                let code = known.unwrap_or_else(|| PLACEHOLDER.to_owned());
                return Self {
                    entry: (in_image || w.code().is_some()).then(|| format!("{code}/Dockerfile")),
                    code,
                    others: Vec::new(),
                };
            }
        };
        let mut found: BTreeSet<(&str, &str)> = BTreeSet::new();
        // The code of the CDK is not that of its functions.
        for m in project.modules.iter().filter(|m| m.file != r.header.file) {
            let path = project.sources.path(m.file);
            let root = path
                .strip_suffix(&*file)
                .filter(|root| root.is_empty() || root.ends_with('/'));
            if let Some(root) = root.filter(|_| !is_test_code(path)) {
                found.insert((root.trim_end_matches('/'), path));
            }
        }
        // What lies beside the declaration; of the rest, one alone is worth a guess.
        let own = parent_path(project.sources.path(r.header.file));
        let near: Vec<(&str, &str)> = found.iter().filter(|(_, path)| is_within(path, own)).copied().collect();
        let near = match (near.is_empty(), found.len()) {
            (true, 1) => found.into_iter().collect(),
            _ => near,
        };
        let called = called_as_package(r, near.iter().map(|(root, _)| *root));
        let near = near
            .into_iter()
            .filter(|(root, _)| called.is_empty() || called.contains(root));
        let mut found: Vec<String> = near
            .map(|(root, path)| in_settings(if root.is_empty() { path } else { root }))
            .collect();
        // Of several, none is said: it would be pasted.
        let code = match found.len() {
            1 => found.remove(0),
            _ => PLACEHOLDER.to_owned(),
        };
        found.truncate(MAX_OTHERS);
        Self {
            code,
            others: found,
            entry: Some(match function {
                Some(function) => format!("{file}:{function}"),
                None => file,
            }),
        }
    }
}

/// The file of Python that a script starts, seen from its folder; else the only one beside it.
fn started_file(project: &Project<'_>, script: &str) -> Option<String> {
    let text = project.sources.find(script).map(|file| project.sources.text(file));
    let lines = text.into_iter().flat_map(|text| text.lines()).map(str::trim);
    let commands = lines.filter(|line| !line.starts_with('#'));
    let mut started = commands.filter_map(|line| {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Some(match docker::started_program(&words)? {
            Runs::Script(path) => path.trim_start_matches("./").to_owned(),
            Runs::Module(module) | Runs::Object { module, .. } => format!("{}.py", module.replace('.', "/")),
            Runs::Handler(_) => return None,
        })
    });
    let folder = parent_path(script);
    let paths = project.modules.iter().map(|m| project.sources.path(m.file));
    let beside = || {
        let mut beside = paths.filter(|path| parent_path(path) == folder);
        let only = beside.next().filter(|_| beside.next().is_none())?;
        Some(file_name(only).to_owned())
    };
    started.next_back().or_else(beside)
}

/// The name of a role that no other role of the repository has, in the settings.
fn name_of_role(project: &Project<'_>, role: IdentityId, in_settings: &dyn Fn(&str) -> String) -> String {
    let identity = &project.identities[role];
    let name = &project.resources[identity.resource].address.name;
    let others = project.identities.iter().filter(|i| i.kind == IdentityKind::Role);
    let mut others = others.filter(|other| other.header != identity.header);
    let is_shared = others.any(|other| {
        let physical = other.name.as_ref().and_then(|n| n.known());
        project.resources[other.resource].address.name == *name || physical.is_some_and(|n| *n == **name)
    });
    // One text that several modules are made of makes a role for each.
    let module = project.module_of(role);
    let mut same = project.identities.iter_enumerated();
    let is_of_several = same.any(|(id, other)| other.header == identity.header && project.module_of(id) != module);
    let name = match is_of_several && !module.is_empty() {
        true => format!("{module}.{name}"),
        false => name.to_string(),
    };
    match is_shared {
        true => format!("{}:{name}", in_settings(project.sources.path(identity.header.file))),
        false => name,
    }
}
