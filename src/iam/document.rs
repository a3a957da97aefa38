//! The policy document, whatever format it came from.

use std::sync::{Arc, OnceLock};

use super::actions::ActionSet;
use super::arn::{self, Breadth};
use super::catalogue::{Action, catalogue};
use super::condition::dead::DeadStatement;
use super::condition::{Operator, Strength};
use super::glob::CaseSensitivity;
use super::pattern;
use super::policy_kind::LikelyKind;
use super::variables::may_be_template;
use crate::index::ResourceId;
use crate::source::{HoleKind, HoleTarget, Span, Text, WithSpan};
use crate::terms::PolicyKind;
pub use crate::terms::{Effect, POLICY_ELEMENTS, PrincipalType, STATEMENT_ELEMENTS, SourceFormat};
use crate::value::{Guard, Provenance, Value, ValueKind};

/// Where a document's content comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentOrigin {
    /// Written in the repository.
    Written,
    /// AWS's own managed policy, by name; every span is [`Span::NOWHERE`].
    AwsManaged(Arc<str>),
    /// Expanded from this SAM policy template; every span is the reference to it.
    SamTemplate(Arc<str>),
    /// What this method of a construct of the CDK grants, `Table.grant_read_data`; every span is that of the method or of an
    /// argument.
    CdkGrant(Arc<str>),
    /// Written by the SAM translator or by the CDK for what the template asks for, by the name of that: a queue for failures, a
    /// schedule. Its user is the service, and every span is what asks.
    Generated(Arc<str>),
}

/// One policy document.
#[derive(Clone, Debug)]
pub struct Document {
    pub kind: PolicyKind,
    /// What a name or the resources suggest, where [`Document::kind`] says something else: a boundary, a control policy or the
    /// policy of an endpoint, whose Allow statements would grant nothing.
    pub suggested: Option<LikelyKind>,
    /// For a resource policy: the IAM prefix of the service whose resource it is on (`s3`, `kms`, `lambda`).
    pub service: Option<Arc<str>>,
    pub format: SourceFormat,
    pub origin: DocumentOrigin,
    pub version: Option<ClauseItem>,
    pub id: Option<ClauseItem>,
    pub statements: Vec<Statement>,
    /// Deviations from the grammar, in document order.
    pub defects: Vec<Defect>,
    /// The document as written: the braces, the embedded text, the blocks.
    pub span: Span,
    /// The `Statement` key, where there is one.
    pub statement_key: Option<Span>,
    /// Top-level keys as written, in order.
    pub keys: Vec<WithSpan<String>>,
    /// Holder of the document: Terraform address, logical id, Python qualified name; `None` for a bare file.
    pub owner: Option<Owner>,
    /// What code puts it on, where no resource stands for that.
    pub holders: Vec<PolicyHolder>,
    /// The roles that code gives it to, where it is no part of a resource.
    pub roles: Vec<HoleTarget>,
    /// The resource that holds it: index into `Unit::resources`, and after linking into `Project::resources`.
    pub resource: Option<ResourceId>,
    /// For a resource policy: the account in the ARN by which the resource that holds it names what it is on.
    pub account: Option<String>,
    /// Where the document is put to use, when that is another place than where it is written
    /// (`policy = file("p.json")`); outermost last. Labels for findings.
    pub used_at: Vec<DocumentUse>,
    /// Set in one alternative of a conditional: "if IsProd".
    pub branch: Option<Guard>,
    /// Further statements may exist that we cannot see.
    pub open: bool,
    /// What stayed unknown, placeholders ([`crate::source::HoleKind::is_placeholder`]) aside: in document order, each once.
    pub unresolved: Vec<UnknownPart>,
    /// Something in it may have more than the default of an input gives: what is written is judged, and nothing is missing for
    /// sure.
    pub by_default: bool,
    /// The evaluated value, for `overgrant policies` and for sizes.
    pub value: Value,
}

impl Document {
    /// One without anything in it, of the current version of the language.
    pub fn empty() -> Self {
        Self {
            kind: PolicyKind::Identity,
            suggested: None,
            service: None,
            format: SourceFormat::Json,
            origin: DocumentOrigin::Written,
            version: Some(ClauseItem::new(
                Text::synthetic("2012-10-17", Span::NOWHERE),
                Span::NOWHERE,
            )),
            id: None,
            statements: Vec::new(),
            defects: Vec::new(),
            span: Span::NOWHERE,
            statement_key: None,
            keys: Vec::new(),
            owner: None,
            holders: Vec::new(),
            roles: Vec::new(),
            resource: None,
            account: None,
            used_at: Vec::new(),
            branch: None,
            open: false,
            unresolved: Vec::new(),
            by_default: false,
            value: Value {
                kind: ValueKind::Null,
                span: Span::NOWHERE,
                via: None,
            },
        }
    }

    /// Nothing stayed unknown but placeholders, and no input adds to what is written; where a condition decides, all its
    /// alternatives are known.
    pub fn is_complete(&self) -> bool {
        self.unresolved.is_empty() && !self.by_default
    }
}

/// A part of a document that is not known before deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPart {
    /// As the document shows it between `${` and `}`.
    pub name: Arc<str>,
    pub span: Span,
    /// What it is a part of.
    pub part: PolicyPart,
    /// All of a value, rather than a piece of a text of which the rest is known.
    pub whole: bool,
    pub why: Reason,
}

/// The part of a policy that something unknown stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyPart {
    /// All of it.
    Document,
    /// Whole statements, or whole elements of one.
    Statement,
    Effect,
    Action,
    Principal,
    /// Anything else, such as a resource or a condition value.
    Other,
}

/// Why something stays unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    Hole(HoleKind),
    /// A condition decides between values, each of which is known.
    Alternatives,
    TooDeep,
    /// One of more alternatives than are distinguished.
    TooMany,
}

impl Reason {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::Hole(kind) => kind.reason(),
            Self::Alternatives => "known only at deployment",
            Self::TooDeep => "nested too deep",
            Self::TooMany => "too many to tell apart",
        }
    }
}

/// Who holds a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Same scope as in [`crate::source::HoleTarget`].
    pub scope: Arc<str>,
    /// `aws_iam_policy.ci`, `UploadRole`, `handler`.
    pub address: Arc<str>,
    /// As written: `aws_iam_policy`, `AWS::IAM::Role`, `create_policy`.
    pub type_name: Arc<str>,
    /// `policy`, `Policies/0`, `AssumeRolePolicyDocument`.
    pub attribute: Arc<str>,
}

/// A role, user or group that has a policy, or the managed policy that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyHolder {
    /// As in ARNs: `role`, `policy`.
    pub kind: &'static str,
    /// With its path.
    pub name: Text,
}

/// A place that puts a document to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentUse {
    pub span: Span,
    /// "attached here as aws_iam_policy.ci"; at most 60 characters.
    pub what: String,
}

/// A string of a document and where it is written.
#[derive(Clone, Debug)]
pub struct ClauseItem {
    pub text: Text,
    /// With its quotes: what a person would replace.
    pub span: Span,
    pub via: Provenance,
    /// Set in one alternative of a conditional: "if IsProd".
    pub branch: Option<Guard>,
    /// For [`Self::breadth`], which many rules ask.
    breadth: OnceLock<Breadth>,
}

impl ClauseItem {
    pub fn new(text: Text, span: Span) -> Self {
        Self {
            text,
            span,
            via: None,
            branch: None,
            breadth: OnceLock::new(),
        }
    }

    /// How much of a service it covers as a resource.
    pub fn breadth(&self) -> Breadth {
        *self.breadth.get_or_init(|| arn::breadth_of(&self.text))
    }

    pub fn display(&self) -> String {
        self.text.display()
    }
}

/// One statement. Elements that are absent, or whose shape is broken, are `None`; the breakage is a [`Defect`].
#[derive(Clone, Debug)]
pub struct Statement {
    pub sid: Option<ClauseItem>,
    /// `None` when the element is missing.
    pub effect: Option<WithSpan<Effect>>,
    /// `Action` or `NotAction`.
    pub action: Option<Clause>,
    /// `Resource` or `NotResource`.
    pub resource: Option<Clause>,
    /// `NotAction` where `Action` stands too, which IAM rejects: read for what is written in it, and for nothing else.
    pub second_action: Option<Clause>,
    /// `NotResource` where `Resource` stands too.
    pub second_resource: Option<Clause>,
    /// `Principal` or `NotPrincipal`.
    pub principal: Option<PrincipalClause>,
    pub conditions: Vec<Condition>,
    /// The `Condition` key, where there is one.
    pub condition_key: Option<Span>,
    pub keys: Vec<WithSpan<String>>,
    pub span: Span,
    /// How to reach it from the document: `/Statement/0`.
    pub pointer: String,
    /// Set in one alternative of a conditional: "if IsProd".
    pub branch: Option<Guard>,
    /// Further elements may exist that we cannot see: nothing is missing for sure.
    pub open: bool,
    /// A condition is left out that an input asks for: by default there is not one.
    pub unlimited: bool,
    /// No part of it stayed unknown but what is only known when deployed (account, region, the repository's own resources).
    pub complete: bool,
    /// No request can match it; set when the day of the run is known.
    pub dead: Option<DeadStatement>,
    pub(crate) strength: OnceLock<Strength>,
    /// For [`Self::matches_nothing`], which every rule asks.
    pub(crate) nothing: OnceLock<bool>,
}

impl Statement {
    /// It is there whenever `other` is, which may be in one alternative of a conditional only.
    pub fn accompanies(&self, other: &Self) -> bool {
        self.branch.is_none() || self.branch == other.branch
    }

    /// Every action that is written in it, whatever it comes to.
    pub fn written_actions(&self) -> impl Iterator<Item = &ClauseItem> {
        self.action_clauses().flat_map(|c| &c.items)
    }

    /// `Action`, `NotAction` or both, as they are written.
    pub fn action_clauses(&self) -> impl Iterator<Item = &Clause> {
        self.action.iter().chain(&self.second_action)
    }

    /// Every resource that is written in it, whatever it comes to.
    pub fn written_resources(&self) -> impl Iterator<Item = &ClauseItem> {
        let clauses = self.resource.iter().chain(&self.second_resource);
        clauses.flat_map(|c| &c.items)
    }

    /// Certainly an Allow of something, which some request can match.
    pub fn allows(&self) -> bool {
        self.is_written_as_allow() && self.dead.is_none() && !self.matches_nothing()
    }

    /// An Allow, even if no request can match it.
    pub fn is_written_as_allow(&self) -> bool {
        matches!(&self.effect, Some(e) if e.value == Effect::Allow)
    }

    /// About nothing, since it leaves out everything: `NotResource: "*"`, `NotAction: "*"`.
    /// IAM User Guide, "IAM JSON policy elements: NotResource" and "NotAction".
    pub fn matches_nothing(&self) -> bool {
        let everything =
            |c: &Clause| c.negated && c.items.iter().any(|i| i.branch.is_none() && pattern::is_star(&i.text));
        let is_so = || [&self.action, &self.resource].into_iter().flatten().any(everything) || self.has_no_arn();
        *self.nothing.get_or_init(is_so)
    }

    /// Certainly about no request: every action is known, and AWS has none of them. Of a resource policy on `service`, whose
    /// policies are about its own actions only, another service's action counts for nothing either.
    pub fn matches_no_action(&self, service: Option<&str>) -> bool {
        let Some(clause) = self
            .action
            .as_ref()
            .filter(|c| !c.negated && c.is_known() && !self.open)
        else {
            return false;
        };
        let applies = |a: Action| service.is_none_or(|s| a.service().prefix() == s);
        // A service that is newer than the list of actions is not ruled out.
        let newer = |i: &ClauseItem| {
            let text = i.text.known();
            let prefix = text
                .as_deref()
                .and_then(|t| t.split_once(':'))
                .map(|(prefix, _)| prefix);
            service.is_none() && prefix.is_some_and(|p| p.contains(['*', '?']) || catalogue().service(p).is_none())
        };
        !clause.items.iter().any(newer) && !clause.item_actions().iter().any(|set| set.iter().any(applies))
    }

    /// Whether no resource of an identity policy's statement is an ARN or a pattern that an ARN matches: `S3*`.
    fn has_no_arn(&self) -> bool {
        let Some(clause) = self.resource.as_ref().filter(|_| self.principal.is_none()) else {
            return false;
        };
        let never = |i: &ClauseItem| {
            let text = i.text.known().filter(|t| !t.is_empty() && !may_be_template(t));
            text.is_some_and(|t| {
                let head = t.split(['*', '?']).next().unwrap_or_default();
                !head.starts_with("arn:") && (head.len() == t.len() || !"arn:".starts_with(head))
            })
        };
        let whole = !clause.negated && clause.complete && !clause.items.is_empty();
        whole && clause.items.iter().all(|i| i.branch.is_none() && never(i))
    }

    /// Certainly a Deny, which some request can match.
    pub fn denies(&self) -> bool {
        self.is_written_as_deny() && self.dead.is_none()
    }

    /// A Deny, even if no request can match it.
    pub fn is_written_as_deny(&self) -> bool {
        matches!(&self.effect, Some(e) if e.value == Effect::Deny)
    }
}

/// `Action`/`NotAction` or `Resource`/`NotResource` with its items.
#[derive(Clone, Debug)]
pub struct Clause {
    /// The `Not…` form.
    pub negated: bool,
    /// The key as written.
    pub key: Span,
    /// The whole value: list with its brackets, or the single item.
    pub span: Span,
    /// Known and partly known items. An item that is unknown as a whole is a text of one hole.
    pub items: Vec<ClauseItem>,
    /// Written as a list.
    pub list: bool,
    /// `false` when further items may exist that we cannot see.
    pub complete: bool,
    pub(crate) sets: OnceLock<Box<[ActionSet]>>,
}

impl Clause {
    /// The same element, not the `Not…` form, with one text alone.
    #[must_use]
    pub fn of_text(&self, text: &str) -> Self {
        Self {
            negated: false,
            complete: true,
            items: vec![ClauseItem::new(Text::synthetic(text, self.span), self.span)],
            sets: OnceLock::new(),
            ..self.clone()
        }
    }

    /// What each item of an `Action` stands for; one with holes for nothing that is certain.
    pub fn item_actions(&self) -> &[ActionSet] {
        self.sets.get_or_init(|| {
            let texts = self.items.iter().map(|i| i.text.known());
            texts
                .map(|t| t.map_or_else(ActionSet::empty, |t| ActionSet::expand(&t)))
                .collect()
        })
    }

    /// The items that stand for `action`, which is not one that is retired.
    pub fn items_naming(&self, action: Action) -> impl Iterator<Item = &ClauseItem> {
        let items = self.items.iter().zip(self.item_actions());
        items
            .filter(move |(_, set)| set.contains(action.id()))
            .map(|(item, _)| item)
    }

    /// The first of them.
    pub fn item_naming(&self, action: Action) -> Option<&ClauseItem> {
        self.items_naming(action).next()
    }

    /// Whether some of these actions may be named, also one that the catalogue does not have.
    pub fn may_name_any(&self, actions: &ActionSet) -> bool {
        let mut sets = self.item_actions().iter();
        self.negated || !self.is_known() || sets.any(|set| set.is_empty() || set.intersects(actions))
    }

    /// Whether an item stands for `action`, or may once its holes are filled or others beside it can be seen.
    pub fn may_name(&self, action: Action) -> bool {
        let open = |i: &ClauseItem| {
            !i.text.is_known() && pattern::matches(&i.text, action.name(), CaseSensitivity::Insensitive).may_be()
        };
        !self.complete || self.item_naming(action).is_some() || self.items.iter().any(open)
    }

    /// What an `Action` or `NotAction` stands for: of an `Action` what is certain, `None` for a `NotAction` that may leave
    /// out more than is known.
    pub fn actions(&self) -> Option<ActionSet> {
        let mut all = ActionSet::empty();
        for set in self.item_actions() {
            all.union_with(set);
        }
        if !self.negated {
            return Some(all);
        }
        self.is_known().then(|| all.complement())
    }

    /// Nothing of it is left open.
    pub fn is_known(&self) -> bool {
        self.complete && self.items.iter().all(|i| i.text.is_known())
    }

    /// Nothing of it can be seen: whether it will be there is not certain either.
    pub fn is_fully_unknown(&self) -> bool {
        self.items
            .iter()
            .all(|i| i.text.as_hole().is_some() || i.branch.is_some())
            && !(self.complete && self.items.is_empty())
    }
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug)]
pub struct PrincipalClause {
    pub negated: bool,
    pub key: Span,
    pub span: Span,
    pub items: Vec<PrincipalItem>,
    pub complete: bool,
}

impl PrincipalClause {
    /// Nothing of it can be seen: whether it will be there is not certain either.
    pub fn is_fully_unknown(&self) -> bool {
        !self.complete && self.items.iter().all(|p| p.value.text.as_hole().is_some())
    }
}

#[derive(Clone, Debug)]
pub struct PrincipalItem {
    pub kind: PrincipalType,
    /// `AWS`, `Service`, …: absent for the bare string.
    pub type_key: Option<WithSpan<String>>,
    pub value: ClauseItem,
    /// The account that the document is in, where something around it says so.
    pub home: Option<Arc<str>>,
}

/// One line of a Condition block: an operator, a key and its values.
#[derive(Clone, Debug)]
pub struct Condition {
    /// As written: `ForAnyValue:StringLikeIfExists`.
    pub operator: ClauseItem,
    /// The operator, read; `None` where it is not known, or IAM has none of that name.
    pub parsed: Option<Operator>,
    pub key: ClauseItem,
    /// The key in lower case; holes as `${…}`.
    pub lower_key: String,
    pub values: Vec<ClauseItem>,
    /// Written as a list.
    pub list: bool,
    /// All values: list with its brackets, or the single item.
    pub span: Span,
    /// `false` when further values may exist that we cannot see.
    pub complete: bool,
}

impl Condition {
    /// One without values; `span` is where they stand.
    pub fn new(operator: ClauseItem, key: ClauseItem, span: Span) -> Self {
        Self {
            parsed: operator.text.known().and_then(|text| Operator::parse(&text)),
            lower_key: key.display().to_lowercase(),
            operator,
            key,
            values: Vec::new(),
            list: false,
            span,
            complete: true,
        }
    }
}

/// A deviation from the grammar of the policy language, found while lowering.
/// Grammar: IAM User Guide, "Grammar of the IAM JSON policy language".
#[derive(Clone, Debug)]
pub struct Defect {
    pub kind: DefectKind,
    /// The token to edit.
    pub span: Span,
    /// The statement it stands in, by index.
    pub statement: Option<usize>,
    /// The element concerned: `Effect`, `Principal`, `Statement`.
    pub element: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefectKind {
    /// A key that the grammar does not have at this place.
    UnknownElement,
    /// The key stands a second time in the same object; the first one's span.
    DuplicateKey {
        first: Span,
    },
    /// Wrong JSON type; "a list", "an object".
    WrongType {
        expected: &'static str,
        found: &'static str,
    },
    /// The element is not there; the span is the object that lacks it.
    Missing,
    /// Neither `Allow` nor `Deny`, with the text.
    InvalidEffect(String),
    InvalidVersion(String),
    /// Both the plain and the `Not…` form; the other key's span.
    Conflict {
        other: Span,
    },
    /// `[]` or `{}` where something is needed.
    Empty,
    /// A sid used before in the document; the first one's span.
    DuplicateSid {
        first: Span,
        sid: String,
    },
    /// A principal key other than AWS, Service, Federated, CanonicalUser.
    UnknownPrincipalType,
}
