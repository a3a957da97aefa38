//! Which of our formats a file holds, from its name and one pass over its bytes.
//!
//! **Invariant:** cheap, and generous: a kind that is set means "worth parsing", and what the parsed file turns out to be
//! is the format's own business. Words count as what they spell (`"\u0053tatement"`).

mod unread;

use std::borrow::Cow;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::formats::text_templates::without_ending;
use crate::formats::{cloudformation, terraform};
use crate::secrets::{self, MARKS, Mark};
use crate::source::file_name;

pub use unread::unread_language;

/// What a file may hold; several may be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// JSON or YAML with a policy document, or an export that holds some.
    pub policy: bool,
    /// CloudFormation or SAM, JSON or YAML.
    pub cloudformation: bool,
    pub serverless: bool,
    /// `.tf`, `.tofu`, `.tf.json`, `.tfvars`, `terragrunt.hcl`.
    pub terraform: bool,
    pub python: bool,
    /// Parameters that a CloudFormation template is deployed with.
    pub parameters: bool,
    /// Searched for credentials.
    pub text: bool,
    /// A credential-like token occurs in it.
    pub key_hit: bool,
}

impl Kinds {}

/// What the words of a file say, as bits.
mod hit {
    pub(super) const STATEMENT: u32 = 1;
    /// `Effect`, `Action` or `Principal`.
    pub(super) const ELEMENT: u32 = 1 << 1;
    pub(super) const EFFECT: u32 = 1 << 2;
    pub(super) const AWS_TYPE: u32 = 1 << 3;
    pub(super) const SERVERLESS_TYPE: u32 = 1 << 4;
    pub(super) const SECTION: u32 = 1 << 5;
    pub(super) const TEMPLATE: u32 = 1 << 6;
    pub(super) const PROVIDER: u32 = 1 << 7;
    pub(super) const FUNCTIONS: u32 = 1 << 8;
    pub(super) const PYTHON: u32 = 1 << 9;
    /// The start of a credential, or a name of one.
    pub(super) const KEY: u32 = 1 << 10;
    /// A name of an access key, or the prefix of one.
    pub(super) const KEY_NAME: u32 = 1 << 11;
    /// A word that may be part of the name of a credential, or may encode one.
    pub(super) const KEY_WORD: u32 = 1 << 12;
    /// A version of the policy language.
    pub(super) const VERSION: u32 = 1 << 13;
    /// `Statement` as a key.
    pub(super) const STATEMENTS: u32 = 1 << 14;
    /// `Statement` as a key, in another case.
    pub(super) const LOWER: u32 = 1 << 15;
    /// An OpenAPI definition for API Gateway.
    pub(super) const API: u32 = 1 << 16;
    /// Test cases of a detection rule.
    pub(super) const CASES: u32 = 1 << 17;
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

/// What the file shown as `path` holds. Asked while walking, before there are [`crate::source::Sources`]; a file of no kind
/// is dropped at once.
pub fn classify(path: &str, text: &str) -> Kinds {
    let name = file_name(path);
    if LOCK_FILES.contains(&name) || is_minified_style(name) {
        return Kinds::default();
    }
    let hits = scan_words(&unescaped(text));
    let has = |bits: u32| hits & bits == bits;
    let mut kinds = Kinds {
        text: true,
        key_hit: has(hit::KEY) || has(hit::KEY_WORD) && secrets::has_secrets(text),
        ..Kinds::default()
    };
    let lower = name.to_ascii_lowercase();
    if is_terraform(&lower) || crate::formats::terraform::emit::plan::is_plan(&lower, text) {
        kinds.terraform = true;
        return kinds;
    }
    kinds.parameters = cloudformation::is_parameter_file(name, text);
    let policy = has(hit::STATEMENT | hit::ELEMENT);
    // `policy.json.tftpl` is what it is without the ending of its template language.
    let inner = without_ending(&lower);
    let is_data = |name: &str| DATA.iter().any(|e| name.ends_with(e));
    let named = inner.filter(|name| is_data(name)).unwrap_or(&lower);
    let extension = named.rsplit_once('.').map_or("", |(_, e)| e);
    match extension {
        "json" | "jsonc" | "yaml" | "yml" | "template" => {
            if OTHERS.contains(&name) || (lower.starts_with("tsconfig") && extension == "json") {
                return kinds;
            }
            let template = has(hit::TEMPLATE);
            kinds.cloudformation = has(hit::AWS_TYPE | hit::SECTION) || has(hit::SERVERLESS_TYPE) || template;
            kinds.serverless = is_serverless(&lower, text, hits);
            // A version of the policy language alone is a policy whose statements were forgotten.
            let json = extension == "json";
            let empty =
                json && has(hit::VERSION) && !has(hit::AWS_TYPE) || has(hit::LOWER) && (json || has(hit::VERSION));
            // Of a file that breaks off there may be no more than the key.
            let cases = has(hit::CASES) && kinds.key_hit;
            let holds = policy || empty || has(hit::STATEMENTS) || has(hit::API) || cases;
            kinds.policy = holds && !template && !kinds.serverless;
        }
        _ if inner.is_some() => {
            kinds.policy = policy && text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
        }
        "py" | "ipynb" => {
            let hit = hits & (hit::PYTHON | hit::KEY_NAME) != 0;
            kinds.python = hit || has(hit::STATEMENT | hit::EFFECT);
        }
        _ => {}
    }
    kinds
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

/// Terraform and Terragrunt by name alone.
fn is_terraform(name: &str) -> bool {
    terraform::is_code_file(name) || terraform::is_values_file(name) || name == "terragrunt.hcl"
}

/// The Serverless Framework's own file, by its name or by its two sections.
fn is_serverless(name: &str, text: &str, hits: u32) -> bool {
    let named = name.strip_prefix("serverless").is_some_and(|rest| {
        matches!(
            rest.rsplit_once('.'),
            Some(("" | "-compose", _)) | Some((_, "yml" | "yaml"))
        )
    });
    let starts = |section| text.starts_with(section);
    let provider = hits & hit::PROVIDER != 0 || starts("provider:");
    let functions = hits & hit::FUNCTIONS != 0 || starts("functions:");
    named || provider && functions
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

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(path: &str, text: &str) -> Vec<&'static str> {
        let k = classify(path, text);
        [
            (k.policy, "policy"),
            (k.cloudformation, "cloudformation"),
            (k.serverless, "serverless"),
            (k.terraform, "terraform"),
            (k.python, "python"),
            (k.parameters, "parameters"),
            (k.text, "text"),
            (k.key_hit, "key"),
        ]
        .into_iter()
        .filter_map(|(set, name)| set.then_some(name))
        .collect()
    }

    #[test]
    fn files_are_what_name_and_words_say() {
        let policy = r#"{"Statement": {"Effect": "Allow"}}"#;
        let template = r"AWSTemplateFormatVersion: x
Resources:
  R:
    Type: AWS::S3::Bucket
# Statement Action";
        let cases: &[(&str, &str, &[&str])] = &[
            ("p.json", policy, &["policy", "text"]),
            (
                "p.json",
                r#"{"\u0053tatement": [{"\u0045ffect": "Allow"}]}"#,
                &["policy", "text"],
            ),
            (
                "p.yaml",
                r#""\x53tatement": [{"\U00000045ffect": "Allow"}]"#,
                &["policy", "text"],
            ),
            ("p.json", r#"{"statement": [{"effect": "Allow"}]}"#, &["policy", "text"]),
            ("p.json", r#"{"x": "\u00e9\u12", "y": "\x"}"#, &["text"]),
            ("a/p.yml", "Statement:\n- Action: x", &["policy", "text"]),
            ("t.yaml", template, &["cloudformation", "text"]),
            (
                "t.template",
                "Resources: {R: {Type: 'AWS::SNS::Topic'}}",
                &["cloudformation", "text"],
            ),
            (
                "f.yml",
                "F:\n  Type: AWS::Serverless::Function",
                &["cloudformation", "text"],
            ),
            ("serverless.yml", "service: x", &["serverless", "text"]),
            (
                "s.yml",
                r"service: x
provider:
  name: aws
functions:
  f: {}",
                &["serverless", "text"],
            ),
            ("main.tf", "", &["terraform", "text"]),
            ("x.tf.json", policy, &["terraform", "text"]),
            ("a.auto.tfvars.json", "{}", &["terraform", "text"]),
            ("terragrunt.hcl", "", &["terraform", "text"]),
            ("p.json.tpl", policy, &["policy", "text"]),
            ("p.json.erb", policy, &["policy", "text"]),
            ("p.hbs", policy, &["policy", "text"]),
            ("user-data.tpl", "#!/bin/sh\n# Statement Effect", &["text"]),
            ("a.py", "import boto3", &["python", "text"]),
            ("a.py", "import awswrangler as wr", &["python", "text"]),
            (
                "a.py",
                "from aws_lambda_powertools.utilities import parameters",
                &["python", "text"],
            ),
            ("a.py", "pd.read_csv('s3://b/k')", &["python", "text"]),
            ("a.md", "s3://b/k", &["text"]),
            ("n.ipynb", r#"{"cells": ["import botocore"]}"#, &["python", "text"]),
            ("a.py", "print(1)", &["text"]),
            (
                "prod.json",
                r#"[{"ParameterKey": "A", "ParameterValue": "b"}]"#,
                &["parameters", "text"],
            ),
            ("prod.json", r#"{"Parameters": {"A": "b"}}"#, &["parameters", "text"]),
            ("prod.json", r#"{"a": {"Parameters": {}}}"#, &["text"]),
            (
                "samconfig.toml",
                r#"parameter_overrides = "A=b""#,
                &["parameters", "text"],
            ),
            ("package.json", policy, &["text"]),
            ("tsconfig.build.json", policy, &["text"]),
            ("deployment.yaml", "kind: Deployment", &["text"]),
            ("package-lock.json", policy, &[]),
            ("app.min.css", "aws_secret_access_key", &[]),
            ("app.min.js", "aws_secret_access_key", &["text", "key"]),
            ("run.sh", "export AWS_SECRET_ACCESS_KEY=x", &["text", "key"]),
            ("README", "use AKIA... keys", &["text", "key"]),
            ("README", "keep it secret", &["text"]),
            ("old-token.txt", "AQoDYXdzEJr", &["text", "key"]),
            (".npmrc", "registry=https://registry.example.com/", &["text"]),
        ];
        for (path, text, expected) in cases {
            assert_eq!(kinds(path, text), *expected, "{path}");
        }
    }
}
