//! What users of other tools write, and how it is written here.

use serde::Deserialize as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::{Fault, Settings};
use crate::source::LineIndex;

/// Settings of ruff, checkov, trivy, cfn-lint, and others, and what to write instead. In lower case, with `-` for `_`.
const INSTEAD: &[(&[&str], &str)] = &[
    (
        &["per-file-ignores", "extend-per-file-ignores"],
        "use `[per-file]` with `\"GLOB\" = { ignore = [\"RULE\"] }`",
    ),
    (
        &[
            "disable",
            "disabled",
            "exclude-checks",
            "exclude-rules",
            "extend-ignore",
            "ignore-checks",
            "ignore-rules",
            "skip",
            "skip-check",
            "skip-checks",
            "skip-rules",
            "suppress",
        ],
        "use `ignore = [\"RULE\"]`",
    ),
    (
        &["check", "checks", "enable", "enabled", "include-checks", "run-checks"],
        "use `select = [\"RULE\"]`",
    ),
    (
        &[
            "exclude-paths",
            "extend-exclude",
            "ignore-paths",
            "ignore-templates",
            "skip-dirs",
            "skip-files",
            "skip-path",
            "skip-paths",
        ],
        "use `exclude = [\"GLOB\"]`",
    ),
    (&["soft-fail"], "use `fail-on = \"never\"`"),
    (
        &["check-threshold", "exit-code", "hard-fail-on", "soft-fail-on"],
        "use `fail-on = \"SEVERITY\"`",
    ),
    (
        &["severity", "minimum-severity"],
        "use `min-severity = \"SEVERITY\"`, or `severity` in `[rules.RULE]`",
    ),
    (
        &[
            "append-rules",
            "config-check",
            "custom-rules",
            "external-checks-dir",
            "rules-dir",
        ],
        "use `rule-dirs = [\"DIR\"]`",
    ),
    (&["pedantic", "persona", "preview"], "use `profile = \"audit\"`"),
    (&["format", "output-format"], "use the flag `--format`"),
    (&["compact"], "use the flag `--format compact`"),
    (&["show-fixes"], "use the flag `--diff`"),
    (&["fix"], "use the flag `--fix`"),
    (&["unsafe-fixes"], "use the flag `--unsafe-fixes`"),
    (&["output"], "use the flag `--output`"),
    (&["quiet"], "use the flag `--quiet`"),
    (&["verbose"], "use the flag `--verbose`"),
    (&["include"], "use the flag `--include`"),
    (&["force-exclude"], "use the flag `--force-exclude`"),
    (&["jobs", "threads"], "use the flag `--jobs`"),
    (
        &["files", "directory", "file", "src", "templates"],
        "name the paths on the command line",
    ),
    (
        &[
            "cache-dir",
            "fixable",
            "framework",
            "indent-width",
            "line-length",
            "regions",
            "required-version",
            "target-version",
            "unfixable",
        ],
        "overgrant has no such setting; remove it",
    ),
];

/// How to write `key`, which stands in the table `section`, or at the top.
pub(super) fn instead_of(section: Option<&str>, key: &str) -> Option<&'static str> {
    if section.is_some() {
        return None;
    }
    let key = key.to_lowercase().replace('_', "-");
    match &*key {
        "lint" => return Some("settings stand at the top, without a table `lint`"),
        "tool" | "overgrant" => return Some("settings stand at the top; `[tool.overgrant]` is for pyproject.toml"),
        _ => {}
    }
    let (_, instead) = INSTEAD.iter().find(|(keys, _)| keys.contains(&&*key))?;
    Some(instead)
}

/// Keys of tables, which may stand anywhere.
const TABLES: &[&str] = &["exception", "own", "per-file", "policy-kind", "rules", "workload"];

/// Where a key that was written in a table belongs, if it is one of the top, in a file with this path.
pub(super) fn belongs_above(path: &str, key: &str) -> Option<String> {
    let known = key.to_lowercase().replace('_', "-");
    let root = DeTable::from_iter([(
        Spanned::new(0..0, "?".into()),
        Spanned::new(0..0, DeValue::Boolean(true)),
    )]);
    let root = Spanned::new(0..0, DeValue::Table(root));
    let refused = Settings::deserialize(ValueDeserializer::from(root)).err()?;
    // "unknown field `?`, expected one of `schema`, `extend`, …"
    let mut keys = refused.message().split('`').skip(3).step_by(2);
    let is_setting = !TABLES.contains(&&*known) && keys.any(|k| k == known);
    let place = match path.rsplit('/').next() {
        Some("pyproject.toml") => "in `[tool.overgrant]` itself",
        _ => "above the first table",
    };
    is_setting.then(|| format!("; `{known}` belongs {place}"))
}

/// How to turn rule `rule` off, where `word` was to do it.
pub(super) fn off_switch(rule: &str, word: &str) -> Option<String> {
    let words = [
        "disable", "disabled", "enable", "enabled", "ignore", "ignored", "never", "none", "off", "skip",
    ];
    let is_meant = words.contains(&&*word.to_lowercase());
    is_meant.then(|| format!("; to turn the rule off, use `ignore = [\"{rule}\"]` at the top"))
}

/// What is wrong with a `pyproject.toml` whose settings stand in `[overgrant]`.
pub(super) fn misplaced_table(path: &str, text: &str) -> Option<Fault> {
    let table = DeTable::parse(text).ok()?;
    let (key, _) = table.get_ref().get_key_value("overgrant")?;
    let position = LineIndex::new(text).position(text, key.span().start);
    Some(Fault {
        path: path.to_owned(),
        line: position.line,
        column: position.column,
        message: "settings stand in `[tool.overgrant]`, not in `[overgrant]`".to_owned(),
    })
}
