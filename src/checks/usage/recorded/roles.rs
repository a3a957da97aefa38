//! Roles and users that did nothing in the whole period.

use super::phrases::{not_used, since};
use crate::finding::Confidence;
use crate::phrase;
use crate::project::{AbsenceProof, IdentityKind};
use crate::rules::{Context, FindingSink, ids};

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    if !out.is_selected(ids::ROLE_UNUSED) {
        return;
    }
    for (id, absence) in cx.project.recorded().absent() {
        let identity = &cx.project.identities[id];
        if !matches!(identity.kind, IdentityKind::Role | IdentityKind::User) {
            continue;
        }
        let resource = &cx.project.resources[identity.resource];
        let name = identity.name.as_ref().and_then(|name| name.known());
        let name = name.map_or_else(|| resource.address.name.to_string(), |name| name.into_owned());
        let (proof, confidence) = match absence.proof {
            AbsenceProof::Certain(proof) => (proof, Confidence::High),
            AbsenceProof::SameDeployment(proof) | AbsenceProof::OwnAccount(proof) => (proof, Confidence::Medium),
        };
        let kind = identity.kind.name();
        let message = format!("the {kind} `{}` was not used {}", phrase::clip(&name, 64), since(proof));
        let mut f = cx
            .at_resource(ids::ROLE_UNUSED, identity.resource, message)
            .primary(identity.header, not_used(proof))
            .confidence(confidence);
        match absence.proof {
            AbsenceProof::Certain(_) => {}
            AbsenceProof::SameDeployment(_) => f = f.note("others of the same deployment are in the logs"),
            AbsenceProof::OwnAccount(_) => f = f.note("in the one account of the settings, if it is deployed there"),
        }
        out.push(f);
    }
}
