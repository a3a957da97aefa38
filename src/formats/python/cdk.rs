//! The CDK's IAM: statements, what is added to them later, principals, the trust of roles, managed policies by name.
//!
//! **Invariant:** what a principal or a statement has that we cannot read stands in it as unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cdk_policies::{Attached, Member, StatementGroup};
use super::cdk_source::{AttributeUses, SourceStack};
use super::loose::{AssignedNames, document_with};
use super::resources::{CallLowering, method_of, synthetic_entry};
use super::statement::PartialStatement;
use crate::iam::{PolicyKind, SourceFormat};
use crate::model::{LoweredUnit, Resource, UnattachedPolicy, kinds};
use crate::python::cdk::{own_account, root_of};
use crate::python::{ArgName, CallExpr, ExprId, ExprKind};
use crate::source::{Hole, HoleKind, Span, Text};
use crate::value::{Branch, MapEntry, Value, ValueKind};

/// How many principals stand inside each other.
const MAX_DEPTH: u32 = 4;

/// Elements of a statement by the keywords of `PolicyStatement` and by the methods that add to them (CDK API reference,
/// "PolicyStatement").
const ELEMENTS: &[(&str, &str, &str)] = &[
    ("actions", "add_actions", "Action"),
    ("not_actions", "add_not_actions", "NotAction"),
    ("resources", "add_resources", "Resource"),
    ("not_resources", "add_not_resources", "NotResource"),
];

/// Methods that add a principal, and the class that it is of.
const ADDERS: &[(&str, &str)] = &[
    ("add_account_root_principal", "AccountRootPrincipal"),
    ("add_any_principal", "AnyPrincipal"),
    ("add_arn_principal", "ArnPrincipal"),
    ("add_aws_account_principal", "AccountPrincipal"),
    ("add_canonical_user_principal", "CanonicalUserPrincipal"),
    ("add_federated_principal", "FederatedPrincipal"),
    ("add_service_principal", "ServicePrincipal"),
];

/// One of these stands in every file that makes any of it.
const WORDS: &[&str] = &[
    "CfnDomain",
    "Function(",
    "Function)",
    "PolicyStatement",
    "assumed_by",
    "from_aws_managed_policy_name",
];

/// Later changes of statements: by the call that makes one, the calls of its methods.
pub(super) type StatementChanges = BTreeMap<ExprId, Vec<ExprId>>;

/// Whom a principal of the CDK stands for.
pub(super) struct CdkPrincipal {
    /// The key in `Principal`.
    pub(super) kind: &'static str,
    pub(super) value: Value,
    /// What lets it have a role.
    action: Value,
    /// All of them are asked for.
    pub(super) conditions: Vec<Value>,
}

impl CallLowering<'_> {
    /// Statements, trust and managed policies that the module makes with the CDK.
    pub(super) fn cdk(&self, unit: &mut LoweredUnit, uses: &AttributeUses) {
        let m = self.module_ref();
        let text = self.program.sources.text(m.file).as_bytes();
        if !WORDS.iter().any(|w| memchr::memmem::find(text, w.as_bytes()).is_some()) {
            return self.add_synthesized(&SourceStack::default(), unit);
        }
        let (names, changes) = (AssignedNames::new(m), self.statement_changes());
        let domains = self.domains();
        let of_domain = |expr: ExprId| domains.values().any(|d| d.statements.contains(&expr));
        let is = |expr, call: &CallExpr| !of_domain(expr) && self.is_statement(expr, call, &changes);
        let attached = self.attachments();
        let groups = self.policies_in_parts(&is);
        let stack = self.source_stack(&groups, uses);
        for policy in &groups {
            let mut loose = self.policy(policy, &names, &changes, &attached);
            if policy.service.is_none() {
                loose.roles = self.roles_of_group(&stack, policy.holder, policy.receiver);
            }
            unit.loose.push(loose);
        }
        for expr in m.ids() {
            let Some(call) = m.call(expr) else { continue };
            match &*self.class_of(call) {
                _ if let Some(domain) = domains.get(&expr) => {
                    let statement = |e: &ExprId| Some(self.statement(*e, m.call(*e)?, &changes));
                    let statements = domain.statements.iter().filter_map(statement).collect();
                    unit.resources.push(self.domain(expr, call, domain, statements));
                }
                "Role" if self.is_iam_call(call) => {
                    if let Some(by) = call.keyword("assumed_by") {
                        let span = m.expr(by).span;
                        let mut trust =
                            self.unattached_policy(self.trust(call, by, span), names.address(self, expr), "assumed_by");
                        trust.kind = Some(PolicyKind::Trust);
                        trust.roles = stack.roles_with(expr);
                        unit.loose.push(trust);
                    }
                }
                "from_aws_managed_policy_name" => {
                    if let Some(arg) = call.argument(0, "managed_policy_name") {
                        unit.resources.push(self.managed(expr, call, arg, &stack));
                    }
                }
                _ => {}
            }
        }
        self.add_stack(&stack, unit);
        self.add_synthesized(&stack, unit);
    }

    /// Statements that hold together, as a document.
    fn policy(
        &self,
        policy: &StatementGroup,
        names: &AssignedNames,
        changes: &StatementChanges,
        attached: &Attached,
    ) -> UnattachedPolicy {
        let m = self.module_ref();
        let statement = |member: &Member| {
            let span = m.expr(member.expr).span;
            let call = m.call(member.expr).filter(|_| member.known);
            let value = call.map_or_else(
                || Value::unknown_other(m.dotted(member.expr).unwrap_or_else(|| "…".to_owned()), span),
                |call| self.statement(member.expr, call, changes),
            );
            match &member.when {
                Some(when) => {
                    let when = when.clone();
                    Value::new(ValueKind::OneOf([Branch { when, value }].into()), span)
                }
                None => value,
            }
        };
        let known = policy.members.iter().find(|member| member.known);
        let first = known.map_or(ExprId::FIRST, |member| member.expr);
        let document = document_with(policy.members.iter().map(statement).collect(), m.expr(first).span);
        let mut loose = self.unattached_policy(document, names.address(self, first), "PolicyStatement");
        if let (Some(made), None) = (policy.holder, policy.service) {
            loose.holders = self.attached_identities(made, attached);
        }
        if let Some(service) = policy.service {
            loose.kind = Some(PolicyKind::Resource);
            loose.service = Some(Arc::from(service));
        }
        loose
    }

    /// The class that is called, or the method, by its own name.
    pub(super) fn class_of(&self, call: &CallExpr) -> String {
        let m = self.module_ref();
        if let ExprKind::Name(_) = &m.expr(call.function).kind
            && let Some(name) = self.program.library(self.module, call.function)
        {
            return name.rsplit('.').next().unwrap_or_default().to_owned();
        }
        method_of(m, call).to_owned()
    }

    /// The calls of methods of statements, by the statement.
    fn statement_changes(&self) -> StatementChanges {
        let m = self.module_ref();
        let mut out = StatementChanges::new();
        for expr in m.ids() {
            let Some(call) = m.call(expr) else { continue };
            let ExprKind::Attr { of, name, .. } = &m.expr(call.function).kind else {
                continue;
            };
            if name.starts_with("add_")
                && let Some(made) = m.defining_expression(*of)
                && m.call(made).is_some_and(|c| self.class_of(c) == "PolicyStatement")
            {
                out.entry(made).or_default().push(expr);
            }
        }
        out
    }

    fn is_iam_call(&self, call: &CallExpr) -> bool {
        self.program
            .library(self.module, call.function)
            .is_none_or(|name| name.contains("aws_iam") || name.contains("aws_cdk"))
    }

    fn is_statement(&self, expr: ExprId, call: &CallExpr, changes: &StatementChanges) -> bool {
        let keys = ["actions", "not_actions"];
        let known = keys.iter().any(|k| call.keyword(k).is_some()) || changes.contains_key(&expr);
        known && self.class_of(call) == "PolicyStatement" && self.is_iam_call(call)
    }

    fn managed(&self, expr: ExprId, call: &CallExpr, arg: ExprId, stack: &SourceStack) -> Resource {
        let m = self.module_ref();
        let name = self.values.value(self.module, arg);
        let mut arn = Text::synthetic("arn:aws:iam::aws:policy/", name.span);
        match &name.kind {
            ValueKind::Str(t) => arn.append(t),
            _ => arn.append(&Text::hole(Hole::new(HoleKind::Other, "name", name.span))),
        }
        let span = m.expr(expr).span;
        let role = stack.role_value(expr, span);
        let mut entries = vec![
            synthetic_entry("PolicyArn", Value::text(arn, name.span)),
            synthetic_entry("Role", role.unwrap_or_else(|| Value::unknown_other("role", span))),
        ];
        if stack.is_on_others(expr) {
            entries.push(synthetic_entry("OnOthers", Value::new(ValueKind::Bool(true), span)));
        }
        Resource {
            kind: kinds::ATTACHMENT.into(),
            type_name: "from_aws_managed_policy_name".into(),
            address: AssignedNames::function(self, expr, "from_aws_managed_policy_name"),
            format: SourceFormat::Python,
            header: m.expr(call.function).span,
            extent: span,
            props: Value::map(entries, span),
            metadata: None,
            instances: None,
            branch: None,
            account: None,
        }
    }

    fn statement(&self, expr: ExprId, call: &CallExpr, changes: &StatementChanges) -> Value {
        let m = self.module_ref();
        let mut out = PartialStatement::default();
        let mut effect = Value::synthetic("Allow", m.expr(call.function).span);
        for a in &call.args {
            let ArgName::Keyword(k, at) = &a.name else {
                continue;
            };
            let v = self.values.value(self.module, a.value);
            match &**k {
                "conditions" => out.condition(*at, v),
                "sid" => out.set("Sid", *at, v),
                "principals" => self.add_list(a.value, "Principal", *at, &mut out),
                "not_principals" => self.add_list(a.value, "NotPrincipal", *at, &mut out),
                "effect" => effect = self.effect(a.value),
                k => {
                    if let Some((_, _, key)) = ELEMENTS.iter().find(|(keyword, ..)| *keyword == k) {
                        out.set(key, *at, v);
                    }
                }
            }
        }
        for change in changes.get(&expr).into_iter().flatten() {
            if let Some(call) = m.call(*change) {
                self.change(*change, call, &mut out);
            }
        }
        for set in m
            .attributes
            .iter()
            .filter(|a| m.defining_expression(a.object) == Some(expr))
        {
            if let ("effect", Some(source)) = (&*set.name, &set.source) {
                effect = self.effect(source.expr);
            }
        }
        out.value(effect, m.expr(expr).span)
    }

    fn effect(&self, value: ExprId) -> Value {
        let m = self.module_ref();
        let shown = m.dotted(value).unwrap_or_default();
        let span = m.expr(value).span;
        match shown.rsplit('.').next() {
            Some("DENY") => Value::synthetic("Deny", span),
            Some("ALLOW") => Value::synthetic("Allow", span),
            _ => self.values.value(self.module, value),
        }
    }

    /// `statement.add_actions("s3:GetObject")`
    fn change(&self, expr: ExprId, call: &CallExpr, out: &mut PartialStatement) {
        let m = self.module_ref();
        let method = method_of(m, call);
        let at = m.expr(call.function).span;
        if let Some((_, _, key)) = ELEMENTS.iter().find(|(_, adder, _)| *adder == method) {
            for a in &call.args {
                let v = self.values.value(self.module, a.value);
                match &a.name {
                    ArgName::Star if v.as_seq().is_some() => v.items().iter().for_each(|v| out.add(key, at, v.clone())),
                    _ => out.add(key, at, v),
                }
            }
            return;
        }
        if let Some((_, class)) = ADDERS.iter().find(|(adder, _)| *adder == method) {
            return out.principal("Principal", at, self.principal_of(class, expr, call, 0));
        }
        let first = || call.args.first().map(|a| self.values.value(self.module, a.value));
        match method {
            "add_all_resources" => out.add("Resource", at, Value::synthetic("*", m.expr(expr).span)),
            "add_principals" | "add_not_principals" => {
                let key = if method == "add_principals" {
                    "Principal"
                } else {
                    "NotPrincipal"
                };
                for a in &call.args {
                    self.each_principal(a.value, 0, &mut |who| out.principal(key, at, who));
                }
            }
            "add_conditions" => out.condition(at, first().unwrap_or_else(|| Value::unknown_other("conditions", at))),
            "add_condition" => match (first().as_ref().and_then(Value::as_text), call.positional(1)) {
                (Some(operator), Some(keys)) => {
                    let entry = MapEntry {
                        key: operator.clone(),
                        key_span: at,
                        value: self.values.value(self.module, keys),
                    };
                    out.condition(at, Value::map(vec![entry], at));
                }
                _ => out.condition(at, Value::unknown_other("conditions", at)),
            },
            // Whatever it adds narrows.
            name if name.contains("condition") => out.condition(at, Value::unknown_other("conditions", at)),
            _ => {}
        }
    }

    fn add_list(&self, list: ExprId, key: &'static str, at: Span, out: &mut PartialStatement) {
        let m = self.module_ref();
        match &m.expr(list).kind {
            ExprKind::List(_) | ExprKind::Tuple(_) | ExprKind::Comprehension { .. } => {
                self.each_principal(list, 0, &mut |who| out.principal(key, at, who));
            }
            _ => out.set(key, at, Value::unknown_other("principals", m.expr(list).span)),
        }
    }

    /// The trust policy of a role: a statement for each principal, with the external ids that the role asks for (CDK API
    /// reference, "Role": `external_ids`).
    fn trust(&self, role: &CallExpr, by: ExprId, span: Span) -> Value {
        let mut statements = Vec::new();
        self.each_principal(by, 0, &mut |who| {
            let at = who.value.span;
            let mut one = PartialStatement::default();
            one.set("Action", at, who.action.clone());
            one.principal("Principal", at, who);
            for name in ["external_ids", "external_id"] {
                if let Some(ids) = role.keyword(name) {
                    let id = synthetic_entry("sts:ExternalId", self.values.value(self.module, ids));
                    let keys = Value::map(vec![id], at);
                    one.condition(at, Value::map(vec![synthetic_entry("StringEquals", keys)], at));
                }
            }
            statements.push(one.value(Value::synthetic("Allow", at), at));
        });
        document_with(statements, span)
    }

    /// The principals that an expression stands for: several for a composite one.
    fn each_principal(&self, expr: ExprId, depth: u32, take: &mut dyn FnMut(CdkPrincipal)) {
        let m = self.module_ref();
        let made = m.defining_expression(expr).unwrap_or(expr);
        match &m.expr(made).kind {
            ExprKind::List(items) | ExprKind::Tuple(items) if depth < MAX_DEPTH => {
                return items.iter().for_each(|i| self.each_principal(*i, depth + 1, take));
            }
            ExprKind::Comprehension { element, .. } | ExprKind::Star(element) if depth < MAX_DEPTH => {
                return self.each_principal(*element, depth + 1, take);
            }
            _ => {}
        }
        let Some(call) = m.call(made).filter(|_| depth < MAX_DEPTH) else {
            let v = self.values.value(self.module, expr);
            return take(CdkPrincipal::unknown(if v.as_text().is_some() {
                v
            } else {
                Value::unknown_other("principal", m.expr(expr).span)
            }));
        };
        let class = self.class_of(call);
        if class == "CompositePrincipal" {
            for a in &call.args {
                self.each_principal(a.value, depth + 1, take);
            }
            return;
        }
        take(self.principal_of(&class, made, call, depth));
    }

    /// CDK API reference, the classes that implement `IPrincipal`.
    fn principal_of(&self, class: &str, expr: ExprId, call: &CallExpr, depth: u32) -> CdkPrincipal {
        let m = self.module_ref();
        let at = m.expr(expr).span;
        let value = |i: usize| match call.positional(i).or_else(|| call.args.get(i).map(|a| a.value)) {
            Some(e) => self.values.value(self.module, e),
            None => Value::unknown_other("principal", at),
        };
        let conditions = |i: usize| {
            let given = call.argument(i, "conditions");
            given.map(|e| self.values.value(self.module, e)).into_iter().collect()
        };
        let who = |kind, value, action: &str, conditions| CdkPrincipal {
            kind,
            value,
            action: Value::synthetic(action, at),
            conditions,
        };
        const ASSUME: &str = "sts:AssumeRole";
        match class {
            "AnyPrincipal" | "StarPrincipal" => who("AWS", Value::synthetic("*", at), ASSUME, Vec::new()),
            "ArnPrincipal" => who("AWS", value(0), ASSUME, Vec::new()),
            "AccountPrincipal" => {
                let account = value(0);
                // Of an account that cannot be evaluated, all that is certain is that it is one.
                let given = account.as_hole().map(|hole| {
                    let kind = if hole.kind == HoleKind::Other {
                        HoleKind::Input
                    } else {
                        hole.kind
                    };
                    Text::hole(Hole { kind, ..hole.clone() })
                });
                let root = given.map(|account| Value::text(root_of(&account, at), at));
                who("AWS", root.unwrap_or(account), ASSUME, Vec::new())
            }
            "AccountRootPrincipal" => who(
                "AWS",
                Value::text(root_of(&own_account(at), at), at),
                ASSUME,
                Vec::new(),
            ),
            "ServicePrincipal" => who("Service", service(value(0)), ASSUME, conditions(usize::MAX)),
            "CanonicalUserPrincipal" => who("CanonicalUser", value(0), ASSUME, Vec::new()),
            "FederatedPrincipal" => {
                let action = call.argument(2, "assume_role_action");
                let federated = who("Federated", value(0), ASSUME, conditions(1));
                match action {
                    Some(action) => CdkPrincipal {
                        action: self.values.value(self.module, action),
                        ..federated
                    },
                    None => federated,
                }
            }
            "WebIdentityPrincipal" | "OpenIdConnectPrincipal" => {
                who("Federated", value(0), "sts:AssumeRoleWithWebIdentity", conditions(1))
            }
            "SamlPrincipal" => who("Federated", value(0), "sts:AssumeRoleWithSAML", conditions(1)),
            "SamlConsolePrincipal" => {
                let aud = Value::synthetic("https://signin.aws.amazon.com/saml", at);
                let keys = Value::map(vec![synthetic_entry("SAML:aud", aud)], at);
                let mut all = conditions(1);
                all.push(Value::map(vec![synthetic_entry("StringEquals", keys)], at));
                who("Federated", value(0), "sts:AssumeRoleWithSAML", all)
            }
            // One of the above with more conditions: `PrincipalWithConditions(p, {…})`, `p.with_conditions({…})`.
            "PrincipalWithConditions" | "with_conditions" => {
                let (inner, more) = match &m.expr(call.function).kind {
                    ExprKind::Attr { of, .. } if class == "with_conditions" => (Some(*of), conditions(0)),
                    _ => (call.argument(0, "principal"), conditions(1)),
                };
                let mut found = None;
                if let Some(inner) = inner {
                    self.each_principal(inner, depth + 1, &mut |who| {
                        let _ = found.get_or_insert(who);
                    });
                }
                let mut who = found.unwrap_or_else(|| CdkPrincipal::unknown(Value::unknown_other("principal", at)));
                who.conditions.extend(more);
                who
            }
            _ => CdkPrincipal::unknown(Value::unknown_other("principal", at)),
        }
    }
}

impl CdkPrincipal {
    fn unknown(value: Value) -> Self {
        let span = value.span;
        Self {
            kind: "AWS",
            value,
            action: Value::synthetic("sts:AssumeRole", span),
            conditions: Vec::new(),
        }
    }
}

/// A service may be named without its domain.
fn service(name: Value) -> Value {
    match name.as_str() {
        Some(short) if !short.contains('.') => Value::synthetic(&format!("{short}.amazonaws.com"), name.span),
        _ => name,
    }
}
