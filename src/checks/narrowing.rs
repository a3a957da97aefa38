//! Remedies that put a condition on a statement: which service a role is passed to, for whom a service acts.
//!
//! Offered only where what to write is known: from the trust of the roles, from the actions beside, from the account.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::references;
use crate::finding::{Remedy, RemedyStep};
use crate::iam::{ClauseItem, Condition, Document, PrincipalType, SourceFormat, Statement, sdk};
use crate::model::Resource;
use crate::project::DocumentId;
use crate::rules::Context;
use crate::source::Span;

/// More services than this are no answer.
const MAX_SERVICES: usize = 4;

/// A line of a `Condition`.
struct NewCondition {
    operator: &'static str,
    key: String,
    value: Json,
}

impl NewCondition {
    fn equals(key: &str, value: impl Into<Json>) -> Self {
        Self {
            operator: "StringEquals",
            key: key.to_owned(),
            value: value.into(),
        }
    }
}

/// A further condition for a statement; `None` where it has one on the key, or where its keys are written elsewhere.
fn condition(cx: &Context<'_>, s: &Statement, title: String, new: NewCondition) -> Option<Remedy> {
    let lower = new.key.to_lowercase();
    if s.open || s.conditions.iter().any(|c| c.lower_key == lower) {
        return None;
    }
    let last = [s.resource.as_ref().map(|c| c.key), s.action.as_ref().map(|c| c.key)];
    let beside = last.into_iter().flatten().next()?;
    let written = |span| cx.project.sources.slice(span).trim_matches(['"', '\'']);
    match written(beside) {
        "Resource" | "NotResource" | "Action" | "NotAction" if s.condition_key.is_none() => {
            let value = json!({new.operator: {new.key: new.value}});
            Some(entry(title, beside, "Condition", value))
        }
        "Resource" | "NotResource" | "Action" | "NotAction" => {
            let here = |c: &&Condition| {
                let is_written = |item: &ClauseItem| written(item.span) == item.display();
                s.span.contains(c.key.span) && is_written(&c.key) && is_written(&c.operator)
            };
            let mut lines = s.conditions.iter().filter(here);
            let first = lines.clone().next()?;
            let same = lines.find(|c| c.operator.display() == new.operator);
            Some(match same {
                Some(c) => entry(title, c.key.span, &new.key, new.value),
                None => entry(title, first.operator.span, new.operator, json!({new.key: new.value})),
            })
        }
        "resources" | "not_resources" | "actions" | "not_actions" if s.span.contains(beside) => {
            let values = match new.value {
                Json::Array(values) => values,
                one => vec![one],
            };
            Some(Remedy::risky(title).change(RemedyStep::Block {
                beside,
                name: "condition",
                attributes: vec![
                    ("test", new.operator.into()),
                    ("variable", new.key.into()),
                    ("values", values.into()),
                ],
            }))
        }
        _ => None,
    }
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
    condition(cx, s, title, NewCondition::equals("aws:SourceAccount", account))
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
    condition(cx, s, title, NewCondition::equals("aws:SourceOrgID", id))
}

/// `aws:SourceArn` with the one resource of the repository that the service acts for.
pub(super) fn only_source(cx: &Context<'_>, id: DocumentId, s: &Statement, service: &str) -> Option<Remedy> {
    let d = &cx.project.documents[id];
    let source = references::only_source_of(cx, service, &d.owner.as_ref()?.scope)?;
    let title = format!("only for `{}`: `aws:SourceArn`", source.address.name);
    let new = NewCondition {
        operator: "ArnLike",
        key: "aws:SourceArn".to_owned(),
        value: references::arn_of(source, "")?,
    };
    condition(cx, s, title, new)
}

/// `SourceArn` of a Lambda permission, with the one resource of the repository that the service acts for.
pub(super) fn add_source_arn(cx: &Context<'_>, permission: &Resource, key: Span, service: &str) -> Option<Remedy> {
    let source = references::only_source_of(cx, service, &permission.address.scope)?;
    let property = match permission.format {
        SourceFormat::Terraform => "source_arn",
        _ => "SourceArn",
    };
    let title = format!("only for `{}`: `SourceArn`", source.address.name);
    Some(entry(title, key, property, references::arn_of(source, "")?))
}

/// `aws:PrincipalOrgID` with the organization that the settings name.
pub(super) fn own_organization(cx: &Context<'_>, s: &Statement) -> Option<Remedy> {
    let own = cx.project.own.organization.as_ref()?;
    let title = "only for your organization: `aws:PrincipalOrgID`".to_owned();
    condition(cx, s, title, NewCondition::equals("aws:PrincipalOrgID", own.as_str()))
}

const GITHUB: &str = "token.actions.githubusercontent.com";

/// The audience of GitHub's tokens for AWS. GitHub Docs, "Configuring OpenID Connect in Amazon Web Services".
pub(super) fn github_audience(cx: &Context<'_>, s: &Statement, url: &str) -> Option<Remedy> {
    let title = "only tokens for AWS: `aud`".to_owned();
    let new = NewCondition::equals(&format!("{GITHUB}:aud"), "sts.amazonaws.com");
    (url == GITHUB).then(|| condition(cx, s, title, new))?
}

/// The repositories of the GitHub organization that the settings name, if it is one alone.
fn own_subject(cx: &Context<'_>) -> Option<String> {
    let [own] = cx.project.own.github.as_slice() else {
        return None;
    };
    Some(format!("repo:{own}/*"))
}

/// The subject of tokens for the repositories of the organization that the settings name.
pub(super) fn github_subject(cx: &Context<'_>, s: &Statement, url: &str) -> Option<Remedy> {
    let title = "only your repositories: `sub`".to_owned();
    let own = own_subject(cx).filter(|_| url == GITHUB)?;
    let key = |claim: &str| format!("{GITHUB}:{claim}");
    if s.condition_key.is_none() && s.conditions.is_empty() {
        // Without an audience, tokens for anything else would do.
        let beside = s.action.as_ref().filter(|_| !s.open)?.key;
        let written = cx.project.sources.slice(beside).trim_matches(['"', '\'']);
        let value = json!({"StringEquals": {key("aud"): "sts.amazonaws.com"}, "StringLike": {key("sub"): own}});
        return (written == "Action").then(|| entry(title, beside, "Condition", value));
    }
    let new = NewCondition {
        operator: "StringLike",
        key: key("sub"),
        value: own.into(),
    };
    condition(cx, s, title, new)
}

/// The same in the place of a value that lets in other repositories.
pub(super) fn own_repositories(cx: &Context<'_>, c: &Condition, value: &ClauseItem) -> Option<Remedy> {
    let own = own_subject(cx).filter(|_| c.lower_key.ends_with(":sub") && cx.is_literal(value))?;
    let is_like = c.parsed.is_some_and(|o| o.wildcards);
    is_like.then(|| Remedy::risky(format!("write `{own}`")).replace(value.span, [own]))
}

/// The audience of assertions for AWS. IAM User Guide, "Configure SAML assertions for the authentication response".
pub(super) fn saml_audience(cx: &Context<'_>, s: &Statement) -> Option<Remedy> {
    let title = "only assertions for AWS: `SAML:aud`".to_owned();
    condition(
        cx,
        s,
        title,
        NewCondition::equals("SAML:aud", "https://signin.aws.amazon.com/saml"),
    )
}

/// A `Null` line that demands the key of another line.
pub(super) fn required_key(cx: &Context<'_>, s: &Statement, c: &Condition) -> Option<Remedy> {
    let is_null = |o: &Condition| o.operator.display().eq_ignore_ascii_case("Null");
    let first = s.conditions.iter().any(|o| is_null(o) && o.lower_key == c.lower_key);
    let beside = &c.operator;
    let written = cx.project.sources.slice(beside.span).trim_matches(['"', '\'']);
    let key = c
        .key
        .text
        .known()
        .filter(|_| !first && !s.open && written == beside.display())?;
    let same = s.conditions.iter().find(|o| is_null(o));
    let title = format!("require `{key}` to be present");
    let lines = json!({key.to_string(): "false"});
    // Terraform's blocks have the operator as a value.
    let is_key = s
        .condition_key
        .is_some_and(|condition| condition.end <= beside.span.start);
    match same {
        _ if !is_key => None,
        Some(null) => Some(entry(title, null.key.span, &key, "false".into())),
        None => Some(entry(title, beside.span, "Null", lines)),
    }
}

/// Another operator for a line that has one of its own.
fn other_operator(cx: &Context<'_>, s: &Statement, c: &Condition, new: String) -> Option<(String, Span, String)> {
    let shared = s
        .conditions
        .iter()
        .filter(|o| o.operator.span == c.operator.span)
        .count()
        > 1;
    let fits = !shared && cx.is_literal(&c.operator) && new != c.operator.display();
    fits.then(|| (format!("write `{new}`"), c.operator.span, new))
}

/// The operator without a set operator and without `IfExists`: a request without the key does not match.
pub(super) fn strict_operator(cx: &Context<'_>, s: &Statement, c: &Condition) -> Option<Remedy> {
    let text = c.operator.display();
    let base = text.strip_prefix("ForAllValues:").unwrap_or(&text);
    let base = base.strip_suffix("IfExists").unwrap_or(base);
    let (title, span, new) = other_operator(cx, s, c, base.to_owned())?;
    Some(Remedy::risky(title).replace(span, [new]))
}

/// The operator without a set operator.
pub(super) fn plain_operator(cx: &Context<'_>, s: &Statement, c: &Condition) -> Option<Remedy> {
    let text = c.operator.display();
    let base = text.split_once(':').map_or(&*text, |(_, base)| base);
    let (title, span, new) = other_operator(cx, s, c, base.to_owned())?;
    Some(Remedy::risky(title).replace(span, [new]))
}

/// The operator that expands wildcards: what did not match before does now.
pub(super) fn like_operator(cx: &Context<'_>, s: &Statement, c: &Condition) -> Option<Remedy> {
    let new = c.operator.display().replace("StringEquals", "StringLike");
    let (title, span, new) = other_operator(cx, s, c, new)?;
    Some(Remedy::granting(title).replace(span, [new]))
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
    condition(cx, s, title, NewCondition::equals("iam:PassedToService", value))
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
