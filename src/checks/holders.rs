//! Who holds a document: administrators, or only a service.

use crate::finding::Cause;
use crate::iam::principal::{PrincipalOrigin, origin_of};
use crate::project::{DocumentId, IdentityId, IdentityKind, PolicySource, Power, Project, Reach, StatementRef};
use crate::rules::Context;

/// Note for findings about the breadth of a policy.
pub(super) const IS_ADMINISTRATOR: &str = "the holder can already grant itself any permission";

/// Whether every holder of a statement is equivalent to an administrator without it.
pub(super) fn are_administrators(cx: &Context<'_>, s: StatementRef<'_>) -> bool {
    let elsewhere = |holder: &IdentityId| {
        cx.effects.power(*holder).is_some_and(|power| {
            let here = matches!(power.grant.source, PolicySource::Written(d) if d == s.document_id)
                && power.grant.index == s.index;
            power.reach != Reach::Most && !here
        })
    };
    let holders = cx.project.holders(s.document_id);
    !holders.is_empty() && holders.iter().all(elsewhere)
}

/// The cause that findings about the granting policy have, so that others fold into them.
pub(super) fn cause_of(cx: &Context<'_>, power: &Power<'_>, holder: IdentityId) -> Cause {
    match power.grant.source {
        PolicySource::Written(d) => Cause::Statement(d, power.grant.index),
        PolicySource::AwsManaged(_) => {
            let own = cx.project.identities[holder].resource;
            Cause::Resource(power.grant.through.by.unwrap_or(own))
        }
    }
}

/// The prefix of the only service that can assume the roles with a policy: `backup` for `backup.amazonaws.com`. `None`
/// if others can assume them, or if something other than a role has the policy.
pub(crate) fn only_service(project: &Project<'_>, document: DocumentId) -> Option<String> {
    let mut found: Option<String> = None;
    for holder in project.holders(document) {
        let identity = &project.identities[*holder];
        if identity.kind != IdentityKind::Role || identity.trust.is_empty() {
            return None;
        }
        for s in identity.trust.iter().flat_map(|d| &project.documents[*d].statements) {
            let principals = s.principal.as_ref().filter(|p| !p.negated && p.complete && !s.open)?;
            for item in principals.items.iter().filter(|_| !s.denies()) {
                let PrincipalOrigin::Service { name } = origin_of(item, project.own, None) else {
                    return None;
                };
                let prefix = name.strip_suffix(".amazonaws.com")?.rsplit('.').next()?.to_owned();
                if found.as_ref().is_some_and(|one| *one != prefix) {
                    return None;
                }
                found = Some(prefix);
            }
        }
    }
    found
}

/// Whether only roles of AWS Backup have the document. AWS Backup selects resources by tags, so no policy can name
/// them. AWS Backup Developer Guide, "Amazon S3 backups".
pub(super) fn is_for_aws_backup(cx: &Context<'_>, document: DocumentId) -> bool {
    only_service(cx.project, document).as_deref() == Some("backup")
}
