//! Which module of the public registry a call names, and references to what it makes.

use std::rc::Rc;

use crate::formats::terraform::eval::module::TerraformModule;
use crate::formats::terraform::parse::directory::Decl;
use crate::source::{Hole, HoleKind, HoleTarget, Span};
use crate::value::Value;

/// The modules that are known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KnownModules {
    Lambda,
    Policy,
    Role,
    Group,
    User,
}

/// Which module a `source` names: a registry address, or the same repository on GitHub.
fn known_modules(source: &str) -> Option<KnownModules> {
    let (base, submodule) = match source.split_once("//modules/") {
        Some((base, rest)) => (base, rest.split(['?', '/']).next().unwrap_or("")),
        None => (source, ""),
    };
    if !base.contains("terraform-aws-modules/") {
        return None;
    }
    let package = base.split("terraform-aws-modules/").nth(1)?;
    let package = package.strip_prefix("terraform-aws-").unwrap_or(package);
    let package = package.split(['/', '.', '?']).next().unwrap_or(package);
    match (package, submodule) {
        ("lambda", "") => Some(KnownModules::Lambda),
        ("iam", s) if s.contains("policy") => Some(KnownModules::Policy),
        ("iam", s) if s.contains("role") => Some(KnownModules::Role),
        ("iam", s) if s.contains("group") => Some(KnownModules::Group),
        ("iam", s) if s.contains("user") => Some(KnownModules::User),
        _ => None,
    }
}

/// The module of the registry that a call names, and the address as it is written.
pub(crate) fn source(decl: &Decl<'_>) -> Option<(KnownModules, String)> {
    let source = decl.expr("source")?;
    let text = source.tree.text(source.node)?.known()?.into_owned();
    Some((known_modules(&text)?, text))
}

/// An output of a registry module that is known: a reference to what the call makes.
pub(crate) fn output(
    caller: &Rc<TerraformModule<'_>>,
    name: &str,
    decl: &Decl<'_>,
    output: &str,
    span: Span,
) -> Option<Value> {
    source(decl)?;
    let address = format!("module.{name}");
    let target = HoleTarget {
        scope: caller.scope.clone(),
        address: address.as_str().into(),
        attribute: output.into(),
    };
    let hole = Hole::new(HoleKind::Resource, format!("{address}.{output}"), span);
    Some(Value::unknown(hole.to(target)))
}
