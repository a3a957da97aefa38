//! What the fields of an ARN say about where a policy works: fixed accounts and partitions, open accounts and regions.
//! AWS General Reference, "Amazon Resource Names (ARNs)".

use std::cell::LazyCell;
use std::collections::BTreeSet;

use crate::checks::narrowing::own_account;
use crate::finding::Remedy;
use crate::iam::across::cross_account_actions;
use crate::iam::arn::{Arn, ArnField, is_account_id};
use crate::iam::catalogue::AccessLevel;
use crate::iam::condition::{Facet, Grade};
use crate::iam::principal::{IdentityType, PrincipalOrigin, origin_of_account};
use crate::iam::{ClauseItem, Condition, Document, DocumentOrigin, PolicyKind, SourceFormat, Statement};
use crate::project::{DocumentId, StatementRef};
use crate::rules::{Context, FindingSink, ids};
use crate::source::{FileId, HoleKind, Span, file_name};

/// Every ARN of a clause `Resource`, with its parts.
fn arns<'a>(cx: &Context<'a>, id: DocumentId) -> impl Iterator<Item = (StatementRef<'a>, &'a ClauseItem, Arn<'a>)> {
    cx.project.statements(id).flat_map(|s| {
        let items = s.statement.resource.iter().flat_map(|c| &c.items);
        items.filter_map(move |item| Some((s, item, Arn::parse(&item.text)?)))
    })
}

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let elsewhere = partitions(cx);
    for (id, d) in cx.documents() {
        if d.origin != DocumentOrigin::Written {
            continue;
        }
        if matches!(
            d.format,
            SourceFormat::Cloudformation | SourceFormat::Sam | SourceFormat::Terraform | SourceFormat::Serverless
        ) {
            fixed_account(cx, out, (id, d));
            fixed_partition(cx, out, id, &elsewhere);
        }
        open_region(cx, out, id);
    }
    open_account(cx, out);
}

/// A literal account in an ARN, once for each account of a document. One that comes from a variable or parameter is not
/// written here.
fn fixed_account(cx: &Context<'_>, out: &mut FindingSink<'_>, (id, d): (DocumentId, &Document)) {
    if d.kind == PolicyKind::Trust {
        return;
    }
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (s, item, arn) in arns(cx, id) {
        let ArnField::Literal(account) = arn.account() else {
            continue;
        };
        // A role to assume is in another account as a rule, and is named by it.
        if allows_only_assume_role(&s) {
            continue;
        }
        let Some(span) = arn.account.span_of(0..account.len()) else {
            continue;
        };
        // The account of AWS or a vendor is the same wherever the policy is used.
        let published = matches!(
            origin_of_account(&account, IdentityType::Root, cx.project.own, None),
            PrincipalOrigin::OtherAccount { name: Some(_), .. }
        );
        if !is_account_id(&account) || published || span.len() != account.len() || !item.span.contains(span) {
            continue;
        }
        if is_value(cx, span, &s) {
            continue;
        }
        let account = account.into_owned();
        let own = &cx.project.own.accounts;
        let foreign = !own.is_empty() && !own.contains_key(&account);
        if seen.insert(account.clone()) {
            out.push(
                cx.at_statement(
                    ids::RESOURCE_HARDCODED_ACCOUNT,
                    s,
                    format!("hard-coded account ID `{account}`"),
                )
                .primary(span, "works only in this account")
                .help(match d.format {
                    SourceFormat::Json | SourceFormat::Text => {
                        "Use a placeholder that is replaced when the policy is created.".to_owned()
                    }
                    _ if foreign => "Use a variable: the account is not listed under `[own]`.".to_owned(),
                    _ => format!("Use {} or a variable.", own_account(cx, d)),
                })
                .resources([item.display()])
                .other_evidence(account),
            );
        }
    }
}

/// Whether what is written at `span` is a value that is given to the code with the statement: it is a variable already.
/// Terraform documentation, "Variable definitions (.tfvars) files"; CloudFormation User Guide, "Using parameter files"; CDK
/// Developer Guide, "Context values".
fn is_value(cx: &Context<'_>, span: Span, s: &Statement) -> bool {
    let path = cx.project.sources.file(span.file).path.to_ascii_lowercase();
    let name = file_name(&path);
    let values = [
        ".tfvars",
        ".tfvars.json",
        ".json",
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".env",
        ".properties",
        ".csv",
    ];
    let elsewhere = span.file != s.span.file && values.iter().any(|end| name.ends_with(end));
    elsewhere || matches!(name, "terragrunt.hcl" | "cdk.json" | "cdk.context.json")
}

fn allows_only_assume_role(s: &Statement) -> bool {
    let known = |i: &ClauseItem| i.text.known().is_some_and(|t| t.eq_ignore_ascii_case("sts:AssumeRole"));
    s.action
        .as_ref()
        .is_some_and(|a| !a.negated && a.items.iter().all(known))
}

/// Files in which some ARN leaves the partition open, or has another than `aws`.
fn partitions(cx: &Context<'_>) -> BTreeSet<FileId> {
    let open = |arn: &Arn<'_>| match arn.partition() {
        ArnField::Hole(kind) => kind == Some(HoleKind::Partition),
        ArnField::Literal(p) => p != "aws",
        _ => false,
    };
    cx.documents()
        .flat_map(|(id, _)| arns(cx, id))
        .filter(|(.., arn)| open(arn))
        .map(|(_, item, _)| item.span.file)
        .collect()
}

fn fixed_partition(cx: &Context<'_>, out: &mut FindingSink<'_>, id: DocumentId, elsewhere: &BTreeSet<FileId>) {
    let fixed = arns(cx, id).find(|(_, item, arn)| {
        matches!(arn.partition(), ArnField::Literal(p) if p == "aws") && elsewhere.contains(&item.span.file)
    });
    let Some((s, item, arn)) = fixed else { return };
    let span = arn.partition.span_of(0.."aws".len()).unwrap_or(item.span);
    out.push(
        cx.at_statement(
            ids::RESOURCE_HARDCODED_PARTITION,
            s,
            "hard-coded partition; other ARNs in the file use a variable",
        )
        .primary(span, "fails in China and GovCloud")
        .resources([item.display()]),
    );
}

/// `*` for the region beside an ARN of the same document that names one.
fn open_region(cx: &Context<'_>, out: &mut FindingSink<'_>, id: DocumentId) {
    let pinned = arns(cx, id).find(|(.., arn)| {
        matches!(
            arn.region(),
            ArnField::Literal(_) | ArnField::Hole(Some(HoleKind::Region))
        )
    });
    let Some((_, one, _)) = pinned else { return };
    for (s, item, arn) in arns(cx, id) {
        // What has no account is AWS's own, the same in every region: `arn:aws:bedrock:*::foundation-model/*`.
        if arn.region() == ArnField::Any && arn.account() != ArnField::Empty && s.allows() {
            let span = arn.region.span_of(0..1).unwrap_or(item.span);
            out.push(
                cx.at_statement(ids::RESOURCE_WILDCARD_REGION, s, "the Region is a wildcard")
                    .primary(span, "every Region")
                    .secondary(one.span, "the resource is in one Region")
                    .resources([item.display()]),
            );
            return;
        }
    }
}

/// `*` for the account where the statement changes something that another account may have opened.
fn open_account(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for g in crate::checks::allow_statements::identity_allow_statements(cx) {
        if g.strength.grade(Facet::Resource) == Grade::Pins {
            continue;
        }
        let changing = LazyCell::new(|| {
            let mut changing = g.actions.as_ref().clone();
            changing.subtract(&g.actions.with_level(AccessLevel::List));
            changing.subtract(&g.actions.with_level(AccessLevel::Read));
            changing
        });
        let others = LazyCell::new(|| cross_account_actions(&changing));
        let Some(clause) = g.statement.resource.as_ref().filter(|c| !c.negated) else {
            continue;
        };
        let wide = clause.items.iter().find_map(|item| {
            let arn = Arn::parse(&item.text)?;
            let service = arn.service().filter(|_| arn.account() == ArnField::Any)?;
            // Roles of other accounts can be assumed, and nothing else of theirs in IAM can be reached.
            let reaches = if service == "iam" {
                arn.resource_type() == "role" && changing.contains_name("sts:AssumeRole")
            } else {
                !g.reachable_actions(item, &others).is_empty()
            };
            let flat = arn.resource.with_placeholders();
            // Rules that AWS Backup makes in the account itself, as its guide names them in the policies of its roles.
            let named = !flat.bytes().all(|b| b == b'*') && !flat.starts_with("rule/AwsBackupManagedRule");
            (reaches && named).then_some((item, arn))
        });
        let Some((item, arn)) = wide else { continue };
        let span = arn.account.span_of(0..1).unwrap_or(item.span);
        let organization = |c: &Condition| c.lower_key.contains("org");
        // Roles of other accounts, or the resources of an organization: the holder's own account would be too little.
        let of_others = arn.service().as_deref() == Some("iam") || g.statement.conditions.iter().any(organization);
        let help = match of_others {
            true => "Name the accounts, or add a condition on `aws:ResourceOrgID` with the ID of your organization."
                .to_owned(),
            false => format!("Name the account: {}.", own_account(cx, g.statement.document)),
        };
        out.push(
            cx.at_statement(
                ids::RESOURCE_WILDCARD_ACCOUNT,
                g.statement,
                "account ID is a wildcard: resources in other accounts match too",
            )
            .primary(span, "every account")
            .help(help)
            .resources([item.display()])
            .remedies(
                cx.project
                    .own
                    .only_account()
                    .filter(|_| !of_others)
                    .map(|own| Remedy::risky(format!("write the account `{own}`")).replace_token(span, "*", own)),
            ),
        );
    }
}
