//! Constructs of the CDK that are resources of CloudFormation as they are: `CfnFunction`, `CfnRole`, policies.
//!
//! **Invariant:** a property has the name and the value that the template has.

use super::super::resources::{CallLowering, synthetic_entry};
use super::{CdkRole, ConstructCall, SourceStack};
use crate::model::{Address, Resource};
use crate::python::{ArgName, CallExpr, ExprId, ExprKind};
use crate::source::{Hole, HoleKind, HoleTarget};
use crate::value::{MapEntry, Value};

/// Policies by module and class.
const POLICIES: &[(&str, &str)] = &[
    ("aws_iam", "CfnManagedPolicy"),
    ("aws_iam", "CfnPolicy"),
    ("aws_iam", "CfnRolePolicy"),
];
pub(super) const ROLES: &[(&str, &str)] = &[("aws_iam", "CfnRole"), ("aws_iam", "Role")];
/// Keywords of what has a role, or is put on one.
const KEYWORDS: [&str; 3] = ["role", "role_name", "roles"];
/// What a name in a template stands for: the name, or the ARN.
const REFERENCES: [&str; 6] = ["attr_arn", "attr_id", "attr_policy_arn", "ref", "role_arn", "role_name"];
/// How deep properties lie in each other.
const MAX_DEPTH: u32 = 8;

impl CallLowering<'_> {
    /// The role whose name or ARN an expression is: the call that makes it.
    pub(super) fn role_of_reference(&self, expr: ExprId) -> Option<ExprId> {
        let m = self.module_ref();
        let written = m.defining_expression(expr).unwrap_or(expr);
        let ExprKind::Attr { of, name, .. } = &m.expr(written).kind else {
            return None;
        };
        let made = REFERENCES
            .contains(&&**name)
            .then(|| self.values.constructor_call(self.module, *of))??;
        self.construct_call(made, ROLES).map(|_| made)
    }

    /// Whether a call is one of a resource of CloudFormation that has, or is put on, the role that `argument` names.
    pub(super) fn is_l1_of_role(&self, call: &CallExpr, argument: ExprId) -> bool {
        let m = self.module_ref();
        let is_own = self.cdk_class(call.function).is_some_and(|(module, class)| {
            POLICIES.contains(&(&*module, &*class)) || (&*module, &*class) == ("aws_lambda", "CfnFunction")
        });
        let holds =
            |e: ExprId| e == argument || matches!(&m.expr(e).kind, ExprKind::List(items) if items.contains(&argument));
        is_own && KEYWORDS.iter().any(|k| call.keyword(k).is_some_and(holds))
    }

    /// The policies of the module that are resources of their own.
    pub(super) fn l1_policies(&self, stack: &SourceStack) -> Vec<Resource> {
        let m = self.module_ref();
        let calls = m.ids().filter_map(|expr| self.construct_call(expr, POLICIES));
        let of_stack = calls.filter(|made| {
            let named = KEYWORDS.iter().filter_map(|k| made.call.keyword(k));
            let mut roles = named.flat_map(|e| match &m.expr(e).kind {
                ExprKind::List(items) => items.clone(),
                _ => vec![e],
            });
            roles.any(|e| {
                self.role_of_reference(e)
                    .is_some_and(|role| stack.roles.contains_key(&role))
            }) || stack.attached.contains_key(&made.expr)
        });
        let resource = |made: ConstructCall<'_>| {
            let kind = format!("AWS::IAM::{}", made.class.trim_start_matches("Cfn"));
            let address = self.l1_address(&made);
            self.made_resource(&kind, made.expr, address, self.l1_properties(made.call, stack))
        };
        of_stack.map(resource).collect()
    }

    fn l1_address(&self, made: &ConstructCall<'_>) -> Address {
        self.address_of(made, &mut std::collections::BTreeMap::new())
    }

    /// What a role is that the module makes as a resource of CloudFormation.
    pub(super) fn l1_role(&self, expr: ExprId, role: &CdkRole, stack: &SourceStack) -> Option<Vec<MapEntry>> {
        let made = self.construct_call(expr, &[("aws_iam", "CfnRole")])?;
        let mut entries = self.l1_properties(made.call, stack);
        if made.call.has_unpacking() && role.widened.is_empty() {
            let at = self.module_ref().expr(made.call.function).span;
            let place = Value::new(crate::value::ValueKind::Bool(true), at);
            entries.push(synthetic_entry("Widened", Value::seq(vec![place], at)));
        }
        Some(entries)
    }

    /// The keywords of such a call, as a template calls them.
    pub(super) fn l1_properties(&self, call: &CallExpr, stack: &SourceStack) -> Vec<MapEntry> {
        let named = call.args.iter().filter_map(|a| match &a.name {
            ArgName::Keyword(name, _) => Some((name, a.value)),
            _ => None,
        });
        let entries = named.map(|(name, e)| synthetic_entry(&pascal_case(name), self.l1_value(e, stack, 0)));
        entries.collect()
    }

    fn l1_value(&self, expr: ExprId, stack: &SourceStack, depth: u32) -> Value {
        let m = self.module_ref();
        let span = m.expr(expr).span;
        if depth > MAX_DEPTH {
            return Value::unknown_other("…", span);
        }
        if let Some(target) = self.role_of_reference(expr).and_then(|role| stack.target(role)) {
            return Value::unknown(Hole::new(HoleKind::Resource, target.address.clone(), span).to(target));
        }
        let inner = |e: ExprId| self.l1_value(e, stack, depth + 1);
        let written = m.defining_expression(expr).unwrap_or(expr);
        match &m.expr(written).kind {
            ExprKind::List(items) => Value::seq(items.iter().map(|e| inner(*e)).collect(), span),
            ExprKind::Call(call) if self.class_of(call).ends_with("Property") => {
                Value::map(self.l1_properties(call, stack), span)
            }
            // A property that is written as a dict; a policy has the names of IAM.
            ExprKind::Dict(pairs) if pairs.iter().all(|p| p.key.is_some_and(|k| is_property(m.string(k)))) => {
                let entry = |p: &crate::python::Pair| {
                    let key = p.key.and_then(|k| m.string(k)).unwrap_or_default();
                    synthetic_entry(&pascal_case(&key), inner(p.value))
                };
                Value::map(pairs.iter().map(entry).collect(), span)
            }
            ExprKind::Attr { of, name, .. } if REFERENCES.contains(&&**name) => {
                let made = self.values.constructor_call(self.module, *of);
                let policy = made.and_then(|made| self.construct_call(made, POLICIES));
                let target = policy.map(|made| HoleTarget {
                    scope: self.scope.clone(),
                    address: self.l1_address(&made).name,
                    attribute: "".into(),
                });
                match target {
                    Some(target) => {
                        Value::unknown(Hole::new(HoleKind::Resource, target.address.clone(), span).to(target))
                    }
                    None => self.values.value(self.module, expr),
                }
            }
            _ => self.values.value(self.module, expr),
        }
    }
}

/// Whether a key is one of Python or of the CDK: `zip_file`, `zipFile`.
fn is_property<S: AsRef<str>>(key: Option<S>) -> bool {
    key.is_some_and(|key| key.as_ref().starts_with(|c: char| c.is_ascii_lowercase()))
}

/// `ZipFile` of `zip_file` and of `zipFile`.
fn pascal_case(name: &str) -> String {
    let words = name.split('_').filter(|word| !word.is_empty());
    words.fold(String::new(), |mut out, word| {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        out.push_str(&first.to_ascii_uppercase());
        out.push_str(rest);
        out
    })
}
