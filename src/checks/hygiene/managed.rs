//! AWS managed policies where they are attached or looked up to be used.

use crate::finding::Finding;
use crate::iam::managed::aws_managed_name;
use crate::iam::{ActionSet, Clause, catalogue, pattern};
use crate::index::ResourceId;
use crate::model::{Resource, kinds};
use crate::project::AwsManaged;
use crate::rules::{Context, FindingSink, ids};
use crate::source::Span;
use crate::value::{Value, ValueKind};

/// Policies that let their holder become an administrator, or nearly so, and what to say of them.
/// AWS Managed Policy Reference.
const ELEVATED: &[(&str, &str)] = &[
    ("PowerUserAccess", "everything except IAM and Organizations"),
    ("IAMFullAccess", "all of IAM: the holder can become an administrator"),
    ("job-function/SystemAdministrator", "administers most services"),
];

/// Whether a policy, by its name with path, is one of those.
pub(super) fn is_elevated(name: &str) -> bool {
    ELEVATED.iter().any(|(n, _)| *n == name)
}

/// From this many actions that change something on, a policy is as broad as one with a wildcard.
const MANY: usize = 25;

/// A service with fewer actions than this is not broad: all of `eks-auth` is one action.
const FEW: usize = 10;

/// Policies that AWS asks for where its agents and nodes run, or that the CIS benchmark asks for: a policy of one's own would
/// grant the same. Amazon EKS User Guide, "Amazon EKS node IAM role"; AWS Systems Manager User Guide, "Configure instance
/// permissions required for Systems Manager"; Amazon CloudWatch User Guide, "Create IAM roles and users for use with the
/// CloudWatch agent"; CIS AWS Foundations Benchmark, "Ensure a support role has been created".
const ASKED_FOR: &[&str] = &[
    "AWSSupportAccess",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSClusterPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
    "AmazonEKSVPCResourceController",
    "AmazonEKSWorkerNodeMinimalPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonSSMManagedInstanceCore",
    "CloudWatchAgentServerPolicy",
];

/// What an AWS managed policy, by its name with path, grants without a condition on every resource, or on all but those
/// that it names.
pub(in crate::checks) struct Broad {
    service: &'static str,
    /// A whole service, or how many of its actions that change something.
    changing: Option<usize>,
    on: &'static str,
}

impl Broad {
    /// "every action of `s3` on everything", "118 changing actions of `ec2` on everything".
    pub(super) fn text(&self) -> String {
        let Self { service, changing, on } = self;
        match changing {
            None => format!("every action of `{service}` {on}"),
            Some(n) => format!("{n} write actions of `{service}` {on}"),
        }
    }

    /// Whether a role that only this service may assume has no more of it than the service itself.
    pub(super) fn is_own_of(&self, principal: &str) -> bool {
        principal.split('.').next() == Some(self.service)
    }
}

/// What it grants so, if that is a whole service or a long list.
pub(in crate::checks) fn broad_grant(name: &str) -> Option<Broad> {
    if ASKED_FOR.contains(&name) {
        return None;
    }
    let granted = granted_on_every_resource(name, true)?;
    let mut services: Vec<(&str, usize, bool)> = Vec::new();
    for prefix in granted.services() {
        let service = catalogue().service(prefix)?;
        let mut all: ActionSet = service.actions().filter(|a| !a.is_retired()).collect();
        let whole = all.len() >= FEW && all.is_subset(&granted);
        all.intersect(&granted);
        services.push((prefix, all.iter().filter(|a| a.level().changes()).count(), whole));
    }
    // The service that the policy is about: of what its name says, else the one with the most actions.
    let short = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    let is_named = |prefix: &str| short.contains(&prefix.replace('-', ""));
    let (prefix, changing, whole) = *services
        .iter()
        .filter(|(prefix, changing, whole)| *whole || *changing >= MANY || (is_named(prefix) && *changing > 0))
        .max_by_key(|(prefix, changing, _)| (is_named(prefix), *changing))
        .filter(|_| services.iter().any(|(_, changing, whole)| *whole || *changing >= MANY))?;
    // Roles of services get what AWS says they need.
    let of_service = name.starts_with("service-role/") || name.starts_with("aws-service-role/");
    if of_service && !whole {
        return None;
    }
    let service = catalogue().service(prefix)?.prefix();
    let mut own: ActionSet = granted.iter().filter(|a| a.service().prefix() == service).collect();
    own.subtract(&granted_on_every_resource(name, false)?);
    Some(Broad {
        service,
        changing: (!whole).then_some(changing),
        on: match own.is_empty() {
            true => "on all resources",
            false => "on all but a few resources",
        },
    })
}

/// What a policy of AWS grants on `*`, whatever the request; or on all `but_some` resources.
fn granted_on_every_resource(name: &str, but_some: bool) -> Option<ActionSet> {
    let policy = AwsManaged::by_name(name)?;
    let mut out = ActionSet::empty();
    for allowed in &policy.granted().allowed {
        let s = &policy.document().statements[allowed.statement];
        let star =
            |c: &Clause| c.negated && but_some || !c.negated && c.items.iter().any(|i| pattern::is_star(&i.text));
        if s.resource.as_ref().is_some_and(star) && s.conditions.is_empty() {
            out.union_with(&allowed.actions);
        }
    }
    // A Deny with a condition or of some resources leaves the rest.
    let denies = policy.document().statements.iter().filter(|s| s.denies() && !but_some);
    for set in denies.filter_map(|s| s.action.as_ref()?.actions()) {
        out.subtract(&set);
    }
    if let Some(denied) = &policy.granted().denied {
        out.subtract(denied);
    }
    Some(out)
}

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, r) in cx.project.resources.iter_enumerated() {
        references(r, &mut |value, span| {
            let lookup = &*r.kind == kinds::POLICY_LOOKUP;
            let Some(name) = value
                .as_text()
                .and_then(aws_managed_name)
                .or_else(|| policy_path(&value.as_str().filter(|_| lookup)?))
            else {
                return;
            };
            if let Some(f) = check_policy(cx, id, &name, span) {
                out.push(f);
            }
        });
    }
}

/// The policy that a bare name finds, with its path.
fn policy_path(name: &str) -> Option<String> {
    let policy = catalogue().managed_policy(name).filter(|p| p.name == name)?;
    let (_, full) = policy.arn.split_once(":policy/")?;
    Some(full.to_owned())
}

fn check_policy(cx: &Context<'_>, id: ResourceId, name: &str, span: Span) -> Option<Finding> {
    let holder = &cx.project.resources[id];
    let f = if name == "AdministratorAccess" {
        cx.at_resource(
            ids::MANAGED_ADMINISTRATOR_ACCESS,
            id,
            "`AdministratorAccess` is attached",
        )
        .primary(span, "every action on every resource")
    } else {
        let (_, what) = ELEVATED.iter().find(|(n, _)| *n == name)?;
        let short = name.rsplit('/').next().unwrap_or(name);
        cx.at_resource(
            ids::MANAGED_ELEVATED_POLICY,
            id,
            format!("the AWS managed policy `{short}` is attached"),
        )
        .primary(span, *what)
    };
    Some(f.in_resource(holder.header).other_evidence(name.to_lowercase()))
}

/// Every place of a resource that attaches a managed policy, or looks one up.
pub(in crate::checks) fn references<'v>(r: &'v Resource, f: &mut dyn FnMut(&'v Value, Span)) {
    let props: &[&str] = match &*r.kind {
        "AWS::IAM::Role" | "AWS::IAM::User" | "AWS::IAM::Group" => &["ManagedPolicyArns"],
        "AWS::SSO::PermissionSet" => &["ManagedPolicies"],
        kind if kind == kinds::ATTACHMENT => &["PolicyArn"],
        kind if kind == kinds::POLICY_LOOKUP => &["Arn", "Name"],
        _ => return,
    };
    for prop in props {
        each_text(r.get(prop), f);
    }
}

/// The permissions boundary that a resource sets.
pub(super) fn boundary<'v>(r: &'v Resource, f: &mut dyn FnMut(&'v Value, Span)) {
    match &*r.kind {
        "AWS::IAM::Role" | "AWS::IAM::User" => each_text(r.get("PermissionsBoundary"), f),
        "AWS::SSO::PermissionSet" => each_text(r.path(&["PermissionsBoundary", "ManagedPolicyArn"]), f),
        "AWS::SSO::PermissionsBoundary" => {
            for name in ["PermissionsBoundary", "permissions_boundary"] {
                for block in r.get(name).into_iter().flat_map(Value::items) {
                    let arn = ["ManagedPolicyArn", "managed_policy_arn"];
                    each_text(arn.iter().find_map(|name| block.get(name)), f);
                }
            }
        }
        kind if kind == kinds::BOTO3_CALL => each_text(r.get("PermissionsBoundary"), f),
        _ => {}
    }
}

fn each_text<'v>(value: Option<&'v Value>, f: &mut dyn FnMut(&'v Value, Span)) {
    if let Some(value) = value {
        value.each_value(&mut |v| {
            if matches!(v.kind, ValueKind::Str(_) | ValueKind::Unknown(_)) {
                f(v, v.span);
            }
        });
    }
}
