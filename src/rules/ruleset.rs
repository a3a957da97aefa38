//! The rules that exist, and which of them are on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use globset::GlobBuilder;

use super::compile::nearest;
use super::options::{OptionSpec, RuleOptions};
use super::spec::{Docs, FixKind, Logic, OnePer, Profile, RuleMetadata};
use crate::grade::{Confidence, Severity};
use crate::phrase;
use crate::rule_id::{RuleId, ids};

static HEADS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));
static DOCS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules-docs.bin"));

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    id: RuleId,
    head: RuleMetadata,
    from: From,
}

/// Where a rule comes from.
#[derive(Clone, Debug)]
enum From {
    /// Compiled in; the index into the documentation blob.
    BuiltIn(usize),
    User(Box<Docs>),
}

impl Rule {
    pub(super) fn user(head: RuleMetadata, docs: Docs) -> Self {
        Self {
            id: RuleId::user_rule(&head.id),
            head,
            from: From::User(Box::new(docs)),
        }
    }

    pub fn id(&self) -> RuleId {
        self.id
    }

    /// The folder: `actions`, `trust`, …; the prefix for a user's own.
    pub fn family(&self) -> &str {
        &self.head.family
    }

    pub fn title(&self) -> &str {
        &self.head.title
    }

    pub fn severity(&self) -> Severity {
        self.head.severity
    }

    pub fn confidence(&self) -> Confidence {
        self.head.confidence
    }

    pub fn profile(&self) -> Profile {
        self.head.profile
    }

    /// Whether its findings offer fixes.
    pub fn fix(&self) -> Option<FixKind> {
        self.head.fix
    }

    /// Why the rule offers no fix.
    pub fn no_fix(&self) -> Option<&str> {
        self.head.no_fix.as_deref()
    }

    /// CWE numbers.
    pub fn cwe(&self) -> &[u32] {
        &self.head.cwe
    }

    /// Rules whose findings with the same cause fold into this one's.
    pub fn supersedes(&self) -> &[String] {
        &self.head.supersedes
    }

    /// Rules whose findings in the same statement fold into this one's where both point at one token, whatever else they
    /// are about: changing it fixes both.
    pub fn same_token(&self) -> &[String] {
        &self.head.same_token
    }

    /// Of what there is one finding.
    pub fn one_per(&self) -> Option<OnePer> {
        self.head.one_per
    }

    /// What `[rules.NAME]` may set, in addition to the severity.
    pub fn options(&self) -> &[OptionSpec] {
        &self.head.options
    }

    /// Objects to something that is not there: where a file is broken, it may be there all the same.
    pub fn absence(&self) -> bool {
        self.head.absence
    }

    /// Objects to what is lacking, empty, said elsewhere or never met, which is so of closed values only: at the default of an
    /// input it is little more than a question, and no fix is safe.
    pub fn closed(&self) -> bool {
        self.head.closed
    }

    /// Names that it had before.
    pub fn renamed_from(&self) -> &[String] {
        &self.head.renamed_from
    }

    /// In no profile: it runs where it is selected by its name.
    pub fn is_preview(&self) -> bool {
        self.head.preview
    }

    /// On its way out, and what to use instead.
    pub fn deprecated(&self) -> Option<&str> {
        self.head.deprecated.as_deref()
    }

    /// What to do instead.
    pub fn help(&self) -> &str {
        &self.head.help
    }

    /// The native check that finds it, when it is not declared.
    pub fn check(&self) -> Option<&str> {
        match &self.head.logic {
            Logic::Check(name) => Some(name),
            Logic::Match(..) => None,
        }
    }

    /// Its findings are made when the others are settled: it is about suppressions.
    pub fn is_about_suppressions(&self) -> bool {
        self.check() == Some("suppressions")
    }

    pub fn is_user(&self) -> bool {
        matches!(self.from, From::User(_))
    }

    /// Why, examples, references: decoded when first asked for.
    pub fn docs(&self) -> &Docs {
        static DECODED: OnceLock<Vec<Docs>> = OnceLock::new();
        match &self.from {
            From::User(docs) => docs,
            From::BuiltIn(i) => {
                let decode = || {
                    let bytes = lz4_flex::block::decompress_size_prepended(DOCS).ok()?;
                    postcard::from_bytes(&bytes).ok()
                };
                &DECODED.get_or_init(|| decode().expect("the build script wrote it"))[*i]
            }
        }
    }

    pub(super) fn logic(&self) -> &Logic {
        &self.head.logic
    }
}

/// All rules of a run, sorted by id.
#[derive(Clone, Debug)]
pub struct Ruleset {
    rules: Vec<Rule>,
    /// The present name by each name that a rule had before.
    renamed: BTreeMap<String, String>,
}

impl Default for Ruleset {
    fn default() -> Self {
        Self::builtin()
    }
}

impl Ruleset {
    /// The rules that are compiled in.
    pub fn builtin() -> Self {
        let heads: Vec<RuleMetadata> = postcard::from_bytes(HEADS).expect("the build script wrote it");
        let rules = heads
            .into_iter()
            .zip(ids::ALL)
            .enumerate()
            .map(|(i, (head, id))| Rule {
                id,
                head,
                from: From::BuiltIn(i),
            })
            .collect();
        let mut ruleset = Self {
            rules,
            renamed: BTreeMap::new(),
        };
        ruleset.index_renames();
        ruleset
    }

    fn index_renames(&mut self) {
        let pairs = |r: &Rule| -> Vec<(String, String)> {
            let pair = |old: &String| (old.clone(), r.id().to_string());
            r.renamed_from().iter().map(pair).collect()
        };
        self.renamed = self.rules.iter().flat_map(pairs).collect();
    }

    /// The present name of a rule; a name that was never one, a family, or a pattern is given back as it is.
    pub fn current_name<'n>(&'n self, name: &'n str) -> &'n str {
        self.renamed.get(name).map_or(name, String::as_str)
    }

    /// What a user should know of a name that still works: the rule was renamed, or is deprecated.
    pub fn rename_notice(&self, name: &str) -> Option<String> {
        if let Some(new) = self.renamed.get(name) {
            return Some(format!("the rule `{name}` was renamed to `{new}`"));
        }
        let instead = self.get(name)?.deprecated()?;
        Some(format!("the rule `{name}` is deprecated: {instead}"))
    }

    /// Adds users' own rules; one with the name of a rule that is there is left out.
    #[must_use]
    pub fn with_user_rules(mut self, user: impl IntoIterator<Item = Rule>) -> Self {
        for rule in user {
            if let Err(at) = self.position(&rule.id()) {
                self.rules.insert(at, rule);
            }
        }
        self.index_renames();
        self
    }

    /// The rules with these ids.
    #[must_use]
    pub fn with_ids(mut self, ids: &[String]) -> Self {
        self.rules.retain(|r| ids.iter().any(|id| r.id() == **id));
        self.index_renames();
        self
    }

    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.position(id).ok().map(|i| &self.rules[i])
    }

    /// In the order of their names.
    pub fn iter(&self) -> std::slice::Iter<'_, Rule> {
        self.rules.iter()
    }

    pub fn len(&self) -> usize {
        self.rules.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub fn families(&self) -> BTreeSet<&str> {
        self.rules.iter().map(Rule::family).collect()
    }

    /// What to write instead of `name`, which is no rule: "; did you mean `a`?", or the rules that answer to another tool's ID.
    pub fn hint_for_unknown(&self, name: &str) -> String {
        if name.contains(',') {
            let names: Vec<String> = name.split(',').map(|n| format!("\"{}\"", n.trim())).collect();
            return format!("; write a list: [{}]", names.join(", "));
        }
        let is_peer = |peer: &String| {
            let id = peer.rsplit_once(' ').map_or(peer.as_str(), |(_, id)| id);
            id.eq_ignore_ascii_case(name)
        };
        let answers = self
            .rules
            .iter()
            .filter_map(|r| Some((r, r.docs().peers.iter().find(|p| is_peer(p))?)));
        let answers: Vec<_> = answers.collect();
        match answers.first() {
            Some((_, peer)) => {
                let names = answers.iter().take(3).map(|(r, _)| r.id());
                format!("; {peer} is {} here", phrase::quoted(names, " or "))
            }
            None => phrase::did_you_mean(&self.nearest(name)),
        }
    }

    /// Rule names and families most like `name`, best first, at most three.
    pub fn nearest(&self, name: &str) -> Vec<String> {
        let mut known: BTreeSet<&str> = self.families();
        known.extend(self.rules.iter().map(|r| r.id().as_str()));
        let mut found = Vec::new();
        while let Some(best) = (found.len() < 3)
            .then(|| nearest(name, known.iter().copied()))
            .flatten()
        {
            known.remove(&*best);
            found.push(best);
        }
        if found.is_empty() && name.len() > 2 {
            found.extend(
                known
                    .iter()
                    .filter(|k| k.contains(name))
                    .take(3)
                    .map(|k| (*k).to_owned()),
            );
        }
        found
    }

    /// The rules that `pattern` names: a rule, a family, a glob over rule names, or `all`. Empty for none.
    pub fn matching(&self, pattern: &str) -> Vec<&Rule> {
        if let Some(rule) = self.get(pattern) {
            return vec![rule];
        }
        let glob = GlobBuilder::new(pattern).literal_separator(false).build();
        let glob = glob.ok().map(|g| g.compile_matcher());
        let any = pattern.contains(['*', '?', '[', '{']);
        self.rules
            .iter()
            .filter(|r| {
                pattern == "all"
                    || r.family() == pattern
                    || (any && glob.as_ref().is_some_and(|g| g.is_match(&*r.id())))
            })
            .collect()
    }

    fn position(&self, id: &str) -> Result<usize, usize> {
        let id = self.current_name(id);
        self.rules.binary_search_by(|r| r.id().as_str().cmp(id))
    }
}

/// A name in a selection that no rule, family or glob answers to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown rule `{name}`{}", phrase::did_you_mean(nearest))]
pub struct UnknownRule {
    pub name: String,
    /// Best first.
    pub nearest: Vec<String>,
}

/// Which rules are on, at which severity and with which options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    on: BTreeSet<String>,
    severities: BTreeMap<String, Severity>,
    options: RuleOptions,
}

impl Selection {
    /// The rules of `profile`, or those of `select` when it is not empty, with `extend` and without `ignore`. All three take
    /// rule names, families, globs and `all`.
    pub fn new(
        ruleset: &Ruleset,
        profile: Profile,
        select: &[String],
        extend: &[String],
        ignore: &[String],
    ) -> Result<Self, UnknownRule> {
        let mut on = BTreeSet::new();
        if select.is_empty() {
            let of_profile = ruleset.iter().filter(|r| r.profile() <= profile && !r.is_preview());
            on.extend(of_profile.map(|r| r.id().to_string()));
        }
        for pattern in select.iter().chain(extend) {
            let by_name = |id: &String| ruleset.current_name(pattern) == id;
            let is_preview = |id: &String| ruleset.get(id).is_some_and(Rule::is_preview);
            let found = ids_matching(ruleset, pattern)?;
            on.extend(found.into_iter().filter(|id| by_name(id) || !is_preview(id)));
        }
        for pattern in ignore {
            for id in ids_matching(ruleset, pattern)? {
                on.remove(&id);
            }
        }
        Ok(Self { on, ..Self::default() })
    }

    /// The rules of one profile.
    pub fn profile(ruleset: &Ruleset, profile: Profile) -> Self {
        Self::new(ruleset, profile, &[], &[], &[]).unwrap_or_default()
    }

    /// Every rule.
    pub fn all(ruleset: &Ruleset) -> Self {
        Self::profile(ruleset, Profile::Audit)
    }

    /// One rule alone.
    pub fn single_rule(rule: &str) -> Self {
        Self {
            on: BTreeSet::from([rule.to_owned()]),
            ..Self::default()
        }
    }

    /// Gives the rules that `pattern` names a severity of the user's choice; it wins over what a check says.
    pub fn set_severity(&mut self, ruleset: &Ruleset, pattern: &str, severity: Severity) -> Result<(), UnknownRule> {
        for id in ids_matching(ruleset, pattern)? {
            self.severities.insert(id, severity);
        }
        Ok(())
    }

    /// With these options of the rules.
    #[must_use]
    pub fn with_options(mut self, options: RuleOptions) -> Self {
        self.options = options;
        self
    }

    pub fn options(&self) -> &RuleOptions {
        &self.options
    }

    pub fn is_on(&self, rule: &str) -> bool {
        self.on.contains(rule)
    }

    pub fn severity(&self, rule: &str) -> Option<Severity> {
        self.severities.get(rule).copied()
    }

    /// Names of the rules that are on, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.on.iter().map(String::as_str)
    }

    pub fn len(&self) -> usize {
        self.on.len()
    }

    pub fn is_empty(&self) -> bool {
        self.on.is_empty()
    }
}

fn ids_matching(ruleset: &Ruleset, pattern: &str) -> Result<Vec<String>, UnknownRule> {
    let found = ruleset.matching(pattern);
    // Families that have no rule of their own yet are still words of the language.
    if found.is_empty() && pattern != "all" {
        return Err(UnknownRule {
            name: pattern.to_owned(),
            nearest: ruleset.nearest(pattern),
        });
    }
    Ok(found.into_iter().map(|r| r.id().to_string()).collect())
}
