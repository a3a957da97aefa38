//! Attributes of resources and data sources: an argument that is written, or what else is known of it.

use crate::iam::catalogue;
use crate::iam::managed::aws_managed_name;
use crate::source::{Hole, HoleKind, HoleTarget, Span, Text};
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::{Guard, Value, ValueKind};

use crate::formats::terraform::eval::evaluator::{EvalScope, TerraformEvaluator, View};
use crate::formats::terraform::eval::instances::InstanceCount;
use crate::formats::terraform::eval::module::ValueSlot;
use crate::formats::terraform::eval::{functions, policy_document, to_string};
use crate::formats::terraform::parse::directory::Decl;

impl<'a> TerraformEvaluator<'a> {
    /// `resource.name`: an argument's value, or a hole that names the resource.
    pub(crate) fn resource_attribute(&self, target: &HoleTarget, name: &str, view: View, span: Span) -> Value {
        let found = self.modules.borrow().get(&target.scope).cloned();
        let (base, key) = split_key(&target.address);
        let declared = found.and_then(|m| Some((m.directory.resource(base)?, m)));
        // Of unknown many, all have the address without a key.
        let is_shared = declared.as_ref().is_some_and(|(decl, module)| {
            key.is_some() && matches!(self.expansion(module, base, decl).shape, InstanceCount::Unknown)
        });
        let wanted = HoleTarget {
            scope: target.scope.clone(),
            address: if is_shared { base.into() } else { target.address.clone() },
            attribute: name.into(),
        };
        let shown = format!("{}.{name}", wanted.address);
        let hole = |kind: HoleKind| Value::unknown(Hole::new(kind, shown.as_str(), span));
        let reference = || Value::unknown(Hole::new(HoleKind::Resource, shown.as_str(), span).to(wanted.clone()));
        let Some((decl, module)) = declared else {
            return hole(HoleKind::Other);
        };
        let kind = decl.block().label(0);
        let at = (span, decl.block().span);
        let argument = |argument: &str| {
            let slot = ValueSlot::Attribute(target.address.to_string(), argument.to_owned());
            self.memoized_value(&module, slot, view, &shown, at, || {
                let instance = self.instance_of(&module, base, decl, key);
                match (instance, decl.expr(argument)) {
                    (Some(instance), Some(expr)) => self.expr(expr, &instance.env.with_view(view)),
                    _ => reference(),
                }
            })
        };
        let has = |argument: &str| decl.expr(argument).is_some();
        if kind == "aws_cloudwatch_log_group" && name == "arn" && !view.link && self.is_before_v3(module.directory) {
            let arn = Text::hole(Hole::new(HoleKind::Resource, shown.as_str(), span).to(wanted.clone()));
            return Value::text(to_string::concat(&[arn, Text::synthetic(":*", span)], span), span);
        }
        if !base.starts_with("data.") {
            return if is_changed_outside(decl, name) {
                hole(HoleKind::Dynamic)
            } else if has(name) && !(view.link && is_reference_attribute(name)) {
                self.or_computed(argument(name), &reference())
            } else {
                reference()
            };
        }
        // An argument that is given is the attribute; one that is left null is computed.
        let given = |name: &str, computed: HoleKind| self.or_computed(argument(name), &hole(computed));
        match (kind, name) {
            ("aws_iam_policy_document", "json" | "minified_json") => {
                let slot = ValueSlot::Attribute(target.address.to_string(), "json".to_owned());
                self.memoized_value(&module, slot, view.linking(false), &shown, at, || {
                    match self.instance_of(&module, base, decl, key) {
                        Some(instance) => {
                            policy_document::document(self, decl, &instance.env.with_view(view.linking(false)))
                        }
                        None => hole(HoleKind::Other),
                    }
                })
            }
            ("aws_caller_identity", "account_id" | "id") => hole(HoleKind::Account),
            ("terraform_remote_state", "outputs") => {
                let slot = ValueSlot::Attribute(target.address.to_string(), name.to_owned());
                self.memoized_value(&module, slot, view, &shown, at, || {
                    let instance = self.instance_of(&module, base, decl, key);
                    let outputs = instance.and_then(|i| self.remote_outputs(decl, &i.env.with_view(view), view, span));
                    outputs.unwrap_or_else(|| hole(HoleKind::Outside))
                })
            }
            ("aws_partition", "partition" | "id") => hole(HoleKind::Partition),
            ("aws_partition", "dns_suffix") => hole(HoleKind::UrlSuffix),
            // AWS provider documentation, "Data Source: aws_region": one of them selects the region.
            ("aws_region", "name" | "id" | "region") => match ["region", "name"].into_iter().find(|a| has(a)) {
                Some(argument) => given(argument, HoleKind::Region),
                None => hole(HoleKind::Region),
            },
            ("aws_iam_policy", "arn") if has("arn") => self.or_computed(argument("arn"), &reference()),
            ("aws_iam_policy", "arn" | "id") => reference(),
            ("aws_iam_policy", "policy") => {
                let instance = self.instance_of(&module, base, decl, key);
                let document = instance.and_then(|i| self.looked_up_policy(decl, &i.env, view, span));
                document.unwrap_or_else(|| hole(HoleKind::Lookup))
            }
            ("aws_service_principal", "name") => {
                let service = self
                    .instance_of(&module, base, decl, key)
                    .and_then(|i| Some(self.expr(decl.expr("service_name")?, &i.env)));
                match service.as_ref().and_then(to_string::to_text) {
                    Some(service) => {
                        let suffix = Text::synthetic(".amazonaws.com", span);
                        Value::text(to_string::concat(&[service, suffix], span), span)
                    }
                    None => hole(HoleKind::Other),
                }
            }
            ("template_file", "rendered") => match self.instance_of(&module, base, decl, key) {
                Some(i) => functions::files::template_file(self, decl, &i.env, span),
                None => hole(HoleKind::Other),
            },
            ("local_file", "content") => match self.instance_of(&module, base, decl, key) {
                Some(i) => match decl.expr("filename") {
                    Some(path) => functions::files::file(self, &self.expr(path, &i.env), span),
                    None => hole(HoleKind::Other),
                },
                None => hole(HoleKind::Other),
            },
            (kind, _) => {
                let computed = if kind.starts_with("aws_") && is_identifier_attribute(name) {
                    HoleKind::Existing
                } else if is_secret(kind) {
                    HoleKind::Dynamic
                } else {
                    HoleKind::Lookup
                };
                if has(name) {
                    given(name, computed)
                } else {
                    hole(computed)
                }
            }
        }
    }

    /// The value of an argument, with what the provider computes in the place of null.
    fn or_computed(&self, value: Value, computed: &Value) -> Value {
        match &value.kind {
            ValueKind::Null => computed.clone(),
            ValueKind::OneOf(branches) if branches.iter().any(|b| b.value.is_null()) => {
                let items = branches.iter().map(|b| {
                    let value = if b.value.is_null() { computed } else { &b.value };
                    (b.when.clone(), value.clone())
                });
                Value {
                    via: value.via.clone(),
                    ..self.one_of(items.collect(), value.span)
                }
            }
            _ => value,
        }
    }

    /// The document of the policy that a `data "aws_iam_policy"` looks up: of one that is declared, or of one of AWS.
    fn looked_up_policy(&self, decl: &Decl<'a>, env: &EvalScope<'a>, view: View, span: Span) -> Option<Value> {
        let value = |name: &str| Some(self.expr(decl.expr(name)?, env));
        if let Some(arn) = value("arn") {
            if let Some(declared) = arn.as_hole().and_then(|h| h.target.as_ref()) {
                return Some(self.resource_attribute(declared, "policy", view, span));
            }
            return aws_document(&aws_managed_name(arn.as_text()?)?, span);
        }
        aws_document(&value("name")?.as_str()?, span)
    }
}

/// What an AWS managed policy says, all of it written at `span`.
fn aws_document(name: &str, span: Span) -> Option<Value> {
    let document = catalogue().managed_policy(name)?.document_json()?;
    Some(Value::synthetic(document, span))
}

/// Data sources whose values come out of a store of secrets or parameters.
fn is_secret(kind: &str) -> bool {
    ["secret", "aws_ssm_parameter", "aws_kms_", "vault_", "random_password"]
        .iter()
        .any(|part| kind.contains(part))
}

/// What an output of a module or stack is that is not in this repository.
pub(crate) fn outside_hole_kind(output: &str) -> HoleKind {
    if is_identifier_attribute(output) {
        HoleKind::Existing
    } else {
        HoleKind::Outside
    }
}

/// Attributes and outputs that hold the name or ARN of a thing, or of several: `arn`, `queue_arn`, `subnet_ids`.
fn is_identifier_attribute(name: &str) -> bool {
    let last = name.rsplit('_').next().unwrap_or(name);
    matches!(last, "arn" | "arns" | "id" | "ids" | "name" | "names") || is_reference_attribute(name)
}

/// Attributes that say which resource is meant, rather than something about it.
pub(crate) fn is_reference_attribute(name: &str) -> bool {
    matches!(
        name,
        "name"
            | "id"
            | "arn"
            | "bucket"
            | "function_name"
            | "key_id"
            | "user"
            | "role"
            | "group"
            | "url"
            | "repository"
    )
}

impl TerraformEvaluator<'_> {
    /// When there are any instances of a resource; `None` where there is one for certain.
    pub(crate) fn condition_of(&self, target: &HoleTarget) -> Option<Guard> {
        let module = self.modules.borrow().get(&target.scope).cloned()?;
        let (base, _) = split_key(&target.address);
        let expanded = self.expansion(&module, base, module.directory.resource(base)?);
        match (&expanded.branch, &expanded.shape) {
            (Some(branch), _) => Some(branch.clone()),
            (None, InstanceCount::Unknown) => Some(format!("for each of {base}").into()),
            _ => None,
        }
    }
}

/// Arguments of one resource that hold the same value.
const SAME_VALUE: &[(&str, &[&str])] = &[("aws_ssm_parameter", &["value", "insecure_value", "value_wo"])];

/// Whether someone else changes this argument after the resource is made: what is written is its first value.
/// Terraform documentation, "lifecycle meta-argument": `ignore_changes`.
pub(crate) fn is_changed_outside(decl: &Decl<'_>, argument: &str) -> bool {
    let kind = decl.block().label(0);
    let is = |name: &str| {
        name == argument
            || SAME_VALUE
                .iter()
                .any(|(of, names)| *of == kind && names.contains(&name) && names.contains(&argument))
    };
    let names = |tree: &Tree, node: NodeId| match tree.kind(node) {
        Node::Ident => is(tree.name(node)),
        // As before Terraform 0.12.
        Node::Str => tree.text(node).and_then(Text::known).is_some_and(|name| is(&name)),
        _ => false,
    };
    decl.parts.iter().any(|part| {
        let lifecycles = part.block.body.blocks("lifecycle");
        let mut ignored = lifecycles.filter_map(|b| b.body.attribute("ignore_changes"));
        ignored.any(|a| match part.tree.kind(a.value) {
            Node::Ident => part.tree.name(a.value) == "all",
            Node::Seq => part.tree.children(a.value).any(|node| names(part.tree, node)),
            _ => false,
        })
    })
}

/// `aws_iam_role.r["key"]` as its base and the key.
fn split_key(address: &str) -> (&str, Option<&str>) {
    match address.split_once('[') {
        Some((base, key)) => (base, key.strip_suffix(']')),
        None => (address, None),
    }
}
