//! From the text of a rule file to a rule that can run, or to the mistake in it. The build script compiles this file too.
//!
//! **Invariant:** what passes here can be evaluated: every capture that is named is made, every word is one the language
//! has at that place, and the subject can match something.

mod checker;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::options;
use super::spec::{Docs, FixKind, Logic, RuleCase, RuleFile, RuleMetadata};
use crate::edit_distance::nearest_word;
use checker::Checker;

/// Named lists of words, `rules/lists/NAME.txt`: used as `one-of: "@NAME"`.
pub(super) type Lists = BTreeMap<String, Vec<String>>;

/// What is wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RuleError {
    /// Lower case, no final period.
    pub(super) message: String,
    /// The offending word as it stands in the file, where there is one.
    pub(super) word: Option<String>,
    /// Byte offset from which to look for the word, where the reader said.
    pub(super) offset: Option<usize>,
    /// What was probably meant.
    pub(super) suggestion: Option<String>,
}

impl RuleError {
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

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(s) = &self.suggestion {
            write!(f, "; did you mean `{s}`?")?;
        }
        Ok(())
    }
}

type Checked<T = ()> = Result<T, RuleError>;

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

/// Bytes of a rule file or a list.
const MAX_BYTES: u64 = 4 << 20;

/// The text of a rule file or a list.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    match text.len() as u64 > MAX_BYTES {
        true => Err(io::Error::other(format!("larger than {MAX_BYTES} bytes"))),
        false => Ok(text),
    }
}

/// Reads `root/lists/*.txt`: one word a line, `#` starts a comment.
pub(super) fn lists(root: &Path) -> Lists {
    let mut found = Lists::new();
    for entry in WalkDir::new(root.join("lists")).into_iter().filter_map(Result::ok) {
        let path = entry.path();
        // A pipe would wait for its writer.
        if !entry.file_type().is_file() || path.extension().is_none_or(|x| x != "txt") {
            continue;
        }
        let (Some(stem), Ok(text)) = (path.file_stem().and_then(|s| s.to_str()), read(path)) else {
            continue;
        };
        found.insert(stem.to_owned(), list_words(&text));
    }
    found
}

/// The words of a list.
pub(super) fn list_words(text: &str) -> Vec<String> {
    let words = text.lines().map(|l| l.split('#').next().unwrap_or_default().trim());
    words.filter(|l| !l.is_empty()).map(str::to_owned).collect()
}

/// Who judges the words that the language itself knows nothing of. The build script links neither; tests read the built-in
/// rules.
#[derive(Clone, Copy)]
pub(super) struct Validators {
    /// What is wrong with a regular expression.
    pub(super) regex: fn(&str) -> Option<String>,
    /// Which action is meant by one that AWS does not have.
    pub(super) action: fn(&str) -> Option<String>,
    /// Why no call of an operation (service, operation) is looked at.
    pub(super) call: fn(&str, &str) -> Option<String>,
}

/// Compiles one rule file of `family`.
pub(super) fn compile(text: &str, family: &str, lists: &Lists, judges: Validators) -> Checked<(RuleMetadata, Docs)> {
    let mut file: RuleFile = serde_yaml::from_str(text).map_err(|e| reading_mistake(&e))?;
    check_words(&file)?;
    let examples = file.examples.bad.iter().chain(&file.examples.good);
    if let Some((why, word)) = options::find_mistake(&file.options, examples.map(|e| &e.options)) {
        return Err(RuleError::at(why, &word));
    }
    if file.check.is_none() && !file.options.is_empty() {
        return Err(RuleError::at("only a rule with `check` can have options", "options"));
    }
    if file.fix.is_some() && file.no_fix.is_some() {
        return Err(RuleError::at("a rule has either `fix` or `no-fix`", "no-fix"));
    }
    let logic = logic(&mut file, lists, judges)?;
    let head = RuleMetadata {
        id: file.id,
        family: family.to_owned(),
        title: file.title,
        severity: file.severity,
        confidence: file.confidence,
        profile: file.profile,
        cwe: file.cwe,
        supersedes: file.supersedes,
        same_token: file.same_token,
        one_per: file.one_per,
        fix: file.fix,
        no_fix: file.no_fix,
        absence: file.absence,
        closed: file.closed,
        renamed_from: file.renamed_from,
        preview: file.preview,
        deprecated: file.deprecated,
        help: flow_text(&file.remedy),
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

/// How the rule finds what it objects to, checked.
fn logic(file: &mut RuleFile, lists: &Lists, judges: Validators) -> Checked<Logic> {
    let check = file.check.take();
    let mut cases = std::mem::take(&mut file.cases);
    let several = !cases.is_empty();
    let error = match (&check, file.matcher.take(), file.report.take()) {
        (Some(_), None, None) if !several => None,
        (None, Some(matcher), Some(report)) if !several => {
            cases.push(RuleCase { matcher, report });
            None
        }
        (None, None, None) if several => None,
        (Some(_), ..) => Some((
            "a rule needs either `check` or `match` with `report`, not both",
            "check",
        )),
        (None, ..) if several => Some(("each of `cases` needs its own `match` and `report`", "cases")),
        (None, Some(_), None) => Some(("`match` needs a `report`", "match")),
        (None, None, Some(_)) => Some(("`report` needs a `match`", "report")),
        (None, ..) => return Err(RuleError::new("a rule needs `check`, or `match` with `report`")),
    };
    if let Some((message, word)) = error {
        return Err(RuleError::at(message, word));
    }
    if let Some(check) = check {
        return Ok(Logic::Check(check));
    }
    for case in &mut cases {
        Checker::run(&mut case.matcher, &case.report, lists, judges)?;
        let fix = case.report.fix.as_ref().map(|f| f.safe);
        let declared = match file.fix {
            None => fix.is_none(),
            Some(FixKind::Safe) => fix != Some(false),
            Some(FixKind::Unsafe) => fix != Some(true),
            Some(FixKind::Both) => true,
        };
        if !declared {
            return Err(RuleError::at(
                "the `fix` of the rule does not match the fix in its `report`",
                "fix",
            ));
        }
    }
    Ok(Logic::Match(cases))
}

/// What serde says, made readable, with the place it names.
fn reading_mistake(e: &serde_yaml::Error) -> RuleError {
    let text = e.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    let text = &text
        .replace("a YAML tag starting with '!'", "one word")
        .replace("struct ClauseTest", "an object: `{any: {…}}`");
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    let mut m = RuleError::new(text);
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
                m.message = "`as` belongs next to `any` or `all`, not inside".to_owned();
                return m;
            }
            // A handful of words fits in the message.
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
        return Err(RuleError::at(format!("id `{}` is not kebab-case", file.id), &file.id));
    }
    if file.title.chars().count() > 80 || file.title.is_empty() || file.title.ends_with('.') {
        return Err(RuleError::at(
            "the title must have 1 to 80 characters and no final period",
            "title",
        ));
    }
    if file.why.trim().is_empty() || file.remedy.trim().is_empty() {
        return Err(RuleError::at("`why` and `do` must not be empty", "why"));
    }
    for e in file.examples.bad.iter().chain(&file.examples.good) {
        if e.files.is_empty() == e.policy.is_none() {
            return Err(RuleError::at("an example needs either `files` or `policy`", &e.title));
        }
        let marked = e
            .files
            .values()
            .chain(&e.policy)
            .any(|t| t.contains('«') || t.contains('‹'));
        let bad = file.examples.bad.iter().any(|b| std::ptr::eq(b, e));
        if bad != marked {
            let what = if bad {
                "a bad example must mark a place with «…»"
            } else {
                "a good example must not have marks"
            };
            return Err(RuleError::at(what, &e.title));
        }
    }
    Ok(())
}

/// The captures that `{…}` name in a text: `{act}` and `{act.service}` both name `act`.
pub(super) fn interpolations(text: &str) -> Checked<Vec<&str>> {
    const PARTS: [&str; 18] = [
        "account",
        "actions",
        "breakdown",
        "count",
        "denied",
        "duration",
        "exact",
        "gravest",
        "key",
        "left",
        "levels",
        "like",
        "lower",
        "plain",
        "service",
        "type",
        "whole",
        "worst",
    ];
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((inside, tail)) = after.split_once('}') else {
            return Err(RuleError::at("unclosed `{` in a text", text));
        };
        let (name, part) = inside.split_once('.').map_or((inside, None), |(n, p)| (n, Some(p)));
        if let Some(part) = part.filter(|p| !PARTS.contains(p)) {
            return Err(RuleError {
                suggestion: nearest(part, PARTS),
                ..RuleError::at(format!("unknown part `{part}` of a capture"), part)
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
fn flow_text(text: &str) -> String {
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
