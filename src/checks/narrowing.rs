//! Remedies that put a condition on a statement: which service a role is passed to, for whom a service acts.
//!
//! Offered only where what to write is known: from the trust of the roles, from the actions beside, from the account.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::finding::{Remedy, RemedyStep};
use crate::iam::{Document, PrincipalType, SourceFormat, Statement, sdk};
use crate::project::DocumentId;
use crate::rules::Context;
use crate::source::Span;

/// More services than this are no answer.
const MAX_SERVICES: usize = 4;

/// A condition for a statement that has none; `None` where it has, or is no object with keys as IAM has them.
fn condition(cx: &Context<'_>, s: &Statement, title: String, key: &str, value: &Json) -> Option<Remedy> {
    if s.condition_key.is_some() || s.open {
        return None;
    }
    let last = [s.resource.as_ref().map(|c| c.key), s.action.as_ref().map(|c| c.key)];
    let beside = last.into_iter().flatten().next()?;
    let written = cx.project.sources.slice(beside).trim_matches(['"', '\'']);
    let element = matches!(written, "Resource" | "NotResource" | "Action" | "NotAction");
    element.then(|| entry(title, beside, "Condition", json!({"StringEquals": {key: value}})))
}

fn entry(title: String, beside: Span, key: &str, value: Json) -> Remedy {
    Remedy::risky(title).change(RemedyStep::Enter {
        beside,
        before: false,
        key: key.to_owned(),
        value,
    })
}

/// The account that is deployed to, as the format writes it; else the one that the settings name.
fn account(cx: &Context<'_>, format: SourceFormat) -> Option<Json> {
    let accounts = &cx.project.own.accounts;
    match (format, accounts.len()) {
        (SourceFormat::Cloudformation | SourceFormat::Sam, _) => Some(json!({"Ref": "AWS::AccountId"})),
        (_, 1) => accounts.keys().next().map(|id| id.as_str().into()),
        _ => None,
    }
}

/// What the file of a document can write in place of the number of the account that is deployed to, for help.
/// CloudFormation User Guide, "Pseudo parameters reference"; Serverless Framework, "Variables"; AWS CDK Developer
/// Guide, "Environments for the AWS CDK".
pub(super) fn own_account(cx: &Context<'_>, d: &Document) -> &'static str {
    match d.format {
        SourceFormat::Cloudformation | SourceFormat::Sam => "`${AWS::AccountId}`",
        SourceFormat::Terraform => "`data.aws_caller_identity.current.account_id`",
        SourceFormat::Serverless => "`${aws:accountId}`",
        SourceFormat::Python if cx.project.sources.text(d.span.file).contains("aws_cdk") => {
            "`self.account` or `Aws.ACCOUNT_ID`"
        }
        SourceFormat::Python => "the account that `sts.get_caller_identity()` returns",
        _ => "its 12 digits, or a placeholder that is replaced when the policy is created",
    }
}

/// `aws:SourceAccount` on a statement that lets a service in.
pub(super) fn source_account(cx: &Context<'_>, id: DocumentId, s: &Statement) -> Option<Remedy> {
    let account = account(cx, cx.project.documents[id].format)?;
    let title = "only for this account: `aws:SourceAccount`".to_owned();
    condition(cx, s, title, "aws:SourceAccount", &account)
}

/// `aws:SourceOrgID` on such a statement of a resource that is for an organization, where the settings or the policy say which.
pub(super) fn source_organization(cx: &Context<'_>, d: &Document, s: &Statement) -> Option<Remedy> {
    let named = || {
        let conditions = d.statements.iter().flat_map(|s| &s.conditions);
        let mut ids = conditions
            .filter(|c| c.lower_key.ends_with("orgid"))
            .flat_map(|c| &c.values)
            .filter_map(|v| v.text.known())
            .filter(|v| v.starts_with("o-") && !v.contains(['*', '?']));
        let first = ids.next()?;
        ids.all(|id| id == first).then(|| first.into_owned())
    };
    let id = cx.project.own.organization.clone().or_else(named)?;
    let title = "only for this organization: `aws:SourceOrgID`".to_owned();
    condition(cx, s, title, "aws:SourceOrgID", &json!(id))
}

/// `SourceAccount` beside a property of a Lambda permission. CloudFormation only: Terraform spells the account as a reference
/// to a data source that may not be there.
pub(super) fn add_source_account(cx: &Context<'_>, format: SourceFormat, key: Span) -> Option<Remedy> {
    let account = account(cx, format).filter(|_| format.is_cloudformation())?;
    Some(entry(
        "only for this account: `SourceAccount`".to_owned(),
        key,
        "SourceAccount",
        account,
    ))
}

/// `iam:PassedToService` with the services that trust the roles that are named, or, where any role is, with those that the
/// document's own actions hand roles to.
pub(super) fn add_passed_to_service(cx: &Context<'_>, id: DocumentId, s: &Statement) -> Option<Remedy> {
    // A condition would bind the statement's other actions too.
    let actions = &s.action.as_ref()?.items;
    let alone = actions
        .iter()
        .all(|a| a.text.known().is_some_and(|t| t.eq_ignore_ascii_case("iam:PassRole")));
    if !alone {
        return None;
    }
    let services = trusted_services(cx, s).or_else(|| pass_role_services(cx, id))?;
    let value = match services.len() {
        1 => json!(services.first()),
        2..=MAX_SERVICES => json!(services),
        _ => return None,
    };
    let title = "only to the services that get it: `iam:PassedToService`".to_owned();
    condition(cx, s, title, "iam:PassedToService", &value)
}

/// The services that the roles of a statement trust, where all of them are the repository's.
fn trusted_services(cx: &Context<'_>, s: &Statement) -> Option<BTreeSet<String>> {
    let mut out = BTreeSet::new();
    let clause = s.resource.as_ref().filter(|c| !c.negated && c.complete)?;
    for item in &clause.items {
        let (resource, _) = cx.project.resource_at(item.text.as_hole()?.target.as_ref()?)?;
        let identity = &cx.project.identities[cx.project.identity_of(resource)?];
        for statement in identity.trust.iter().flat_map(|d| &cx.project.documents[*d].statements) {
            let principal = statement.principal.as_ref().filter(|p| p.complete && !p.negated)?;
            for p in principal.items.iter().filter(|p| p.kind == PrincipalType::Service) {
                out.insert(p.value.text.known()?.into_owned());
            }
        }
    }
    (!out.is_empty()).then_some(out)
}

/// The services that the actions which a document names hand roles to.
fn pass_role_services(cx: &Context<'_>, id: DocumentId) -> Option<BTreeSet<String>> {
    let mut out = BTreeSet::new();
    let statements = cx.project.documents[id].statements.iter().filter(|s| s.allows());
    for item in statements
        .filter_map(|s| s.action.as_ref())
        .filter(|c| !c.negated)
        .flat_map(|c| &c.items)
    {
        let text = item.text.known()?;
        // What a wildcard covers may hand roles to anyone.
        let (prefix, name) = text.split_once(':').filter(|_| !text.contains(['*', '?']))?;
        for client in sdk::clients().filter(|c| c.iam_prefix().eq_ignore_ascii_case(prefix)) {
            let passes = client.operation(&name.to_ascii_lowercase()).and_then(|o| o.pass_role());
            out.extend(passes.into_iter().flat_map(|p| p.to).map(str::to_owned));
        }
    }
    (!out.is_empty()).then_some(out)
}
