//! One suppression: what it names, how far it reaches, and whether it counts.

use std::cell::Cell;
use std::fmt;

use super::Suppression;
use crate::settings::Date;
use crate::source::{FileId, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuppressionKind {
    /// A comment.
    Inline,
    /// `[[exception]]`.
    Config,
    /// CloudFormation `Metadata`.
    Metadata,
    /// Another tool's marker that the settings honour.
    ForeignSuppression,
}

impl SuppressionKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Config => "config",
            Self::Metadata => "metadata",
            Self::ForeignSuppression => "foreign",
        }
    }
}

/// Another tool's marker, and how many findings carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignSuppression {
    pub marker: String,
    pub findings: usize,
}

/// What an entry reaches.
#[derive(Clone, Debug)]
pub(super) enum SuppressionReach {
    /// Primary labels that start on this line.
    Line(FileId, usize),
    /// Primary labels inside one of these.
    Inside(Vec<Span>),
    File(FileId),
    /// The exception with this index of these settings.
    Exception(usize),
}

/// One rule named by one entry.
#[derive(Debug)]
pub(super) struct SuppressedRule {
    pub(super) id: String,
    /// `None` where that of the entry is.
    pub(super) span: Option<Span>,
    pub(super) used: Cell<bool>,
}

/// One suppression.
#[derive(Debug)]
pub(super) struct SuppressionEntry {
    pub(super) named: Vec<SuppressedRule>,
    pub(super) reach: SuppressionReach,
    pub(super) sid: Option<String>,
    pub(super) text: Suppression,
    /// All of it, to point at and to remove; `None` for an exception of settings that are not among the sources.
    pub(super) span: Option<Span>,
    pub(super) until: Option<Span>,
    pub(super) standing: SuppressionState,
}

/// Whether an entry counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SuppressionState {
    Good,
    Faulty(SuppressionFault),
    Ended(EndReason),
    NoReason,
}

/// Why an entry cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SuppressionFault {
    /// A comment names no rule.
    NoRuleInComment,
    /// An entry of `Metadata` names no rule.
    NoRuleInMetadata,
    Unclosed,
    /// `ignore-file` stands after the first comment block.
    FileTooLate,
}

impl SuppressionFault {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::NoRuleInComment => "name the rules: `overgrant: ignore[rule-name] -- reason`",
            Self::NoRuleInMetadata => "name the rules: `id: rule-name`",
            Self::Unclosed => "the list of rules is not closed: missing `]`",
            Self::FileTooLate => "`ignore-file` works only in the first comment block",
        }
    }
}

/// Why the end date of an entry keeps it from counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EndReason {
    Expired(Date),
    /// The text that is not a date.
    NotADate(String),
    /// The settings require one.
    Missing,
    /// It is more days away than the settings allow.
    TooFar(i64),
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired(until) => write!(f, "expired on {until}"),
            Self::NotADate(text) => write!(f, "`{text}` is not a date in the form YYYY-MM-DD"),
            Self::Missing => f.write_str("no end date (`until=`), which the configuration requires"),
            Self::TooFar(most) => write!(f, "ends more than {most} days from now, over the limit"),
        }
    }
}
