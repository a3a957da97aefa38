//! What the name of a file and one pass over its bytes say about what it holds. Each format decides from these clues
//! whether it reads the file ([`crate::formats::Format::claim`]).
//!
//! **Invariant:** cheap, and generous: what the parsed file turns out to be is the format's own business. Words count as what
//! they spell (`"\u0053tatement"`).

use std::borrow::Cow;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::secrets::{self, MARKS, Mark};
use crate::source::file_name;

/// What the words of a file say, as bits.
pub mod hit {
    pub const STATEMENT: u32 = 1;
    /// `Effect`, `Action` or `Principal`.
    pub const ELEMENT: u32 = 1 << 1;
    pub const EFFECT: u32 = 1 << 2;
    pub const AWS_TYPE: u32 = 1 << 3;
    pub const SERVERLESS_TYPE: u32 = 1 << 4;
    pub const SECTION: u32 = 1 << 5;
    pub const TEMPLATE: u32 = 1 << 6;
    pub const PROVIDER: u32 = 1 << 7;
    pub const FUNCTIONS: u32 = 1 << 8;
    pub const PYTHON: u32 = 1 << 9;
    /// The start of a credential, or a name of one.
    pub const KEY: u32 = 1 << 10;
    /// A name of an access key, or the prefix of one.
    pub const KEY_NAME: u32 = 1 << 11;
    /// A word that may be part of the name of a credential, or may encode one.
    pub const KEY_WORD: u32 = 1 << 12;
    /// A version of the policy language.
    pub const VERSION: u32 = 1 << 13;
    /// `Statement` as a key.
    pub const STATEMENTS: u32 = 1 << 14;
    /// `Statement` as a key, in another case.
    pub const LOWER: u32 = 1 << 15;
    /// An OpenAPI definition for API Gateway.
    pub const API: u32 = 1 << 16;
    /// Test cases of a detection rule.
    pub const CASES: u32 = 1 << 17;
}

/// The first that matches at a place wins: longer words before those that they begin with. What marks a credential is in
/// [`crate::secrets::MARKS`].
const WORDS: &[(&str, u32)] = &[
    ("\"Statement\"", hit::STATEMENT | hit::STATEMENTS),
    ("Statement:", hit::STATEMENT | hit::STATEMENTS),
    ("Statement", hit::STATEMENT),
    ("Effect", hit::EFFECT | hit::ELEMENT),
    ("Action", hit::ELEMENT),
    ("Principal", hit::ELEMENT),
    ("2012-10-17", hit::ELEMENT | hit::VERSION),
    ("2008-10-17", hit::ELEMENT | hit::VERSION),
    ("AWS::Serverless", hit::AWS_TYPE | hit::SERVERLESS_TYPE),
    ("AWS::", hit::AWS_TYPE),
    ("Custom::", hit::AWS_TYPE),
    ("Resources", hit::SECTION),
    ("Transform", hit::SECTION),
    ("AWSTemplateFormatVersion", hit::TEMPLATE),
    ("\nprovider:", hit::PROVIDER),
    ("\nfunctions:", hit::FUNCTIONS),
    ("x-amazon-apigateway-integration", hit::API),
    ("ExpectedResult", hit::CASES),
    ("boto3", hit::PYTHON),
    ("botocore", hit::PYTHON),
    ("aioboto", hit::PYTHON),
    ("aws_cdk", hit::PYTHON),
    ("aws_lambda_powertools", hit::PYTHON),
    ("aws4auth", hit::PYTHON),
    ("awswrangler", hit::PYTHON),
    ("s3fs", hit::PYTHON),
    ("s3://", hit::PYTHON),
];

/// Endings of what templates of other languages are rendered to.
const DATA: &[&str] = &[".json", ".yaml", ".yml", ".template"];

/// What the names of access files end with.
const ACCESS_FILE: &str = ".access.toml";

/// Whether the file at a path has contracts.
pub fn is_access_file(path: &str) -> bool {
    file_name(path).to_ascii_lowercase().ends_with(ACCESS_FILE)
}

/// Well-known files of other tools that no word can make ours.
const OTHERS: &[&str] = &[
    ".pre-commit-config.yaml",
    ".pre-commit-hooks.yaml",
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
    "package.json",
];

/// Generated lists of hashes: nothing to find, much to misread.
const LOCK_FILES: &[&str] = &[
    "bun.lock",
    "Cargo.lock",
    "composer.lock",
    "Gemfile.lock",
    "go.sum",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "packages.lock.json",
    "Pipfile.lock",
    "pnpm-lock.yaml",
    "pnpm-lock.yml",
    "poetry.lock",
    "project.assets.json",
    "uv.lock",
    "yarn.lock",
];

/// What the name and the words of a file say.
#[derive(Clone, Debug)]
pub struct FileClues<'a> {
    pub text: &'a str,
    /// The last part of the path, in lower case.
    pub name: String,
    /// Without the dot, in lower case; `json` of `policy.json.tftpl`. Empty for the files of other tools.
    pub extension: String,
    /// A template of another language is rendered to it: `policy.hbs`, `policy.json.tftpl`.
    pub is_text_template: bool,
    /// It may be searched for credentials, and for nothing else if this is not set.
    pub is_readable: bool,
    /// A token that looks like a credential occurs in it.
    pub has_key: bool,
    hits: u32,
}

impl<'a> FileClues<'a> {
    /// Of the file shown as `path`. Asked while walking, before there are [`crate::source::Sources`].
    pub fn new(path: &'a str, text: &'a str) -> Self {
        let original = file_name(path);
        let name = original.to_ascii_lowercase();
        let is_readable = !LOCK_FILES.contains(&original) && !is_minified_style(original);
        let hits = if is_readable { scan_words(&unescaped(text)) } else { 0 };
        let rendered = without_template_ending(&name);
        let named = rendered.filter(|name| has_data_ending(name));
        let extension = named.unwrap_or(&name).rsplit_once('.').map_or("", |(_, end)| end);
        let is_foreign = OTHERS.contains(&original) || name.starts_with("tsconfig") && extension == "json";
        let mut clues = Self {
            text,
            extension: if is_foreign {
                String::new()
            } else {
                extension.to_owned()
            },
            is_text_template: rendered.is_some(),
            is_readable,
            has_key: false,
            hits,
            name,
        };
        clues.has_key = clues.has(hit::KEY) || clues.has(hit::KEY_WORD) && secrets::has_secrets(text);
        clues
    }

    /// Whether all of these words occur.
    pub fn has(&self, bits: u32) -> bool {
        self.hits & bits == bits
    }

    /// Whether one of these words occurs.
    pub fn has_any(&self, bits: u32) -> bool {
        self.hits & bits != 0
    }

    /// Whether the name is that of JSON or YAML.
    pub fn is_data(&self) -> bool {
        matches!(&*self.extension, "json" | "jsonc" | "yaml" | "yml" | "template")
    }
}

/// The text with letters and punctuation in place of their escapes (`\u0053` in JSON, YAML and Python, `\x53` in YAML and
/// Python), as far as a word of [`WORDS`] may be spelled with them. Nearly no file has any.
fn unescaped(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out: Option<String> = None;
    let mut done = 0;
    for at in memchr::memchr_iter(b'\\', bytes) {
        let digits = match bytes.get(at + 1) {
            Some(b'u') => at + 2..at + 6,
            Some(b'x') => at + 2..at + 4,
            Some(b'U') => at + 2..at + 10,
            _ => continue,
        };
        let end = digits.end;
        let code = text.get(digits).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(c) = code.filter(u8::is_ascii_graphic)
            && at >= done
        {
            let out = out.get_or_insert_with(String::new);
            out.push_str(&text[done..at]);
            out.push(char::from(c));
            done = end;
        }
    }
    match out {
        Some(mut out) => {
            out.push_str(&text[done..]);
            Cow::Owned(out)
        }
        None => Cow::Borrowed(text),
    }
}

/// One pass for the words of the formats and the marks of credentials.
fn scan_words(text: &str) -> u32 {
    static AUTOMATON: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    let automaton = AUTOMATON.get_or_init(|| {
        let words = WORDS.iter().map(|(word, _)| word);
        AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .ascii_case_insensitive(true)
            .build(words.chain(MARKS.iter().map(|(word, _)| word)))
            .ok()
    });
    let Some(automaton) = automaton else { return u32::MAX };
    automaton.find_iter(text).fold(0, |hits, m| {
        let index = m.pattern().as_usize();
        let as_written = |word: &str| text.as_bytes().get(m.range()) == Some(word.as_bytes());
        let bits = match (WORDS.get(index), MARKS.get(index.wrapping_sub(WORDS.len()))) {
            (Some((word, bits)), _) if as_written(word) => *bits,
            (Some((_, bits)), _) if bits & hit::STATEMENTS != 0 => hit::LOWER,
            (None, Some((word, mark))) if !mark.is_exact() || as_written(word) => mark_bit(*mark),
            _ => 0,
        };
        hits | bits
    })
}

fn mark_bit(mark: Mark) -> u32 {
    match mark {
        Mark::KeyId | Mark::IdName | Mark::SecretName | Mark::TokenName => hit::KEY | hit::KEY_NAME,
        _ if mark.is_strong() => hit::KEY,
        _ => hit::KEY_WORD,
    }
}

/// `site.min.css`, and the map of one: styles hold no secrets. Scripts and their maps may.
pub(crate) fn is_minified_style(name: &str) -> bool {
    let stem = name.strip_suffix(".css.map").or_else(|| name.strip_suffix(".css"));
    stem.is_some_and(|stem| {
        [".min", ".bundle", ".chunk", "-min"]
            .iter()
            .any(|end| stem.ends_with(end))
    })
}

/// Endings of template languages: Terraform's, Go's, Jinja and Nunjucks, ERB and EJS, Handlebars and Mustache, Liquid, Mako.
const TEMPLATE_ENDINGS: &[&str] = &[
    ".tftpl",
    ".tpl",
    ".tmpl",
    ".gotmpl",
    ".j2",
    ".jinja",
    ".jinja2",
    ".njk",
    ".erb",
    ".ejs",
    ".hbs",
    ".handlebars",
    ".mustache",
    ".liquid",
    ".mako",
];

/// Whether a name ends like that of data which text templates are rendered to.
pub fn has_data_ending(name: &str) -> bool {
    DATA.iter().any(|end| name.ends_with(end))
}

/// The name of what a template is rendered to: `policy.json` of `policy.json.tftpl`.
pub fn without_template_ending(name: &str) -> Option<&str> {
    TEMPLATE_ENDINGS.iter().find_map(|end| name.strip_suffix(end))
}
