//! Renders a report.
//!
//! **Invariant:** no output ever holds a byte of a secret; the same report gives the same bytes; a machine format is one
//! whole document and nothing else.

mod access;
mod compact;
mod contracts;
mod diff;
mod evidence;
mod excerpt;
mod graph;
mod html;
mod human;
mod json;
mod line_hash;
mod needs;
mod offline;
mod paths;
mod policies;
mod sarif;
mod services;
mod text;
mod unjudged;
mod who_can;
mod workload_counts;
mod workload_settings;
mod workloads;
mod xml;

use crate::finding::AppliedFix;
use crate::layout::Palette;
use crate::rules::Ruleset;
use crate::secrets::Mask;
use crate::source::{
    FileId, Sources, Span, join_path, json_without_commands, one_line, relative_path, xml_without_commands,
};
use crate::triage::{Report, ReportedFinding};

#[cfg(feature = "cli")]
pub(crate) use access::schema as access_schema;
pub use access::{RepositoryAnswer, access_human, access_json, repository_access_json};
#[cfg(feature = "cli")]
pub(crate) use contracts::schema as contracts_schema;
pub use contracts::{ContractsPage, contracts_human, contracts_json};
#[cfg(feature = "cli")]
pub(crate) use diff::schema as diff_schema;
pub use diff::{DiffChange, DiffMove, DiffPage, DiffPath, DiffSide, DiffUnknown, diff_human, diff_json, diff_markdown};
#[cfg(feature = "cli")]
pub(crate) use evidence::schema as evidence_schema;
pub use evidence::{EvidencePage, evidence_html, evidence_html_page, evidence_human, evidence_json, evidence_markdown};
#[cfg(feature = "cli")]
pub(crate) use graph::schema as graph_schema;
pub use graph::{GraphFormat, GraphInput, GraphPage};
#[cfg(feature = "cli")]
pub(crate) use json::schema as report_schema;
#[cfg(feature = "cli")]
pub(crate) use needs::schema as needs_schema;
pub use needs::{NeededCalls, NeedsPage, needs_human, needs_json, needs_policy};
#[cfg(feature = "cli")]
pub(crate) use paths::schema as paths_schema;
pub use paths::{PathsPage, paths_human, paths_json, paths_markdown};
#[cfg(feature = "cli")]
pub(crate) use policies::schema as policies_schema;
pub use policies::{ListedPolicies, policies_human, policies_json, policy_json};
pub use services::diff_github;
pub use unjudged::{unjudged_human, unjudged_json};
#[cfg(feature = "cli")]
pub(crate) use who_can::schema as who_can_schema;
pub use who_can::{WhoAnswer, WhoCanPage, who_can_human, who_can_json};
pub use workload_counts::WorkloadCounts;
#[cfg(feature = "cli")]
pub(crate) use workloads::schema as workloads_schema;
pub use workloads::{WorkloadsPage, workloads_human, workloads_json, workloads_markdown};

/// What a report can be rendered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum), value(rename_all = "lower"))]
pub enum OutputFormat {
    /// For people, with the source.
    Human,
    /// `path:line:col: severity[rule] message`.
    Compact,
    /// A heading for each file, a line for each finding.
    Grouped,
    /// Stable JSON, with schema_version.
    Json,
    /// One JSON object for each finding, and a summary as the last line.
    Jsonl,
    /// SARIF 2.1.0, for GitHub code scanning and others.
    Sarif,
    /// GitHub annotations.
    Github,
    /// GitLab code quality.
    Gitlab,
    Junit,
    Checkstyle,
    /// For reviewdog.
    Rdjson,
    /// For pull requests and summaries.
    Markdown,
    /// For browsers: one file that loads nothing.
    Html,
}

impl OutputFormat {
    pub const ALL: [Self; 13] = [
        Self::Human,
        Self::Compact,
        Self::Grouped,
        Self::Json,
        Self::Jsonl,
        Self::Sarif,
        Self::Github,
        Self::Gitlab,
        Self::Junit,
        Self::Checkstyle,
        Self::Rdjson,
        Self::Markdown,
        Self::Html,
    ];

    /// As the command line calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Compact => "compact",
            Self::Grouped => "grouped",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Junit => "junit",
            Self::Checkstyle => "checkstyle",
            Self::Rdjson => "rdjson",
            Self::Markdown => "markdown",
            Self::Html => "html",
        }
    }

    /// Of a file that holds a report.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Human | Self::Compact | Self::Grouped | Self::Github => "txt",
            Self::Json | Self::Sarif | Self::Gitlab | Self::Rdjson => "json",
            Self::Jsonl => "jsonl",
            Self::Junit | Self::Checkstyle => "xml",
            Self::Markdown => "md",
            Self::Html => "html",
        }
    }

    /// Whether a report says itself what was not judged; one for people does so in its summary.
    pub(crate) fn lists_unjudged(self, summary: bool) -> bool {
        match self {
            Self::Human | Self::Grouped | Self::Markdown => summary,
            Self::Json | Self::Jsonl | Self::Sarif | Self::Github | Self::Junit | Self::Html => true,
            Self::Compact | Self::Gitlab | Self::Checkstyle | Self::Rdjson => false,
        }
    }
}

/// Which findings come first in the formats for people; machine formats are in the order of paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum FindingOrder {
    /// The worst.
    #[default]
    Severity,
    /// Those of the first path.
    Path,
}

/// How to render.
#[derive(Clone, Debug)]
pub struct RenderOptions {
    pub order: FindingOrder,
    pub color: bool,
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
    /// SARIF describes the rules that found nothing too.
    pub all_rules: bool,
    /// Absolute path of the working directory.
    pub cwd: String,
    /// Absolute path of the git root, else of the working directory: where code hosts' paths start.
    pub root: String,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            order: FindingOrder::default(),
            color: false,
            hyperlinks: false,
            width: 100,
            source: true,
            collapse: true,
            show_suppressed: false,
            summary: true,
            statistics: false,
            all_rules: false,
            cwd: String::new(),
            root: String::new(),
        }
    }
}

/// Everything a renderer is given.
#[derive(Debug)]
pub struct Page<'a> {
    pub report: &'a Report,
    pub sources: &'a Sources,
    pub ruleset: &'a Ruleset,
    pub options: RenderOptions,
    /// What `overgrant fix` applied before.
    applied: &'a [AppliedFix],
    mask: Mask,
}

impl<'a> Page<'a> {
    pub fn new(report: &'a Report, sources: &'a Sources, ruleset: &'a Ruleset, options: RenderOptions) -> Self {
        Self {
            mask: Mask::new(sources, &report.secrets),
            report,
            sources,
            ruleset,
            options,
            applied: &[],
        }
    }

    /// The page after these fixes.
    #[must_use]
    pub fn with_applied(self, applied: &'a [AppliedFix]) -> Self {
        Self { applied, ..self }
    }

    /// The report as `format`, with secrets masked.
    pub fn render(&self, format: OutputFormat) -> String {
        let text = match format {
            OutputFormat::Human => human::render(self),
            OutputFormat::Compact => compact::render(self),
            OutputFormat::Json => json::render(self),
            OutputFormat::Jsonl => json::lines(self),
            OutputFormat::Grouped => text::grouped(self),
            OutputFormat::Sarif => sarif::render(self),
            OutputFormat::Github => services::github(self),
            OutputFormat::Gitlab => services::gitlab(self),
            OutputFormat::Junit => xml::junit(self),
            OutputFormat::Checkstyle => xml::checkstyle(self),
            OutputFormat::Rdjson => services::rdjson(self),
            OutputFormat::Markdown => text::markdown(self),
            // Masks each text by itself: what it writes around them stays as it is.
            OutputFormat::Html => return html::render(self),
        };
        let text = self.mask.text(text);
        match format {
            OutputFormat::Json
            | OutputFormat::Jsonl
            | OutputFormat::Sarif
            | OutputFormat::Gitlab
            | OutputFormat::Rdjson => json_without_commands(text),
            OutputFormat::Junit | OutputFormat::Checkstyle => xml_without_commands(text),
            OutputFormat::Human
            | OutputFormat::Compact
            | OutputFormat::Grouped
            | OutputFormat::Github
            | OutputFormat::Html
            | OutputFormat::Markdown => text,
        }
    }

    /// `text` without secrets.
    pub fn masked(&self, text: String) -> String {
        self.mask.text(text)
    }

    /// The report as `format` for a file: no color, no links.
    pub fn render_plain(&self, format: OutputFormat) -> String {
        let options = RenderOptions {
            color: false,
            hyperlinks: false,
            ..self.options.clone()
        };
        Page::new(self.report, self.sources, self.ruleset, options).render(format)
    }

    /// These findings in the order for people.
    fn ordered<'f>(&self, findings: impl Iterator<Item = &'f ReportedFinding>) -> Vec<&'f ReportedFinding> {
        let mut findings: Vec<&ReportedFinding> = findings.collect();
        if self.options.order == FindingOrder::Severity {
            findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
        }
        findings
    }

    fn palette(&self) -> Palette {
        Palette {
            color: self.options.color,
        }
    }

    /// Findings that are to be acted on.
    fn active(&self) -> impl Iterator<Item = &'a ReportedFinding> + use<'a> {
        self.report.active()
    }

    fn title(&self, f: &ReportedFinding) -> String {
        self.ruleset
            .get(f.rule())
            .map_or_else(|| f.finding.message.clone(), |r| r.title().to_owned())
    }

    /// The path of `file` from the root of the repository.
    fn root_path(&self, file: FileId) -> String {
        self.at_root(self.sources.path(file))
    }

    fn at_root(&self, path: &str) -> String {
        if self.options.root == self.options.cwd {
            return path.to_owned();
        }
        relative_path(&self.options.root, &join_path(&self.options.cwd, path))
    }

    fn path(&self, span: Span) -> &'a str {
        self.sources.path(span.file)
    }

    /// The path for eyes, on one line; formats that escape take [`Self::path`].
    fn shown_path(&self, file: FileId) -> String {
        one_line(self.sources.path(file)).into_owned()
    }
}

/// The page of a rule in the documentation. All rules of a user, whose names have a prefix, share one.
pub(crate) fn page_url(rule: &str) -> String {
    let page = match rule.contains('/') {
        true => "own-rules".to_owned(),
        false => format!("rules/{rule}"),
    };
    format!("{}/{page}.html", env!("CARGO_PKG_HOMEPAGE"))
}

/// A path as it may stand in a URI: everything but letters, digits and `-._~/` percent-encoded.
pub(crate) fn escape_uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for b in path.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}
