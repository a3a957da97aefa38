//! The arguments that say what is read and under which settings.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueHint};
use serde::de::{DeserializeOwned, IntoDeserializer as _};

use super::CliFailure;
use crate::discover::{self, InputInterest};
use crate::finding::{Confidence, Severity};
use crate::formats::FileKinds;
use crate::iam::PolicyKind;
use crate::rules::Profile;
use crate::settings::{FailOn, Glob, OneOrMany, RangedValue, Selector, Settings};
use crate::source::join_path;

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Input")]
pub(super) struct InputArgs {
    /// Check these files and folders; `-` reads standard input [default: .]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Assume this file name for standard input
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(super) stdin_filename: Option<String>,
    /// Read paths from a file (`-` for standard input), separated by newlines or NUL
    #[arg(long, value_name = "FILE")]
    pub(super) files_from: Option<PathBuf>,
    /// Also check files that match this pattern (gitignore syntax)
    #[arg(long, value_name = "GLOB")]
    pub(super) include: Vec<String>,
    /// Skip files that match this pattern (gitignore syntax); files that a checked file refers to are still read
    #[arg(long, value_name = "GLOB")]
    pub(super) exclude: Vec<String>,
    /// Apply exclusions to paths on the command line too
    #[arg(long)]
    pub(super) force_exclude: bool,
    /// Do not respect .gitignore files
    #[arg(long)]
    pub(super) no_gitignore: bool,
    /// Skip files larger than this (bytes, or with K, M, G)
    #[arg(long, value_name = "SIZE", default_value = "16M", value_parser = size)]
    pub(super) max_file_size: u64,
    /// Analyze the named files as a part of this folder [default: the repository around each]
    #[arg(long, value_name = "DIR")]
    pub(super) root: Option<PathBuf>,
    /// Analyze the named files alone, without the repository around them
    #[arg(long, conflicts_with = "root")]
    pub(super) no_context: bool,
    /// Treat bare policy documents as this kind: GLOB=identity|trust|resource|boundary|session|scp|rcp
    #[arg(long, value_name = "GLOB=KIND", value_parser = policy_kind)]
    pub(super) policy_kind: Vec<(String, PolicyKind)>,
    /// Use this configuration file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) config: Option<String>,
    /// Ignore configuration files and baselines; comments still suppress
    #[arg(long, conflicts_with = "config")]
    pub(super) isolated: bool,
    /// Use this number of threads [default: one per core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(super) jobs: usize,
    /// The paths, where they were listed before: standard input can be read once.
    #[arg(skip)]
    pub(super) listed: Option<Vec<PathBuf>>,
}

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub(super) struct RuleArgs {
    /// Run only these rules (names, families, patterns)
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub(super) select: Vec<String>,
    /// Also run these rules
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub(super) extend_select: Vec<String>,
    /// Do not run these rules
    #[arg(long, value_name = "RULES", value_delimiter = ',')]
    pub(super) ignore: Vec<String>,
    /// Run exactly these rules, regardless of the configuration
    #[arg(long, value_name = "RULES", value_delimiter = ',', conflicts_with_all = ["select", "extend_select", "ignore"])]
    pub(super) only: Vec<String>,
    /// Use this set of rules
    #[arg(long, value_name = "PROFILE", value_parser = setting::<Profile>(&["default", "strict", "audit"]))]
    pub(super) profile: Option<Profile>,
    /// Hide findings below this severity (low, medium, high, critical)
    #[arg(long, value_name = "SEVERITY", hide_possible_values = true, value_parser = setting::<Severity>(&SEVERITIES[..4]))]
    pub(super) min_severity: Option<Severity>,
    /// Hide findings below this confidence (low, medium, high)
    #[arg(long, value_name = "CONFIDENCE", hide_possible_values = true, value_parser = setting::<Confidence>(&SEVERITIES[..3]))]
    pub(super) min_confidence: Option<Confidence>,
    /// Fail on findings of at least this severity (low, medium, high, critical, never) [default: medium]
    #[arg(long, value_name = "SEVERITY", hide_possible_values = true, value_parser = setting::<FailOn>(&SEVERITIES))]
    pub(super) fail_on: Option<FailOn>,
    /// Fail if anything could not be judged
    #[arg(long)]
    pub(super) fail_on_unjudged: bool,
    /// Report all findings in test code, not only credentials that look real
    #[arg(long)]
    pub(super) tests: bool,
    /// Require a reason for every suppression
    #[arg(long)]
    pub(super) require_reason: bool,
    #[command(flatten)]
    pub(super) evidence: EvidenceArg,
}

/// What was used.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct EvidenceArg {
    /// Use this file of `overgrant evidence collect` as evidence of what was used [default: from the configuration]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    evidence: Option<PathBuf>,
}

impl EvidenceArg {
    pub(super) fn apply(&self, settings: &mut Settings) {
        if let Some(path) = &self.evidence {
            let cwd = super::run::working_directory().unwrap_or_default();
            settings.evidence = Some(RangedValue {
                value: join_path(&cwd, &discover::with_forward_slashes(path)),
                range: 0..0,
            });
        }
    }
}

fn size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.trim_end_matches(['b', 'B']).trim_end_matches('i') {
        t if t.ends_with(['k', 'K']) => (&t[..t.len() - 1], 10),
        t if t.ends_with(['m', 'M']) => (&t[..t.len() - 1], 20),
        t if t.ends_with(['g', 'G']) => (&t[..t.len() - 1], 30),
        t => (t, 0),
    };
    let n: u64 = digits
        .trim()
        .parse()
        .map_err(|_| "expected a size such as 512K or 16M".to_owned())?;
    n.checked_mul(1 << shift).ok_or_else(|| "too large".to_owned())
}

fn policy_kind(text: &str) -> Result<(String, PolicyKind), String> {
    let (glob, kind) = text.rsplit_once('=').ok_or("expected GLOB=KIND")?;
    Ok((glob.to_owned(), parse_setting_value(kind)?))
}

/// What `fail-on` may be. The first four are severities, the first three confidences.
const SEVERITIES: [&str; 5] = ["low", "medium", "high", "critical", "never"];

/// One of these words, as the settings have them.
fn setting<T: DeserializeOwned + Clone + Send + Sync + 'static>(
    words: &[&'static str],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(words.to_vec()).try_map(|word| parse_setting_value::<T>(&word))
}

/// One of the severities.
pub(super) fn severity() -> impl TypedValueParser<Value = Severity> {
    setting::<Severity>(&SEVERITIES[..4])
}

/// A word as the settings have it.
fn parse_setting_value<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let read: Result<T, serde::de::value::Error> = T::deserialize(text.into_deserializer());
    read.map_err(|e| e.to_string().replacen(&format!("unknown variant `{text}`, "), "", 1))
}

fn selectors(names: &[String]) -> OneOrMany<Selector> {
    OneOrMany(names.iter().map(|n| Selector::from(n.trim())).collect())
}

impl RuleArgs {
    /// What the command line changes in any settings.
    pub(super) fn apply(&self, settings: &mut Settings) {
        if !self.only.is_empty() {
            settings.select = selectors(&self.only);
            settings.extend_select.0.clear();
            settings.ignore.0.clear();
        }
        if !self.select.is_empty() {
            settings.select = selectors(&self.select);
        }
        settings.extend_select.0.append(&mut selectors(&self.extend_select).0);
        settings.ignore.0.append(&mut selectors(&self.ignore).0);
        if let Some(profile) = self.profile {
            settings.profile = profile;
        }
        if let Some(severity) = self.min_severity {
            settings.min_severity = severity;
        }
        if let Some(confidence) = self.min_confidence {
            settings.min_confidence = confidence;
        }
        if let Some(fail_on) = self.fail_on {
            settings.fail_on = fail_on;
            settings.per_file.iter_mut().for_each(|(_, p)| p.fail_on = None);
        }
        settings.fail_on_unjudged |= self.fail_on_unjudged;
        settings.require_reason |= self.require_reason;
        settings.tests |= self.tests;
        self.evidence.apply(settings);
    }

    /// All selectors that were named.
    pub(super) fn selectors(&self) -> impl Iterator<Item = &String> {
        [&self.select, &self.extend_select, &self.ignore, &self.only]
            .into_iter()
            .flatten()
    }
}

/// What a file is to us, from its path and text.
pub(super) fn classify_input(path: &str, text: &str) -> InputInterest {
    let kinds = FileKinds::of(path, text);
    if kinds.is_iam() {
        InputInterest::Iam
    } else if kinds.has_key {
        InputInterest::Text
    } else if kinds.is_readable && path.ends_with(".py") {
        InputInterest::Code
    } else {
        InputInterest::None
    }
}

impl InputArgs {
    /// One path, and the defaults for the rest.
    pub(super) fn from_path(path: PathBuf) -> Self {
        Self {
            paths: vec![path],
            max_file_size: discover::MAX_FILE_SIZE,
            ..Self::default()
        }
    }

    /// The same for this path alone.
    pub(super) fn with_path(&self, path: PathBuf) -> Self {
        Self {
            paths: vec![path],
            ..self.clone()
        }
    }

    /// The paths to read, with those of `--files-from`, and standard input with its name where it is one of them.
    pub(super) fn targets(&self) -> Result<Targets, CliFailure> {
        if let Some(paths) = self.listed.clone() {
            return Ok(Targets {
                paths,
                ..Targets::default()
            });
        }
        let mut paths = self.paths.clone();
        if let Some(list) = &self.files_from {
            let bytes = match list == Path::new("-") {
                true => stdin(MAX_LIST)?,
                false => read(list, MAX_LIST)?,
            };
            if bytes.len() as u64 > MAX_LIST {
                return Err(CliFailure::Usage(format!(
                    "the list of --files-from is larger than {MAX_LIST} bytes"
                )));
            }
            let text = String::from_utf8_lossy(&bytes);
            let separator = if text.contains('\0') { '\0' } else { '\n' };
            let listed = text.split(separator).map(|l| l.trim_end_matches('\r'));
            paths.extend(listed.filter(|l| !l.is_empty()).map(PathBuf::from));
        } else if paths.is_empty() {
            paths.push(PathBuf::from("."));
        }
        let before = paths.len();
        paths.retain(|p| p != Path::new("-"));
        let stdin = if paths.len() < before {
            if self.files_from.as_deref() == Some(Path::new("-")) {
                return Err(CliFailure::Usage(
                    "standard input cannot be both a list and a file".to_owned(),
                ));
            }
            let name = self.stdin_filename.clone().unwrap_or_else(|| "stdin.json".to_owned());
            Some((name, stdin(self.max_file_size)?))
        } else {
            None
        };
        let repository = None;
        Ok(Targets {
            repository,
            paths,
            stdin,
        })
    }

    /// The globs of `--policy-kind`, relative to the working directory.
    pub(super) fn kinds(&self) -> Result<Vec<(Glob, PolicyKind)>, CliFailure> {
        let glob = |(glob, kind): &(String, PolicyKind)| {
            let failure = |why| CliFailure::Usage(format!("--policy-kind: cannot read the pattern `{glob}`: {why}"));
            Ok((Glob::new(glob).map_err(failure)?, *kind))
        };
        self.policy_kind.iter().map(glob).collect()
    }

    /// Patterns of the option or setting `name`, relative to a folder.
    pub(super) fn patterns(
        name: &str,
        dir: &str,
        globs: &[String],
    ) -> Result<Option<ignore::gitignore::Gitignore>, CliFailure> {
        discover::patterns(dir, globs).map_err(|e| CliFailure::Usage(format!("{name}: {e}")))
    }
}

/// What [`InputArgs`] names, or the part of it that lies in one repository.
#[derive(Default)]
pub(super) struct Targets {
    /// Absolute.
    pub(super) repository: Option<String>,
    pub(super) paths: Vec<PathBuf>,
    pub(super) stdin: Option<(String, Vec<u8>)>,
}

/// Bytes of a list of paths.
const MAX_LIST: u64 = 64 << 20;

/// At most one byte more than `cap`, which shows that there is more.
pub(super) fn stdin(cap: u64) -> Result<Vec<u8>, CliFailure> {
    use std::io::IsTerminal as _;
    if std::io::stdin().is_terminal() {
        super::terminal::note("reading standard input; end it with Ctrl-D");
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(cap.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| CliFailure::Io {
            what: "cannot read standard input".to_owned(),
            source,
        })?;
    Ok(bytes)
}

/// A file, which may be a pipe; at most one byte more than `cap`.
pub(super) fn read(path: &Path, cap: u64) -> Result<Vec<u8>, CliFailure> {
    let io = |source| CliFailure::Io {
        what: format!("cannot read {}", discover::with_forward_slashes(path)),
        source,
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(cap.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}
