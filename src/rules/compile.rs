//! From the text of a rule file to a rule that can run, or to the mistake in it. The build script compiles this file too.
//!
//! **Invariant:** what passes here can be evaluated: every capture that is named is made, every word is one the language
//! has at that place, and the subject can match something.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::options;
use super::spec::{
    AttachmentTest, CallTest, ClauseTest, ConditionTest, ConditionsTest, DocKind, Docs, DocumentTest, Head,
    IdentityTest, ItemTest, Logic, Match, Report, ResourceTest, RuleFile, StatementTest, StatementsTest, ValueTest,
};
use crate::spelling::nearest_word;

/// Named lists of words, `rules/lists/NAME.txt`: used as `one-of: "@NAME"`.
pub(super) type Lists = BTreeMap<String, Vec<String>>;

/// What is wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Lower case, no final period.
    pub(super) message: String,
    /// The offending word as it stands in the file, where there is one.
    pub(super) word: Option<String>,
    /// Byte offset from which to look for the word, where the reader told.
    pub(super) offset: Option<usize>,
    /// What was probably meant.
    pub(super) suggestion: Option<String>,
}

impl Mistake {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            word: None,
            offset: None,
            suggestion: None,
        }
    }

    pub(super) fn at(message: impl Into<String>, word: &str) -> Self {
        Self {
            word: Some(word.to_owned()),
            ..Self::new(message)
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(s) = &self.suggestion {
            write!(f, "; did you mean `{s}`?")?;
        }
        Ok(())
    }
}

type Checked<T = ()> = Result<T, Mistake>;

/// The rule files below `root`, sorted; `rules/facts` and `rules/lists` hold none.
pub(super) fn rule_files(root: &Path) -> Vec<PathBuf> {
    WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|e| {
            let name = e.file_name().to_str().unwrap_or_default();
            e.depth() == 0 || !(name.starts_with('.') || e.depth() == 1 && matches!(name, "facts" | "lists"))
        })
        .filter_map(Result::ok)
        .filter(|e| e.file_type().is_file())
        .filter(|e| matches!(e.path().extension().and_then(|x| x.to_str()), Some("yaml" | "yml")))
        .map(walkdir::DirEntry::into_path)
        .collect()
}

/// Reads `root/lists/*.txt`: one word a line, `#` starts a comment.
pub(super) fn lists(root: &Path) -> Lists {
    let mut found = Lists::new();
    for entry in WalkDir::new(root.join("lists")).into_iter().filter_map(Result::ok) {
        let path = entry.path();
        if path.extension().is_none_or(|x| x != "txt") {
            continue;
        }
        let (Some(stem), Ok(text)) = (path.file_stem().and_then(|s| s.to_str()), std::fs::read_to_string(path)) else {
            continue;
        };
        let words = text
            .lines()
            .map(|l| l.split('#').next().unwrap_or_default().trim().to_owned())
            .filter(|l| !l.is_empty())
            .collect();
        found.insert(stem.to_owned(), words);
    }
    found
}

/// Who judges the words that the language itself knows nothing of. The build script links neither; tests read the built-in
/// rules.
#[derive(Clone, Copy)]
pub(super) struct Judges {
    /// What is wrong with a regular expression.
    pub(super) regex: fn(&str) -> Option<String>,
    /// Which action is meant by one that AWS does not have.
    pub(super) action: fn(&str) -> Option<String>,
}

/// Compiles one rule file of `family`.
pub(super) fn compile(text: &str, family: &str, lists: &Lists, judges: Judges) -> Checked<(Head, Docs)> {
    let mut file: RuleFile = serde_yaml::from_str(text).map_err(|e| reading_mistake(&e))?;
    check_words(&file)?;
    let examples = file.examples.bad.iter().chain(&file.examples.good);
    if let Some((why, word)) = options::mistake(&file.options, examples.map(|e| &e.options)) {
        return Err(Mistake::at(why, &word));
    }
    if file.matcher.is_some() && !file.options.is_empty() {
        return Err(Mistake::at("only a check in code can ask for options", "options"));
    }
    let logic = match (file.check.take(), file.matcher.take(), file.report.take()) {
        (Some(check), None, None) => Logic::Check(check),
        (None, Some(mut matcher), Some(report)) => {
            Checker::run(&mut matcher, &report, lists, judges)?;
            Logic::Match(Box::new(matcher), Box::new(report))
        }
        (Some(_), ..) => {
            return Err(Mistake::at(
                "a rule has `check`, or `match` with `report`, not both",
                "check",
            ));
        }
        (None, Some(_), None) => return Err(Mistake::at("`match` needs a `report`", "match")),
        (None, None, Some(_)) => return Err(Mistake::at("`report` needs a `match`", "report")),
        (None, None, None) => return Err(Mistake::new("a rule needs `check`, or `match` with `report`")),
    };
    let head = Head {
        id: file.id,
        family: family.to_owned(),
        title: file.title,
        severity: file.severity,
        confidence: file.confidence,
        profile: file.profile,
        cwe: file.cwe,
        supersedes: file.supersedes,
        same_token: file.same_token,
        fix: file.fix,
        absence: file.absence,
        help: flow(&file.remedy),
        options: file.options,
        logic,
    };
    let docs = Docs {
        since: file.since,
        refs: file.refs,
        peers: file.peers,
        why: file.why.trim_end().to_owned(),
        remedy: file.remedy.trim_end().to_owned(),
        examples: file.examples,
    };
    Ok((head, docs))
}

/// What serde says, made readable, with the place it names.
fn reading_mistake(e: &serde_yaml::Error) -> Mistake {
    let text = e.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    let text = &text
        .replace("a YAML tag starting with '!'", "one word")
        .replace("struct ClauseTest", "an object: `{any: {…}}`");
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let mut m = Mistake::new(text);
    m.offset = e.location().map(|l| l.index());
    if text.contains("unknown field") || text.contains("unknown variant") {
        m.word = quoted.first().map(|w| (*w).to_owned());
        m.suggestion = quoted
            .split_first()
            .and_then(|(word, known)| nearest(word, known.iter().copied()));
        if let Some(word) = &m.word {
            m.message = format!("the rule language has no `{word}` here");
            // Names stand beside the test, and are easily written into it.
            if let ("as", None) = (word.as_str(), quoted.iter().skip(1).find(|w| **w == "as")) {
                m.suggestion = None;
                m.message = "`as` stands beside `any` or `all`, not in it".to_owned();
                return m;
            }
            // A handful of words is soon told.
            if let (None, Some((_, known @ [_, ..]))) = (&m.suggestion, quoted.split_first())
                && known.len() <= 8
            {
                m.message = format!("{}; it has `{}`", m.message, known.join("`, `"));
            }
        }
    }
    m
}

fn check_words(file: &RuleFile) -> Checked {
    let slug = |s: &str| {
        !s.is_empty()
            && s.split('/').count() <= 2
            && s.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-/".contains(&b))
    };
    if !slug(&file.id) {
        return Err(Mistake::at(format!("id `{}` is not kebab-case", file.id), &file.id));
    }
    if file.title.chars().count() > 80 || file.title.is_empty() || file.title.ends_with('.') {
        return Err(Mistake::at(
            "the title has 1 to 80 characters and no final period",
            "title",
        ));
    }
    if file.why.trim().is_empty() || file.remedy.trim().is_empty() {
        return Err(Mistake::at("`why` and `do` say something", "why"));
    }
    for e in file.examples.bad.iter().chain(&file.examples.good) {
        if e.files.is_empty() == e.policy.is_none() {
            return Err(Mistake::at("an example has `files` or `policy`", &e.title));
        }
        let marked = e
            .files
            .values()
            .chain(&e.policy)
            .any(|t| t.contains('«') || t.contains('‹'));
        let bad = file.examples.bad.iter().any(|b| std::ptr::eq(b, e));
        if bad != marked {
            let what = if bad {
                "a bad example marks a place with «…»"
            } else {
                "a good example has no marks"
            };
            return Err(Mistake::at(what, &e.title));
        }
    }
    Ok(())
}

/// Checks one `match` and its `report`, and puts the words of lists in their place.
struct Checker<'a> {
    lists: &'a Lists,
    judges: Judges,
    made: BTreeSet<String>,
}

/// What the items of a clause are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Action,
    Resource,
    Principal,
    Text,
}

impl<'a> Checker<'a> {
    fn run(matcher: &mut Match, report: &Report, lists: &'a Lists, judges: Judges) -> Checked {
        let mut c = Self {
            lists,
            judges,
            made: BTreeSet::new(),
        };
        c.subject(matcher)?;
        for a in &report.adjust {
            if matcher.statement.is_none() && matcher.trust.is_none() {
                return Err(Mistake::at("`adjust` is for rules about statements", "adjust"));
            }
            let mut inner = Checker {
                lists,
                judges,
                made: BTreeSet::new(),
            };
            let mut when = a.when.clone();
            inner.statement(&mut when, &DocKind::ALL)?;
            if let Some(unused) = inner.made.first() {
                return Err(Mistake::at(format!("nothing uses the capture `{unused}`"), unused));
            }
        }
        c.captures(report)
    }

    fn captures(&self, report: &Report) -> Checked {
        let mut used: BTreeSet<&str> = BTreeSet::from([&*report.at]);
        used.extend(report.also.iter().map(|a| &*a.at));
        let texts = [&report.message, &report.label]
            .into_iter()
            .chain(&report.notes)
            .chain(report.also.iter().map(|a| &a.label));
        for text in texts {
            used.extend(interpolations(text)?);
        }
        for name in &used {
            if !self.made.contains(*name) {
                return Err(Mistake {
                    suggestion: nearest(name, self.made.iter().map(String::as_str)),
                    ..Mistake::at(format!("nothing is captured as `{name}`"), name)
                });
            }
        }
        match self.made.iter().find(|m| !used.contains(&***m)) {
            Some(unused) => Err(Mistake::at(format!("nothing uses the capture `{unused}`"), unused)),
            None => Ok(()),
        }
    }

    fn subject(&mut self, m: &mut Match) -> Checked {
        let given = [
            m.document.is_some(),
            m.statement.is_some(),
            m.trust.is_some(),
            m.identity.is_some(),
            m.attachment.is_some(),
            m.resource.is_some(),
            m.call.is_some(),
        ];
        if given.iter().filter(|g| **g).count() != 1 {
            return Err(Mistake::at("`match` has exactly one subject", "match"));
        }
        if let Some(t) = &mut m.document {
            self.document(t)?;
        }
        if let Some(t) = &mut m.statement {
            self.statement(t, &DocKind::ALL)?;
        }
        if let Some(t) = &mut m.trust {
            if !t.kinds.is_empty() {
                return Err(Mistake::at(
                    "the subject `trust` is about trust policies: drop `in`",
                    "in",
                ));
            }
            self.statement(t, &[DocKind::Trust])?;
        }
        if let Some(t) = &mut m.identity {
            self.identity(t)?;
        }
        if let Some(AttachmentTest { policy, capture, .. }) = m.attachment.as_deref_mut() {
            self.made.extend(capture.clone());
            if let Some(p) = policy {
                self.item(p, Of::Text)?;
            }
        }
        if let Some(t) = &mut m.resource {
            self.resource(t)?;
        }
        if let Some(CallTest { arguments, capture, .. }) = m.call.as_deref_mut() {
            self.made.extend(capture.clone());
            for t in arguments.values_mut() {
                self.value(t)?;
            }
        }
        Ok(())
    }

    fn document(&mut self, t: &mut DocumentTest) -> Checked {
        self.made.extend(t.capture.clone());
        if let Some(v) = &mut t.version {
            self.clause(v, Of::Text)?;
        }
        let kinds = if t.kinds.is_empty() {
            DocKind::ALL.to_vec()
        } else {
            t.kinds.to_vec()
        };
        self.statements(t.statement.as_deref_mut(), &kinds)
    }

    fn statements(&mut self, t: Option<&mut StatementsTest>, kinds: &[DocKind]) -> Checked {
        let Some(StatementsTest { any, all, none }) = t else {
            return Ok(());
        };
        for s in any.iter_mut().chain(all).chain(none) {
            self.statement(s, kinds)?;
        }
        Ok(())
    }

    fn statement(&mut self, t: &mut StatementTest, outer: &[DocKind]) -> Checked {
        self.made.extend(t.capture.clone());
        let kinds: Vec<DocKind> = match t.kinds.as_slice() {
            [] => outer.to_vec(),
            own => own.iter().copied().filter(|k| outer.contains(k)).collect(),
        };
        if kinds.is_empty() {
            return Err(Mistake::at("no kind of document is left: this can never match", "in"));
        }
        if !t.service.is_empty() && !kinds.contains(&DocKind::Resource) {
            return Err(Mistake::at(
                "only resource policies have a service: this can never match",
                "service",
            ));
        }
        if (t.principal.is_some() || t.not_principal.is_some()) && !kinds.iter().any(|k| k.has_principal()) {
            return Err(Mistake::at(
                "no document of these kinds has principals: this can never match",
                "principal",
            ));
        }
        if (t.resource.is_some() || t.not_resource.is_some()) && kinds == [DocKind::Trust] {
            return Err(Mistake::at(
                "a trust policy has no resources: this can never match",
                "resource",
            ));
        }
        for (plain, negated, word) in [
            (&t.action, &t.not_action, "not-action"),
            (&t.resource, &t.not_resource, "not-resource"),
            (&t.principal, &t.not_principal, "not-principal"),
        ] {
            let must = |c: &Option<Box<ClauseTest>>| {
                c.as_ref()
                    .is_some_and(|c| c.present == Some(true) || c.any.is_some() || c.all.is_some())
            };
            if must(plain) && must(negated) {
                return Err(Mistake::at(
                    format!("a statement never has both forms of `{word}`"),
                    word,
                ));
            }
        }
        for (clause, of) in [
            (&mut t.sid, Of::Text),
            (&mut t.action, Of::Action),
            (&mut t.not_action, Of::Action),
            (&mut t.resource, Of::Resource),
            (&mut t.not_resource, Of::Resource),
            (&mut t.principal, Of::Principal),
            (&mut t.not_principal, Of::Principal),
        ] {
            if let Some(c) = clause {
                self.clause(c, of)?;
            }
        }
        if let Some(c) = &mut t.condition {
            self.conditions(c)?;
        }
        for s in t
            .all
            .iter_mut()
            .chain(&mut t.any)
            .chain(&mut t.none)
            .chain(t.not.as_deref_mut())
        {
            self.statement(s, &kinds)?;
        }
        Ok(())
    }

    fn clause(&mut self, t: &mut ClauseTest, of: Of) -> Checked {
        if t.present == Some(false) && (t.any.is_some() || t.all.is_some() || t.capture.is_some()) {
            return Err(Mistake::at(
                "an element that is absent has no items: this can never match",
                "present",
            ));
        }
        if t.capture.is_some() && t.any.is_none() && t.all.is_none() && t.present != Some(true) {
            return Err(Mistake::at(
                "`as` needs `any`, `all` or `present: true` to name items",
                "as",
            ));
        }
        self.made.extend(t.capture.clone());
        self.made.extend(t.key.clone());
        self.made.extend(t.value.clone());
        for i in t.any.iter_mut().chain(&mut t.all).chain(&mut t.none) {
            self.item(i, of)?;
        }
        Ok(())
    }

    fn item(&mut self, t: &mut ItemTest, of: Of) -> Checked {
        let refuse = |given: bool, word: &str, what: &str| {
            if given {
                Err(Mistake::at(format!("`{word}` is for {what}"), word))
            } else {
                Ok(())
            }
        };
        refuse(
            !t.access_level.is_empty() && of != Of::Action,
            "access-level",
            "actions",
        )?;
        refuse(
            !t.service.is_empty() && of == Of::Text,
            "service",
            "actions, resources and principals",
        )?;
        refuse(!t.principal.is_empty() && of != Of::Principal, "type", "principals")?;
        refuse(
            !t.account.is_empty() && !matches!(of, Of::Principal | Of::Resource),
            "account",
            "resources and principals",
        )?;
        let covering = !t.covers.is_empty() || !t.covered_by.is_empty();
        refuse(
            covering && matches!(of, Of::Principal | Of::Text),
            "covers",
            "actions and resources",
        )?;
        self.words(&mut t.one_of.0)?;
        self.words(&mut t.service.0)?;
        self.regex(t.matches.as_deref())?;
        if of == Of::Action {
            for word in [&t.is.0, &t.covers.0, &t.covered_by.0, &t.one_of.0]
                .into_iter()
                .flatten()
            {
                self.action(word)?;
            }
        }
        for i in t
            .all
            .iter_mut()
            .chain(&mut t.any)
            .chain(&mut t.none)
            .chain(t.not.as_deref_mut())
        {
            self.item(i, of)?;
        }
        Ok(())
    }

    fn conditions(&mut self, t: &mut ConditionsTest) -> Checked {
        if t.capture.is_some() && t.any.is_none() && t.all.is_none() {
            return Err(Mistake::at("`as` needs `any` or `all` to name conditions", "as"));
        }
        self.made.extend(t.capture.clone());
        self.made.extend(t.key.clone());
        for line in t.any.iter_mut().chain(&mut t.all).chain(&mut t.none) {
            let ConditionTest {
                operator, key, value, ..
            } = &mut **line;
            for i in operator.iter_mut().chain(key) {
                self.item(i, Of::Text)?;
            }
            if let Some(v) = value {
                self.clause(v, Of::Text)?;
            }
        }
        Ok(())
    }

    fn identity(&mut self, t: &mut IdentityTest) -> Checked {
        self.made.extend(t.capture.clone());
        for c in t.name.iter_mut().chain(&mut t.policy) {
            self.clause(c, Of::Text)?;
        }
        self.statements(t.trust.as_deref_mut(), &[DocKind::Trust])?;
        for i in t
            .all
            .iter_mut()
            .chain(&mut t.any)
            .chain(&mut t.none)
            .chain(t.not.as_deref_mut())
        {
            self.identity(i)?;
        }
        Ok(())
    }

    fn resource(&mut self, t: &mut ResourceTest) -> Checked {
        self.made.extend(t.capture.clone());
        for v in t.properties.values_mut() {
            self.value(v)?;
        }
        for i in t
            .all
            .iter_mut()
            .chain(&mut t.any)
            .chain(&mut t.none)
            .chain(t.not.as_deref_mut())
        {
            self.resource(i)?;
        }
        Ok(())
    }

    fn value(&mut self, t: &mut ValueTest) -> Checked {
        if t.present == Some(false) && t.capture.is_some() {
            return Err(Mistake::at("a property that is absent cannot be captured", "as"));
        }
        self.made.extend(t.capture.clone());
        self.words(&mut t.one_of.0)?;
        self.regex(t.matches.as_deref())
    }

    fn action(&self, word: &str) -> Checked {
        match (self.judges.action)(word) {
            Some(meant) => Err(Mistake {
                suggestion: Some(meant),
                ..Mistake::at(format!("AWS has no action `{word}`"), word)
            }),
            None => Ok(()),
        }
    }

    fn regex(&self, pattern: Option<&str>) -> Checked {
        let Some(p) = pattern else { return Ok(()) };
        match (self.judges.regex)(p) {
            Some(why) => Err(Mistake::at(format!("this is no regular expression: {why}"), p)),
            None => Ok(()),
        }
    }

    /// Puts the words of named lists in the place of their names.
    fn words(&self, words: &mut Vec<String>) -> Checked {
        let mut all = Vec::new();
        for w in words.drain(..) {
            let Some(name) = w.strip_prefix('@') else {
                all.push(w);
                continue;
            };
            let list = self.lists.get(name).ok_or_else(|| Mistake {
                suggestion: nearest(name, self.lists.keys().map(String::as_str)).map(|n| format!("@{n}")),
                ..Mistake::at(format!("there is no list `{name}`"), &w)
            })?;
            all.extend(list.iter().cloned());
        }
        *words = all;
        Ok(())
    }
}

/// The captures that `{…}` name in a text: `{act}` and `{act.service}` both name `act`.
pub(super) fn interpolations(text: &str) -> Checked<Vec<&str>> {
    const PARTS: [&str; 6] = ["service", "count", "actions", "levels", "gravest", "worst"];
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((inside, tail)) = after.split_once('}') else {
            return Err(Mistake::at("unclosed `{` in a text", text));
        };
        let (name, part) = inside.split_once('.').map_or((inside, None), |(n, p)| (n, Some(p)));
        if let Some(part) = part.filter(|p| !PARTS.contains(p)) {
            return Err(Mistake {
                suggestion: nearest(part, PARTS),
                ..Mistake::at(format!("a capture has no `{part}`"), part)
            });
        }
        names.push(name);
        rest = tail;
    }
    Ok(names)
}

/// The word that was meant: half a name is a likelier slip than another name.
pub(super) fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str> + Clone) -> Option<String> {
    let begun = |k: &&str| word.len() > 2 && (k.starts_with(word) || word.starts_with(k));
    let half = known.clone().into_iter().filter(begun).min_by_key(|k| k.len());
    half.or_else(|| nearest_word(word, known)).map(str::to_owned)
}

/// A Markdown text as lines that a terminal may wrap: one line a paragraph, list items kept.
fn flow(text: &str) -> String {
    let mut out = String::new();
    for line in text.trim().lines().map(str::trim) {
        let starts_item = line.starts_with("- ") || line.starts_with("* ");
        if line.is_empty() || (starts_item && !out.is_empty()) {
            while out.ends_with(' ') {
                out.pop();
            }
            if !out.ends_with('\n') {
                out.push('\n');
            }
        }
        if !line.is_empty() {
            out.push_str(line);
            out.push(' ');
        }
    }
    out.trim_end().to_owned()
}
