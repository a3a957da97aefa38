//! One suppression: what it names, how far it reaches, and whether it counts.

use std::cell::Cell;

use super::Suppression;
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
    Faulty(&'static str),
    /// `until` is past, wrong, missing, or further away than the settings allow.
    Ended(String),
    NoReason,
}
