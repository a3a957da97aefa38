//! The keys of `overgrant.toml`.

use toml::de::{DeTable, DeValue};

use super::toml_reader::Reader;
use super::{Exception, FailOn, Fault, Glob, PerFile, Selector, Settings, options, workload};
use crate::finding::{Confidence, Severity};
use crate::iam::PolicyKind;
use crate::rules::Profile;
use crate::source::join_path;

use toml::Spanned;

/// Top-level keys.
pub(super) const KEYS: &[&str] = &[
    "schema",
    "extend",
    "fail-on",
    "fail-on-unjudged",
    "min-severity",
    "min-confidence",
    "profile",
    "select",
    "extend-select",
    "ignore",
    "exclude",
    "respect-gitignore",
    "tests",
    "require-reason",
    "max-ignore-days",
    "honor-foreign",
    "baseline",
    "rule-dirs",
    "service-control-policies",
    "own",
    "rules",
    "per-file",
    "policy-kind",
    "workload",
    "exception",
];

pub(super) const OWN_KEYS: &[&str] = &["accounts", "organization", "github", "trusted-accounts"];

pub(super) const EXCEPTION_KEYS: &[&str] = &[
    "rule",
    "path",
    "sid",
    "pointer",
    "resource",
    "action",
    "principal",
    "fingerprint",
    "reason",
    "until",
    "owner",
];

pub(super) const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];
pub(super) const FAIL_ON: &[&str] = &["low", "medium", "high", "critical", "never"];
pub(super) const CONFIDENCES: &[&str] = &["low", "medium", "high"];
/// What the suppression comments of other tools begin with.
pub(crate) mod markers {
    pub(crate) const GITLEAKS: &str = "gitleaks:allow";
    pub(crate) const DETECT_SECRETS: &str = "pragma: allowlist secret";
    pub(crate) const CHECKOV: &str = "checkov:skip";
    pub(crate) const TRIVY: &str = "trivy:ignore";
    pub(crate) const BANDIT: &str = "nosec";
    pub(crate) const ALL: &[&str] = &[GITLEAKS, DETECT_SECRETS, CHECKOV, TRIVY, BANDIT];
}

pub(super) fn severity(word: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|s| s.name() == word)
}

pub(super) fn fail_on(word: &str) -> Option<FailOn> {
    match word {
        "never" => Some(None),
        _ => severity(word).map(Some),
    }
}

fn confidence(word: &str) -> Option<Confidence> {
    [Confidence::Low, Confidence::Medium, Confidence::High]
        .into_iter()
        .find(|c| c.name() == word)
}

/// Reads the settings file shown as `path`, in the absolute folder `dir`, over `settings`. `load` gives the text of another
/// file by absolute path, for `extend`. All faults are returned, not only the first.
pub fn parse(
    path: &str,
    dir: &str,
    text: &str,
    load: &dyn Fn(&str) -> Result<String, String>,
) -> Result<Settings, Vec<Fault>> {
    let mut settings = Settings::defaults(dir);
    settings.path = Some(path.to_owned());
    let mut faults = Vec::new();
    apply(&mut settings, path, dir, text, load, &mut faults, 0);
    if faults.is_empty() { Ok(settings) } else { Err(faults) }
}

/// How many files `extend` may chain.
const MAX_EXTEND: usize = 8;

fn apply(
    settings: &mut Settings,
    path: &str,
    dir: &str,
    text: &str,
    load: &dyn Fn(&str) -> Result<String, String>,
    faults: &mut Vec<Fault>,
    depth: usize,
) {
    let mut reader = Reader::new(path, text);
    if let Some(root) = reader.parse() {
        let root = root.get_ref();
        let pyproject = path.rsplit('/').next() == Some("pyproject.toml");
        let table = if pyproject { ours_of_pyproject(root) } else { Some(root) };
        if let Some(table) = table {
            if let Some(base) = table.get("extend")
                && let Some(rest) = reader.string(base)
            {
                let target = join_path(dir, &rest);
                let shown = join_path(crate::source::parent_path(path), &rest);
                if depth >= MAX_EXTEND {
                    reader.fault(base.span().start, "`extend` goes round in a circle, or too deep");
                } else {
                    match load(&target) {
                        Ok(text) => {
                            let folder = crate::source::parent_path(&target).to_owned();
                            apply(settings, &shown, &folder, &text, load, faults, depth + 1);
                        }
                        Err(e) => reader.fault(base.span().start, format!("cannot read `{rest}`: {e}")),
                    }
                }
            }
            let mut keys = KeyReader {
                reader: &mut reader,
                settings,
                dir,
            };
            keys.all(table);
        }
    }
    faults.append(&mut reader.faults);
}

/// `[tool.overgrant]`.
pub(super) fn ours_of_pyproject<'v, 'i>(root: &'v DeTable<'i>) -> Option<&'v DeTable<'i>> {
    root.get("tool")?
        .get_ref()
        .as_table()?
        .get("overgrant")?
        .get_ref()
        .as_table()
}

struct KeyReader<'k, 't> {
    reader: &'k mut Reader<'t>,
    settings: &'k mut Settings,
    dir: &'k str,
}

impl KeyReader<'_, '_> {
    fn all(&mut self, table: &DeTable<'_>) {
        self.reader.unknown_keys(table, KEYS, "the settings");
        for (key, value) in table {
            let origin = format!("{}:{}", self.reader.path, self.reader.line(key.span().start));
            self.settings.origins.insert(key.get_ref().to_string(), origin);
            self.one(key.get_ref(), value);
        }
    }

    fn one(&mut self, key: &str, value: &Spanned<DeValue<'_>>) {
        match key {
            "schema" => {
                if let Some(n) = self.reader.integer(value)
                    && n != 1
                {
                    self.reader.fault(
                        value.span().start,
                        format!("schema {n} is not known; this version reads 1"),
                    );
                }
            }
            "fail-on" => set(&mut self.settings.fail_on, self.reader.word(value, FAIL_ON, fail_on)),
            "fail-on-unjudged" => set(&mut self.settings.fail_on_unjudged, self.reader.boolean(value)),
            "min-severity" => set(
                &mut self.settings.min_severity,
                self.reader.word(value, SEVERITIES, severity),
            ),
            "min-confidence" => set(
                &mut self.settings.min_confidence,
                self.reader.word(value, CONFIDENCES, confidence),
            ),
            "profile" => {
                let read = |w: &str| Profile::ALL.into_iter().find(|p| p.name() == w);
                let profile = self.reader.word(value, &Profile::ALL.map(Profile::name), read);
                set(&mut self.settings.choice.profile, profile);
            }
            "select" => self.settings.choice.select = self.selectors(value),
            "extend-select" => self.settings.choice.extend_select = self.selectors(value),
            "ignore" => self.settings.choice.ignore = self.selectors(value),
            "exclude" => self.settings.exclude = self.words(value),
            "respect-gitignore" => set(&mut self.settings.respect_gitignore, self.reader.boolean(value)),
            "tests" => set(&mut self.settings.tests, self.reader.boolean(value)),
            "require-reason" => set(&mut self.settings.require_reason, self.reader.boolean(value)),
            "max-ignore-days" => set(&mut self.settings.max_ignore_days, self.reader.integer(value)),
            "honor-foreign" => self.foreign(value),
            "baseline" => self.settings.baseline = self.reader.string(value).map(|p| join_path(self.dir, &p)),
            "rule-dirs" => {
                let dirs = self.words(value);
                self.settings.rule_dirs = dirs.iter().map(|d| join_path(self.dir, d)).collect();
            }
            "service-control-policies" => {
                let patterns = self.reader.strings(value);
                let globs = patterns.iter().filter_map(|(text, at)| self.glob(text, *at));
                self.settings.service_control_policies = globs.collect();
            }
            "own" => self.own(value),
            "rules" => self.rules(value),
            "per-file" => self.per_file(value),
            "policy-kind" => self.policy_kind(value),
            "workload" => self
                .settings
                .own
                .workloads
                .extend(workload::all(self.reader, self.dir, value)),
            "exception" => self.exceptions(value),
            _ => {}
        }
    }

    fn words(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<String> {
        self.reader.strings(value).into_iter().map(|(s, _)| s).collect()
    }

    fn foreign(&mut self, value: &Spanned<DeValue<'_>>) {
        for (marker, at) in self.reader.strings(value) {
            if markers::ALL.contains(&&*marker) {
                self.settings.honor_foreign.push(marker);
            } else {
                let known = markers::ALL.join("`, `");
                self.reader
                    .fault(at, format!("unknown marker `{marker}`; known are `{known}`"));
            }
        }
    }

    /// Selectors; their names are checked later, when the rules are known.
    fn selectors(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<Selector> {
        let mut out = Vec::new();
        for (text, at) in self.reader.strings(value) {
            let place = self.reader.fault_at(at, "");
            self.settings.named_rules.push((text.clone(), place));
            out.push(Selector(text));
        }
        out
    }

    fn own(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(table) = self.reader.table(value) else { return };
        self.reader.unknown_keys(table, OWN_KEYS, "[own]");
        if let Some(v) = table.get("accounts") {
            self.settings.own.accounts = self.accounts(v);
        }
        if let Some(v) = table.get("trusted-accounts") {
            self.settings.own.trusted_accounts = self.accounts(v);
        }
        if let Some(v) = table.get("organization") {
            self.settings.own.organization = self.reader.string(v);
        }
        if let Some(v) = table.get("github") {
            self.settings.own.github = self.words(v);
        }
    }

    /// `{ prod = "111122223333" }` or a plain list of ids, as id to name.
    fn accounts(&mut self, value: &Spanned<DeValue<'_>>) -> std::collections::BTreeMap<String, String> {
        let mut pairs: Vec<(String, String, usize)> = Vec::new();
        if let Some(table) = value.get_ref().as_table() {
            for (name, id) in table {
                if let Some(text) = self.reader.string(id) {
                    pairs.push((text, name.get_ref().to_string(), id.span().start));
                }
            }
        } else {
            for (id, at) in self.reader.strings(value) {
                pairs.push((id, String::new(), at));
            }
        }
        for (id, _, at) in &pairs {
            if id.len() != 12 || !id.bytes().all(|b| b.is_ascii_digit()) {
                self.reader
                    .fault(*at, format!("`{id}` is not an account id of 12 digits"));
            }
        }
        pairs.into_iter().map(|(id, name, _)| (id, name)).collect()
    }

    fn rules(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(table) = self.reader.table(value) else { return };
        for (name, options) in table {
            let rule = name.get_ref().to_string();
            let place = self.reader.fault_at(name.span().start, "");
            self.settings.named_rules.push((rule.clone(), place));
            let Some(given) = self.reader.table(options) else {
                continue;
            };
            for (key, value) in given {
                if key.get_ref() == "severity" {
                    if let Some(s) = self.reader.word(value, SEVERITIES, severity) {
                        self.settings.severities.insert(rule.clone(), s);
                    }
                } else {
                    let name = (key.get_ref().to_string(), self.reader.fault_at(key.span().start, ""));
                    let written = options::read(self.reader, &rule, name, value);
                    self.settings.written_options.push(written);
                }
            }
        }
    }

    fn glob(&mut self, text: &str, at: usize) -> Option<Glob> {
        match Glob::new(self.dir, text) {
            Ok(glob) => Some(glob),
            Err(e) => {
                self.reader.fault(at, format!("cannot read the pattern `{text}`: {e}"));
                None
            }
        }
    }

    fn per_file(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(table) = self.reader.table(value) else { return };
        for (pattern, options) in table {
            let Some(options) = self.reader.table(options) else {
                continue;
            };
            self.reader.unknown_keys(options, &["ignore", "fail-on"], "[per-file]");
            let ignore = options.get("ignore").map(|v| self.selectors(v)).unwrap_or_default();
            let fail_on = options
                .get("fail-on")
                .and_then(|v| self.reader.word(v, FAIL_ON, fail_on));
            if let Some(glob) = self.glob(pattern.get_ref(), pattern.span().start) {
                self.settings.per_file.push(PerFile { glob, ignore, fail_on });
            }
        }
    }

    fn policy_kind(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(table) = self.reader.table(value) else { return };
        let words: Vec<&'static str> = PolicyKind::ALL.iter().map(|k| k.name()).collect();
        for (pattern, kind) in table {
            let kind = self.reader.word(kind, &words, PolicyKind::from_name);
            let glob = self.glob(pattern.get_ref(), pattern.span().start);
            if let (Some(glob), Some(kind)) = (glob, kind) {
                self.settings.policy_kinds.push((glob, kind));
            }
        }
    }

    fn exceptions(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(items) = value.get_ref().as_array() else {
            self.reader
                .fault(value.span().start, "expected tables, each written `[[exception]]`");
            return;
        };
        for item in items {
            if let Some(table) = self.reader.table(item) {
                self.exception(table, item.span().start);
            }
        }
    }

    fn exception(&mut self, table: &DeTable<'_>, at: usize) {
        self.reader.unknown_keys(table, EXCEPTION_KEYS, "[[exception]]");
        for key in ["rule", "path", "reason"] {
            if table.get(key).is_none() {
                self.reader.fault(at, format!("this exception lacks `{key}`"));
            }
        }
        let rules = table.get("rule").map(|v| self.selectors(v)).unwrap_or_default();
        let Some(path) = table.get("path") else { return };
        let Some(pattern) = self.reader.string(path) else {
            return;
        };
        let Some(glob) = self.glob(&pattern, path.span().start) else {
            return;
        };
        let mut text = |key: &str| table.get(key).and_then(|v| self.reader.string(v));
        let (sid, pointer, resource) = (text("sid"), text("pointer"), text("resource"));
        let (action, principal, fingerprint) = (text("action"), text("principal"), text("fingerprint"));
        let (reason, owner) = (text("reason"), text("owner"));
        let until = table.get("until").and_then(|v| self.reader.date(v));
        self.settings.exceptions.push(Exception {
            rules,
            path: glob,
            sid,
            pointer,
            resource,
            action,
            principal,
            fingerprint,
            reason: reason.filter(|r| !r.trim().is_empty()),
            until,
            owner,
            file: self.reader.path.to_owned(),
            line: self.reader.line(at),
        });
    }
}

fn set<T>(slot: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *slot = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(s.fail_on, None);
        assert_eq!(s.own.accounts.get("111122223333").map(String::as_str), Some("prod"));
        assert_eq!(s.policy_kind("/repo/scp/a/b.json"), Some(PolicyKind::Scp));
        assert_eq!(s.policy_kind("/repo/other/b.json"), None);
        let (ignored, fail_on) = s.for_file("/repo/sandbox/x/main.tf");
        assert_eq!(fail_on, Some(Severity::High));
        assert_eq!(ignored, [&Selector("actions".to_owned())]);
        assert_eq!(s.exceptions[0].until, Date::parse("2027-03-31"));
        assert_eq!(s.exceptions[0].line, 15);
        assert!(s.exceptions[0].path.matches("/repo/policies/break-glass.json"));
        assert!(!s.exceptions[0].path.matches("/repo/x/policies/break-glass.json"));
    }

    use super::super::Date;

    #[test]
    fn faults_have_places_and_hints() {
        let faults = read("igonre = []\nfail-on = \"hihg\"\nprofile = 3\n[own]\naccounts = [\"12\"]\n").unwrap_err();
        let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(
            shown.contains(
                &"overgrant.toml:1:1: unknown key `igonre` in the settings; did you mean `ignore`?".to_owned()
            )
        );
        assert!(shown.contains(&"overgrant.toml:2:11: unknown value `hihg`; did you mean `high`?".to_owned()));
        assert!(
            shown
                .iter()
                .any(|s| s.starts_with("overgrant.toml:3:11: expected a string"))
        );
        assert!(shown.iter().any(|s| s.contains("`12` is not an account id")));
    }

    #[test]
    fn extend_reads_the_base_first() {
        let load = |path: &str| {
            assert_eq!(path, "/repo/base.toml");
            Ok("fail-on = \"high\"\nignore = [\"trust\"]\n".to_owned())
        };
        let s = parse(
            "a/overgrant.toml",
            "/repo/a",
            "extend = \"../base.toml\"\nignore = []\n",
            &load,
        )
        .unwrap();
        assert_eq!(s.fail_on, Some(Severity::High));
        assert!(s.choice.ignore.is_empty());
    }
}
