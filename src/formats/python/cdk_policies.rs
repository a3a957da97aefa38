//! Which statements of the CDK are one policy: those of a document, and all that is put into what one principal or resource has.
//!
//! **Invariant:** a statement is in each policy that it is put into. One that is put into nothing we know is a policy of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::resources::{CallLowering, method_of};
use crate::iam::PolicyHolder as Holding;
use crate::python::{ArgName, BindingValue, CallExpr, ExprId, ExprKind, ObjectChange, Reaching, ScopeId, ScopeKind};
use crate::value::Guard;

/// How many documents and lists stand inside each other, and how many names hold a thing one after the other.
const MAX_DEPTH: u32 = 4;

/// What has a policy of its own, by its class or by the method that makes it, and the IAM prefix of its service. The policy of
/// an endpoint of a VPC limits what passes it. CDK API reference, `addToPolicy` and `addToResourcePolicy`.
const HOLDERS: &[(&str, &str)] = &[
    ("Bucket", "s3"),
    ("BucketPolicy", "s3"),
    ("CfnVPCEndpoint", "ec2"),
    ("EventBus", "events"),
    ("FileSystem", "elasticfilesystem"),
    ("GatewayVpcEndpoint", "ec2"),
    ("InterfaceVpcEndpoint", "ec2"),
    ("Key", "kms"),
    ("Queue", "sqs"),
    ("Repository", "ecr"),
    ("Secret", "secretsmanager"),
    ("Topic", "sns"),
    ("add_dynamo_db_endpoint", "ec2"),
    ("add_gateway_endpoint", "ec2"),
    ("add_interface_endpoint", "ec2"),
    ("add_s3_endpoint", "ec2"),
];

/// Methods that put a statement into the policy of what they are called on (CDK API reference, `IGrantable`, `IPrincipal`,
/// `IFunction`, `PolicyDocument`).
const ADDERS: &[&str] = &[
    "add_statements",
    "add_to_policy",
    "add_to_principal_policy",
    "add_to_resource_policy",
    "add_to_role_policy",
];

/// Whether an argument lists what a policy is put on: `Policy(…, roles=[role])`.
fn names_holders(name: &ArgName) -> bool {
    matches!(name, ArgName::Keyword(name, _) if ["groups", "roles", "users"].contains(&&**name))
}

/// See `Lowering::attachments`.
pub(super) type Attached = BTreeMap<ExprId, Vec<ExprId>>;

/// What the statements are put into.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum StatementTarget {
    /// What this call makes.
    Made(ExprId),
    /// What this name holds in this function or class, `self.role`, since this point.
    Named(ScopeId, String, ExprId),
}

/// A statement of a policy.
#[derive(Debug)]
pub(super) struct Member {
    /// A call of `PolicyStatement`, or something of which nothing is known.
    pub expr: ExprId,
    pub known: bool,
    /// It is put there only then.
    pub when: Option<Guard>,
}

/// Statements that hold together.
#[derive(Debug, Default)]
pub(super) struct StatementGroup {
    /// The IAM prefix of the resource whose policy it is.
    pub service: Option<&'static str>,
    /// The call that makes what has the policy.
    pub holder: Option<ExprId>,
    /// What the first method is called on that adds a statement.
    pub receiver: Option<ExprId>,
    pub members: Vec<Member>,
}

/// Where something that makes statements is called.
struct Site<'c> {
    call: &'c CallExpr,
    holder: StatementTarget,
    receiver: Option<ExprId>,
    service: Option<&'static str>,
    when: Option<Guard>,
}

impl CallLowering<'_> {
    /// The policies that the module puts together, in the order in which it begins them. `is` says which calls are statements.
    pub(super) fn policies_in_parts(&self, is: &dyn Fn(ExprId, &CallExpr) -> bool) -> Vec<StatementGroup> {
        let m = self.module_ref();
        let parts = self.parts_of_other_policies();
        let mut order: Vec<(StatementTarget, bool)> = Vec::new();
        let mut all: BTreeMap<(StatementTarget, bool), StatementGroup> = BTreeMap::new();
        for expr in m.ids() {
            let Some(call) = m.call(expr) else { continue };
            let Some(site) = self.policy_target(expr, call, &parts) else {
                continue;
            };
            let mut found: Vec<Member> = Vec::new();
            for arg in site.call.args.iter().filter(|arg| !names_holders(&arg.name)) {
                found.extend(self.statements_in(arg.value, 0));
            }
            found.retain(|f| !f.known || m.call(f.expr).is_some_and(|c| is(f.expr, c)));
            // Lists of other things are no policies, and a document of which nothing is seen is listed where it is used.
            if !found.iter().any(|f| f.known) {
                continue;
            }
            let key = (
                site.holder,
                site.service.is_some() || method_of(m, call) == "add_to_resource_policy",
            );
            let holder = match key.0 {
                StatementTarget::Made(made) => Some(made),
                StatementTarget::Named(..) => None,
            };
            let policy = all.entry(key.clone()).or_insert_with(|| {
                order.push(key);
                StatementGroup {
                    holder,
                    receiver: site.receiver,
                    ..StatementGroup::default()
                }
            });
            policy.service = policy.service.or(site.service);
            for member in found {
                if !policy.members.iter().any(|p| p.expr == member.expr) {
                    let when = member.when.or_else(|| site.when.clone());
                    policy.members.push(Member { when, ..member });
                }
            }
        }
        let mut out: Vec<StatementGroup> = order.iter().filter_map(|key| all.remove(key)).collect();
        let put: BTreeSet<ExprId> = out.iter().flat_map(|p| &p.members).map(|m| m.expr).collect();
        let alone = m
            .ids()
            .filter(|e| !put.contains(e) && m.call(*e).is_some_and(|c| is(*e, c)));
        out.extend(alone.map(|expr| StatementGroup {
            service: None,
            holder: None,
            receiver: None,
            members: vec![Member {
                expr,
                known: true,
                when: None,
            }],
        }));
        out
    }

    /// The policy that a call puts its arguments into.
    fn policy_target<'c>(
        &self,
        expr: ExprId,
        call: &'c CallExpr,
        parts: &BTreeMap<ExprId, Option<ExprId>>,
    ) -> Option<Site<'c>> {
        let m = self.module_ref();
        let class = self.class_of(call);
        let receiver = match &m.expr(call.function).kind {
            ExprKind::Attr { of, .. } if ADDERS.contains(&&*class) => Some(*of),
            _ => None,
        };
        let holder = match receiver {
            Some(of) => self.statement_target(of)?,
            None if class == "PolicyStatement" || class == "from_json" => return None,
            None => StatementTarget::Made(expr),
        };
        let of_service = |class: &str| HOLDERS.iter().find(|(name, _)| *name == class).map(|(_, s)| *s);
        let service = match (receiver, &holder) {
            (None, _) => of_service(&class),
            (Some(_), StatementTarget::Made(made)) if class != "add_statements" => {
                m.call(*made).and_then(|c| of_service(&self.class_of(c)))
            }
            (Some(of), StatementTarget::Named(..)) => self.assigned(of).and_then(|c| of_service(&self.class_of(c))),
            _ => None,
        };
        let when = receiver.and_then(|_| self.guard_of_call(expr, &holder));
        let mut holder = holder;
        for _ in 0..MAX_DEPTH {
            match &holder {
                StatementTarget::Made(made) => match parts.get(made) {
                    Some(Some(whole)) => holder = StatementTarget::Made(*whole),
                    _ => break,
                },
                StatementTarget::Named(..) => break,
            }
        }
        let service = service.or_else(|| match &holder {
            StatementTarget::Made(made) => m.call(*made).and_then(|c| of_service(&self.class_of(c))),
            StatementTarget::Named(..) => None,
        });
        Some(Site {
            call,
            holder,
            receiver,
            service,
            when,
        })
    }

    /// The condition under which the call at `expr` is made, where what it adds to is there without it.
    fn guard_of_call(&self, expr: ExprId, holder: &StatementTarget) -> Option<Guard> {
        let m = self.module_ref();
        let here = m.expr(expr);
        let function = m.function_of(here.scope);
        let base = match holder {
            StatementTarget::Made(made) if m.function_of(m.expr(*made).scope) == function => m.expr(*made).block,
            _ => m.scope(function).root,
        };
        match m.covers(here.block, base) {
            true => None,
            false => m.label(here.block).map(|label| Guard::from(&**label)),
        }
    }

    /// What `of` is: the call that made it, else the name that holds it, where one place gives it a value.
    fn statement_target(&self, of: ExprId) -> Option<StatementTarget> {
        let m = self.module_ref();
        let mut at = of;
        for _ in 0..MAX_DEPTH {
            match &m.expr(at).kind {
                ExprKind::Call(_) => return Some(StatementTarget::Made(at)),
                ExprKind::Name(name) => match m.defining_expression(at) {
                    Some(made) => at = made,
                    None => {
                        let Reaching::Found(found) = m.reaching_bindings(name, at) else {
                            return None;
                        };
                        let [one] = found.bindings.as_slice() else { return None };
                        return Some(StatementTarget::Named(found.scope, name.to_string(), one.at));
                    }
                },
                ExprKind::Attr { .. } => match self.assigned_to(at) {
                    Some(source) => at = source,
                    None => {
                        let scope = m.function_of(m.expr(at).scope);
                        let parent = m.scope(scope).parent;
                        let of_class = m.scope(parent).kind == ScopeKind::Class;
                        let scope = if of_class { parent } else { scope };
                        return Some(StatementTarget::Named(scope, m.dotted(at)?, ExprId::FIRST));
                    }
                },
                _ => return None,
            }
        }
        None
    }

    /// The value of an attribute of an object that one name holds, where one place of the module assigns it.
    fn assigned_to(&self, of: ExprId) -> Option<ExprId> {
        let m = self.module_ref();
        let shown = m.dotted(of)?;
        let mut all = m.attributes.iter().filter(|a| {
            m.dotted(a.object).is_some_and(|object| {
                shown
                    .strip_prefix(&object)
                    .is_some_and(|rest| rest.strip_prefix('.') == Some(&*a.name))
            })
        });
        let source = all.next()?.source.as_ref().filter(|s| s.steps.is_empty())?;
        all.next().is_none().then_some(source.expr)
    }

    /// The call whose result the attribute `of` holds, where one place of the module assigns it.
    fn assigned(&self, of: ExprId) -> Option<&CallExpr> {
        let m = self.module_ref();
        let shown = m.dotted(of)?;
        let attribute = shown.rsplit_once('.')?.1.to_owned();
        let mut all = m.attributes.iter().filter(|a| *a.name == *attribute);
        let source = all.next()?.source.as_ref().filter(|s| s.steps.is_empty())?;
        all.next().is_none().then(|| m.call(source.expr)).flatten()
    }

    /// What is part of the policy of something else: the documents and policies of a role, the role of a function. `None` for
    /// what is part of several.
    fn parts_of_other_policies(&self) -> BTreeMap<ExprId, Option<ExprId>> {
        let m = self.module_ref();
        let mut out: BTreeMap<ExprId, Option<ExprId>> = BTreeMap::new();
        let mut put = |part: ExprId, whole: ExprId| {
            if part != whole {
                let known = out.entry(part).or_insert(Some(whole));
                if *known != Some(whole) {
                    *known = None;
                }
            }
        };
        for expr in m.ids() {
            let Some(call) = m.call(expr) else { continue };
            let class = self.class_of(call);
            let made = |e: ExprId| match self.statement_target(e) {
                Some(StatementTarget::Made(made)) => Some(made),
                _ => None,
            };
            match &*class {
                "PolicyStatement" | "PolicyDocument" => {}
                "attach_inline_policy" => {
                    if let ExprKind::Attr { of, .. } = &m.expr(call.function).kind
                        && let (Some(role), Some(policy)) = (made(*of), call.args.first().and_then(|a| made(a.value)))
                    {
                        put(policy, role);
                    }
                }
                _ => {
                    for arg in &call.args {
                        self.documents_in(arg.value, 0, &mut |document| put(document, expr));
                    }
                    // A managed policy has a size of its own, and others may have it too.
                    if class == "Policy"
                        && let Some(roles) = call.keyword("roles")
                        && let ExprKind::List(roles) = &m.expr(roles).kind
                        && let [role] = roles.as_slice()
                        && let Some(role) = made(*role)
                    {
                        put(expr, role);
                    }
                    if let Some(role) = call.keyword("role").and_then(made) {
                        put(expr, role);
                    }
                }
            }
        }
        out
    }

    /// The roles, users and groups that a construct puts its policy on, and itself where it is a managed policy.
    pub(super) fn attached_identities(&self, made: ExprId, attached: &Attached) -> Vec<Holding> {
        let m = self.module_ref();
        let Some(call) = m.call(made) else { return Vec::new() };
        let lists = ["roles", "users", "groups"].into_iter().filter_map(|k| call.keyword(k));
        let named = lists.flat_map(|list| match &m.expr(list).kind {
            ExprKind::List(items) => items.as_slice(),
            _ => &[],
        });
        let constructs = named.filter_map(|e| match self.statement_target(*e)? {
            StatementTarget::Made(made) => Some(made),
            StatementTarget::Named(..) => None,
        });
        let attached = attached.get(&made).into_iter().flatten().copied();
        let all = std::iter::once(made).chain(constructs).chain(attached);
        all.filter_map(|made| self.values.identity(self.module, made))
            .map(|(kind, name)| Holding { kind, name })
            .collect()
    }

    /// The constructs that a managed policy is attached to, by the call that makes it.
    pub(super) fn attachments(&self) -> Attached {
        let m = self.module_ref();
        let made = |e: ExprId| match self.statement_target(e) {
            Some(StatementTarget::Made(made)) => Some(made),
            _ => None,
        };
        let mut out = Attached::new();
        for expr in m.ids() {
            let Some(call) = m.call(expr) else { continue };
            let (on, policies) = match &m.expr(call.function).kind {
                ExprKind::Attr { of, name, .. } if &**name == "add_managed_policy" => {
                    (made(*of), call.args.iter().map(|a| a.value).collect())
                }
                _ => match call.keyword("managed_policies").map(|list| &m.expr(list).kind) {
                    Some(ExprKind::List(items)) => (Some(expr), items.clone()),
                    _ => continue,
                },
            };
            for policy in policies.into_iter().filter_map(made) {
                out.entry(policy).or_default().extend(on);
            }
        }
        out
    }

    /// The `PolicyDocument`s of an argument: itself, or the values of a dict.
    fn documents_in(&self, expr: ExprId, depth: u32, take: &mut dyn FnMut(ExprId)) {
        let m = self.module_ref();
        let made = m.defining_expression(expr).unwrap_or(expr);
        match &m.expr(made).kind {
            ExprKind::Call(call) if self.class_of(call) == "PolicyDocument" => take(made),
            ExprKind::Dict(pairs) if depth < MAX_DEPTH => {
                pairs.iter().for_each(|p| self.documents_in(p.value, depth + 1, take));
            }
            _ => {}
        }
    }

    /// The statements of an argument: itself, in a list, from a function of the module. What else stands in a list is unknown.
    pub(super) fn statements_in(&self, expr: ExprId, depth: u32) -> Vec<Member> {
        let m = self.module_ref();
        let made = m.defining_expression(expr).unwrap_or(expr);
        if depth > MAX_DEPTH {
            return Vec::new();
        }
        let inner = |e: ExprId| self.statements_in(e, depth + 1);
        let mut found = match &m.expr(made).kind {
            ExprKind::List(items) | ExprKind::Tuple(items) => {
                items.iter().flat_map(|i| self.item(*i, depth, None)).collect()
            }
            ExprKind::Binary { op, left, right } if &**op == "+" => [*left, *right]
                .iter()
                .flat_map(|e| self.item(*e, depth, None))
                .collect(),
            ExprKind::Comprehension { element, key: None, .. } => inner(*element),
            ExprKind::Star(all) => inner(*all),
            ExprKind::Call(call) if self.class_of(call) == "PolicyStatement" => vec![Member {
                expr: made,
                known: true,
                when: None,
            }],
            ExprKind::Call(call) => self.returned(call).map(inner).unwrap_or_default(),
            _ => Vec::new(),
        };
        if let ExprKind::Name(name) = &m.expr(expr).kind
            && matches!(m.expr(made).kind, ExprKind::List(_) | ExprKind::Binary { .. })
            && let Reaching::Found(names) = m.reaching_bindings(name, expr)
            && let [binding] = names.bindings.as_slice()
        {
            let changes = m.scope(names.scope).mutations.iter();
            let changes = changes.filter(|c| c.name == *name && c.path.is_empty() && c.at > binding.at);
            for change in changes.filter(|c| c.at <= names.until) {
                let when = match m.covers(change.block, binding.block) {
                    true => None,
                    false => m.label(change.block).map(|label| Guard::from(&**label)),
                };
                if let ObjectChange::Append(more) | ObjectChange::Extend(more) = change.change {
                    found.extend(self.item(more, depth, when));
                }
            }
        }
        found
    }

    /// The statements that an item of a list stands for; unknown where it is not one that we see.
    fn item(&self, expr: ExprId, depth: u32, when: Option<Guard>) -> Vec<Member> {
        let mut found = self.statements_in(expr, depth + 1);
        if found.is_empty() {
            found.push(Member {
                expr,
                known: false,
                when: None,
            });
        }
        for member in &mut found {
            member.when = member.when.take().or_else(|| when.clone());
        }
        found
    }

    /// What a function of the module returns, where it has one `return`.
    fn returned(&self, call: &CallExpr) -> Option<ExprId> {
        let m = self.module_ref();
        let ExprKind::Name(name) = &m.expr(call.function).kind else {
            return None;
        };
        let Reaching::Found(found) = m.reaching_bindings(name, call.function) else {
            return None;
        };
        match found.bindings.as_slice() {
            [one] => match one.bound {
                BindingValue::Function(scope) => match m.scope(scope).returns.as_slice() {
                    [returned] => Some(*returned),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }
}
