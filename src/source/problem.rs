//! A supported input that could not be read completely.

use super::Span;

/// What kept us from reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// Broken syntax of the file's own format: `unreadable-input`.
    Syntax,
    /// Broken JSON of a policy document (a `.json` policy, a heredoc, an embedded string) that was still understood in
    /// part: `json-syntax-error`.
    PolicyJson,
    /// The same in a text that nothing here uses as a policy: listed as not judged, no finding.
    PolicyText,
    /// Settings name something that is not there: `unreadable-input`.
    Settings,
    /// A rule of the user's cannot be used: `unreadable-input`.
    Rule,
    /// The file is larger than the cap, binary, not UTF-8, or could not be opened: `unreadable-input`.
    Input,
    /// Understood, and deliberately not followed (a template language, a depth bound): counted and listed, no finding.
    NotEvaluated,
    /// A bound on the work was reached, and parts stay unknown: listed as not judged, no finding.
    Exhausted,
    /// A module that is not among what was read; the message is its source. Listed as not judged, no finding.
    Module,
    /// A macro that runs when the template is deployed; the message is its name. Listed as not judged, no finding.
    Macro,
    /// Broken as it is written, but a template of another language that is rendered before AWS sees it: listed as not
    /// judged, no finding.
    Template,
    /// A bug of the linter on this input: reported, and the run fails.
    Internal,
}

/// A place that we could not read, and why; never an error that stops the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    pub span: Span,
    /// Lower case, no final period: "unclosed `(`".
    pub message: String,
    /// The policy embedded in the file that is broken; `None` where it is the file itself.
    pub text: Option<Span>,
}

impl Problem {
    pub fn new(kind: ProblemKind, span: Span, message: impl Into<String>) -> Self {
        Self {
            kind,
            span,
            message: message.into(),
            text: None,
        }
    }

    /// Of a policy embedded in the file.
    #[must_use]
    pub fn embedded_in(self, text: Span) -> Self {
        Self {
            text: Some(text),
            ..self
        }
    }

    pub fn syntax(span: Span, message: impl Into<String>) -> Self {
        Self::new(ProblemKind::Syntax, span, message)
    }
}
