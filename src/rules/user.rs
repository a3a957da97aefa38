//! Users' own rules: read at run time, in the same language, proven by the same runner.
//!
//! A mistake in a rule file never stops a run: it is a problem with a place in that file.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::compile::{self, Lists, RuleError};
use super::spec::Logic;
use super::{Rule, Ruleset, examples};
use crate::formats::python;
use crate::iam::{ActionSet, catalogue};
use crate::source::{Problem, ProblemKind, Sources, Span};

/// What was read of users' rule folders.
#[derive(Debug, Default)]
pub struct UserRules {
    pub rules: Vec<Rule>,
    pub mistakes: Vec<RuleMistake>,
    /// Path as shown and text of every rule file.
    pub files: Vec<(String, Arc<str>)>,
    lists: Lists,
}

/// What is wrong with a rule file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleMistake {
    pub path: String,
    /// Bytes of the file.
    pub range: Range<usize>,
    /// With the suggestion, where there is one.
    pub message: String,
}

impl RuleMistake {
    /// As a problem of `sources`, where they hold the file.
    pub fn problem(&self, sources: &Sources) -> Option<Problem> {
        let span = Span::new(sources.find(&self.path)?, self.range.start, self.range.end);
        Some(Problem::new(ProblemKind::Rule, span, self.message.clone()))
    }
}

/// Reads every `*.yaml` below `dir`; `shown` is how the folder is called to the user.
pub fn load(dir: &Path, shown: &str) -> UserRules {
    let mut out = UserRules {
        lists: compile::lists(dir),
        ..UserRules::default()
    };
    for path in compile::rule_files(dir) {
        let inside = path
            .strip_prefix(dir)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        let name = format!("{}/{inside}", shown.trim_end_matches('/'));
        match compile::read(&path) {
            Ok(text) => out.add(&name, &text),
            Err(e) => out.mistakes.push(unreadable(name, &e)),
        }
    }
    out
}

/// As [`load`], of a folder that is not on disk: `files` are all below it, by their paths from it, and `text` reads one.
pub fn load_stored(files: &[&str], shown: &str, text: &dyn Fn(&str) -> io::Result<String>) -> UserRules {
    let mut out = UserRules::default();
    for path in files {
        let list = path.strip_prefix("lists/").and_then(|path| path.strip_suffix(".txt"));
        if let Some(list) = list
            && let Ok(text) = text(path)
        {
            let stem = list.rsplit('/').next().unwrap_or(list);
            out.lists.insert(stem.to_owned(), compile::list_words(&text));
        }
    }
    let is_rule = |path: &str| {
        let is_hidden = path.split('/').any(|name| name.starts_with('.'));
        let is_data = path.starts_with("facts/") || path.starts_with("lists/");
        !is_hidden && !is_data && (path.ends_with(".yaml") || path.ends_with(".yml"))
    };
    for path in files.iter().filter(|path| is_rule(path)) {
        let name = format!("{}/{path}", shown.trim_end_matches('/'));
        match text(path) {
            Ok(text) => out.add(&name, &text),
            Err(e) => out.mistakes.push(unreadable(name, &e)),
        }
    }
    out
}

fn unreadable(path: String, error: &io::Error) -> RuleMistake {
    RuleMistake {
        path,
        range: 0..0,
        message: format!("cannot be read: {error}"),
    }
}

impl UserRules {
    /// Adds one rule file.
    pub fn add(&mut self, path: &str, text: &str) {
        self.files.push((path.to_owned(), Arc::from(text)));
        match read(text, path, &self.lists) {
            Ok(rule) if self.rules.iter().any(|r| r.id() == rule.id()) => {
                let twice = RuleError::at(format!("duplicate rule `{}`", rule.id()), &rule.id());
                self.mistakes.push(locate_mistake(path, text, &twice));
            }
            Ok(rule) => self.rules.push(rule),
            Err(m) => self.mistakes.push(locate_mistake(path, text, &m)),
        }
    }

    /// The mistakes as problems of `sources`, which must hold [`UserRules::files`].
    #[cfg(any(test, feature = "internals"))]
    pub fn problems(&self, sources: &Sources) -> Vec<Problem> {
        self.mistakes.iter().filter_map(|m| m.problem(sources)).collect()
    }

    /// Runs the examples of these rules.
    pub fn test(&self) -> examples::ExampleReport {
        let ruleset = Ruleset::builtin().with_user_rules(self.rules.iter().cloned());
        let mut tested = examples::test(&ruleset, &self.rules);
        for rule in &self.rules {
            let examples = &rule.docs().examples;
            if examples.bad.is_empty() || examples.good.is_empty() {
                tested.wrong += 1;
                tested
                    .failures
                    .push(format!("{}: needs a bad and a good example\n", rule.id()));
            }
        }
        tested
    }
}

/// Loads the rules of `dir` and runs their examples: `overgrant test-rules DIR`.
pub fn test_rules(dir: &Path, shown: &str) -> (UserRules, examples::ExampleReport) {
    let rules = load(dir, shown);
    let tested = rules.test();
    (rules, tested)
}

/// Tests nest as deep as the YAML reader lets them; its frames are large.
const STACK: usize = 64 << 20;

fn read(text: &str, path: &str, lists: &Lists) -> Result<Rule, RuleError> {
    let compiled = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let compiled = thread.spawn_scoped(scope, || compile::compile(text, "", lists, JUDGES));
        compiled.ok().and_then(|t| t.join().ok())
    });
    let (mut head, docs) = compiled.ok_or_else(|| RuleError::at("this rule cannot be read", "id"))??;
    let Some((prefix, slug)) = head.id.split_once('/') else {
        return Err(RuleError::at(
            format!("your own rules need a prefix in the id: `acme/{}`", head.id),
            &head.id,
        ));
    };
    let stem = path
        .rsplit('/')
        .next()
        .and_then(|f| f.rsplit_once('.'))
        .map_or("", |(stem, _)| stem);
    if slug != stem {
        return Err(RuleError::at(
            format!("the id ends in `{slug}`, but the file is named `{stem}`"),
            &head.id,
        ));
    }
    head.family = prefix.to_owned();
    if matches!(head.logic, Logic::Check(_)) {
        let why = "only built-in rules can have `check`: use `match` and `report`";
        return Err(RuleError::at(why, "check"));
    }
    Ok(Rule::user(head, docs))
}

const JUDGES: compile::Validators = compile::Validators {
    regex: bad_regex,
    action: meant_action,
    call: python::unseen_call,
};

/// For what is nearly one of AWS's actions; what is like none of them may be newer than the data.
fn meant_action(word: &str) -> Option<String> {
    let unknown = word.contains(':') && ActionSet::expand(word).is_empty() && catalogue().action(word).is_none();
    let near = unknown
        .then(|| catalogue().did_you_mean_action(word, &ActionSet::empty()))
        .flatten();
    near.map(str::to_owned)
}

fn bad_regex(pattern: &str) -> Option<String> {
    let why = regex::Regex::new(pattern).err()?.to_string();
    // The last line says what is wrong, those before it show where.
    why.lines().last().map(|l| l.trim_start_matches("error: ").to_owned())
}

fn locate_mistake(path: &str, text: &str, m: &RuleError) -> RuleMistake {
    RuleMistake {
        path: path.to_owned(),
        range: mistake_range(text, m),
        message: m.to_string(),
    }
}

/// The offending word where the reader stopped, else the first such word that stands alone, else the line.
fn mistake_range(text: &str, m: &RuleError) -> Range<usize> {
    let from = m.offset.filter(|o| text.is_char_boundary(*o)).unwrap_or(0);
    if let Some(word) = m.word.as_deref().filter(|w| !w.is_empty()) {
        let whole = |at: usize| {
            let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_');
            !joins(text[..at].chars().next_back()) && !joins(text[at + word.len()..].chars().next())
        };
        // serde names the map that holds an unknown key; the key itself comes a little later.
        let mut found = text[from..].match_indices(word).map(|(i, _)| from + i);
        let at = found.find(|at| whole(*at));
        if let Some(at) = at.or_else(|| text.match_indices(word).map(|(i, _)| i).find(|at| whole(*at))) {
            return at..at + word.len();
        }
    }
    let start = text[..from].rfind('\n').map_or(0, |i| i + 1);
    let end = text[from..].find('\n').map_or(text.len(), |i| from + i);
    start..end
}
