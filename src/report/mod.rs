//! Renders a report.
//!
//! **Invariant:** no output ever holds a byte of a secret; the same report gives the same bytes; a machine format is one
//! whole document and nothing else.

mod compact;
mod json;
mod mask;

use crate::rules::Ruleset;
use crate::settle::{Report, Reported};
use crate::source::{Sources, Span};

pub use mask::Mask;

/// What a report can be rendered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
#[value(rename_all = "lower")]
pub enum Format {
    /// For people, with the source.
    Human,
    /// `path:line:col: severity[rule] message`.
    Compact,
    /// Stable JSON, with schema_version.
    Json,
    /// One JSON object for each finding, and a summary as the last line.
    Jsonl,
}

/// How to render.
#[derive(Clone, Debug)]
pub struct Options {
    pub colour: bool,
    /// OSC 8 links; only for terminals.
    pub hyperlinks: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Show source lines.
    pub source: bool,
    /// Fold findings that are alike.
    pub collapse: bool,
    pub show_suppressed: bool,
    pub summary: bool,
    /// A table of counts for each rule.
    pub statistics: bool,
    /// Absolute path of the working directory, for links.
    pub cwd: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            colour: false,
            hyperlinks: false,
            width: 100,
            source: true,
            collapse: true,
            show_suppressed: false,
            summary: true,
            statistics: false,
            cwd: String::new(),
        }
    }
}

/// Everything a renderer is given.
#[derive(Debug)]
pub struct Page<'a> {
    pub report: &'a Report,
    pub sources: &'a Sources,
    pub ruleset: &'a Ruleset,
    pub options: Options,
    mask: Mask,
}

impl<'a> Page<'a> {
    pub fn new(report: &'a Report, sources: &'a Sources, ruleset: &'a Ruleset, options: Options) -> Self {
        Self {
            mask: Mask::new(sources, &report.secrets),
            report,
            sources,
            ruleset,
            options,
        }
    }

    /// The report as `format`, with secrets masked.
    pub fn render(&self, format: Format) -> String {
        let text = match format {
            Format::Human | Format::Compact => compact::render(self),
            Format::Json => json::render(self),
            Format::Jsonl => json::lines(self),
        };
        self.mask.text(text)
    }

    /// The report as `format` for a file: no colour, no links.
    pub fn render_plain(&self, format: Format) -> String {
        let options = Options {
            colour: false,
            hyperlinks: false,
            ..self.options.clone()
        };
        Page::new(self.report, self.sources, self.ruleset, options).render(format)
    }

    /// Findings that are to be acted on.
    fn active(&self) -> impl Iterator<Item = &'a Reported> + use<'a> {
        self.report.active()
    }

    fn title(&self, f: &Reported) -> String {
        self.ruleset
            .get(f.rule())
            .map_or_else(|| f.finding.message.clone(), |r| r.title().to_owned())
    }

    fn path(&self, span: Span) -> &'a str {
        self.sources.path(span.file)
    }
}

/// Where a rule is described.
fn url(family: &str, rule: &str) -> String {
    format!("{}/blob/main/rules/{family}/{rule}.yaml", env!("CARGO_PKG_REPOSITORY"))
}
