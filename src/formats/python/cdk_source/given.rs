//! Policies that are put on roles: whether all their statements are seen, and which roles have them.

use std::collections::BTreeMap;

use super::super::resources::{CallLowering, method_of};
use super::uses::UseSearch;
use super::{CdkObject, CdkRole, SourceStack, l1};
use crate::python::{CallExpr, ExprId, ExprKind};
use crate::source::HoleTarget;

/// Constructs that have a policy of identities: with these, managed policies are known to be on something.
const HOLDERS: &[&str] = &["Group", "Role", "User"];

impl SourceStack {
    fn attach(&mut self, object: CdkObject, made: ExprId) {
        let roles = self.roles_of(object);
        if !roles.is_empty() {
            self.attached.entry(made).or_default().extend(roles);
        }
    }
}

impl CallLowering<'_> {
    /// The roles that a group of statements is a policy of.
    pub(in crate::formats::python) fn roles_of_group(
        &self,
        stack: &SourceStack,
        holder: Option<ExprId>,
        receiver: Option<ExprId>,
    ) -> Vec<HoleTarget> {
        if stack.is_empty() {
            return Vec::new();
        }
        let object = |e: ExprId| self.cdk_object(e, stack, 0).map(|object| stack.roles_of(object));
        let mut roles = holder.map(|made| stack.roles_with(made)).unwrap_or_default();
        let others = [holder, receiver].into_iter().flatten().filter_map(object).flatten();
        for target in others.filter_map(|role| stack.target(role)) {
            if !roles.contains(&target) {
                roles.push(target);
            }
        }
        roles
    }

    /// Whether all statements of an argument are part of a policy that is read.
    pub(super) fn is_covered(&self, expr: ExprId, search: &UseSearch) -> bool {
        let m = self.module_ref();
        let made = m.defining_expression(expr).unwrap_or(expr);
        if matches!(&m.expr(made).kind, ExprKind::List(items) if items.is_empty()) {
            return true;
        }
        let found = self.statements_in(expr, 0);
        !found.is_empty() && found.iter().all(|s| s.known && search.put.contains(&s.expr))
    }

    /// Follows the policies that the constructors of roles and functions are given.
    pub(super) fn note_policies_of_constructs(&self, stack: &mut SourceStack, search: &UseSearch) {
        let m = self.module_ref();
        let functions: Vec<ExprId> = stack.functions.keys().copied().collect();
        for f in functions {
            let Some(call) = m.call(f) else { continue };
            if let Some(list) = call.keyword("initial_policy")
                && !self.is_covered(list, search)
            {
                stack.widen(CdkObject::Function(f), m.expr(list).span);
            }
        }
        let roles: Vec<ExprId> = stack
            .roles
            .keys()
            .copied()
            .filter(|r| !stack.functions.contains_key(r))
            .collect();
        for role in roles {
            let Some(call) = m.call(role) else { continue };
            let object = CdkObject::Role(role);
            if call.has_unpacking() {
                stack.widen(object, m.expr(call.function).span);
            }
            if let Some(policies) = call.keyword("inline_policies") {
                self.attach_documents(stack, object, policies, search);
            }
            if let Some(list) = call.keyword("managed_policies") {
                match &m.expr(m.defining_expression(list).unwrap_or(list)).kind {
                    ExprKind::List(items) => {
                        for item in items {
                            self.attach_managed(stack, object, *item, search);
                        }
                    }
                    _ => stack.widen(object, m.expr(list).span),
                }
            }
        }
        self.note_other_holders(stack);
    }

    /// Adds the roles of no function that are given a policy by a name: a function's role may have the same one.
    pub(super) fn add_roles_with_shared_policies(&self, stack: &mut SourceStack, taken: &mut BTreeMap<String, u32>) {
        let m = self.module_ref();
        let is_named = |e: ExprId| m.call(e).is_none();
        for expr in m.ids() {
            let Some(call) = m.call(expr) else { continue };
            let given: Vec<ExprId> = call.args.iter().map(|a| a.value).collect();
            let roles: Vec<ExprId> = match (&m.expr(call.function).kind, &*self.class_of(call)) {
                (ExprKind::Attr { of, .. }, "add_managed_policy" | "attach_inline_policy")
                    if given.iter().any(|e| is_named(*e)) =>
                {
                    vec![*of]
                }
                (_, "attach_to_role") => given,
                (_, "Role") => {
                    let list = call.keyword("managed_policies").map(|list| &m.expr(list).kind);
                    match list {
                        Some(ExprKind::List(items)) if items.iter().any(|e| is_named(*e)) => vec![expr],
                        _ => Vec::new(),
                    }
                }
                (_, "ManagedPolicy" | "Policy") => match call.keyword("roles").map(|list| &m.expr(list).kind) {
                    Some(ExprKind::List(items)) => items.clone(),
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            };
            for role in roles {
                let made = self.values.constructor_call(self.module, role).unwrap_or(role);
                let own = self.construct_call(made, l1::ROLES).filter(|own| own.class == "Role");
                if let Some(own) = own.filter(|_| !stack.roles.contains_key(&made)) {
                    let name = self.address_of(&own, taken).name;
                    stack.roles.insert(
                        made,
                        CdkRole {
                            name,
                            ..CdkRole::default()
                        },
                    );
                }
            }
        }
    }

    /// Managed policies of AWS that stand in the constructors of other holders only.
    fn note_other_holders(&self, stack: &mut SourceStack) {
        let m = self.module_ref();
        for expr in m.ids().filter(|e| !stack.roles.contains_key(e)) {
            let Some(call) = m.call(expr) else { continue };
            let class = self.class_of(call);
            if class == "add_managed_policy"
                && let ExprKind::Attr { of, .. } = &m.expr(call.function).kind
            {
                let made = self.values.constructor_call(self.module, *of).and_then(|e| m.call(e));
                let is_other = made.is_some_and(|made| HOLDERS.contains(&&*self.class_of(made)))
                    && self.cdk_object(*of, stack, 0).is_none();
                let given = call
                    .args
                    .iter()
                    .map(|a| a.value)
                    .filter(|e| is_other && m.call(*e).is_some());
                stack.on_others.extend(given);
            }
            if !HOLDERS.contains(&&*class) {
                continue;
            }
            let Some(list) = call.keyword("managed_policies") else {
                continue;
            };
            if let ExprKind::List(items) = &m.expr(list).kind {
                // A variable may stand in several lists.
                stack.on_others.extend(items.iter().filter(|e| m.call(**e).is_some()));
            }
        }
    }

    /// `{"name": PolicyDocument(…)}`
    fn attach_documents(&self, stack: &mut SourceStack, object: CdkObject, expr: ExprId, search: &UseSearch) {
        let m = self.module_ref();
        let made = m.defining_expression(expr).unwrap_or(expr);
        let documents: Option<Vec<ExprId>> = match &m.expr(made).kind {
            ExprKind::Dict(pairs) => pairs.iter().map(|p| p.key.map(|_| p.value)).collect(),
            ExprKind::Call(call) if method_of(m, call) == "dict" && !call.has_unpacking() => {
                Some(call.args.iter().map(|a| a.value).collect())
            }
            _ => None,
        };
        let Some(documents) = documents else {
            return stack.widen(object, m.expr(expr).span);
        };
        for document in documents {
            let made = m.defining_expression(document).unwrap_or(document);
            let call = m.call(made).filter(|call| self.class_of(call) == "PolicyDocument");
            match call {
                Some(call) if self.has_covered_statements(made, call, search) => stack.attach(object, made),
                _ => stack.widen(object, m.expr(document).span),
            }
        }
    }

    /// Whether all statements of a document or policy are read, those that are added later too.
    fn has_covered_statements(&self, made: ExprId, call: &CallExpr, search: &UseSearch) -> bool {
        let m = self.module_ref();
        if call.has_unpacking() {
            return false;
        }
        let listed = call
            .keyword("statements")
            .is_none_or(|list| self.is_covered(list, search));
        let document = call.keyword("document").is_none_or(|document| {
            let made = m.defining_expression(document).unwrap_or(document);
            let inner = m.call(made).filter(|call| self.class_of(call) == "PolicyDocument");
            inner.is_some_and(|call| {
                !call.has_unpacking()
                    && call
                        .keyword("statements")
                        .is_none_or(|list| self.is_covered(list, search))
            })
        });
        let later = m.ids().all(|e| {
            let Some(call) = m.call(e) else { return true };
            let ExprKind::Attr { of, name, .. } = &m.expr(call.function).kind else {
                return true;
            };
            let is_added = &**name == "add_statements" && self.values.constructor_call(self.module, *of) == Some(made);
            !is_added || call.args.iter().all(|a| self.is_covered(a.value, search))
        });
        listed && document && later
    }

    /// A managed policy: one of AWS by its name, or one that the module makes.
    pub(super) fn attach_managed(&self, stack: &mut SourceStack, object: CdkObject, expr: ExprId, search: &UseSearch) {
        let m = self.module_ref();
        let made = self.values.constructor_call(self.module, expr).unwrap_or(expr);
        match m.call(made) {
            Some(call) if method_of(m, call) == "from_aws_managed_policy_name" => stack.attach(object, made),
            Some(call) if self.class_of(call) == "ManagedPolicy" && self.has_covered_statements(made, call, search) => {
                stack.attach(object, made);
            }
            _ => stack.widen(object, m.expr(expr).span),
        }
    }

    /// An inline policy that is a construct of its own.
    pub(super) fn attach_policy(&self, stack: &mut SourceStack, object: CdkObject, expr: ExprId, search: &UseSearch) {
        let m = self.module_ref();
        let made = self.values.constructor_call(self.module, expr).unwrap_or(expr);
        let call = m.call(made);
        match call.filter(|call| matches!(&*self.class_of(call), "Policy" | "ManagedPolicy")) {
            Some(call) if self.has_covered_statements(made, call, search) => stack.attach(object, made),
            _ => stack.widen(object, m.expr(expr).span),
        }
    }
}
