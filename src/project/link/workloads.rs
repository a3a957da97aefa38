//! What runs: with which role, from which code.

use std::collections::{BTreeMap, BTreeSet};

use super::code::{package_path, shown};
use super::declared;
use super::index::{ReferenceIndex, target_of};
use super::staged::StagedAssets;
use super::{rendered, states, targets};
use crate::iam::sdk;
use crate::model::resource_types::{self, RoleHolder};
use crate::model::{Resource, kinds};
use crate::project::{
    CodePlace, ContentGap, Handler, IdentityKind, Project, ResourceId, RoleGap, RunsAs, Workload, WorkloadCode,
    WorkloadContent, WorkloadKind,
};
use crate::python::{BindingValue, PythonModule};
use crate::source::{FileId, Hole, HoleKind, Text, is_within, join_path, parent_path};
use crate::value::Value;

/// Fills in every workload of the repository, in the order of their resources.
pub(super) fn workloads(project: &mut Project<'_>, index: &ReferenceIndex) {
    let staged = StagedAssets::new(project.sources);
    let linking = Linking::new(project, index, &staged);
    let mut shared = linking.layers();
    shared.extend(linking.copied_beside());
    shared.sort();
    shared.dedup();
    project.shared = shared;
    let linking = Linking::new(project, index, &staged);
    let mut wanted = BTreeSet::new();
    let mut out = Vec::new();
    for (id, r) in project.resources.iter_enumerated() {
        let kind = kind_of(r);
        if let Some(kind) = kind.filter(|_| r.has("Synthesized")) {
            out.push(Workload {
                kind,
                resource: id,
                role_gap: Some(RoleGap::Synthesized),
                roles: Vec::new(),
                content: Err(ContentGap::Synthesized),
            });
            continue;
        }
        if targets::add(&linking, id, r, &mut wanted, &mut out) {
            continue;
        }
        let properties = resource_types::roles(&r.kind);
        let kind = match kind {
            Some(kind) => kind,
            None if properties.iter().any(|p| p.instance_profile) => WorkloadKind::Instance,
            None => continue,
        };
        let mut acting = properties.iter().filter(|p| p.holder != RoleHolder::Other);
        let role = match kind {
            WorkloadKind::Machine => r.get("RoleArn"),
            WorkloadKind::BatchJob => match job_role(r) {
                Some(role) => Some(role),
                None => continue,
            },
            _ => acting.find_map(|p| r.path(p.path)),
        };
        let mut roles = Vec::new();
        if let Some(role) = role {
            match kind {
                WorkloadKind::Instance => linking.add_profile_roles(r, role, &mut roles),
                _ => linking.roles(role, &mut roles),
            }
        }
        let content = match kind {
            WorkloadKind::Function => linking.code(id, r, &mut wanted).map(WorkloadContent::Code),
            WorkloadKind::Task if r.has("CodePaths") => linking.code(id, r, &mut wanted).map(WorkloadContent::Code),
            WorkloadKind::Job => linking.code_of_job(r, &mut wanted).map(WorkloadContent::Code),
            WorkloadKind::Machine => states::definition(project, index, r, &mut wanted)
                .map(WorkloadContent::Definition)
                .map_err(ContentGap::Definition),
            WorkloadKind::Instance => linking.code_of_instance(r).map(WorkloadContent::Code),
            _ => Err(ContentGap::Containers),
        };
        out.push(Workload {
            kind,
            resource: id,
            role_gap: roles.is_empty().then(|| gap_of_role(role)),
            roles,
            content,
        });
    }
    // What is placed comes first: a file is the code of the function that names it.
    let placed = out
        .iter()
        .filter_map(|w: &Workload| Some(w.code()?.handler.as_ref()?.file));
    let placed: BTreeSet<FileId> = placed.collect();
    let is_unplaced = |w: &Workload| w.kind == WorkloadKind::Function && w.code().is_none();
    let unplaced: Vec<ResourceId> = out.iter().filter(|w| is_unplaced(w)).map(|w| w.resource).collect();
    for w in out.iter_mut().filter(|w| is_unplaced(w)) {
        if let Some(code) = linking.code_by_name(&project.resources[w.resource], &placed, &unplaced, &mut wanted) {
            w.content = Ok(WorkloadContent::Code(code));
        }
    }
    let problems = declared::add_declared_workloads(&linking, &mut out, &mut wanted);
    imported(project, &out, &mut wanted);
    project.copies = staged.copies(project.sources);
    project.rendered = rendered::rendered(project, &out);
    project.synthesized = rendered::synthesized(project, &out, &project.rendered);
    project.workloads = out;
    project.wanted.extend(wanted);
    project.problems.extend(problems);
}

/// What a resource is, where its type alone says it.
fn kind_of(r: &Resource) -> Option<WorkloadKind> {
    match &*r.kind {
        "AWS::Lambda::Function" => Some(WorkloadKind::Function),
        "AWS::ECS::TaskDefinition" => Some(WorkloadKind::Task),
        "AWS::Glue::Job" => Some(WorkloadKind::Job),
        "AWS::Batch::JobDefinition" => Some(WorkloadKind::BatchJob),
        "AWS::CodeBuild::Project" => Some(WorkloadKind::Build),
        "AWS::Pipes::Pipe" => Some(WorkloadKind::Pipe),
        "AWS::Scheduler::Schedule" => Some(WorkloadKind::Schedule),
        states::MACHINE => Some(WorkloadKind::Machine),
        _ => None,
    }
}

/// Why a role is not one of the repository's.
pub(super) fn gap_of_role(role: Option<&Value>) -> RoleGap {
    let Some(role) = role.filter(|role| !role.is_null()) else {
        return RoleGap::NotSet;
    };
    let role = role.get("Arn").or_else(|| role.get("Name")).unwrap_or(role);
    let role = role.items().first().unwrap_or(role);
    let is_place = |hole: &Hole| {
        use HoleKind::{Account, Existing, Partition};
        matches!(hole.kind, Account | Existing | Partition)
    };
    match role.as_text() {
        Some(text) if text.is_empty() => RoleGap::NotSet,
        Some(text) if text.holes().all(is_place) => RoleGap::Elsewhere(text.display()),
        _ => RoleGap::Unknown(shown(role)),
    }
}

/// The role of the container of a job of AWS Batch. Terraform writes the properties as JSON, with the names of the API.
fn job_role(r: &Resource) -> Option<&Value> {
    let properties = r.get("ContainerProperties")?.decoded();
    properties.get("JobRoleArn").or_else(|| properties.get("jobRoleArn"))
}

/// Adds the files that the code of workloads may import and that were not read.
fn imported(project: &Project<'_>, workloads: &[Workload], wanted: &mut BTreeSet<String>) {
    let codes: Vec<(Option<&Handler>, &[String])> = workloads
        .iter()
        .filter_map(|w| match w.code()? {
            WorkloadCode {
                place: CodePlace::Paths(paths),
                handler,
                ..
            } => Some((handler.as_ref(), paths.as_slice())),
            _ => None,
        })
        .collect();
    if codes.is_empty() {
        return;
    }
    let program = project.program();
    let mut seen: BTreeSet<(usize, &[String])> = BTreeSet::new();
    let mut open: Vec<(usize, &[String])> = Vec::new();
    for (handler, paths) in codes {
        match handler {
            Some(handler) => open.extend(program.index_of(handler.file).map(|m| (m, paths))),
            None => {
                let modules = program.modules.iter().enumerate();
                let here = modules.filter(|(_, m)| is_in_folders(project.sources.path(m.file), paths));
                open.extend(here.map(|(m, _)| (m, paths)));
            }
        }
    }
    while let Some((at, paths)) = open.pop() {
        if !seen.insert((at, paths)) {
            continue;
        }
        let module = &program.modules[at];
        let folder = parent_path(project.sources.path(module.file));
        let bases = |dotted: &str| {
            let beside = program.folder_of_import(module.file, dotted);
            let given = paths.iter().chain(&project.shared).map(String::as_str);
            given.chain([folder]).chain(beside.filter(|beside| *beside != folder))
        };
        let mut ask = |base: &str, dotted: &str| {
            let path = join_path(base, &dotted.replace('.', "/"));
            for file in [format!("{path}.py"), format!("{path}/__init__.py")] {
                if project.sources.find(&file).is_none() {
                    wanted.insert(file);
                }
            }
        };
        for binding in module.scopes.iter().flat_map(|s| s.bindings.values().flatten()) {
            match &binding.bound {
                BindingValue::Import(i) => match program.import(module.file, 0, &i.full) {
                    Some(next) => open.push((next, paths)),
                    None if sdk::library(&i.full).is_none() => {
                        bases(&i.full).for_each(|base| ask(base, &i.full));
                    }
                    None => {}
                },
                BindingValue::From(i) => {
                    let (from, inner) = program.import_from(module.file, i);
                    open.extend(from.into_iter().chain(inner).map(|next| (next, paths)));
                    if from.is_some() || inner.is_some() {
                        continue;
                    }
                    let inner = [&*i.module, &*i.name].join(".");
                    let names = [&*i.module, inner.trim_start_matches('.')];
                    let names = names.into_iter().filter(|n| !n.is_empty());
                    if i.level > 0 {
                        let up = (1..i.level).fold(folder, |folder, _| parent_path(folder));
                        names.for_each(|name| ask(up, name));
                    } else if sdk::library(&i.module).is_none() {
                        for name in names {
                            bases(name).for_each(|base| ask(base, name));
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

pub(super) struct Linking<'l, 'a> {
    pub(super) project: &'l Project<'a>,
    pub(super) index: &'l ReferenceIndex,
    /// Archives by the path of the package.
    pub(super) packages: BTreeMap<String, ResourceId>,
    /// What is put into buckets and made of such packages, by its key.
    pub(super) stored: BTreeMap<String, Vec<ResourceId>>,
    /// Code inside other files, by function or package.
    pub(super) inline: BTreeMap<ResourceId, usize>,
    /// By the name of the file, without its ending.
    pub(super) modules: BTreeMap<&'l str, Vec<&'l PythonModule>>,
    pub(super) staged: &'l StagedAssets<'a>,
}

impl<'l, 'a> Linking<'l, 'a> {
    fn new(project: &'l Project<'a>, index: &'l ReferenceIndex, staged: &'l StagedAssets<'a>) -> Self {
        let of_kind = |kind: &'static str| {
            project
                .resources
                .iter_enumerated()
                .filter(move |(_, r)| &*r.kind == kind)
        };
        let mut stored: BTreeMap<String, Vec<ResourceId>> = BTreeMap::new();
        for (id, r) in of_kind("AWS::S3::Object") {
            if let (Some(key), Some(_)) = (r.get("Key").and_then(Value::as_text), r.get("PackagePath")) {
                stored.entry(key.display()).or_default().push(id);
            }
        }
        let mut modules: BTreeMap<&str, Vec<&PythonModule>> = BTreeMap::new();
        for m in &project.modules {
            let name = project.sources.path(m.file).rsplit('/').next();
            if let Some(name) = name.and_then(|name| name.strip_suffix(".py")) {
                modules.entry(name).or_default().push(m);
            }
        }
        Self {
            modules,
            staged,
            project,
            index,
            packages: of_kind(kinds::ARCHIVE)
                .filter_map(|(id, r)| Some((package_path(r)?, id)))
                .collect(),
            stored,
            inline: project
                .inline
                .iter()
                .enumerate()
                .map(|(i, code)| (code.resource, i))
                .collect(),
        }
    }

    /// The roles that `value` names.
    pub(super) fn roles(&self, value: &Value, out: &mut Vec<RunsAs>) {
        value.each_value(&mut |item| {
            for resource in self.index.identities(IdentityKind::Role, item) {
                let role = self.project.identity_of(resource);
                if let Some(role) = role.filter(|role| out.iter().all(|r| r.role != *role)) {
                    out.push(RunsAs { role, span: item.span });
                }
            }
        });
    }

    /// The roles of the instance profiles that `value` of `holder` names: itself, or its `Name` or `Arn`.
    fn add_profile_roles(&self, holder: &Resource, value: &Value, out: &mut Vec<RunsAs>) {
        let value = value.get("Arn").or_else(|| value.get("Name")).unwrap_or(value);
        value.each_value(&mut |item| {
            let resources = &self.project.resources;
            let is_profile = |id: &ResourceId| &*resources[*id].kind == "AWS::IAM::InstanceProfile";
            let referred = target_of(item).map_or(&[][..], |target| self.index.target(target));
            let mut profiles: Vec<ResourceId> = referred.iter().copied().filter(is_profile).collect();
            if let (true, Some(name)) = (profiles.is_empty(), item.as_text().map(Text::display)) {
                // Of a name that is known the reference is lost.
                let is_called = |id: &ResourceId| {
                    let r = &resources[*id];
                    let own = r.get("InstanceProfileName").and_then(Value::as_text).map(Text::display);
                    r.address.scope == holder.address.scope && own.is_some_and(|own| own == name)
                };
                profiles = resources.ids().filter(is_profile).filter(is_called).collect();
            }
            for roles in profiles.iter().filter_map(|id| resources[*id].get("Roles")) {
                self.roles(roles, out);
            }
        });
    }
}

/// Whether a path is one of `paths` or in a folder of them.
pub(super) fn is_in_folders(path: &str, paths: &[String]) -> bool {
    paths.iter().any(|folder| is_within(path, folder))
}
