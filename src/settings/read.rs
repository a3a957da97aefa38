//! Reads settings files into [`Settings`], noting every fault with its place.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue, ValueDeserializer};

use super::invalid_entry::{missing_key, take_key};
use super::{Fault, Settings};
use crate::source::{LineIndex, join_path, parent_path};

/// How many files `extend` may chain.
const MAX_EXTEND: usize = 8;

/// Faults of one file that are noted.
const MAX_FAULTS: usize = 100;

/// A settings file that was read.
#[derive(Clone, Debug)]
pub(super) struct SettingsFile {
    /// As it is shown.
    pub(super) path: String,
    /// Its folder, absolute.
    pub(super) dir: String,
    text: String,
    lines: LineIndex,
    /// Ranges of its values count from here: a file that is extended starts after the one that extends it.
    start: usize,
}

impl SettingsFile {
    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.line(at - self.start)
    }

    /// The value at `at` stands in this file.
    pub(super) fn has(&self, at: usize) -> bool {
        (self.start..=self.start + self.text.len()).contains(&at)
    }

    /// A range of values as bytes of this file.
    pub(super) fn bytes(&self, range: &Range<usize>) -> Range<usize> {
        range.start - self.start..range.end - self.start
    }

    pub(super) fn fault(&self, at: usize, message: String) -> Fault {
        let position = self.lines.position(&self.text, at - self.start);
        Fault {
            path: self.path.clone(),
            line: position.line,
            column: position.column,
            message,
        }
    }
}

/// The file in which the value at `at` stands.
pub(super) fn file_at(files: &[SettingsFile], at: usize) -> Option<&SettingsFile> {
    files.iter().rev().find(|f| f.start <= at)
}

/// Reads the settings file shown as `path`, in the absolute folder `dir`. `load` gives the text of another file by absolute
/// path, for `extend`. All faults are returned, not only the first.
pub fn parse(
    path: &str,
    dir: &str,
    text: &str,
    load: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Settings, Vec<Fault>> {
    let mut reader = Reader {
        load,
        files: Vec::new(),
        faults: Vec::new(),
    };
    match reader.read(path, dir, text, DeTable::new()) {
        Some(mut settings) if reader.faults.is_empty() => {
            settings.path = Some(path.to_owned());
            settings.dir = dir.to_owned();
            // The last pattern that covers a file counts: those of a file that is extended come first.
            let files = &reader.files;
            let from = |range: &Range<usize>| Reverse(file_at(files, range.start).map(|f| f.start));
            settings.per_file.sort_by_key(|(glob, _)| from(&glob.range));
            settings.policy_kinds.sort_by_key(|(glob, _)| from(&glob.range));
            settings.files = reader.files;
            let faults = settings.contracts.iter().filter_map(|c| c.fault());
            let faults = settings.faults(faults.map(|(at, message)| (at.start, message)).collect());
            if faults.is_empty() { Ok(settings) } else { Err(faults) }
        }
        _ => Err(reader.faults),
    }
}

struct Reader<'l> {
    load: &'l dyn Fn(&str) -> Result<String, String>,
    files: Vec<SettingsFile>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    /// Reads a file, under the tables `above` of those that extend it, and what it extends itself.
    fn read(&mut self, path: &str, dir: &str, text: &str, above: DeTable<'_>) -> Option<Settings> {
        let start = self.files.last().map_or(0, |f| f.start + f.text.len() + 1);
        self.files.push(SettingsFile {
            path: path.to_owned(),
            dir: dir.to_owned(),
            text: text.to_owned(),
            lines: LineIndex::new(text),
            start,
        });
        let body = text.trim_start_matches('\u{feff}');
        let padded = " ".repeat(start + text.len() - body.len()) + body;
        let mut table = match DeTable::parse(&padded) {
            Ok(table) => table.into_inner(),
            Err(e) => {
                let at = e.span().map_or(start, |s| s.start);
                self.note(at, e.message().trim().replace('\n', "; "));
                return None;
            }
        };
        if path.rsplit('/').next() == Some("pyproject.toml") {
            table = overgrant_table(&table).cloned().unwrap_or_default();
        }
        self.check(table.clone());
        let base = self.extended(path, dir, &table);
        for (key, value) in above {
            // `[rules.NAME]` is a table of its own.
            let depth = if key.get_ref() == "rules" { 2 } else { 1 };
            merge(&mut table, key, value, depth);
        }
        if let Some((path, dir, text)) = base {
            return self.read(&path, &dir, &text, table);
        }
        let mut origins = BTreeMap::new();
        note_origins("", &table, &mut origins);
        let root = Spanned::new(0..0, DeValue::Table(table));
        let mut settings = Settings::deserialize(ValueDeserializer::from(root)).ok()?;
        settings.origins = origins;
        Some(settings)
    }

    fn note(&mut self, at: usize, message: String) {
        self.faults
            .extend(file_at(&self.files, at).map(|f| f.fault(at, message)));
    }

    /// Path, folder, and text of the file that `table` extends.
    fn extended(&mut self, path: &str, dir: &str, table: &DeTable<'_>) -> Option<(String, String, String)> {
        let extend = table.get("extend")?;
        let (at, rest) = (extend.span().start, extend.get_ref().as_str()?);
        if self.files.len() > MAX_EXTEND {
            self.note(at, "`extend` is circular or too deep".to_owned());
            return None;
        }
        let target = join_path(dir, rest);
        match (self.load)(&target) {
            Ok(text) => Some((
                join_path(parent_path(path), rest),
                parent_path(&target).to_owned(),
                text,
            )),
            Err(e) => {
                self.note(at, format!("cannot read `{rest}`: {e}"));
                None
            }
        }
    }

    /// Notes what is wrong with the tables of one file. What is wrong is taken out, and the rest is read again.
    fn check(&mut self, table: DeTable<'_>) {
        let mut root = Spanned::new(0..0, DeValue::Table(table));
        let mut taken: Vec<(Range<usize>, String)> = Vec::new();
        // Where the last item of a list was taken out: the list itself may be the next fault, at the same place.
        let mut item_at = None;
        for _ in 0..MAX_FAULTS {
            let Err(e) = Settings::deserialize(ValueDeserializer::from(root.clone())) else {
                return;
            };
            let at = e.span().unwrap_or_default();
            let Some(wrong) = take_key(&mut root, &at) else {
                return self.note(at.start, e.message().to_owned());
            };
            let is_noted = missing_key(e.message()).is_some_and(|key| taken.contains(&(at.clone(), key.to_owned())));
            let is_list_of_item = wrong.type_name == "array" && item_at == Some(at.start);
            if !is_noted && !is_list_of_item {
                let path = self.files.last().map_or("", |f| &f.path);
                let message = wrong.message(e.message(), path);
                self.note(at.start, message);
            }
            item_at = wrong.key.is_empty().then_some(at.start).or(item_at);
            taken.push((wrong.table, wrong.key));
        }
    }
}

/// `[tool.overgrant]` of a `pyproject.toml`.
pub(super) fn overgrant_table<'v, 'i>(root: &'v DeTable<'i>) -> Option<&'v DeTable<'i>> {
    root.get("tool")?
        .get_ref()
        .as_table()?
        .get("overgrant")?
        .get_ref()
        .as_table()
}

/// Puts an entry over `below`: tables are merged down to `depth`, lists of tables are joined, anything else is replaced.
fn merge<'i>(below: &mut DeTable<'i>, key: Spanned<DeString<'i>>, value: Spanned<DeValue<'i>>, depth: usize) {
    let are_tables = |items: &DeArray<'_>| items.iter().all(|i| i.get_ref().is_table());
    match (below.get_mut(&key).map(Spanned::get_mut), value) {
        (Some(DeValue::Table(old)), value) if depth > 0 && value.get_ref().is_table() => {
            if let DeValue::Table(new) = value.into_inner() {
                for (key, value) in new {
                    merge(old, key, value, depth - 1);
                }
            }
        }
        (Some(DeValue::Array(old)), value) if are_tables(old) && value.get_ref().as_array().is_some_and(are_tables) => {
            if let DeValue::Array(new) = value.into_inner() {
                new.into_iter().for_each(|item| old.push(item));
            }
        }
        (_, value) => {
            below.remove(&key);
            below.insert(key, value);
        }
    }
}

/// Where each key and each table of a list stands, by its dotted name.
fn note_origins(prefix: &str, table: &DeTable<'_>, out: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let name = super::show::dotted(prefix, key.get_ref());
        out.insert(name.clone(), key.span().start);
        match value.get_ref() {
            DeValue::Table(table) => note_origins(&name, table, out),
            DeValue::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    out.insert(super::show::dotted(&name, &i.to_string()), item.span().start);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::PolicyKind;
    use crate::settings::{Date, FailOn};

    fn read(text: &str) -> Result<Settings, Vec<Fault>> {
        parse("overgrant.toml", "/repo", text, &|_| Err("no such file".to_owned()))
    }

    #[test]
    fn a_full_file_is_read() {
        let text = r#"
schema = 1
fail-on = "never"
select = ["trust", "pass-role-star"]
exclude = ["vendor/"]
[own]
accounts = { prod = "111122223333" }
trusted-accounts = ["464622532012"]
sensitive = ["aws_dynamodb_table.ledger"]
[rules.admin-star-star]
severity = "high"
[per-file]
"sandbox/**" = { ignore = ["actions"], fail-on = "high" }
[policy-kind]
"scp/**/*.json" = "scp"
[[exception]]
rule = "admin-star-star"
path = "policies/break-glass.json"
sid = "BreakGlass"
reason = "SEC-1412"
until = 2027-03-31
"#;
        let s = read(text).unwrap();
        assert_eq!(s.fail_on, FailOn::Never);
        assert_eq!(s.own.accounts.0.get("111122223333").map(String::as_str), Some("prod"));
        assert_eq!(s.policy_kind("/repo/scp/a/b.json"), Some(PolicyKind::Scp));
        assert_eq!(s.policy_kind("/repo/other/b.json"), None);
        let (ignored, fail_on) = s.for_file("/repo/sandbox/x/main.tf");
        assert_eq!(fail_on, FailOn::High);
        assert_eq!(ignored[0].name, "actions");
        let exception = &s.exceptions[0];
        assert_eq!(exception.until, Date::parse("2027-03-31"));
        assert_eq!(s.location(exception.range.start), ("overgrant.toml", 16));
        assert!(s.covers(&exception.path, "/repo/policies/break-glass.json"));
        assert!(!s.covers(&exception.path, "/repo/x/policies/break-glass.json"));
    }

    #[test]
    fn faults_have_places_and_hints() {
        for (text, expected) in [
            (
                "igonre = []\n",
                "1:1: unknown key `igonre` in the configuration; did you mean `ignore`?",
            ),
            (
                "fail-on = \"hihg\"\n",
                "1:11: unknown value `hihg`; did you mean `high`?",
            ),
            (
                "fail-on = \"\"\n",
                "1:11: unknown value ``; expected one of low, medium, high, critical, never",
            ),
            ("profile = 3\n", "1:11: expected a string, found integer"),
            ("tests = \"yes\"\n", "1:9: expected true or false, found string"),
            ("max-ignore-days = 1.5\n", "1:19: expected a whole number, found float"),
            ("schema = 2\n", "1:10: unknown schema 2; this version supports 1"),
            ("ignore = true\n", "1:10: expected a list of strings, found boolean"),
            ("ignore = [\"a\", 1]\n", "1:16: expected a string, found integer"),
            (
                "honor-foreign = \"nosecs\"\n",
                "1:17: unknown marker `nosecs`; expected one of `gitleaks:allow`, `pragma: allowlist secret`, `nosec`, \
                 `checkov:skip`, `trivy:ignore`",
            ),
            ("own = 1\n", "1:7: expected a table, found integer"),
            (
                "[own]\nacounts = []\n",
                "2:1: unknown key `acounts` in [own]; did you mean `accounts`?",
            ),
            (
                r#"[own]
accounts = ["12"]
"#,
                "2:13: `12` is not a 12-digit account ID",
            ),
            (
                "[own]\naccounts = { a = 1 }\n",
                "2:18: expected a string, found integer",
            ),
            (
                r#"[per-file]
"a" = { x = 1 }
"#,
                "2:9: unknown key `x` in [per-file]",
            ),
            (
                r#"[per-file]
"{" = {}
"#,
                "2:1: cannot read the pattern `{`: ",
            ),
            (
                r#"[policy-kind]
"a" = "spc"
"#,
                "2:7: unknown value `spc`; did you mean `scp`?",
            ),
            ("[rules]\na = 1\n", "2:5: expected a table, found integer"),
            ("exception = 1\n", "1:13: expected tables, each written `[[exception]]`"),
            (
                r#"[[exception]]
rule = "a"
path = 1
reason = "r"
until = "soon"
"#,
                "3:8: expected a string, found integer; 5:9: expected a date, YYYY-MM-DD, found string",
            ),
            (
                r#"[[exception]]
path = "a"
reason = "r"
"#,
                "1:1: this exception has no `rule`",
            ),
            (
                r#"[[exception]]
rules = "a"
rule = "a"
path = "a"
reason = "r"
"#,
                "2:1: unknown key `rules` in [[exception]]; did you mean `rule`?",
            ),
            (
                "[own]\nrule-dirs = [\"x\"]\n",
                "2:1: unknown key `rule-dirs` in [own]; `rule-dirs` belongs above the first table",
            ),
            (
                "[own]\nrule_dirs = [\"x\"]\n",
                "2:1: unknown key `rule_dirs` in [own]; `rule-dirs` belongs above the first table",
            ),
            (
                "[[workload]]\ncode = \"a\"\nrole = \"b\"\nexclude = []\n",
                "4:1: unknown key `exclude` in [[workload]]; `exclude` belongs above the first table",
            ),
            (
                "[per-file]\nfail-on = \"high\"\n",
                "2:11: expected a table, found string; `fail-on` belongs above the first table",
            ),
            (
                "[per-file.\"a\"]\nfail-on = 3\n",
                "2:11: expected a string, found integer",
            ),
            (
                "[policy-kind]\nfail-on = \"high\"\n",
                "2:11: unknown value `high`; `fail-on` belongs above the first table",
            ),
            (
                "[rules]\nselect = [\"a\"]\n",
                "2:10: expected a table, found array; `select` belongs above the first table",
            ),
            (
                "[own.accounts]\nfail-on = \"high\"\n",
                "2:11: `high` is not a 12-digit account ID; `fail-on` belongs above the first table",
            ),
            (
                "a = 1\nb = 2\n",
                "1:1: unknown key `a` in the configuration; 2:1: unknown key `b` in the configuration",
            ),
            ("extend = \"b.toml\"\n", "1:10: cannot read `b.toml`: no such file"),
            (
                "\u{feff}ignore = 1\n",
                "1:10: expected a list of strings, found integer",
            ),
            ("ignore = [\n", "1:11: unclosed array"),
        ] {
            let faults: Vec<String> = read(text).unwrap_err().iter().map(ToString::to_string).collect();
            let faults = faults.join("; ").replace("overgrant.toml:", "");
            assert!(faults.starts_with(expected), "{text}{faults}");
        }
    }

    #[test]
    fn what_is_extended_is_read_under_it() {
        let load = |path: &str| {
            assert_eq!(path, "/repo/base.toml");
            let base = r#"fail-on = "high"
ignore = ["trust"]
[own]
github = "a"
organization = "o-1"
[rules.a]
severity = "low"
score = 1
[policy-kind]
"x*" = "scp"
[[exception]]
rule = "a"
path = "*/p"
reason = "r"
"#;
            Ok(base.to_owned())
        };
        let text = r#"extend = "../base.toml"
ignore = []
[own]
github = ["b"]
[rules.a]
score = 2
[policy-kind]
"*" = "rcp"
[[exception]]
rule = "b"
path = "*/p"
reason = "r"
"#;
        let s = parse("a/overgrant.toml", "/repo/a", text, &load).unwrap();
        assert_eq!(s.fail_on, FailOn::High);
        assert!(s.ignore.is_empty());
        assert_eq!((s.own.github.len(), &*s.own.github[0]), (1, "b"));
        assert_eq!(s.own.organization.as_deref(), Some("o-1"));
        let shown = crate::settings::to_toml(&s);
        assert!(shown.contains(r#"rules.a.severity = "low""#), "{shown}");
        assert!(shown.contains("rules.a.score = 2"), "{shown}");
        let (first, second) = (&s.exceptions[0], &s.exceptions[1]);
        assert_eq!(s.location(first.range.start), ("base.toml", 11));
        assert_eq!(s.location(second.range.start), ("a/overgrant.toml", 9));
        assert!(s.covers(&first.path, "/repo/a/p") && !s.covers(&first.path, "/repo/a/b/p"));
        assert!(s.covers(&second.path, "/repo/a/b/p") && !s.covers(&second.path, "/repo/a/p"));
        assert_eq!(s.policy_kind("/repo/a/xy"), Some(PolicyKind::Rcp));
        assert_eq!(s.policy_kind("/repo/xy"), Some(PolicyKind::Scp));
    }
}
