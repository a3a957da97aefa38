//! The house rules, held over the sources themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use overgrant::internals::iam::ActionSet;
use overgrant::internals::iam::catalogue::catalogue;
use overgrant::internals::rules::{Ruleset, examples};
use rayon::prelude::*;

/// Who may import whom: a module imports only modules of lower floors, or its own.
const FLOORS: &[(&str, u8)] = &[
    ("source", 0),
    ("date", 0),
    ("grade", 0),
    ("terms", 0),
    ("edit_distance", 0),
    ("phrase", 0),
    ("ranged", 0),
    ("index", 0),
    ("rule_id", 0),
    ("layout", 1),
    ("test_code", 1),
    ("value", 1),
    ("syntax", 2),
    ("iam", 2),
    ("finding", 2),
    ("secrets", 2),
    ("python", 3),
    ("evidence", 3),
    ("access", 3),
    ("classify", 3),
    ("model", 4),
    ("unjudged", 4),
    ("formats", 5),
    ("project", 6),
    ("focus", 6),
    ("pipeline", 7),
    ("paths", 7),
    ("contracts", 8),
    ("rules", 9),
    ("checks", 9),
    ("settings", 10),
    ("discover", 10),
    ("triage", 11),
    ("fix", 12),
    ("report", 12),
    ("linter", 13),
    ("cli", 14),
    ("main", 15),
    ("lib", 15),
];

/// Pairs that see each other on one floor.
const SIDEWAYS: &[(&str, &str)] = &[
    ("rules", "checks"),
    ("checks", "rules"),
    // Settings hold patterns of paths; discovery reads files by them.
    ("settings", "discover"),
    ("discover", "settings"),
];

/// Lines of a file that is not yet to be split by meaning.
const MOST_LINES: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read_file(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn files_under(under: &str, extension: &str) -> Vec<PathBuf> {
    walkdir::WalkDir::new(root().join(under))
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|p| p.extension().is_some_and(|x| x == extension))
        .collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

fn none_wrong(what: &str, wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

/// The module of `src` that a file belongs to.
fn module(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Modules that a text names as `crate::x` or inside `use crate::{…}`, outside comments.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = imports_of(text, "crate::");
    found.retain(|f| f.starts_with(char::is_lowercase));
    found
}

/// What a text names after `start`, or inside the braces after it, outside comments.
fn imports_of(text: &str, start: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .map(|l| l.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let word = |s: &str| {
        s.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(start) {
        let rest = &code[at + start.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            // First words at the top of the group.
            let mut depth = 0;
            let mut begins = true;
            for (i, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => begins = true,
                    c if begins && c.is_alphabetic() => {
                        found.insert(word(&group[i..]));
                        begins = false;
                    }
                    _ => {}
                }
            }
        } else {
            found.insert(word(rest));
        }
    }
    found
}

#[test]
fn imports_go_down() {
    let floors: BTreeMap<&str, u8> = FLOORS.iter().copied().collect();
    let mut wrong = Vec::new();
    for path in files_under("src", "rs") {
        let own = module(&path);
        let Some(floor) = floors.get(&*own) else {
            wrong.push(format!("{}: module `{own}` has no floor in tidy.rs", shown(&path)));
            continue;
        };
        for other in imports(&read_file(&path)) {
            let sideways = SIDEWAYS.contains(&(&*own, &*other));
            match floors.get(&*other) {
                _ if other == own || sideways => {}
                Some(f) if f < floor => {}
                // Crate-level items of lib.rs: macros and re-exports.
                None => {}
                Some(_) => wrong.push(format!("{}: `{own}` imports `{other}`", shown(&path))),
            }
        }
    }
    none_wrong("a module imports from its own floor or above", wrong);
}

/// The order inside the folders of a format: a stage imports only stages before it.
const STAGES: &[&str] = &["parse", "eval", "emit"];
const STAGED: &[&str] = &["src/formats/cloudformation", "src/formats/terraform"];

#[test]
fn stages_of_a_format_are_in_order() {
    let mut wrong = Vec::new();
    for folder in STAGED {
        let parent = folder.trim_start_matches("src/").replace('/', "::");
        for (i, stage) in STAGES.iter().enumerate() {
            for path in files_under(&format!("{folder}/{stage}"), "rs") {
                let text = read_file(&path);
                for later in &STAGES[i + 1..] {
                    if text.contains(&format!("{parent}::{later}")) {
                        wrong.push(format!("{}: imports `{later}`", shown(&path)));
                    }
                }
            }
        }
    }
    none_wrong("a stage imports a later one", wrong);
}

/// The order of the modules of `src/python`: a module imports only those before it.
const PYTHON: &[&str] = &[
    "syntax",
    "ast",
    "reaching",
    "build",
    "program",
    "constants",
    "points_to",
    "receiver",
    "call_graph",
    "calls",
];

#[test]
fn modules_of_python_are_in_order() {
    let top = read_file(&root().join("src/python/mod.rs"));
    // What `mod.rs` exports by name; everything else that it exports is of `ast`.
    let exports = |name: &str| {
        let has = |l: &&str| {
            l.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|word| word == name)
        };
        let line = top.lines().find(|l| l.starts_with("pub use") && has(l))?;
        line.strip_prefix("pub use ")?.split("::").next()
    };
    let mut wrong = Vec::new();
    for path in files_under("src/python", "rs") {
        let inside = path.strip_prefix(root().join("src/python")).unwrap();
        let own = inside.components().next().unwrap().as_os_str().to_str().unwrap();
        let own = own.trim_end_matches(".rs");
        if own == "mod" {
            continue;
        }
        let Some(at) = PYTHON.iter().position(|m| *m == own) else {
            wrong.push(format!("{}: module `{own}` has no place in tidy.rs", shown(&path)));
            continue;
        };
        for name in imports_of(&read_file(&path), "crate::python::") {
            let module = match PYTHON.contains(&&*name) {
                true => &*name,
                false => exports(&name).unwrap_or("ast"),
            };
            if module != own && !PYTHON[..at].contains(&module) {
                wrong.push(format!("{}: `{own}` imports `{module}`", shown(&path)));
            }
        }
    }
    none_wrong("a module imports one that comes after it", wrong);
}

#[test]
fn every_folder_states_its_invariant() {
    let mut wrong = Vec::new();
    for path in files_under("src", "rs").iter().filter(|p| p.ends_with("mod.rs")) {
        let text = read_file(path);
        let header: Vec<&str> = text.lines().take_while(|l| l.starts_with("//!")).collect();
        // Families of checks and small folders inside a module share the invariant of the folder above.
        let depth = path.strip_prefix(root().join("src")).unwrap().components().count();
        let stage = STAGES.iter().any(|s| path.ends_with(format!("{s}/mod.rs")));
        if header.is_empty() || ((depth == 2 || stage) && !header.iter().any(|l| l.contains("**Invariant"))) {
            wrong.push(shown(path));
        }
    }
    none_wrong("no `//!` header with an **Invariant**", wrong);
}

#[test]
fn files_are_short_and_tests_run() {
    let mut wrong = Vec::new();
    for path in files_under("src", "rs") {
        let lines = read_file(&path).lines().count();
        if lines > MOST_LINES {
            wrong.push(format!("{}: {lines} lines, at most {MOST_LINES}", shown(&path)));
        }
    }
    let ignored = format!("#[{}", "ignore");
    for path in files_under("src", "rs").into_iter().chain(files_under("tests", "rs")) {
        if read_file(&path).contains(&ignored) {
            wrong.push(format!("{}: an ignored test", shown(&path)));
        }
    }
    none_wrong("too long, or not run", wrong);
}

#[test]
fn rules_and_checks_pair() {
    let ruleset = Ruleset::builtin();
    let checks: BTreeSet<&str> = overgrant::internals::checks::table().map(|(name, _)| *name).collect();
    let named: BTreeSet<&str> = ruleset.iter().filter_map(|r| r.check()).collect();
    let mut wrong: Vec<String> = Vec::new();
    wrong.extend(
        checks
            .difference(&named)
            .map(|c| format!("no rule names the check `{c}`")),
    );
    wrong.extend(named.difference(&checks).map(|c| format!("there is no check `{c}`")));
    let mut seen = BTreeSet::new();
    for (name, _) in overgrant::internals::checks::table() {
        if !seen.insert(*name) {
            wrong.push(format!("two checks are called `{name}`"));
        }
    }
    none_wrong("rules and checks do not pair", wrong);
}

const FAMILIES: &[&str] = &[
    "actions",
    "conditions",
    "contracts",
    "credentials",
    "data",
    "deputy",
    "escalation",
    "exposure",
    "federation",
    "guardrails",
    "hygiene",
    "python",
    "resources",
    "tool",
    "trust",
    "usage",
    "validity",
];

#[test]
fn rule_files_are_whole() {
    let ruleset = Ruleset::builtin();
    let mut wrong = Vec::new();
    for rule in ruleset.iter() {
        let id = rule.id();
        let examples = &rule.docs().examples;
        if !FAMILIES.contains(&rule.family()) {
            wrong.push(format!("{id}: there is no family `{}`", rule.family()));
        }
        if examples.bad.len() < 2 || examples.good.len() < 2 {
            wrong.push(format!("{id}: needs two bad and two good examples"));
        }
        if !examples.good.iter().any(|e| e.near) {
            wrong.push(format!("{id}: no good example is a near miss (`near: true`)"));
        }
        if let Some(e) = examples.bad.iter().find(|e| e.near) {
            wrong.push(format!("{id}: the bad example `{}` cannot be near", e.title));
        }
        if !starts_in_lower_case(rule.title()) {
            wrong.push(format!("{id}: the title starts in upper case"));
        }
        let docs = rule.docs();
        if let Some(r) = docs.refs.iter().find(|r| !r.starts_with("https://")) {
            wrong.push(format!("{id}: the reference `{r}` is no https address"));
        }
        if let Some(p) = docs.peers.iter().find(|p| !p.contains(' ')) {
            wrong.push(format!("{id}: the peer `{p}` lacks the name of its tool"));
        }
        let sentences = docs
            .why
            .split_whitespace()
            .filter(|w| w.ends_with(['.', '!', '?']))
            .count();
        if sentences < 2 {
            wrong.push(format!("{id}: `why` has fewer than two sentences"));
        }
        if !examples.bad.iter().any(|e| e.fixed.is_some()) {
            wrong.push(format!("{id}: no bad example is `fixed`"));
        }
        let text = read_file(&root().join("rules").join(rule.family()).join(format!("{id}.yaml")));
        let keys: Vec<&str> = text
            .lines()
            .filter(|l| l.starts_with(|c: char| c.is_ascii_lowercase()))
            .filter_map(|l| l.split(':').next())
            .collect();
        let order = |k: &str| ORDER.iter().position(|o| *o == k);
        if !keys.is_sorted_by_key(|k| order(k)) {
            wrong.push(format!("{id}: fields are in another order than {}", ORDER.join(", ")));
        }
    }
    none_wrong("rule files", wrong);
}

const ORDER: &[&str] = &[
    "id",
    "title",
    "severity",
    "confidence",
    "profile",
    "since",
    "cwe",
    "refs",
    "peers",
    "supersedes",
    "same-token",
    "one-per",
    "fix",
    "no-fix",
    "absence",
    "closed",
    "renamed-from",
    "preview",
    "deprecated",
    "why",
    "do",
    "options",
    "check",
    "match",
    "report",
    "cases",
    "examples",
];

/// First words of names of products and companies, which titles and messages may begin with.
const NAMES: &[&str] = &[
    "Amazon",
    "Null",
    "Region",
    "Block",
    "Cognito",
    "Datadog",
    "Elastic",
    "Lacework",
    "Lambda",
    "New",
    "Terraform",
    "Deny",
    "Python",
];

/// Whether a text begins in lower case; names keep their case: `NotAction`, IAM, S3.
fn starts_in_lower_case(text: &str) -> bool {
    let word = text.split([' ', '`', '\'', '-']).next().unwrap_or_default();
    let proper = word.chars().skip(1).any(|c| c.is_uppercase() || c.is_ascii_digit()) || NAMES.contains(&word);
    proper || !word.starts_with(char::is_uppercase)
}

/// Messages and labels as people read them, on what all examples produce.
#[test]
fn findings_read_alike() {
    let ruleset = Ruleset::builtin();
    let cases: Vec<_> = ruleset.iter().flat_map(examples::cases).filter(|c| c.bad).collect();
    let wrong: BTreeSet<String> = cases
        .par_iter()
        .flat_map_iter(|case| {
            let ran = case.run(&ruleset);
            let mut wrong = Vec::new();
            let mut say = |what: &str, text: &str| wrong.push(format!("{}: {what}: {text:?}", case.rule));
            for f in &ran.findings {
                let m = &f.message;
                if !starts_in_lower_case(m) {
                    say("message starts in upper case", m);
                }
                if m.ends_with('.') || m.is_empty() {
                    say("message is empty or ends with a period", m);
                }
                if m.chars().count() > 100 {
                    say("message of more than 100 characters", m);
                }
                for l in &f.labels {
                    if l.text.chars().count() > 60 || l.text.ends_with('.') {
                        say("label of more than 60 characters, or with a period", &l.text);
                    }
                }
                if f.help.as_deref().unwrap_or_default().is_empty() {
                    say("no help", m);
                }
                if f.severity.is_none() || f.confidence.is_none() {
                    say("no severity or confidence", m);
                }
            }
            wrong
        })
        .collect();
    none_wrong("findings", wrong.into_iter().collect());
}

/// Superseded rules that no one has written.
#[test]
fn superseded_rules_exist() {
    let ruleset = Ruleset::builtin();
    let mut wrong = Vec::new();
    for rule in ruleset.iter() {
        for other in rule.supersedes().iter().chain(rule.same_token()) {
            if ruleset.matching(other).is_empty() {
                wrong.push(format!("{}: supersedes `{other}`, which is no rule", rule.id()));
            }
            if rule.id() == **other {
                wrong.push(format!("{other}: supersedes itself"));
            }
        }
    }
    none_wrong("superseded rules", wrong);
}

/// In what a rule matches, and in its good examples, every action is one of AWS's.
#[test]
fn actions_in_rule_files_exist() {
    // Rules about names that AWS does not have show such names.
    const ABOUT_NAMES: &[&str] = &["validity", "python", "usage", "tool"];
    let mut wrong = Vec::new();
    for rule in Ruleset::builtin().iter() {
        let text = read_file(
            &root()
                .join("rules")
                .join(rule.family())
                .join(format!("{}.yaml", rule.id())),
        );
        let matcher = text
            .split("\nmatch:")
            .nth(1)
            .and_then(|t| t.split("\nexamples:").next())
            .unwrap_or_default();
        let examples = text.split("\n  good:").nth(1).unwrap_or_default();
        let about_names = ABOUT_NAMES.contains(&rule.family())
            || ["unknown", "api-name", "deprecated", "wildcard-matches-nothing", "case"]
                .iter()
                .any(|w| rule.id().contains(w));
        let examples = if about_names { "" } else { examples };
        for word in action_like(matcher).into_iter().chain(action_like(examples)) {
            let exists = if word.contains('*') {
                !ActionSet::expand(&word).is_empty()
            } else {
                catalogue().action(&word).is_some_and(|a| !a.is_retired())
            };
            if !exists {
                wrong.push(format!("{}: `{word}` is no action", rule.id()));
            }
        }
    }
    none_wrong("actions", wrong);
}

/// `service:Action` words with a service that the catalogue has.
fn action_like(text: &str) -> BTreeSet<String> {
    text.split(|c: char| c.is_whitespace() || r#""'[]{},«»‹›`()"#.contains(c))
        .filter(|w| {
            w.split_once(':').is_some_and(|(service, name)| {
                name.starts_with(|c: char| c.is_ascii_uppercase())
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'*')
                    && catalogue().service(service).is_some()
                    && catalogue()
                        .service(service)
                        .is_some_and(|s| s.condition_key(w).is_none())
            })
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn regular_expressions_compile() {
    let mut wrong = Vec::new();
    for path in files_under("rules", "yaml") {
        for line in read_file(&path).lines() {
            if let Some((_, rest)) = line.split_once("matches: '")
                && let Some((pattern, _)) = rest.rsplit_once('\'')
                && let Err(why) = regex::Regex::new(pattern)
            {
                wrong.push(format!("{}: {why}", shown(&path)));
            }
        }
    }
    none_wrong("regular expressions", wrong);
}

/// `rules/README.md` teaches every word of the language.
#[test]
fn the_language_is_taught() {
    let text = read_file(&root().join("rules/README.md"));
    let taught: BTreeSet<&str> = text
        .lines()
        .filter_map(|l| l.strip_prefix("| `")?.split('`').next())
        .collect();
    let spec = ["matcher.rs", "report.rs"].map(|name| read_file(&root().join("src/rules/spec").join(name)));
    let wrong = spec
        .iter()
        .flat_map(|text| words_of(text))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .filter(|w| !taught.contains(&**w))
        .map(|w| format!("`{w}` has no row"))
        .collect();
    none_wrong("rules/README.md", wrong);
}

/// Field names of the tests in `spec.rs`, as YAML spells them.
fn words_of(spec: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut inside = false;
    let mut renamed: Option<String> = None;
    for line in spec.lines() {
        if let Some(name) = line.strip_prefix("pub struct ") {
            inside = name.contains("Test ")
                || ["Match ", "ReportSpec ", "Also ", "Adjust ", "Declared"]
                    .iter()
                    .any(|n| name.starts_with(n));
        } else if line.starts_with('}') {
            inside = false;
        } else if inside && let Some((_, name)) = line.split_once(r#"rename = ""#) {
            renamed = name.split('"').next().map(str::to_owned);
        } else if inside
            && let Some(field) = line.trim().strip_prefix("pub ")
            && let Some((name, _)) = field.split_once(':')
        {
            words.insert(renamed.take().unwrap_or_else(|| name.replace('_', "-")));
        }
    }
    words
}

/// A type is found by its name: it stands for one thing in the whole crate.
#[test]
fn a_type_name_is_defined_once() {
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files_under("src", "rs") {
        for line in read_file(&path).lines() {
            let line = line.strip_prefix("pub").map_or(line, |rest| {
                let rest = rest
                    .strip_prefix('(')
                    .and_then(|r| r.split_once(')'))
                    .map_or(rest, |(_, r)| r);
                rest.trim_start()
            });
            let kinds = ["struct ", "enum ", "trait ", "type ", "union "];
            let Some(rest) = kinds.iter().find_map(|kind| line.strip_prefix(kind)) else {
                continue;
            };
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            defined.entry(name).or_default().push(shown(&path));
        }
    }
    let twice = defined.into_iter().filter(|(_, places)| places.len() > 1);
    none_wrong(
        "a type name is defined more than once",
        twice
            .map(|(name, places)| format!("{name}: {}", places.join(", ")))
            .collect(),
    );
}

/// Words that an AWS or Rust engineer would not use for what they mean here, and British spellings.
const NOT_OUR_WORDS: &str = r"(?i)\b(told|takes in|taken in|held to|mends?|mended|mending|whoever|whomever|nobody's|of ours|besides|to the letter|surely|is none|gravest|organi[s]ations?|colours?|anybody|everybody|somebody)\b";

/// The pages of the repository.
fn pages() -> Vec<PathBuf> {
    let outside = ["target", "testdata", ".git"];
    walkdir::WalkDir::new(root())
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|e| !outside.iter().any(|name| e.file_name() == *name))
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
        .collect()
}

/// Texts that users and contributors read have plain words: rules, messages, help, comments, pages.
#[test]
fn words_are_plain() {
    let words = regex::Regex::new(NOT_OUR_WORDS).unwrap();
    let mut wrong = Vec::new();
    let mut look = |place: String, text: &str| {
        if let Some(m) = words.find(text) {
            wrong.push(format!("{place}: `{}`", m.as_str()));
        }
    };
    for rule in Ruleset::builtin().iter() {
        for (what, text) in [("title", rule.title()), ("why", &rule.docs().why), ("do", rule.help())] {
            look(format!("{}: {what}", rule.id()), text);
        }
        for spec in rule.options() {
            look(format!("{}: option `{}`", rule.id(), spec.name), &spec.doc);
        }
    }
    for path in files_under("src", "rs") {
        for (n, line) in (1..).zip(read_file(&path).lines()) {
            let comment = line.trim_start().starts_with("//");
            let literal = line
                .split('"')
                .skip(1)
                .step_by(2)
                .any(|text| text.contains(' ') && words.is_match(text));
            if comment || literal {
                look(format!("{}:{n}", shown(&path)), line);
            }
        }
    }
    // Code in back-ticks has the words of the code.
    for page in pages() {
        for (n, line) in (1..).zip(read_file(&page).lines()) {
            let prose: Vec<&str> = line.split('`').step_by(2).collect();
            look(format!("{}:{n}", shown(&page)), &prose.join("`"));
        }
    }
    none_wrong("words that are not plain", wrong);
}

/// Help of a command and of an option begins with a verb: `Check`, `Show`, not `The` or `Which`.
#[test]
fn help_begins_with_a_verb() {
    let mut wrong = Vec::new();
    let mut commands = vec![overgrant::cli::command()];
    while let Some(command) = commands.pop() {
        let about = command.get_about().map(ToString::to_string);
        let args = command.get_arguments().filter(|a| !a.is_hide_set());
        let helps = args.filter_map(|a| a.get_help()).map(ToString::to_string);
        let texts: Vec<String> = about
            .into_iter()
            .filter(|_| command.get_name() != "overgrant")
            .chain(helps)
            .collect();
        for text in texts {
            let first = text.split(' ').next().unwrap_or_default();
            let not_verbs = [
                "A", "An", "The", "What", "Which", "Whether", "How", "Why", "Nothing", "File", "Files",
            ];
            if not_verbs.contains(&first) || text.ends_with('.') {
                wrong.push(format!("{}: {text}", command.get_name()));
            }
        }
        commands.extend(command.get_subcommands().cloned());
    }
    none_wrong("help that does not begin with a verb", wrong);
}

/// Paths that the pages for contributors name are there.
#[test]
fn pages_for_contributors_name_what_is_there() {
    let mut wrong = Vec::new();
    for page in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = read_file(&root().join(page));
        let named = text.split('`').skip(1).step_by(2).filter(|name| name.contains('/'));
        let linked = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for name in named.chain(linked) {
            if name.contains([' ', '{', ':', '(']) {
                continue;
            }
            // `src/checks/FAMILY` and `rules/facts/hand/*.txt` name folders.
            let stands_for_any = |part: &&str| part.contains('*') || part.chars().all(|c| c.is_ascii_uppercase());
            let path: PathBuf = name.split('/').take_while(|part| !stands_for_any(part)).collect();
            let below = ["", "src", "rules"].map(|folder| root().join(folder).join(&path));
            if !below.iter().any(|p| p.exists()) {
                wrong.push(format!("{page}: `{name}`"));
            }
        }
    }
    none_wrong("a page names what is not there", wrong);
}
