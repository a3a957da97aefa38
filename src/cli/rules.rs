//! `explain`, `rules`, `test-rules`: the rules as pages and lists.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::check::ensure_rule_exists;
use super::governed::missing_rules;
use super::input::InputArgs;
use super::run;
use super::{CliFailure, detail, terminal};
use crate::phrase;
use crate::rules::examples::Form;
use crate::rules::{self, PageStyle, Ruleset};
use crate::settings::Settings;
use crate::source::{Sources, visible};
use crate::triage::ReportedFinding;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum PageFormat {
    #[default]
    Human,
    Markdown,
    Json,
}

impl PageFormat {
    fn style(self) -> PageStyle {
        match self {
            Self::Human => PageStyle::Human,
            Self::Markdown => PageStyle::Markdown,
            Self::Json => PageStyle::Json,
        }
    }
}

/// Explain a rule or a finding
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Explain this rule, the finding at FILE:LINE, or the one with this fingerprint (og1:…)
    #[arg(value_name = "RULE|FILE:LINE|FINGERPRINT")]
    what: String,
    /// Show examples in this language (json, cfn, sam, terraform, python)
    #[arg(long = "for", value_name = "LANGUAGE", hide_possible_values = true, value_parser = form())]
    form: Option<Form>,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: PageFormat,
}

fn form() -> impl TypedValueParser<Value = Form> {
    let alias = |name: &'static str, others: &[&'static str]| PossibleValue::new(name).aliases(others.to_vec());
    let names = [
        alias("json", &[]),
        alias("cfn", &["cloudformation", "yaml"]),
        alias("sam", &[]),
        alias("terraform", &["tf"]),
        alias("python", &["boto3"]),
    ];
    let expected = || "expected json, cfn, sam, terraform or python".to_owned();
    PossibleValuesParser::new(names).try_map(move |name| Form::from_name(&name).ok_or_else(expected))
}

/// FILE and LINE of `FILE:LINE` or `FILE:LINE:COLUMN`.
pub(super) fn parse_location(text: &str) -> Option<(String, usize)> {
    let (path, last) = text.rsplit_once(':')?;
    let last: usize = last.parse().ok()?;
    match path.rsplit_once(':').map(|(p, line)| (p, line.parse::<usize>())) {
        Some((p, Ok(line))) => Some((p.to_owned(), line)),
        _ => Some((path.to_owned(), last)),
    }
}

impl Explain {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        if self.what.starts_with("og1:") {
            let input = InputArgs::from_path(PathBuf::from("."));
            let wanted = |_: &Sources, f: &ReportedFinding| f.identity.fingerprint == self.what;
            return detail::explain(&input, &wanted, &|_, _| false, None, &self.what);
        }
        if let Some((path, line)) = parse_location(&self.what) {
            let input = InputArgs::from_path(PathBuf::from(path));
            return detail::explain(
                &input,
                &|sources, f| detail::is_on_line(sources, f, line),
                &|sources, u| detail::is_unjudged_on_line(sources, u, line),
                Some(line),
                &self.what,
            );
        }
        let ruleset = ruleset_of_working_directory()?;
        ensure_rule_exists(&ruleset, &self.what)?;
        let mut out = String::new();
        for (i, rule) in ruleset.matching(&self.what).into_iter().enumerate() {
            if i > 0 {
                out.push('\n');
            }
            out.push_str(&rules::explain(rule, self.format.style(), self.form, terminal::width()));
        }
        match self.format {
            PageFormat::Human => terminal::print_chapters(&visible(&out)),
            PageFormat::Markdown | PageFormat::Json => terminal::print_text(&out),
        }
    }
}

/// The built-in rules, and those of the settings of the working directory.
fn ruleset_of_working_directory() -> Result<Ruleset, CliFailure> {
    let cwd = run::working_directory()?;
    let over = |_: &mut Settings| {};
    let mut governing = crate::settings::Governing::new(&cwd, crate::discover::git_root(&cwd), &over);
    let settings = governing.load(&cwd).map_err(CliFailure::Settings)?;
    ruleset(std::slice::from_ref(settings))
}

/// The built-in rules and those of the folders that the settings name.
pub(super) fn ruleset(all: &[Settings]) -> Result<Ruleset, CliFailure> {
    let mut ruleset = Ruleset::builtin();
    let dirs = all.iter().flat_map(|s| s.rule_dirs.iter().map(|d| s.absolute(d)));
    for dir in dirs {
        let folder = std::path::Path::new(&dir);
        if !folder.is_dir() {
            return Err(missing_rules(&dir));
        }
        ruleset = ruleset.with_user_rules(rules::user::load(folder, &dir).rules);
    }
    Ok(ruleset)
}

/// List the rules
#[derive(Debug, Args)]
pub(super) struct Rules {
    /// List these rules, families, or patterns [default: all]
    #[arg(value_name = "RULE|FAMILY|GLOB")]
    which: Vec<String>,
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: PageFormat,
}

impl Rules {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let mut ruleset = ruleset_of_working_directory()?;
        if !self.which.is_empty() {
            let mut wanted = Vec::new();
            for name in &self.which {
                ensure_rule_exists(&ruleset, name)?;
                wanted.extend(ruleset.matching(name).into_iter().map(|r| r.id().to_string()));
            }
            ruleset = ruleset.with_ids(&wanted);
        }
        let (width, palette) = (terminal::line_width(), terminal::palette());
        let page = rules::listing(&ruleset, self.format.style(), width, palette);
        match self.format {
            // Its titles are safe, and its colors stay.
            PageFormat::Human => terminal::print_page(&page),
            PageFormat::Markdown | PageFormat::Json => terminal::print_text(&page),
        }
    }
}

/// Test your own rules with their examples
#[derive(Debug, Args)]
pub(super) struct TestRules {
    /// Test the rules in these folders
    #[arg(value_name = "DIR", required = true)]
    dirs: Vec<PathBuf>,
}

impl TestRules {
    pub(super) fn run(&self) -> Result<ExitCode, CliFailure> {
        let mut wrong = 0;
        let mut out = String::new();
        for dir in &self.dirs {
            if !dir.is_dir() {
                let shown = crate::discover::with_forward_slashes(dir);
                return Err(CliFailure::Usage(format!("{shown} is not a folder")));
            }
            let (loaded, tested) = rules::user::test_rules(dir, &crate::discover::with_forward_slashes(dir));
            for m in &loaded.mistakes {
                let text = loaded.files.iter().find(|(p, _)| *p == m.path).map_or("", |(_, t)| t);
                let at = crate::source::LineIndex::new(text).position(text, m.range.start);
                out.push_str(&format!("{}:{}:{}: {}\n", m.path, at.line, at.column, m.message));
            }
            for failure in &tested.failures {
                out.push_str(failure);
                out.push('\n');
            }
            wrong += loaded.mistakes.len() + tested.wrong;
            out.push_str(&format!(
                "{}: {}, {}, {}\n",
                crate::discover::with_forward_slashes(dir),
                phrase::count(loaded.rules.len(), "rule", "rules"),
                phrase::count(tested.cases, "example", "examples"),
                phrase::count(loaded.mistakes.len() + tested.wrong, "error", "errors")
            ));
        }
        terminal::print_text(&out)?;
        Ok(ExitCode::from(u8::from(wrong > 0)))
    }
}
