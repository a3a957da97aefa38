//! What runs: with which role, from which code.

use std::collections::{BTreeMap, BTreeSet};

use super::declared;
use super::identities::each;
use super::index::{Index, target_of};
use crate::iam::sdk;
use crate::model::python::{Bound, Program};
use crate::model::{Resource, kinds};
use crate::project::{
    Code, CodePlace, Handler, IdentityId, IdentityKind, Project, ResourceId, RunsAs, Workload, WorkloadKind,
};
use crate::source::{FileId, join_path, parent_path};
use crate::value::Value;

/// Fills in every workload of the repository, in the order of their resources.
pub(super) fn workloads(project: &mut Project<'_>, index: &Index) {
    let linking = Linking::new(project, index);
    let mut wanted = BTreeSet::new();
    let mut out = Vec::new();
    for (id, r) in (0u32..).zip(&project.resources) {
        let (kind, role) = match &*r.kind {
            "AWS::Lambda::Function" => (WorkloadKind::Function, r.get("Role")),
            "AWS::ECS::TaskDefinition" => (WorkloadKind::Task, r.get("TaskRoleArn")),
            "AWS::EC2::Instance" | "AWS::AutoScaling::LaunchConfiguration" => {
                (WorkloadKind::Instance, r.get("IamInstanceProfile"))
            }
            "AWS::EC2::LaunchTemplate" => {
                let data = r.path(&["LaunchTemplateData", "IamInstanceProfile"]);
                (WorkloadKind::Instance, data.or_else(|| r.get("IamInstanceProfile")))
            }
            _ => continue,
        };
        let mut roles = Vec::new();
        if let Some(role) = role {
            match kind {
                WorkloadKind::Instance => linking.profile(role, &mut roles),
                _ => linking.roles(role, &mut roles),
            }
        }
        let code = match kind {
            WorkloadKind::Function => linking.code(id, r, &mut wanted),
            _ => None,
        };
        out.push(Workload {
            kind,
            resource: id,
            roles,
            code,
        });
    }
    let problems = declared::declared(&linking, &mut out, &mut wanted);
    imported(project, &out, &mut wanted);
    project.workloads = out;
    project.wanted.extend(wanted);
    project.problems.extend(problems);
}

/// Adds the files that the code of workloads may import and that were not read.
fn imported(project: &Project<'_>, workloads: &[Workload], wanted: &mut BTreeSet<String>) {
    let codes: Vec<(Option<&Handler>, &[String])> = workloads
        .iter()
        .filter_map(|w| match w.code.as_ref()? {
            Code {
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
    let program = Program::new(project.sources, &project.modules);
    let mut seen: BTreeSet<(usize, &[String])> = BTreeSet::new();
    let mut open: Vec<(usize, &[String])> = Vec::new();
    for (handler, paths) in codes {
        match handler {
            Some(handler) => open.extend(program.index_of(handler.file).map(|m| (m, paths))),
            None => {
                let modules = program.modules.iter().enumerate();
                let here = modules.filter(|(_, m)| inside(project.sources.path(m.file), paths));
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
                Bound::Import(i) => match program.import(module.file, 0, &i.full) {
                    Some(next) => open.push((next, paths)),
                    None if sdk::library(&i.full).is_none() => {
                        let folders = paths.iter().map(String::as_str).chain([folder]);
                        folders.for_each(|base| ask(base, &i.full));
                    }
                    None => {}
                },
                Bound::From(i) => {
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
                            let folders = paths.iter().map(String::as_str).chain([folder]);
                            folders.for_each(|base| ask(base, name));
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
    index: &'l Index,
    identities: BTreeMap<ResourceId, IdentityId>,
    /// Archives by the path of the package.
    packages: BTreeMap<String, &'l Resource>,
    /// Code inside other files, by function.
    inline: BTreeMap<ResourceId, usize>,
}

impl<'l, 'a> Linking<'l, 'a> {
    fn new(project: &'l Project<'a>, index: &'l Index) -> Self {
        let identities = (0u32..)
            .zip(&project.identities)
            .map(|(i, identity)| (identity.resource, i));
        let archives = project.resources.iter().filter(|r| &*r.kind == kinds::ARCHIVE);
        Self {
            project,
            index,
            identities: identities.collect(),
            packages: archives.filter_map(|r| Some((package(r)?, r))).collect(),
            inline: project
                .inline
                .iter()
                .enumerate()
                .map(|(i, code)| (code.resource, i))
                .collect(),
        }
    }

    /// The roles that `value` names.
    fn roles(&self, value: &Value, out: &mut Vec<RunsAs>) {
        each(value, &mut |item| {
            for resource in self.index.identities(IdentityKind::Role, item) {
                let role = self.identities.get(&resource).copied();
                if let Some(role) = role.filter(|role| out.iter().all(|r| r.role != *role)) {
                    out.push(RunsAs { role, span: item.span });
                }
            }
        });
    }

    /// The roles of the instance profiles that `value` names: itself, or its `Name` or `Arn`.
    fn profile(&self, value: &Value, out: &mut Vec<RunsAs>) {
        let value = value.get("Arn").or_else(|| value.get("Name")).unwrap_or(value);
        each(value, &mut |item| {
            let Some(target) = target_of(item) else { return };
            for id in self.index.target(target) {
                let r = &self.project.resources[*id as usize];
                if &*r.kind == "AWS::IAM::InstanceProfile"
                    && let Some(roles) = r.get("Roles")
                {
                    self.roles(roles, out);
                }
            }
        });
    }

    /// A function's code, where it is Python of the repository. What it takes to see it is added to `wanted`.
    fn code(&self, id: ResourceId, r: &Resource, wanted: &mut BTreeSet<String>) -> Option<Code> {
        let runtime = r.get("Runtime").and_then(Value::as_str);
        if runtime.is_some_and(|name| !name.starts_with("python")) {
            return None;
        }
        if let Some(&i) = self.inline.get(&id) {
            let written = r.path(&["Code", "ZipFile"])?;
            let function = r.get("Handler").and_then(Value::as_str);
            return Some(Code {
                span: r.props.get("Handler").map_or(written.span, |h| h.span),
                place: CodePlace::Inline(i),
                handler: Some(Handler {
                    file: written.span.file,
                    function: Some(function.as_deref().map_or("handler", last_part).to_owned()),
                }),
            });
        }
        let own = r.get("CodePaths");
        let packed = || self.packages.get(&package(r)?)?.get("CodePaths");
        let written = own.or_else(packed)?;
        let paths: Vec<String> = written
            .items()
            .iter()
            .filter_map(|p| Some(p.as_str()?.into_owned()))
            .collect();
        let command = || r.path(&["ImageConfig", "Command"])?.items().first();
        let Some(handler) = r.get("Handler").or_else(command).and_then(Value::as_str) else {
            // An image of its folder.
            let any = self
                .project
                .modules
                .iter()
                .any(|m| inside(self.project.sources.path(m.file), &paths));
            return any.then(|| Code {
                span: written.span,
                place: CodePlace::Paths(paths.clone()),
                handler: None,
            });
        };
        let (module, function) = handler.rsplit_once('.')?;
        let module = module.trim_start_matches("./").replace('.', "/");
        let found = paths.iter().find_map(|path| self.module(path, &module));
        match found {
            Some(file) => Some(Code {
                // The label stands where a person wrote where the code is.
                span: written.items().first().map_or(written.span, |p| p.span),
                place: CodePlace::Paths(paths),
                handler: Some(Handler {
                    file,
                    function: Some(function.to_owned()),
                }),
            }),
            None => {
                for path in &paths {
                    let file = if path.ends_with(".py") {
                        path.clone()
                    } else {
                        join_path(path, &format!("{module}.py"))
                    };
                    if self.project.sources.find(&file).is_none() {
                        if *path != parent_path(self.project.sources.path(r.header.file)) && !path.ends_with(".py") {
                            wanted.insert(format!("{path}/"));
                        }
                        wanted.insert(file);
                    }
                }
                None
            }
        }
    }

    /// The file of a handler's module in a folder, or the file that is all there is.
    pub(super) fn module(&self, path: &str, module: &str) -> Option<FileId> {
        let known = |path: &str| {
            let file = self.project.sources.find(path)?;
            self.project
                .modules
                .binary_search_by_key(&file, |m| m.file)
                .is_ok()
                .then_some(file)
        };
        let base = join_path(path, module);
        let only = || known(path).filter(|_| path.ends_with(&format!("{module}.py")));
        known(&format!("{base}.py"))
            .or_else(|| known(&format!("{base}/__init__.py")))
            .or_else(only)
    }
}

fn package(r: &Resource) -> Option<String> {
    Some(r.get("PackagePath")?.as_str()?.into_owned())
}

fn last_part(handler: &str) -> &str {
    handler.rsplit('.').next().unwrap_or(handler)
}

/// Whether a path is one of `paths` or in a folder of them.
pub(super) fn inside(path: &str, paths: &[String]) -> bool {
    let within = |folder: &String| {
        path == folder
            || folder.is_empty()
            || path
                .strip_prefix(folder.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
    };
    paths.iter().any(within)
}
