//! Workloads that run as a role with administrator permissions.

use std::collections::BTreeMap;

use crate::checks::holders::cause_of;
use crate::model::Resource;
use crate::model::resource_types::{self, RoleHolder};
use crate::project::{IdentityId, ResourceId};
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::Span;
use crate::value::{Value, ValueKind};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let mut by_profile: BTreeMap<ResourceId, SharedProfiles> = BTreeMap::new();
    for (id, r) in cx.project.resources.iter_enumerated() {
        let Some((rule, what, at, role)) = workload(cx, r) else {
            continue;
        };
        if let Some(profile) = at.profile {
            by_profile.entry(profile).or_default().add(id, at.span, is_public(r));
        }
        let Some(power) = cx.effects.power(role) else { continue };
        let address = &cx.project.resources[cx.project.identities[role].resource].address.name;
        let mut f = cx
            .at_resource(rule, id, format!("{what} runs as a privileged role"))
            .cause(cause_of(cx, power, role))
            .primary(at.span, "anyone who compromises it gets the role's permissions")
            .other_evidence(address.to_string());
        if at.span != power.span {
            f = f.secondary(power.span, power.reach.text());
        }
        out.push(f.scope(r.header, ""));
    }
    for shared in by_profile.into_values() {
        if let (Some((id, public)), Some((_, private))) = (shared.public, shared.private) {
            out.push(
                cx.at_resource(
                    ids::PUBLIC_AND_PRIVATE_SHARE_ROLE,
                    id,
                    "an instance with a public IP address shares its role with a private one",
                )
                .primary(public, "reachable from the internet")
                .secondary(private, "instance without a public IP address"),
            );
        }
    }
}

/// The first public and the first private instance of an instance profile.
#[derive(Default)]
struct SharedProfiles {
    public: Option<(ResourceId, Span)>,
    private: Option<(ResourceId, Span)>,
}

impl SharedProfiles {
    fn add(&mut self, id: ResourceId, span: Span, public: Option<bool>) {
        let slot = match public {
            Some(true) => &mut self.public,
            Some(false) => &mut self.private,
            None => return,
        };
        slot.get_or_insert((id, span));
    }
}

/// The property in which a workload names its role.
struct RoleReference {
    span: Span,
    profile: Option<ResourceId>,
}

/// The rule, the kind of workload, where it names its role, and the role.
fn workload(cx: &Context<'_>, r: &Resource) -> Option<(RuleId, &'static str, RoleReference, IdentityId)> {
    let (rule, what) = match &*r.kind {
        "AWS::Lambda::Function" => (ids::LAMBDA_PRIVILEGED_ROLE, "the function"),
        "AWS::SageMaker::NotebookInstance" => (ids::SAGEMAKER_ROLE_OVERLY_PERMISSIVE, "the notebook"),
        "AWS::EC2::Instance" => (ids::EC2_OVERLY_PERMISSIVE_INSTANCE, "the instance"),
        "AWS::AutoScaling::LaunchConfiguration" | "AWS::EC2::LaunchTemplate" => (
            ids::EC2_OVERLY_PERMISSIVE_INSTANCE,
            "every instance launched from the template",
        ),
        _ => return None,
    };
    let mut properties = resource_types::roles(&r.kind).iter();
    let property = properties.find(|p| p.holder != RoleHolder::Other)?;
    let value = r.path(property.path)?;
    let (profile, role) = match property.instance_profile {
        true => cx
            .project
            .instance_profile(value)
            .map(|(profile, role)| (Some(profile), role))?,
        false => (None, cx.project.role(value)?),
    };
    let span = value.span;
    Some((rule, what, RoleReference { span, profile }, role))
}

/// Whether an instance is declared with or without a public IP address.
fn is_public(r: &Resource) -> Option<bool> {
    if &*r.kind != "AWS::EC2::Instance" {
        return None;
    }
    let direct = r.get("AssociatePublicIpAddress").and_then(Value::as_bool);
    let interfaces = || match r.get("NetworkInterfaces").map(|v| &v.kind) {
        Some(ValueKind::Seq(items)) => items
            .iter()
            .filter_map(|i| i.get("AssociatePublicIpAddress")?.as_bool())
            .max(),
        _ => None,
    };
    direct.or_else(interfaces)
}
