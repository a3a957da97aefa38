//! The pages of rules, and the list of them. Pure: text in, text out.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::examples::Form;
use super::options::OptionSpec;
use super::spec::{DocKind, FixKind, OnePer, RuleExample};
use super::{Rule, Ruleset};

/// How a page or list is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PageStyle {
    #[default]
    Human,
    Markdown,
    Json,
}

/// The page of one rule; its examples in the form asked for, where they can be said in it.
pub fn render(rule: &Rule, style: PageStyle, form: Option<Form>) -> String {
    match style {
        PageStyle::Human => human(rule, form),
        PageStyle::Markdown => markdown(rule, form),
        PageStyle::Json => {
            let mut text = serde_json::to_string_pretty(&page(rule, form)).unwrap_or_default();
            text.push('\n');
            text
        }
    }
}

/// All rules: a table for people, a Markdown table by family, or a JSON array.
pub fn listing(ruleset: &Ruleset, style: PageStyle) -> String {
    match style {
        PageStyle::Human => {
            let width = ruleset.iter().map(|r| r.id().len()).max().unwrap_or(0);
            let mut out = String::new();
            for family in ruleset.families() {
                let _ = writeln!(out, "{family}");
                for r in ruleset.iter().filter(|r| r.family() == family) {
                    let (severity, profile) = (r.severity().name(), r.profile().name());
                    let fix = r.fix().map_or("", FixKind::name);
                    let _ = writeln!(
                        out,
                        "  {:width$}  {severity:<8}  {profile:<7}  {fix:<6}  {}",
                        r.id(),
                        r.title()
                    );
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
        PageStyle::Json => {
            let rules: Vec<Value> = ruleset.iter().map(head).collect();
            let mut text = serde_json::to_string_pretty(&rules).unwrap_or_default();
            text.push('\n');
            text
        }
    }
}

fn head(r: &Rule) -> Value {
    json!({
        "rule": r.id(),
        "family": r.family(),
        "title": r.title(),
        "severity": r.severity().name(),
        "confidence": r.confidence().name(),
        "profile": r.profile().name(),
        "cwe": r.cwe(),
        "supersedes": r.supersedes(),
        "same_token": r.same_token(),
        "one_per": r.one_per().map(OnePer::name),
        "fix": r.fix().map(FixKind::name),
        "options": r.options(),
        "peers": r.docs().peers,
        "since": r.docs().since,
    })
}

fn page(r: &Rule, form: Option<Form>) -> Value {
    let docs = r.docs();
    let shown = |examples: &[RuleExample]| -> Vec<Value> {
        let files = |e: &RuleExample| -> Value {
            files(r, e, form)
                .into_iter()
                .map(|(path, _, text)| (path, Value::from(text)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        examples
            .iter()
            .map(|e| json!({"title": e.title, "near": e.near, "files": files(e)}))
            .collect()
    };
    let mut page = head(r);
    page["why"] = docs.why.as_str().into();
    page["do"] = docs.remedy.as_str().into();
    page["refs"] = docs.refs.clone().into();
    page["bad"] = shown(&docs.examples.bad).into();
    page["good"] = shown(&docs.examples.good).into();
    page
}

fn markdown(r: &Rule, form: Option<Form>) -> String {
    let docs = r.docs();
    let mut out = format!("# {}\n\n{}.\n\n", r.id(), capital(r.title()));
    let _ = writeln!(
        out,
        "Severity **{}**, confidence {}, profile `{}`, family `{}`, since {}.\n",
        r.severity().name(),
        r.confidence().name(),
        r.profile().name(),
        r.family(),
        docs.since
    );
    let _ = writeln!(
        out,
        "## Why it matters\n\n{}\n\n## What to do\n\n{}\n",
        docs.why, docs.remedy
    );
    if !r.options().is_empty() {
        let _ = writeln!(out, "## Options\n\nUnder `[rules.{}]` in overgrant.toml:\n", r.id());
        for spec in r.options() {
            let _ = writeln!(out, "- `{}`, {}. {}", spec.name, option_type(spec), spec.doc);
        }
        out.push('\n');
    }
    for (heading, example) in chosen(r) {
        let _ = writeln!(out, "## {heading}: {}\n", example.title);
        for (path, language, text) in files(r, example, form) {
            let fence = if text.contains("```") { "````" } else { "```" };
            let _ = writeln!(out, "`{path}`\n\n{fence}{language}\n{}\n{fence}\n", text.trim_end());
        }
    }
    let _ = writeln!(out, "## Leaving it\n\n{}\n", ignoring(r.id()).join("\n\n"));
    if !r.supersedes().is_empty() {
        let others: Vec<String> = r.supersedes().iter().map(|s| format!("`{s}`")).collect();
        let _ = writeln!(out, "Where both hold, this finding stands for {}.\n", others.join(", "));
    }
    if !r.same_token().is_empty() {
        let others: Vec<String> = r.same_token().iter().map(|s| format!("`{s}`")).collect();
        let _ = writeln!(
            out,
            "Where both point at the same words, this finding tells what {} would, if it is as grave.\n",
            others.join(", ")
        );
    }
    match r.one_per() {
        Some(OnePer::Statement | OnePer::List) => out.push_str("All items of one statement are one finding.\n\n"),
        Some(OnePer::File) => out.push_str("All places of one file are one finding.\n\n"),
        Some(OnePer::Value) => out.push_str("A value that a file has several times is one finding.\n\n"),
        None => {}
    }
    if !r.cwe().is_empty() || !docs.refs.is_empty() || !docs.peers.is_empty() {
        let _ = writeln!(out, "## References\n");
        for line in references(r) {
            let _ = writeln!(out, "- {line}");
        }
    }
    out
}

fn human(r: &Rule, form: Option<Form>) -> String {
    let docs = r.docs();
    let mut out = format!("{}\n{}\n\n", r.id(), capital(r.title()));
    let _ = writeln!(
        out,
        "severity {} · confidence {} · profile {} · family {}\n",
        r.severity().name(),
        r.confidence().name(),
        r.profile().name(),
        r.family()
    );
    let _ = writeln!(out, "Why it matters\n{}\n", indent(&docs.why, 2));
    let _ = writeln!(out, "What to do\n{}\n", indent(&docs.remedy, 2));
    if !r.options().is_empty() {
        let _ = writeln!(out, "Options, under [rules.{}] in overgrant.toml", r.id());
        for spec in r.options() {
            let _ = writeln!(out, "  {}: {}\n    {}", spec.name, option_type(spec), spec.doc);
        }
        out.push('\n');
    }
    for (heading, example) in chosen(r) {
        let _ = writeln!(out, "{heading}: {}", example.title);
        for (path, _, text) in files(r, example, form) {
            let _ = writeln!(out, "  {path}\n{}\n", indent(text.trim_end(), 4));
        }
    }
    let _ = writeln!(out, "Leaving it\n{}\n", indent(&ignoring(r.id()).join("\n"), 2));
    let references = references(r);
    if !references.is_empty() {
        let _ = writeln!(out, "References\n{}", indent(&references.join("\n"), 2));
    }
    out
}

/// One bad example and the one that shows best what is fine.
fn chosen(r: &Rule) -> Vec<(&'static str, &RuleExample)> {
    let examples = &r.docs().examples;
    let good = examples.good.iter().find(|e| !e.near).or(examples.good.first());
    let bad = examples.bad.first().map(|e| ("Bad", e));
    bad.into_iter().chain(good.map(|e| ("Good", e))).collect()
}

/// Type and default of an option.
fn option_type(spec: &OptionSpec) -> String {
    let mut text = spec.kind.expects().to_owned();
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
    let kind = e.kind.unwrap_or(DocKind::Identity);
    let form = form.unwrap_or(Form::Json);
    match form.wrap(policy, kind, e.service.as_deref()) {
        Some((path, text)) => vec![(path, form.language(), bare(&text))],
        None => vec![("policy.json".to_owned(), "json", bare(policy))],
    }
}

fn ignoring(id: &str) -> [String; 2] {
    [
        format!("In Terraform, YAML and Python, on the line or above it: `# overgrant: ignore[{id}] -- reason`"),
        format!("In overgrant.toml: `[[exception]]` with `rule = \"{id}\"`, `path` and `reason`"),
    ]
}

fn references(r: &Rule) -> Vec<String> {
    let docs = r.docs();
    let mut lines = docs.refs.clone();
    lines.extend(r.cwe().iter().map(|n| format!("CWE-{n}")));
    if !docs.peers.is_empty() {
        lines.push(format!("Answers: {}", docs.peers.join(", ")));
    }
    lines
}

/// As a sentence of its own begins.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    first + chars.as_str()
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
