//! The settings as a JSON Schema, and as text.

use serde_json::{Value, json};

use super::Settings;
use super::parse::{CONFIDENCES, FAIL_ON, SEVERITIES, markers};
use super::select::Selector;
use super::workload;
use crate::iam::PolicyKind;
use crate::rules::options::{OptionKind, OptionSpec};
use crate::rules::{Profile, Ruleset};

/// JSON Schema (draft 2020-12) of `overgrant.toml`, for editors.
pub fn json_schema() -> Value {
    let strings = |what: &str| json!({"type": "array", "items": {"type": "string"}, "description": what});
    let accounts = |what: &str| {
        json!({
            "description": what,
            "anyOf": [
                {"type": "object", "additionalProperties": {"type": "string", "pattern": "^[0-9]{12}$"}},
                {"type": "array", "items": {"type": "string", "pattern": "^[0-9]{12}$"}}
            ]
        })
    };
    let text = |what: &str| json!({"type": "string", "description": what});
    let kinds: Vec<&str> = PolicyKind::ALL.iter().map(|k| k.name()).collect();
    let own = json!({
        "type": "object",
        "additionalProperties": false,
        "description": "Accounts, organizations, and workloads that are yours.",
        "properties": {
            "accounts": accounts("Your AWS accounts, by name."),
            "organization": text("ID of your organization (o-…)."),
            "github": strings("GitHub organizations whose workflows may assume your roles."),
            "trusted-accounts": accounts("AWS accounts of others that you trust, by name.")
        }
    });
    let severity_only = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {"severity": {"enum": SEVERITIES}}
    });
    let with_options: serde_json::Map<String, Value> = Ruleset::builtin()
        .iter()
        .filter(|r| !r.options().is_empty())
        .map(|r| {
            let mut table = severity_only.clone();
            for spec in r.options() {
                table["properties"][&spec.name] = option_schema(spec);
            }
            (r.id().to_string(), table)
        })
        .collect();
    let exception = json!({
        "type": "array",
        "description": "Findings to suppress, each with a reason.",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": ["rule", "path", "reason"],
            "properties": {
                "rule": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                "path": text("Path pattern in gitignore syntax."),
                "sid": text("Sid of the statement."),
                "pointer": text("JSON pointer to the statement, /Statement/0."),
                "resource": text("Address of the resource that holds the policy."),
                "action": text("Action that the finding reports."),
                "principal": text("Principal that the finding reports."),
                "fingerprint": text("og1:…"),
                "reason": text("Why the finding is intended."),
                "until": {"description": "Last day of the exception (YYYY-MM-DD)."},
                "owner": text("Person or team responsible for the exception.")
            }
        }
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "overgrant.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "schema": {"const": 1, "description": "Version of the layout of this file."},
            "extend": text("Configuration file to read first, relative to this file."),
            "fail-on": {"enum": FAIL_ON, "default": "medium", "description": "Lowest severity that makes the command fail."},
            "min-severity": {"enum": SEVERITIES, "default": "low", "description": "Lowest severity to show."},
            "min-confidence": {"enum": CONFIDENCES, "default": "low", "description": "Lowest confidence to show."},
            "profile": {"enum": Profile::ALL.map(Profile::name), "default": "default", "description": "Set of rules to run."},
            "select": strings("Rules, families, or patterns to run; if empty, the rules of the profile."),
            "extend-select": strings("Rules to run in addition."),
            "ignore": strings("Rules not to run."),
            "exclude": strings("Files to skip, in gitignore syntax; files that a checked file refers to are still read."),
            "respect-gitignore": {"type": "boolean", "default": true},
            "fail-on-unjudged": {"type": "boolean", "default": false, "description": "Fail if anything could not be judged."},
            "tests": {"type": "boolean", "default": false, "description": "Report all findings in test code, not only credentials that look real."},
            "require-reason": {"type": "boolean", "default": false, "description": "Require a reason for every suppression."},
            "max-ignore-days": {"type": "integer", "minimum": 0, "default": 0, "description": "If above 0, every suppression must end within this number of days."},
            "honor-foreign": {"type": "array", "items": {"enum": markers::ALL}, "description": "Markers of other tools that count as suppressions."},
            "baseline": text("Baseline file, relative to this file."),
            "rule-dirs": strings("Folders of your own rules, relative to this file."),
            "service-control-policies": strings("Files of service control policies that are attached above the account that is deployed to, as patterns: what they deny is not granted. The files of one pattern are one level, such as the root or an organizational unit: what none of its allow lists allows is not granted."),
            "own": own,
            "rules": {
                "type": "object",
                "description": "Severity and options of rules, by rule name.",
                "properties": with_options,
                // A user's own rule, a family or a pattern.
                "additionalProperties": severity_only
            },
            "per-file": {
                "type": "object",
                "description": "Settings for files that match a path pattern.",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": {"ignore": strings("Rules not to run for these files."), "fail-on": {"enum": FAIL_ON}}
                }
            },
            "policy-kind": {
                "type": "object",
                "description": "Kind of bare policy documents, by path pattern.",
                "additionalProperties": {"enum": kinds}
            },
            "workload": workload::schema(),
            "exception": exception
        }
    })
}

fn option_schema(spec: &OptionSpec) -> Value {
    let words = json!({"type": "array", "items": {"type": "string"}});
    let mut schema = match spec.kind {
        OptionKind::Number => json!({"type": "integer", "minimum": 0}),
        OptionKind::Words if !spec.one_of.is_empty() => json!({"type": "array", "items": {"enum": spec.one_of}}),
        OptionKind::Words | OptionKind::Actions => words,
        OptionKind::KeysByAction => json!({"type": "object", "additionalProperties": words}),
    };
    schema["description"] = json!(spec.doc);
    if let Some(default) = &spec.default {
        schema["default"] = json!(default);
    }
    schema
}

/// The settings as TOML, each line with where its value comes from.
pub fn shown(settings: &Settings) -> String {
    let mut lines: Vec<(String, &str)> = Vec::new();
    let list = |items: &[Selector]| quoted(items.iter().map(|s| s.0.as_str()));
    lines.push((
        format!("fail-on = \"{}\"", settings.fail_on.map_or("never", |s| s.name())),
        "fail-on",
    ));
    lines.push((
        format!("fail-on-unjudged = {}", settings.fail_on_unjudged),
        "fail-on-unjudged",
    ));
    lines.push((
        format!("min-severity = \"{}\"", settings.min_severity.name()),
        "min-severity",
    ));
    lines.push((
        format!("min-confidence = \"{}\"", settings.min_confidence.name()),
        "min-confidence",
    ));
    let profile = settings.choice.profile.name();
    lines.push((format!("profile = \"{profile}\""), "profile"));
    lines.push((format!("select = {}", list(&settings.choice.select)), "select"));
    lines.push((
        format!("extend-select = {}", list(&settings.choice.extend_select)),
        "extend-select",
    ));
    lines.push((format!("ignore = {}", list(&settings.choice.ignore)), "ignore"));
    lines.push((
        format!("exclude = {}", quoted(settings.exclude.iter().map(String::as_str))),
        "exclude",
    ));
    lines.push((
        format!("respect-gitignore = {}", settings.respect_gitignore),
        "respect-gitignore",
    ));
    lines.push((format!("tests = {}", settings.tests), "tests"));
    lines.push((
        format!("require-reason = {}", settings.require_reason),
        "require-reason",
    ));
    lines.push((
        format!("max-ignore-days = {}", settings.max_ignore_days),
        "max-ignore-days",
    ));
    lines.push((
        format!(
            "honor-foreign = {}",
            quoted(settings.honor_foreign.iter().map(String::as_str))
        ),
        "honor-foreign",
    ));
    let own = &settings.own;
    lines.push((
        format!("own.accounts = {}", quoted(own.accounts.keys().map(String::as_str))),
        "own",
    ));
    lines.push((
        format!("own.organization = {:?}", own.organization.as_deref().unwrap_or("")),
        "own",
    ));
    lines.push((
        format!("own.github = {}", quoted(own.github.iter().map(String::as_str))),
        "own",
    ));
    lines.push((
        format!(
            "own.trusted-accounts = {}",
            quoted(own.trusted_accounts.keys().map(String::as_str))
        ),
        "own",
    ));
    for (rule, severity) in &settings.severities {
        lines.push((format!("rules.{rule}.severity = \"{}\"", severity.name()), "rules"));
    }
    for (rule, values) in &settings.options {
        for (name, value) in values {
            lines.push((format!("rules.{rule}.{name} = {}", value.toml()), "rules"));
        }
    }
    let guardrails = settings.service_control_policies.iter().map(|g| g.written.as_str());
    lines.push((
        format!("service-control-policies = {}", quoted(guardrails)),
        "service-control-policies",
    ));
    for (glob, kind) in &settings.policy_kinds {
        lines.push((
            format!("policy-kind.{:?} = \"{}\"", glob.written, kind.name()),
            "policy-kind",
        ));
    }
    let mut out = String::new();
    for (line, key) in lines {
        let origin = settings.origins.get(key).map_or("default", String::as_str);
        out.push_str(&format!("{line:<48} # {origin}\n"));
    }
    for w in &settings.own.workloads {
        out.push_str(&format!("{:<48} # {}\n", workload::shown(w, &settings.dir), w.file));
    }
    for e in &settings.exceptions {
        let rules: Vec<&str> = e.rules.iter().map(|s| s.0.as_str()).collect();
        out.push_str(&format!(
            "{:<48} # {}:{}\n",
            format!("exception: {} in {}", rules.join(", "), e.path.written),
            e.file,
            e.line
        ));
    }
    out
}

fn quoted<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.map(|i| format!("{i:?}")).collect();
    format!("[{}]", items.join(", "))
}
