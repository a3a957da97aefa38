//! What is reported. Plain data: building a finding cannot fail.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;

pub use crate::grade::{Confidence, Severity};
use crate::index::{DocumentId, IdentityId, ResourceId};
use crate::rule_id::RuleId;
use crate::source::{FileId, Span, one_line, visible};
use crate::value::{Guard, Provenance};

/// One finding: the primary label is the smallest token that a person would edit to make it go away.
#[derive(Clone, Debug)]
pub struct Finding {
    pub rule: RuleId,
    /// `None` until the engine fills in the rule's own.
    pub severity: Option<Severity>,
    /// How many steps below the rule's own severity this one is; the engine applies it where `severity` is `None`.
    pub steps_down: u8,
    pub confidence: Option<Confidence>,
    /// Lower case, no final period, at most 100 characters; the same in every format.
    pub message: String,
    /// The first is the primary.
    pub labels: Vec<Label>,
    /// Why it matters here.
    pub notes: Vec<String>,
    /// What to do instead; `None` takes the rule's own.
    pub help: Option<String>,
    pub cause: Cause,
    /// Set when what is objected to is there in one alternative of a conditional only: "if IsProd".
    pub branch: Option<Arc<str>>,
    /// The CDK construct whose resource it is about.
    pub construct: Option<Arc<str>>,
    pub evidence: Evidence,
    pub subject: Subject,
    /// What would make it go away, the preferred first.
    pub remedies: Vec<Remedy>,
    /// For a real flow (code call to role): the steps in order.
    pub flow: Vec<Label>,
    /// Rules whose findings this one stands for; filled when folding, and by checks that know.
    pub folded: Vec<RuleId>,
    /// Byte ranges that must be masked wherever this file is shown.
    pub secrets: Vec<Span>,
    /// How many more of its rule there are in its `CountingUnit`, which are not listed one by one.
    pub more: usize,
}

/// What a finding is about, for folding: of two findings with one cause, the rule that supersedes the other takes it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Statement by index of a document by id.
    Statement(DocumentId, usize),
    Document(DocumentId),
    Identity(IdentityId),
    Resource(ResourceId),
    /// A secret, a call, or a broken place.
    Place(Span),
    /// Never folded.
    Alone,
}

/// Within what findings are counted and compared with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CountingUnit {
    Document(DocumentId),
    Identity(IdentityId),
    Resource(ResourceId),
    File(FileId),
}

impl Cause {
    pub fn unit(self) -> Option<CountingUnit> {
        match self {
            Self::Statement(d, _) | Self::Document(d) => Some(CountingUnit::Document(d)),
            Self::Identity(i) => Some(CountingUnit::Identity(i)),
            Self::Resource(r) => Some(CountingUnit::Resource(r)),
            Self::Place(span) => Some(CountingUnit::File(span.file)),
            Self::Alone => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelRole {
    Primary,
    Secondary,
    /// An enclosing thing (the statement, the resource): shown when short; a suppression on its first line counts.
    Scope,
}

#[derive(Clone, Debug)]
pub struct Label {
    pub span: Span,
    pub role: LabelRole,
    /// At most 60 characters.
    pub text: String,
}

/// Of a longer list of things the first so many are evidence: every finding of a statement holds them.
pub const MAX_EVIDENCE: usize = 500;

/// What the rule reports, in canonical form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Evidence {
    pub actions: Vec<String>,
    pub resources: Vec<String>,
    pub principals: Vec<String>,
    /// Number of actions that the patterns match, if counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expanded_actions: Option<usize>,
    /// Anything else: condition keys, accounts, or text that the rule defines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "cli", schemars(default))]
    pub other: Vec<String>,
}

/// Whose the finding is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// `json`, `cfn`, `tf`, `python`, `text`, …
    pub kind: String,
    pub address: String,
    pub attribute: String,
    pub policy_kind: Option<String>,
    pub sid: Option<String>,
    pub pointer: String,
    /// The document is a file of its own, which `address` brings in: seen or not, it does not make the finding another one.
    #[serde(skip)]
    pub apart: bool,
    /// Whose policy it is; triage fills it in.
    #[serde(skip)]
    pub holders: Arc<Holders>,
}

/// The identities of the repository that have a policy, or are the resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders {
    /// "role deploy": in order, each once.
    pub names: Vec<String>,
    /// How many more there are.
    pub more: usize,
}

/// A change of the policy that would make the finding go away, in terms of what the policy says: `fix` finds out how it is
/// written in the file's syntax, and offers nothing where that cannot be done exactly.
///
/// ```
/// # use overgrant::internals::finding::Remedy;
/// # use overgrant::internals::source::{FileId, Span};
/// # let item = Span::new(FileId(0), 0, 4);
/// let narrowed = Remedy::risky("replace with 2 actions").replace(item, ["s3:GetObject", "s3:PutObject"]);
/// let shorter = Remedy::safe("remove the second one").remove(item);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    /// "remove this ignore"; at most 80 characters.
    pub title: String,
    /// Never removes a permission that is in use, never changes meaning.
    pub safe: bool,
    /// What it is for may be access that the policy does not grant yet, such as the action that a misspelled name means.
    pub may_grant: bool,
    /// Applied together or not at all.
    pub changes: Vec<RemedyStep>,
    pub offered: Offered,
}

/// Longest title of a [`Remedy`], in bytes.
pub const MAX_TITLE: usize = 80;

/// When a [`Remedy`] is offered. Of a narrow and a wide grant, the wide one has to go if it is reported itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offered {
    #[default]
    Always,
    /// If no other finding is about this place.
    UnlessReported(Span),
    /// If another finding is about this place.
    IfReported(Span),
}

/// The key of an object that stands for an expression of HCL: `{"${}": "aws_sns_topic.t.arn"}`.
pub const EXPRESSION: &str = "${}";

/// One step of a [`Remedy`]. Places are spans as the model has them: [`crate::iam::ClauseItem::span`], keys' spans.
#[derive(Clone, Debug, PartialEq)]
pub enum RemedyStep {
    /// Strings in the place of the string at the span. Several where the string is an item of a list, or may be one: a
    /// single value becomes a list. No string: as [`RemedyStep::Remove`].
    Replace { at: Span, with: Vec<String> },
    /// The list item or block at the span goes, with the comma and the line that were its own; or the entry whose key is
    /// there. The last one of a list or an object stays.
    Remove { at: Span },
    /// Strings after the string at the span, which becomes a list where it is not one.
    Add { behind: Span, items: Vec<String> },
    /// An entry of the object, or attribute of the block, in which the key at `beside` stands, before that one or behind
    /// its value.
    Enter {
        beside: Span,
        before: bool,
        key: String,
        value: serde_json::Value,
    },
    /// A value in the place of the one word or string at the span.
    Put { at: Span, value: serde_json::Value },
    /// A block behind the attribute whose name stands at `beside`, in the same HCL block.
    Block {
        beside: Span,
        name: &'static str,
        attributes: Vec<(&'static str, serde_json::Value)>,
    },
    /// The word at the span by another one; neither has a character that any syntax would escape.
    Word { at: Span, was: String, with: String },
    /// The comment at the span goes, with its line where nothing else stands there.
    Comment { at: Span },
    /// Bytes of the file as they are.
    Bytes(Edit),
}

impl Remedy {
    /// One that never removes a permission that is in use and never changes meaning.
    pub fn safe(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            safe: true,
            may_grant: false,
            changes: Vec::new(),
            offered: Offered::Always,
        }
    }

    #[must_use]
    pub fn offered(self, offered: Offered) -> Self {
        Self { offered, ..self }
    }

    /// One that a person has to agree to: `--unsafe`.
    pub fn risky(title: impl Into<String>) -> Self {
        Self {
            safe: false,
            ..Self::safe(title)
        }
    }

    /// One that may grant more: it corrects a name, or adds what is missing.
    pub fn granting(title: impl Into<String>) -> Self {
        Self {
            may_grant: true,
            ..Self::risky(title)
        }
    }

    /// See [`RemedyStep::Replace`].
    #[must_use]
    pub fn replace<S: Into<String>>(self, at: Span, with: impl IntoIterator<Item = S>) -> Self {
        let with = with.into_iter().map(Into::into).collect();
        self.change(RemedyStep::Replace { at, with })
    }

    /// See [`RemedyStep::Remove`].
    #[must_use]
    pub fn remove(self, at: Span) -> Self {
        self.change(RemedyStep::Remove { at })
    }

    /// See [`RemedyStep::Add`].
    #[must_use]
    pub fn add<S: Into<String>>(self, behind: Span, items: impl IntoIterator<Item = S>) -> Self {
        let items = items.into_iter().map(Into::into).collect();
        self.change(RemedyStep::Add { behind, items })
    }

    /// See [`RemedyStep::Word`].
    #[must_use]
    pub fn replace_token(self, at: Span, was: impl Into<String>, with: impl Into<String>) -> Self {
        let (was, with) = (was.into(), with.into());
        self.change(RemedyStep::Word { at, was, with })
    }

    #[must_use]
    pub fn change(mut self, change: RemedyStep) -> Self {
        self.changes.push(change);
        self
    }
}

/// A remedy as it is written: the edits that make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    pub title: String,
    pub safe: bool,
    /// See [`Remedy::may_grant`].
    pub may_grant: bool,
    /// In order of place; no two touch the same bytes.
    pub edits: Vec<Edit>,
}

/// A fix that was applied, with what it does to the grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedFix {
    pub rule: String,
    pub path: String,
    /// From 1, before the fix.
    pub line: usize,
    pub title: String,
    pub safe: bool,
    /// "removes `s3:DeleteObject` on every resource": a line for each part. A safe fix has none.
    pub changes: Vec<String>,
}

/// Bytes of a file and what they become.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    pub span: Span,
    pub text: String,
}

impl Finding {
    pub fn new(rule: RuleId, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: None,
            steps_down: 0,
            confidence: None,
            message: message.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
            cause: Cause::Alone,
            branch: None,
            construct: None,
            evidence: Evidence::default(),
            subject: Subject::default(),
            remedies: Vec::new(),
            flow: Vec::new(),
            folded: Vec::new(),
            secrets: Vec::new(),
            more: 0,
        }
    }

    /// Without what could drive a terminal or begin a line: texts cite the user's files.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        let labels = self.labels.iter_mut().chain(&mut self.flow).map(|l| &mut l.text);
        for text in labels.chain([&mut self.message]) {
            if let Cow::Owned(shown) = one_line(text) {
                *text = shown;
            }
        }
        for text in self.notes.iter_mut().chain(&mut self.help) {
            if let Cow::Owned(shown) = visible(text) {
                *text = shown;
            }
        }
        self
    }

    /// The token to edit. The first call wins the first place.
    #[must_use]
    pub fn primary(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.insert(0, label(span, LabelRole::Primary, text));
        self
    }

    #[must_use]
    pub fn secondary(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(label(span, LabelRole::Secondary, text));
        self
    }

    #[must_use]
    pub fn scope(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(label(span, LabelRole::Scope, text));
        self
    }

    /// Shows the header of the resource, unless the primary label is at it.
    #[must_use]
    pub fn in_resource(self, header: Span) -> Self {
        match self.span() {
            Some(at) if header.touches(at) => self,
            _ => self.scope(header, ""),
        }
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// One step below the rule's own severity: what a narrowing condition does.
    #[must_use]
    pub fn lower_severity(mut self) -> Self {
        self.steps_down = self.steps_down.saturating_add(1);
        self
    }

    /// Adds the places that a value travelled through as secondary labels, nearest use first.
    #[must_use]
    pub fn label_provenance(mut self, via: &Provenance) -> Self {
        let mut step = via.as_deref();
        // A value seldom travels far; more than four places would hide the finding.
        for _ in 0..4 {
            let Some(s) = step else { break };
            self = self.secondary(s.span, "used here");
            step = s.from.as_deref();
        }
        self
    }

    /// What would make it go away; the first one asked for is preferred.
    #[must_use]
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedies.push(remedy);
        self
    }

    /// Those that can be written.
    #[must_use]
    pub fn remedies(mut self, remedies: impl IntoIterator<Item = Remedy>) -> Self {
        self.remedies.extend(remedies);
        self
    }

    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = Some(confidence);
        self
    }

    /// Where the `Condition` with this key is unknown, in whole or in part: it may keep out more than can be seen.
    #[must_use]
    pub fn doubt_condition(self, unknown: Option<Span>) -> Self {
        match unknown {
            Some(key) => self
                .secondary(key, "the value of this condition is unknown")
                .confidence(Confidence::Low),
            None => self,
        }
    }

    /// It is there only where this holds.
    #[must_use]
    pub fn under_guard(mut self, branch: Option<&Guard>) -> Self {
        self.branch = branch.map(|when| when.label().into());
        self
    }

    #[must_use]
    pub fn cause(mut self, cause: Cause) -> Self {
        self.cause = cause;
        self
    }

    #[must_use]
    pub fn actions(mut self, actions: impl IntoIterator<Item = String>) -> Self {
        self.evidence.actions.extend(actions.into_iter().take(MAX_EVIDENCE));
        self
    }

    #[must_use]
    pub fn resources(mut self, resources: impl IntoIterator<Item = String>) -> Self {
        self.evidence.resources.extend(resources.into_iter().take(MAX_EVIDENCE));
        self
    }

    #[must_use]
    pub fn principals(mut self, principals: impl IntoIterator<Item = String>) -> Self {
        self.evidence
            .principals
            .extend(principals.into_iter().take(MAX_EVIDENCE));
        self
    }

    #[must_use]
    pub fn other_evidence(mut self, other: impl Into<String>) -> Self {
        self.evidence.other.push(other.into());
        self
    }

    /// The primary label's span. Every finding that leaves a check has one.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|l| l.span)
    }
}

fn label(span: Span, role: LabelRole, text: impl Into<String>) -> Label {
    assert!(span.is_in_source(), "a label points into a file");
    Label {
        span,
        role,
        text: text.into(),
    }
}
