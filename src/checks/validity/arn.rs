//! ARNs that match no AWS resource. AWS General Reference, "Amazon Resource Names (ARNs)"; Service Authorization
//! Reference, "Resource types" of each service.

use crate::finding::{Confidence, Finding, Remedy, Severity};
use crate::iam::arn::{Arn, ArnField, ArnShape, arn_shape, field, is_account_id};
use crate::iam::arn_format::types_of;
use crate::iam::catalogue::{ResourceType, catalogue};
use crate::iam::glob::CaseSensitivity;
use crate::iam::partitions::is_missing;
use crate::iam::pattern::Pattern;
use crate::iam::variables::may_be_template;
use crate::iam::{ClauseItem, DocumentOrigin, PolicyKind};
use crate::project::StatementRef;
use crate::project::targets::ResourceRefs;
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::source::{Piece, Text, TextSlice};

/// Services that take a path instead of an ARN. API Gateway Developer Guide, "API Gateway resource policy examples".
const RELATIVE: [&str; 1] = ["execute-api:/"];

/// Services whose resources all belong to an account, with none owned by AWS.
/// Service Authorization Reference, "Resource types" of each service.
const IN_ACCOUNTS: [&str; 19] = [
    "athena",
    "codebuild",
    "codecommit",
    "cognito-idp",
    "dynamodb",
    "ecr",
    "ecs",
    "elasticfilesystem",
    "es",
    "firehose",
    "iam",
    "kinesis",
    "kms",
    "logs",
    "rds",
    "secretsmanager",
    "sns",
    "sqs",
    "states",
];

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let is_name = |text: &Text| {
        text.pieces().first().is_some_and(|p| matches!(p, Piece::Hole(_)))
            && ResourceRefs::new(cx.project).begins_with_name(text)
    };
    for s in cx.statements() {
        if s.document.origin != DocumentOrigin::Written || s.document.kind == PolicyKind::Trust {
            continue;
        }
        let mut arms = s.written_resources().filter(|item| is_empty_branch(cx, item));
        if let Some(arm) = arms.next() {
            let f = cx
                .at_statement(
                    ids::ARN_BAD_PREFIX,
                    s,
                    match s.document.kind {
                        PolicyKind::Resource => "a resource is an empty string in one branch: it matches nothing",
                        _ => "a resource is an empty string in one branch, which IAM rejects",
                    },
                )
                .primary(arm.span, "not an ARN in this branch")
                .under_guard(arm.branch.as_ref())
                .severity(Severity::Medium)
                .confidence(Confidence::Medium)
                .help("Leave the resource out of the list in this branch.");
            out.push(arms.take(3).fold(f, |f, more| f.secondary(more.span, "also empty")));
        }
        for item in s.written_resources() {
            if is_name(&item.text) {
                let at = |rule: RuleId, message: String, label: &str| {
                    cx.at_statement(rule, s, message).primary(item.span, label)
                };
                let f = bad_prefix(&at, &item.display());
                out.push(f.resources([item.display()]));
            } else if let Some(f) = check_arn(cx, s, item) {
                out.push(f.resources([item.display()]));
            }
        }
    }
}

/// Whether an item is the empty string in one arm of a conditional: `var.prod ? "" : aws_s3_bucket.b.arn`.
fn is_empty_branch(cx: &Context<'_>, item: &ClauseItem) -> bool {
    let written = || cx.project.sources.slice(item.span).trim();
    let is_empty = item.text.known().is_some_and(|text| text.is_empty());
    is_empty && item.branch.is_some() && item.via.is_none() && matches!(written(), "\"\"" | "''")
}

fn check_arn(cx: &Context<'_>, s: StatementRef<'_>, item: &ClauseItem) -> Option<Finding> {
    let at = |rule: RuleId, message: String, label: &str| cx.at_statement(rule, s, message).primary(item.span, label);
    let shown = item.display();
    let arn = match arn_shape(&item.text) {
        ArnShape::Arn(arn) => arn,
        ArnShape::Wildcard => {
            let text = item.text.known()?;
            // IAM requires `arn:` literally, whatever follows.
            if !text.starts_with("arn:") && !text.bytes().all(|b| matches!(b, b'*' | b':')) {
                return Some(bad_prefix(&at, &shown));
            }
            if let Some(f) = literal_fields(&item.text, &shown, &at) {
                return Some(f);
            }
            // A `*` may stand for the missing fields, but not after a name.
            let n = text.split(':').count();
            let last = text.rsplit(':').next().unwrap_or_default();
            let named = text.starts_with("arn:") && n < 6 && last.contains('/') && !last.starts_with('*');
            return named.then(|| {
                at(
                    ids::ARN_MISSING_FIELDS,
                    format!("`{shown}` has only {n} of the 6 fields of an ARN"),
                    "expected `arn:partition:service:region:account:resource`",
                )
            });
        }
        ArnShape::Star | ArnShape::Hole => return None,
        ArnShape::TooShort(n) => {
            return Some(at(
                ids::ARN_MISSING_FIELDS,
                format!("`{shown}` has only {n} of the 6 fields of an ARN"),
                "expected `arn:partition:service:region:account:resource`",
            ));
        }
        ArnShape::Other => {
            let text = item.text.known()?;
            // A value that is empty by default is often set before it is used.
            let placeholder = may_be_template(&text) || (text.is_empty() && !cx.is_literal(item));
            let relative = RELATIVE.iter().any(|p| text.starts_with(p));
            return (!placeholder && !relative).then(|| bad_prefix(&at, &shown));
        }
    };
    fields(&arn, &shown, &at).or_else(|| {
        let (rule, message, label) = format_mismatch(&arn, item)?;
        let f = at(rule, message, label);
        Some(if rule == ids::ARN_BAD_RESOURCE {
            f.confidence(Confidence::Medium)
        } else {
            f
        })
    })
}

fn bad_prefix(at: ReportArn<'_>, shown: &str) -> Finding {
    at(
        ids::ARN_BAD_PREFIX,
        format!("`{shown}` is not an ARN"),
        "must start with `arn:` or be `*`",
    )
}

/// Whether an ARN has an unknown service, or matches no resource type of its service.
pub(in crate::checks) fn matches_no_type(item: &ClauseItem) -> bool {
    let ArnShape::Arn(arn) = arn_shape(&item.text) else {
        return false;
    };
    let unknown = match field(arn.service) {
        ArnField::Empty => true,
        ArnField::Literal(s) => types_of(&s.to_ascii_lowercase()).is_none(),
        _ => false,
    };
    unknown || format_mismatch(&arn, item).is_some()
}

type ReportArn<'a> = &'a dyn Fn(RuleId, String, &str) -> Finding;

/// Checks the fields before the first wildcard, which may stand for the others: `arn:aws::s3:*`, `arn:aws:dynamo:*`.
fn literal_fields(text: &Text, shown: &str, at: ReportArn<'_>) -> Option<Finding> {
    let text = text.known()?;
    let literal = &text[..text.find(['*', '?'])?];
    // The field before the wildcard is incomplete.
    let mut fields = literal.split(':').collect::<Vec<_>>();
    fields.pop();
    let [_, rest @ ..] = fields.as_slice() else { return None };
    rest.first()
        .and_then(|p| bad_partition(p, at))
        .or_else(|| rest.get(1).and_then(|s| unknown_service(s, shown, at)))
}

fn bad_partition(p: &str, at: ReportArn<'_>) -> Option<Finding> {
    (!catalogue().is_partition(p)).then(|| {
        at(
            ids::ARN_BAD_PARTITION,
            format!("`{p}` is not an AWS partition"),
            "must be `aws`, `aws-cn`, `aws-us-gov`, …",
        )
    })
}

fn unknown_service(s: &str, shown: &str, at: ReportArn<'_>) -> Option<Finding> {
    let message = match s {
        "" => format!("`{shown}` has an empty service field"),
        _ => format!("`{s}` is not a service in AWS ARNs"),
    };
    let unknown = types_of(&s.to_ascii_lowercase()).is_none();
    unknown.then(|| {
        let f = at(ids::ARN_UNKNOWN_SERVICE, message, "matches nothing");
        match catalogue().did_you_mean_service(s).filter(|_| !s.is_empty()) {
            Some(meant) => f.help(format!("Did you mean `{meant}`?")),
            None => f,
        }
    })
}

fn fields(arn: &Arn<'_>, shown: &str, at: ReportArn<'_>) -> Option<Finding> {
    if arn.resource.is_empty() {
        return Some(at(
            ids::ARN_MISSING_FIELDS,
            format!("`{shown}` has an empty resource field"),
            "expected `arn:partition:service:region:account:resource`",
        ));
    }
    let partition = match arn.partition() {
        ArnField::Literal(p) => Some(p),
        ArnField::Empty => Some("".into()),
        _ => None,
    };
    if let Some(f) = partition.and_then(|p| bad_partition(&p, at)) {
        return Some(f);
    }
    if field(arn.service) == ArnField::Empty {
        return unknown_service("", shown, at);
    }
    if let ArnField::Literal(s) = field(arn.service) {
        let lower = s.to_ascii_lowercase();
        if let Some(f) = unknown_service(&s, shown, at) {
            // One value may be used in actions and ARNs: label the place where it is written.
            let at = f.span().zip(arn.service.span_of(0..s.len()));
            let near = catalogue().did_you_mean_service(&s).filter(|_| !s.is_empty());
            let f = match (near, arn.service.span_of(0..s.len())) {
                (Some(near), Some(span)) => {
                    f.remedy(Remedy::granting(format!("write `{near}`")).replace_token(span, &*s, near))
                }
                _ => f,
            };
            return Some(match at.filter(|(item, service)| !item.contains(*service)) {
                Some((_, service)) => f.secondary(service, "written here"),
                None => f,
            });
        }
        if let ArnField::Literal(p) = arn.partition()
            && is_missing(&lower, &p)
        {
            let f = at(
                ids::ARN_SERVICE_NOT_IN_PARTITION,
                format!("`{lower}` has no endpoint in the `{p}` partition"),
                "service not available in this partition",
            );
            let known = format!("the AWS endpoint data is from {}", catalogue().data_date());
            return Some(f.confidence(Confidence::Low).note(known));
        }
        if lower != s {
            let f = at(
                ids::ARN_SERVICE_CASE,
                format!("the service in `{shown}` has uppercase letters"),
                "matches nothing",
            );
            let place = arn.service.span_of(0..arn.service.len());
            return Some(match place {
                Some(span) => f.remedy(Remedy::granting(format!("write `{lower}`")).replace_token(span, &*s, &*lower)),
                None => f,
            });
        }
    }
    if let ArnField::Literal(r) = arn.region() {
        let message = match (catalogue().region(&r), field(arn.partition)) {
            (None, _) if !r.starts_with("us-iso") && !r.starts_with("eu-iso") => {
                Some(format!("`{r}` is not an AWS Region"))
            }
            (Some(known), ArnField::Literal(partition)) if *partition != *known.partition => Some(format!(
                "`{r}` is a Region of `{}`, not of `{partition}`",
                known.partition
            )),
            _ => None,
        };
        if let Some(message) = message {
            return Some(at(ids::ARN_BAD_REGION, message, "matches nothing"));
        }
    }
    if let ArnField::Literal(a) = arn.account()
        && !is_account_id(&a)
        && !matches!(
            &*a,
            "aws"
                | "amazon"
                | "aws-marketplace"
                | "self"
                | "cloudfront"
                | "third-party"
                | "aws-managed"
                | "ec2"
                | "aws-foundation-models"
        )
    {
        return Some(at(
            ids::ARN_BAD_ACCOUNT,
            format!("`{a}` is not an account ID"),
            "must be a 12-digit account ID or `*`",
        ));
    }
    None
}

/// Whether a field of an ARN is present; a wildcard or an unknown part may be either.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FieldPresence {
    Absent,
    Present,
    Either,
}

impl FieldPresence {
    fn new(field: &ArnField<'_>) -> Self {
        match field {
            ArnField::Empty => Self::Absent,
            ArnField::Literal(_) | ArnField::Pattern => Self::Present,
            ArnField::Any | ArnField::Hole(_) => Self::Either,
        }
    }

    fn agrees_with(self, wanted: bool) -> bool {
        match self {
            Self::Absent => !wanted,
            Self::Present => wanted,
            Self::Either => true,
        }
    }
}

/// Whether an ARN that ends in `resource` matches one of the types, given the presence of its Region and account.
fn matches_any_type(
    types: &[ResourceType],
    (arn, resource): (&Pattern, &str),
    region: FieldPresence,
    account: FieldPresence,
) -> bool {
    let matching = |likely: bool| {
        let mut formats = types.iter().flat_map(|t| t.formats());
        formats.any(|f| {
            f.is_likely(resource) == likely
                && region.agrees_with(f.region)
                && account.agrees_with(f.account)
                && f.matches(arn).may_be()
        })
    };
    matching(true) || matching(false)
}

/// What is wrong with an ARN that matches no format of its service: Region, account, or resource.
fn format_mismatch(arn: &Arn<'_>, item: &ClauseItem) -> Option<(RuleId, String, &'static str)> {
    let ArnField::Literal(service) = field(arn.service) else {
        return None;
    };
    let types = types_of(&service)?;
    let (region, account) = (FieldPresence::new(&arn.region()), FieldPresence::new(&arn.account()));
    let pattern = Pattern::resource(&item.text);
    if types.is_empty() || matches_any_type(types, (&pattern, &arn.resource.prefix()), region, account) {
        return None;
    }
    // AWS checks some requests against ARNs that the Service Authorization Reference does not list.
    let mut actions = catalogue().service(&service).into_iter().flat_map(|s| s.actions());
    let has_its_fields = |known: &str| {
        let mut fields = known.split(':').skip(3).map(|field| !field.is_empty());
        let (in_region, in_account) = (fields.next() == Some(true), fields.next() == Some(true));
        region.agrees_with(in_region) && account.agrees_with(in_account)
    };
    if actions.any(|a| a.is_checked_against(&pattern).may_be() && a.checked_arns().any(has_its_fields)) {
        return None;
    }
    // Whether the ARN matches with this Region and account.
    let with = |r: &str, a: &str| {
        let resource = with_wildcards(arn.resource);
        let text = format!("arn:aws:{service}:{r}:{a}:{resource}");
        let presence = |field: &str| {
            if field.is_empty() {
                FieldPresence::Absent
            } else {
                FieldPresence::Present
            }
        };
        matches_any_type(
            types,
            (&Pattern::plain(&text, CaseSensitivity::Sensitive), &resource),
            presence(r),
            presence(a),
        )
    };
    let keep = |field: TextSlice<'_>, presence: FieldPresence| match presence {
        FieldPresence::Absent => String::new(),
        _ => with_wildcards(field),
    };
    let (r, a) = (keep(arn.region, region), keep(arn.account, account));
    let such = format!("this `{service}` ARN");
    if !a.is_empty() && with(&r, "") {
        return Some((
            ids::ARN_ACCOUNT_NOT_ALLOWED,
            format!("{such} must not contain an account ID"),
            "leave the account field empty",
        ));
    }
    if !r.is_empty() && with("", &a) {
        return Some((
            ids::ARN_REGION_NOT_ALLOWED,
            format!("{such} must not contain a Region"),
            "leave the Region field empty",
        ));
    }
    if !r.is_empty() && !a.is_empty() && with("", "") {
        return Some((
            ids::ARN_REGION_NOT_ALLOWED,
            format!("{such} must not contain a Region"),
            "leave the Region and account fields empty",
        ));
    }
    if r.is_empty() && with("*", &a) {
        return Some((
            ids::ARN_MISSING_REGION,
            format!("{such} needs a Region"),
            "add the Region or `*`",
        ));
    }
    if a.is_empty() && with(&r, "*") && IN_ACCOUNTS.contains(&&*service) {
        return Some((
            ids::ARN_MISSING_ACCOUNT,
            format!("{such} needs an account ID"),
            "add the account ID or `*`",
        ));
    }
    if a.is_empty() && with(&r, "*") {
        // ARNs of resources that AWS owns have no account ID: `arn:aws:ssm:*::document/AWS-*`,
        // `arn:aws:ec2:*::image/*`.
        return None;
    }
    if r.is_empty() && a.is_empty() && with("*", "*") {
        return Some((
            ids::ARN_MISSING_REGION,
            format!("{such} needs a Region and an account ID"),
            "add the Region and the account ID",
        ));
    }
    Some((
        ids::ARN_BAD_RESOURCE,
        format!("`{}` matches no resource type of `{service}`", item.display()),
        "not the ARN format of any resource type",
    ))
}

/// The part with its unknown values as wildcards.
fn with_wildcards(part: TextSlice<'_>) -> String {
    part.with_placeholders()
        .chars()
        .map(|c| if Text::placeholder(c).is_some() { '*' } else { c })
        .collect()
}
