//! The pages of rules, and the list of them. Pure: text in, text out.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

use super::examples::Form;
use super::options::OptionSpec;
use super::spec::{FixKind, OnePer, RuleExample};
use super::{Rule, Ruleset};
use crate::layout::{Palette, hang};
use crate::phrase;
use crate::source::{one_line, pretty_json};
use crate::terms::PolicyKind;

/// How a page or list is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageStyle {
    #[default]
    Human,
    Markdown,
    Json,
}

/// The page of one rule, for people at most `width` columns wide; its examples in the form asked for, where it can hold them.
pub fn render(rule: &Rule, style: PageStyle, form: Option<Form>, width: usize) -> String {
    match style {
        PageStyle::Human => human(rule, form, width),
        PageStyle::Markdown => markdown(rule, form),
        PageStyle::Json => pretty_json(&page_json(rule, form)),
    }
}

/// Columns of a row of the table without the name and the title of the rule.
const COLUMNS_OF_A_ROW: usize = 31;
/// A title with less room stands below its rule, indented by [`TITLE_BELOW`].
const MIN_TITLE: usize = 40;
const TITLE_BELOW: usize = 6;

/// All rules: a table for people, with lines of at most `width` columns, a Markdown table by family, or a JSON array.
pub fn listing(ruleset: &Ruleset, style: PageStyle, width: Option<usize>, palette: Palette) -> String {
    match style {
        PageStyle::Human => {
            let of_ids = ruleset.iter().map(|r| r.id().len()).max().unwrap_or(0);
            let before_title = of_ids + COLUMNS_OF_A_ROW;
            let below = width.is_some_and(|width| width < before_title + MIN_TITLE);
            let mut out = String::new();
            for family in ruleset.families() {
                let _ = writeln!(out, "{}", palette.strong(family));
                for r in ruleset.iter().filter(|r| r.family() == family) {
                    let severity = palette.severity(r.severity(), &format!("{:<8}", r.severity().name()));
                    let profile = r.profile().name();
                    let fix = r.fix().map_or("", FixKind::name);
                    let title = one_line(r.title());
                    let row = format!("  {:of_ids$}  {severity}  {profile:<7}  {fix:<6}", r.id());
                    let width = width.unwrap_or(usize::MAX);
                    let _ = match below {
                        true => {
                            let title = format!("{}{title}", " ".repeat(TITLE_BELOW));
                            writeln!(out, "{}\n{}", row.trim_end(), hang(&title, width, TITLE_BELOW))
                        }
                        false => writeln!(out, "{}", hang(&format!("{row}  {title}"), width, before_title)),
                    };
                }
            }
            out
        }
        PageStyle::Markdown => {
            let mut out = String::new();
            for family in ruleset.families() {
                let rules: Vec<&Rule> = ruleset.iter().filter(|r| r.family() == family).collect();
                let _ = writeln!(
                    out,
                    "\n### {family} ({})\n\n| rule | severity | profile | fix | finds |",
                    rules.len()
                );
                out.push_str("|---|---|---|---|---|\n");
                for r in rules {
                    let (severity, profile) = (r.severity().name(), r.profile().name());
                    let fix = r.fix().map_or("", FixKind::name);
                    let title = r.title().replace('|', "\\|");
                    let _ = writeln!(out, "| `{}` | {severity} | {profile} | {fix} | {title} |", r.id());
                }
            }
            out.push('\n');
            out
        }
        PageStyle::Json => pretty_json(&ruleset.iter().map(head).collect::<Vec<_>>()),
    }
}

/// An item of `overgrant rules --format json`.
#[derive(Debug, Serialize)]
struct JsonRule<'a> {
    rule: &'a str,
    family: &'a str,
    title: &'a str,
    severity: &'static str,
    confidence: &'static str,
    profile: &'static str,
    cwe: &'a [u32],
    supersedes: &'a [String],
    same_token: &'a [String],
    one_per: Option<&'static str>,
    fix: Option<&'static str>,
    no_fix: Option<&'a str>,
    options: &'a [OptionSpec],
    peers: &'a [String],
    since: &'a str,
    renamed_from: &'a [String],
    preview: bool,
    deprecated: Option<&'a str>,
}

/// What `overgrant explain RULE --format json` writes.
#[derive(Debug, Serialize)]
struct JsonRulePage<'a> {
    #[serde(flatten)]
    head: JsonRule<'a>,
    why: &'a str,
    #[serde(rename = "do")]
    remedy: &'a str,
    refs: &'a [String],
    bad: Vec<JsonExample<'a>>,
    good: Vec<JsonExample<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonExample<'a> {
    title: &'a str,
    near: bool,
    /// Texts by path.
    files: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fixed: Option<Map<String, Value>>,
}

fn head(r: &Rule) -> JsonRule<'_> {
    JsonRule {
        rule: r.id().as_str(),
        family: r.family(),
        title: r.title(),
        severity: r.severity().name(),
        confidence: r.confidence().name(),
        profile: r.profile().name(),
        cwe: r.cwe(),
        supersedes: r.supersedes(),
        same_token: r.same_token(),
        one_per: r.one_per().map(OnePer::name),
        fix: r.fix().map(FixKind::name),
        no_fix: r.no_fix(),
        options: r.options(),
        peers: &r.docs().peers,
        since: &r.docs().since,
        renamed_from: r.renamed_from(),
        preview: r.is_preview(),
        deprecated: r.deprecated(),
    }
}

fn page_json<'a>(r: &'a Rule, form: Option<Form>) -> JsonRulePage<'a> {
    let docs = r.docs();
    let files = |e: &RuleExample| -> Map<String, Value> {
        let files = files(r, e, form).into_iter();
        files.map(|(path, _, text)| (path, text.into())).collect()
    };
    let example = |e: &'a RuleExample| JsonExample {
        title: &e.title,
        near: e.near,
        files: files(e),
        fixed: e.corrected().as_ref().map(files),
    };
    JsonRulePage {
        head: head(r),
        why: &docs.why,
        remedy: &docs.remedy,
        refs: &docs.refs,
        bad: docs.examples.bad.iter().map(example).collect(),
        good: docs.examples.good.iter().map(example).collect(),
    }
}

/// The page of one rule in Markdown.
pub fn markdown(r: &Rule, form: Option<Form>) -> String {
    let docs = r.docs();
    let mut out = format!("# {}\n\n{}.\n\n", r.id(), capitalize(r.title()));
    let _ = writeln!(
        out,
        "Severity **{}**, confidence {}, profile `{}`, family `{}`, since {}.\n",
        r.severity().name(),
        r.confidence().name(),
        r.profile().name(),
        r.family(),
        docs.since
    );
    for line in life_cycle(r) {
        let _ = writeln!(out, "{line}\n");
    }
    let _ = writeln!(
        out,
        "## Why it matters\n\n{}\n\n## What to do\n\n{}\n",
        docs.why, docs.remedy
    );
    if let Some(why) = r.no_fix() {
        let _ = writeln!(out, "No automatic fix: {why}\n");
    }
    if !r.options().is_empty() {
        let _ = writeln!(out, "## Options\n\nUnder `[rules.{}]` in overgrant.toml:\n", r.id());
        for spec in r.options() {
            let _ = writeln!(out, "- `{}`, {}. {}", spec.name, option_type(spec), spec.doc);
        }
        out.push('\n');
    }
    for (heading, example) in chosen_examples(r) {
        let _ = writeln!(out, "## {heading}\n");
        for (path, language, text) in files(r, &example, form) {
            let fence = if text.contains("```") { "````" } else { "```" };
            let _ = writeln!(out, "`{path}`\n\n{fence}{language}\n{}\n{fence}\n", text.trim_end());
        }
    }
    let _ = writeln!(
        out,
        "## How to suppress\n\n{}\n",
        suppression_examples(&r.id()).join("\n\n")
    );
    if !r.supersedes().is_empty() {
        let others = phrase::list(r.supersedes());
        let _ = writeln!(out, "Where both apply, this finding replaces {others}.\n");
    }
    if !r.same_token().is_empty() {
        let others = phrase::list(r.same_token());
        let _ = writeln!(
            out,
            "Where both point at the same token, this finding replaces {others} unless that one is more severe.\n"
        );
    }
    match r.one_per() {
        Some(OnePer::Statement | OnePer::List) => {
            out.push_str("All items of one statement are reported as one finding.\n\n")
        }
        Some(OnePer::File) => out.push_str("All occurrences in one file are reported as one finding.\n\n"),
        Some(OnePer::Value) => out.push_str("A value that occurs several times in a file is reported once.\n\n"),
        None => {}
    }
    let references = references(r);
    if !references.is_empty() {
        let lines: Vec<String> = references.iter().map(|line| format!("- {line}\n")).collect();
        let _ = writeln!(out, "## References\n\n{}", lines.concat());
    }
    if !docs.peers.is_empty() {
        let _ = writeln!(out, "## Equivalent rules\n\n{}\n", equivalents(r).join("\n"));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn human(r: &Rule, form: Option<Form>, width: usize) -> String {
    let docs = r.docs();
    let mut out = format!("{}\n{}\n\n", r.id(), capitalize(r.title()));
    let _ = writeln!(
        out,
        "severity {} · confidence {} · profile {} · family {}\n",
        r.severity().name(),
        r.confidence().name(),
        r.profile().name(),
        r.family()
    );
    for line in life_cycle(r) {
        let _ = writeln!(out, "{line}\n");
    }
    let _ = writeln!(out, "Why it matters\n{}\n", wrap(&docs.why, width));
    let _ = writeln!(out, "What to do\n{}\n", wrap(&docs.remedy, width));
    if let Some(why) = r.no_fix() {
        let _ = writeln!(out, "{}\n", wrap(&format!("No automatic fix: {why}"), width));
    }
    if !r.options().is_empty() {
        let _ = writeln!(out, "Options, under [rules.{}] in overgrant.toml", r.id());
        for spec in r.options() {
            let _ = writeln!(out, "  {}: {}", spec.name, option_type(spec));
            let _ = writeln!(out, "{}", indent(&wrap(&spec.doc, width.saturating_sub(2)), 2));
        }
        out.push('\n');
    }
    for (heading, example) in chosen_examples(r) {
        let _ = writeln!(out, "{heading}");
        for (path, _, text) in files(r, &example, form) {
            let _ = writeln!(out, "  {path}\n{}\n", indent(text.trim_end(), 4));
        }
    }
    let _ = writeln!(
        out,
        "How to suppress\n{}\n",
        wrap_lines(&suppression_examples(&r.id()), width)
    );
    let references = references(r);
    if !references.is_empty() {
        let _ = writeln!(out, "References\n{}\n", indent(&references.join("\n"), 2));
    }
    if !docs.peers.is_empty() {
        let _ = writeln!(out, "Equivalent rules\n{}\n", wrap(&equivalents(r).join("\n"), width));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// The bad example that has a correction, and the correction; else one bad example and the best of the good ones.
fn chosen_examples(r: &Rule) -> Vec<(String, RuleExample)> {
    let examples = &r.docs().examples;
    let with_fix = examples.bad.iter().find_map(|bad| Some((bad, bad.corrected()?)));
    if let Some((bad, corrected)) = with_fix {
        return vec![
            (format!("Bad: {}", bad.title), bad.clone()),
            ("Use instead".to_owned(), corrected),
        ];
    }
    let good = examples.good.iter().find(|e| !e.near).or(examples.good.first());
    let bad = examples.bad.first().map(|e| (format!("Bad: {}", e.title), e.clone()));
    bad.into_iter()
        .chain(good.map(|e| (format!("Good: {}", e.title), e.clone())))
        .collect()
}

/// What a user should know of a rule that is new, on its way out, or had another name.
fn life_cycle(r: &Rule) -> Vec<String> {
    let mut lines = Vec::new();
    if r.is_preview() {
        lines.push(format!("Preview: runs only if `{}` is selected by ID.", r.id()));
    }
    if let Some(instead) = r.deprecated() {
        lines.push(format!("Deprecated: {instead}"));
    }
    if !r.renamed_from().is_empty() {
        lines.push(format!("Renamed from {}.", phrase::list(r.renamed_from())));
    }
    lines
}

/// Type and default of an option.
fn option_type(spec: &OptionSpec) -> String {
    let mut text = spec.kind.expected().to_owned();
    if !spec.one_of.is_empty() {
        text = format!("{text}, of {}", spec.one_of.join(", "));
    }
    match &spec.default {
        Some(default) => text = format!("{text} (default {})", default.toml()),
        None => text.push_str(" (none by default)"),
    }
    text
}

/// Path, language and text of an example's files, in the form asked for where the example can be said in it; what it sets
/// of the rule's options comes last.
fn files(r: &Rule, e: &RuleExample, form: Option<Form>) -> Vec<(String, &'static str, String)> {
    let mut files = sources(e, form);
    if !e.options.is_empty() {
        let mut text = format!("[rules.{}]\n", r.id());
        for (name, value) in &e.options {
            let _ = writeln!(text, "{name} = {}", value.toml());
        }
        files.push(("overgrant.toml".to_owned(), "toml", text));
    }
    files
}

fn sources(e: &RuleExample, form: Option<Form>) -> Vec<(String, &'static str, String)> {
    let bare = |text: &str| super::examples::without_marks(text);
    let Some(policy) = &e.policy else {
        let language = |path: &str| match path.rsplit('.').next() {
            Some("tf" | "tofu" | "tfvars") => "hcl",
            Some("yaml" | "yml") => "yaml",
            Some("json") => "json",
            Some("py") => "python",
            _ => "",
        };
        let files = e.files.iter();
        return files
            .map(|(path, text)| (path.clone(), language(path), bare(text)))
            .collect();
    };
    let kind = e.kind.unwrap_or(PolicyKind::Identity);
    let form = form.unwrap_or(Form::Json);
    match form.wrap(policy, kind, e.service.as_deref()) {
        Some((path, text)) => vec![(path, form.language(), bare(&text))],
        None => vec![("policy.json".to_owned(), "json", bare(policy))],
    }
}

fn suppression_examples(id: &str) -> [String; 2] {
    [
        format!("In Terraform, YAML, and Python, on the line or above it: `# overgrant: ignore[{id}] -- reason`"),
        format!("In overgrant.toml: `[[exception]]` with `rule = \"{id}\"`, `path`, and `reason`"),
    ]
}

fn references(r: &Rule) -> Vec<String> {
    let cwe = |n: &u32| format!("CWE-{n}: https://cwe.mitre.org/data/definitions/{n}.html");
    r.docs().refs.iter().cloned().chain(r.cwe().iter().map(cwe)).collect()
}

/// Other tools' rules for the same defect, one line for each tool: `- checkov: CKV_AWS_49, CKV_AWS_63`.
fn equivalents(r: &Rule) -> Vec<String> {
    let mut by_tool: Vec<(&str, Vec<&str>)> = Vec::new();
    for peer in &r.docs().peers {
        let (tool, id) = peer.rsplit_once(' ').unwrap_or(("", peer));
        match by_tool.iter_mut().find(|(t, _)| *t == tool) {
            Some((_, ids)) => ids.push(id),
            None => by_tool.push((tool, vec![id])),
        }
    }
    let line = |(tool, ids): (&str, Vec<&str>)| match tool {
        "" => format!("- {}", ids.join(", ")),
        _ => format!("- {tool}: {}", ids.join(", ")),
    };
    by_tool.into_iter().map(line).collect()
}

/// With an upper-case first letter, as at the start of a sentence; code keeps its case.
fn capitalize(text: &str) -> String {
    let word = text.split_whitespace().next().unwrap_or_default();
    if word.contains(|c: char| !c.is_alphabetic() && c != '-' && c != ',') {
        return text.to_owned();
    }
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    first + chars.as_str()
}

/// Two columns of indent, and as much text as fits in `width`.
fn wrap_options<'o>(width: usize) -> textwrap::Options<'o> {
    textwrap::Options::new(width.max(40))
        .initial_indent("  ")
        .subsequent_indent("  ")
        .break_words(false)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
}

/// Paragraphs, indented by two columns and broken at `width`.
fn wrap(text: &str, width: usize) -> String {
    let options = wrap_options(width);
    let paragraphs = text.split("\n\n").map(|p| {
        let list = p.lines().any(|l| l.starts_with(['-', ' ']));
        match list {
            true => textwrap::fill(p, &options),
            false => textwrap::fill(&p.replace('\n', " "), &options),
        }
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Lines, each indented by two columns and broken at `width`.
fn wrap_lines(lines: &[String], width: usize) -> String {
    let options = wrap_options(width);
    let lines = lines.iter().map(|line| textwrap::fill(line, &options));
    lines.collect::<Vec<_>>().join("\n")
}

fn indent(text: &str, by: usize) -> String {
    let pad = " ".repeat(by);
    let lines: Vec<String> = text
        .lines()
        .map(|l| {
            if l.is_empty() {
                String::new()
            } else {
                format!("{pad}{l}")
            }
        })
        .collect();
    lines.join("\n")
}
