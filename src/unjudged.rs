//! What a run did not judge: the third value of a verdict, next to a finding and to nothing to report.
//!
//! **Invariant:** every reason is an [`UnjudgedReason`], and its wording is here; an entry never says that something is wrong.

use std::fmt;
use std::sync::Arc;

use crate::iam::{PolicyPart, Reason};
use crate::phrase;
use crate::python::calls::UnresolvedReason;
use crate::source::{FileId, Sources, Span};

/// The kind of thing that was not judged; the word of the JSON too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnjudgedKind {
    Policy,
    Statement,
    File,
    Workload,
    Settings,
}

impl UnjudgedKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Statement => "statement",
            Self::File => "file",
            Self::Workload => "workload",
            Self::Settings => "settings",
        }
    }
}

/// One thing that was not judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unjudged {
    /// As `SourceFile::path`; a folder, where it could not be listed.
    pub path: String,
    /// `None` where the whole file or folder is meant.
    pub span: Option<Span>,
    pub what: UnjudgedKind,
    /// What it is called: the value that stays unknown, the function, the module. Empty for a file.
    pub subject: Arc<str>,
    pub why: UnjudgedReason,
    /// Where the reason lies, if that is elsewhere.
    pub causes: Vec<UnjudgedCause>,
}

/// A place that is the reason why something was not judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnjudgedCause {
    pub span: Span,
    /// The module or the word that stands there; empty if it has no name.
    pub name: Arc<str>,
    /// Path and line.
    pub location: String,
}

/// How many causes a text names.
const NAMED_CAUSES: usize = 3;

/// Why something was not judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnjudgedReason {
    /// This part of a policy is not known.
    Unknown(PolicyPart, Reason),
    /// The text of the file, or of a policy in it, is broken: what the parser says.
    Broken(String),
    /// The file cannot be opened or decoded or is too large, or the folder cannot be listed.
    Unread(String),
    /// The file is encrypted, or only points to its content.
    Sealed(Seal),
    /// A bound on the work was reached: what stays unknown.
    Exhausted(String),
    /// The settings or a rule of the user cannot be used.
    Settings(String),
    /// A module that is not in the repository.
    Module,
    /// The template of a nested stack that is not in the repository.
    Nested,
    /// A macro or include that CloudFormation runs when the template is deployed.
    Macro,
    /// The file defines IAM in a language that is not read.
    Language(Language),
    /// A folder of synthesized templates is left out by `.gitignore` or the settings.
    Ignored,
    /// A link that leads out of the repository.
    Outside,
    /// A folder in no repository that holds too many files to be analyzed as a whole.
    TooManyFiles,
    /// A function and its role.
    Function(NotComparedReason),
}

/// What defines IAM and is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// AWS CDK in a language other than Python.
    Cdk,
    /// A recorded template, made by a test.
    Snapshot,
    /// Pulumi or CDK for Terraform.
    OtherTool,
    /// A policy written as a literal in source code.
    Source,
    /// A template of Jinja, Go, ERB or their like that cannot be parsed before it is rendered.
    Template,
    /// A policy in documentation: listed, and never counted.
    Markdown,
}

/// Why a function was not compared with its role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotComparedReason {
    /// Its role is not in the repository, or is not known.
    NoRole,
    /// Its code is in a bucket, registry, or package that is not in the repository.
    NoCode,
    /// Its handler is not among the files that were read.
    NoHandler,
    /// Its runtime is not Python.
    NotPython,
    /// Other principals or other code can use the role as well.
    SharedRole,
    /// Another workload with the same role was not understood.
    Neighbor,
    /// A file with a policy of its role is broken.
    Broken,
    /// Something in it may use all that the role allows.
    AnyAction,
    /// Something in its code may hide calls.
    Doubt(Doubt),
}

/// What in the code of a function may hide calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// An import of which the calls are not known.
    Library,
    /// Something that may call AWS.
    Unresolved(UnresolvedReason),
    /// The code starts programs, runs text as code, or signs requests by itself.
    Hidden,
}

/// Why the content of a file is not there to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seal {
    GitLfs,
    GitCrypt,
    AnsibleVault,
    Age,
    Pgp,
    Sops,
}

impl Unjudged {
    /// About the place `span`.
    pub fn at(
        sources: &Sources,
        span: Span,
        what: UnjudgedKind,
        subject: impl Into<Arc<str>>,
        why: UnjudgedReason,
    ) -> Self {
        Self {
            path: sources.path(span.file).to_owned(),
            span: Some(span),
            what,
            subject: subject.into(),
            why,
            causes: Vec::new(),
        }
    }

    /// About a whole file or folder.
    pub fn whole(path: impl Into<String>, why: UnjudgedReason) -> Self {
        Self {
            path: path.into(),
            span: None,
            what: UnjudgedKind::File,
            subject: Arc::from(""),
            why,
            causes: Vec::new(),
        }
    }

    /// About a file of settings that cannot be read.
    pub fn settings(path: impl Into<String>, why: &str) -> Self {
        Self {
            what: UnjudgedKind::Settings,
            ..Self::whole(
                path,
                UnjudgedReason::Settings(format!("cannot read the configuration: {why}")),
            )
        }
    }

    /// About all of a file that was read.
    pub fn file(sources: &Sources, file: FileId, why: UnjudgedReason) -> Self {
        Self::whole(sources.path(file), why)
    }

    /// It is counted, in the summary and for `fail-on-unjudged`. Documentation is listed and no more.
    pub fn counts(&self) -> bool {
        self.why != UnjudgedReason::Language(Language::Markdown)
    }

    /// What it is, for one and for several.
    pub fn noun(&self) -> (&'static str, &'static str) {
        match (self.what, &self.why) {
            (_, UnjudgedReason::Module) => ("module", "modules"),
            (_, UnjudgedReason::Nested) => ("nested template", "nested templates"),
            (_, UnjudgedReason::Macro) => ("macro", "macros"),
            (_, UnjudgedReason::Ignored | UnjudgedReason::TooManyFiles) => ("folder", "folders"),
            (UnjudgedKind::Policy, _) => ("policy", "policies"),
            (UnjudgedKind::Statement, _) => ("statement", "statements"),
            (UnjudgedKind::File, _) => ("file", "files"),
            (UnjudgedKind::Workload, _) => ("function", "functions"),
            (UnjudgedKind::Settings, _) => ("setting", "settings"),
        }
    }

    /// The reason, with what it is about.
    pub fn text(&self) -> String {
        if self.subject.is_empty() {
            return self.why.to_string();
        }
        let subject = start_of(&self.subject);
        match &self.why {
            UnjudgedReason::Unknown(part, reason) => format!("{} `{subject}`: {}", part_phrase(*part), reason.text()),
            why => format!("`{subject}`: {why}{}", self.causes_phrase()),
        }
    }

    /// ": `a` (app.py:1), `b` (app.py:2), and 3 more"
    fn causes_phrase(&self) -> String {
        let named = self.causes.iter().take(NAMED_CAUSES);
        let named: Vec<String> = named.map(UnjudgedCause::text).collect();
        if named.is_empty() {
            return String::new();
        }
        let more = phrase::and_more(named.len(), self.causes.len() - named.len());
        format!(": {}{more}", named.join(", "))
    }
}

impl UnjudgedCause {
    fn text(&self) -> String {
        match self.name.is_empty() {
            true => self.location.clone(),
            false => format!("`{}` ({})", start_of(&self.name), self.location),
        }
    }
}

/// An expression may be long, and its start tells which it is.
fn start_of(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// What is not known of a policy.
fn part_phrase(part: PolicyPart) -> &'static str {
    match part {
        PolicyPart::Document => "the policy is",
        PolicyPart::Statement => "statements come from",
        PolicyPart::Effect => "the effect is",
        PolicyPart::Action => "actions come from",
        PolicyPart::Principal => "principals come from",
        PolicyPart::Other => "a part comes from",
    }
}

impl fmt::Display for UnjudgedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Unknown(_, reason) => reason.text(),
            Self::Broken(message) => return write!(f, "cannot be parsed: {message}"),
            Self::Unread(message) | Self::Exhausted(message) | Self::Settings(message) => message,
            Self::Sealed(seal) => seal.text(),
            Self::Module => "the module is not in this repository",
            Self::Nested => "the template is not in this repository",
            Self::Macro => "CloudFormation runs this macro at deployment",
            Self::Language(language) => language.text(),
            Self::Ignored => {
                "synthesized templates are ignored: name the folder on the command line, or use --no-gitignore"
            }
            Self::Outside => "link to a target outside the repository: check the target itself",
            Self::TooManyFiles => {
                "not in a Git repository, and too large to be analyzed as a whole: name its projects with --root"
            }
            Self::Function(silence) => return write!(f, "not compared with its role: {}", silence.text()),
        };
        f.write_str(text)
    }
}

impl Language {
    /// Why a file is skipped, in short.
    pub fn short_reason(self) -> &'static str {
        match self {
            Self::Markdown => "documentation that contains a policy",
            Self::Snapshot => "snapshot with policies",
            Self::Template => "text template, such as Jinja or ERB",
            Self::Cdk | Self::OtherTool | Self::Source => "defines IAM in an unsupported language",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Cdk => "defines IAM with the CDK in an unsupported language: run `cdk synth`, then check `cdk.out`",
            Self::Snapshot => "snapshots of templates with policies are not checked: check the template itself",
            Self::OtherTool => "defines IAM in an unsupported language: check what the tool generates",
            Self::Source => "has a policy in an unsupported language: move the policy to a JSON file to check it",
            Self::Template => "text template, such as Jinja or ERB: render it, then check the result",
            Self::Markdown => "policies in documentation are not checked",
        }
    }
}

impl NotComparedReason {
    fn text(&self) -> &'static str {
        match self {
            Self::NoRole => "its role was not found",
            Self::NoCode => "what it runs was not found",
            Self::NoHandler => "its handler was not found",
            Self::NotPython => "the code is not Python",
            Self::SharedRole => "other code or principals can use the role",
            Self::Neighbor => "another workload with the same role could not be analyzed",
            Self::Broken => "a file with a policy of its role cannot be parsed completely",
            Self::AnyAction => "a call in its code may use all that the role allows",
            Self::Doubt(doubt) => doubt.text(),
        }
    }
}

impl Doubt {
    fn text(self) -> &'static str {
        match self {
            Self::Library => "calls an unknown library",
            Self::Unresolved(reason) => reason.text(),
            Self::Hidden => "may call AWS in a way that is not followed",
        }
    }
}

impl Seal {
    /// Also why the file is skipped.
    pub fn text(self) -> &'static str {
        match self {
            Self::GitLfs => "a Git LFS pointer: run `git lfs pull`, then check the file",
            Self::GitCrypt => "encrypted with git-crypt",
            Self::AnsibleVault => "encrypted with Ansible Vault",
            Self::Age => "encrypted with age",
            Self::Pgp => "encrypted with PGP",
            Self::Sops => "encrypted with SOPS",
        }
    }
}

/// In order, each once, with one entry for each place and kind.
pub fn sorted(mut all: Vec<Unjudged>) -> Vec<Unjudged> {
    all.sort();
    all.dedup_by(|b, a| (&a.path, a.span, a.what) == (&b.path, b.span, b.what) && a.subject == b.subject);
    all
}

/// "2 policies and 1 function": what counts, most important kind first; `None` where nothing does.
pub fn counted_kinds(all: &[Unjudged]) -> Option<String> {
    let mut by_noun: Vec<((&str, &str), UnjudgedKind, usize)> = Vec::new();
    for entry in all.iter().filter(|u| u.counts()) {
        match by_noun.iter_mut().find(|(noun, ..)| *noun == entry.noun()) {
            Some((.., n)) => *n += 1,
            None => by_noun.push((entry.noun(), entry.what, 1)),
        }
    }
    by_noun.sort_by_key(|(noun, what, _)| (*what, *noun));
    let mut parts: Vec<String> = by_noun
        .iter()
        .map(|((one, many), _, n)| phrase::count(*n, one, many))
        .collect();
    let last = parts.pop()?;
    Some(match parts.is_empty() {
        true => last,
        false if parts.len() == 1 => format!("{} and {last}", parts[0]),
        false => format!("{}, and {last}", parts.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::HoleKind;

    fn policy(path: &str) -> Unjudged {
        Unjudged {
            what: UnjudgedKind::Policy,
            subject: "var.document".into(),
            ..Unjudged::whole(
                path,
                UnjudgedReason::Unknown(PolicyPart::Document, Reason::Hole(HoleKind::Input)),
            )
        }
    }

    #[test]
    fn counts_are_in_correct_english() {
        assert_eq!(counted_kinds(&[]), None);
        assert_eq!(counted_kinds(&[policy("a")]).as_deref(), Some("1 policy"));
        let module = Unjudged::whole("m", UnjudgedReason::Module);
        let all = [
            policy("a"),
            policy("b"),
            module,
            Unjudged::whole("f", UnjudgedReason::Broken(String::new())),
        ];
        assert_eq!(counted_kinds(&all).as_deref(), Some("2 policies, 1 file, and 1 module"));
    }

    #[test]
    fn documentation_does_not_count() {
        assert_eq!(
            counted_kinds(&[Unjudged::whole(
                "README.md",
                UnjudgedReason::Language(Language::Markdown)
            )]),
            None
        );
    }

    #[test]
    fn each_thing_stands_once_and_in_order() {
        let all = sorted(vec![policy("b"), policy("a"), policy("b")]);
        let paths: Vec<&str> = all.iter().map(|u| u.path.as_str()).collect();
        assert_eq!(paths, ["a", "b"]);
    }

    #[test]
    fn the_reason_names_what_is_unknown() {
        let text = policy("a").text();
        assert_eq!(
            text,
            "the policy is `var.document`: an input without a value in this repository"
        );
    }
}
