//! Which objects of boto3's resource API a program may make, by the names in it.
//!
//! **Invariant:** a type is left out only where nothing in the program names what gives an object of it.

use rustc_hash::FxHashSet;

use crate::iam::sdk::{self, Client, SdkResourceType};
use crate::python::{ExprKind, ImportFrom, Program, Usage};

/// Longest text that may name a member of a type, in bytes.
const MAX_NAME: usize = 40;

/// The types of `services` of which the program may make objects.
pub(super) fn types(program: &Program<'_>, modules: &[usize], services: &[Client]) -> Vec<(Client, SdkResourceType)> {
    let made = made_services(program, modules, services);
    if made.is_empty() {
        return Vec::new();
    }
    let mut names: FxHashSet<String> = FxHashSet::default();
    for m in modules.iter().map(|module| &program.modules[*module]) {
        for e in &m.exprs {
            match &e.kind {
                ExprKind::Attr { name, .. } | ExprKind::Name(name) if !names.contains(&**name) => {
                    names.insert(name.to_string());
                }
                ExprKind::Str(t) if t.len() <= MAX_NAME => names.extend(t.known().map(|t| t.to_string())),
                _ => {}
            }
        }
    }
    let mut out = Vec::new();
    for client in made {
        for ty in client.resource_types() {
            if ty.name() == "ServiceResource" || names.contains(ty.name()) {
                out.push((client, ty));
            }
            let given = ty.members().filter(|member| names.contains(member.name()));
            out.extend(given.filter_map(|member| Some((client, member.returns()?))));
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// Those of `services` of which the program makes such objects: all, where what makes them, or a name that it is given, is not
/// written there.
fn made_services(program: &Program<'_>, modules: &[usize], services: &[Client]) -> Vec<Client> {
    let mut out: Vec<Client> = Vec::new();
    if services.is_empty() {
        return out;
    }
    let all = || {
        let has = |client: &&Client| client.service_resource().is_some();
        services.iter().filter(has).copied().collect()
    };
    let is_maker =
        |kind: &ExprKind| matches!(kind, ExprKind::Attr { name, .. } | ExprKind::Name(name) if &**name == "resource");
    for m in modules.iter().map(|module| &program.modules[*module]) {
        for e in &m.exprs {
            let named = match &e.kind {
                ExprKind::Call(c) if is_maker(&m.expr(c.function).kind) => {
                    let service = c.argument(0, "service_name").and_then(|a| m.string(a));
                    service.map(|name| sdk::client(&name))
                }
                ExprKind::Attr { name, .. } if &**name == "resource" && e.usage == Usage::Load => None,
                _ => continue,
            };
            match named {
                Some(client) => out.extend(client.filter(|c| c.service_resource().is_some())),
                None => return all(),
            }
        }
        let typed = |i: &ImportFrom| i.module.contains("service_resource") || i.module.starts_with("mypy_boto3");
        if m.all_from_imports().any(typed) {
            return all();
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}
