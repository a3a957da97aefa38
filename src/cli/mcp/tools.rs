//! The tools, their parameters, and the commands that answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::folder::ServedFolder;
use crate::cli::rules::parse_location;

/// Findings and what was not judged, listed unless more are asked for: about 40 KB.
const MOST_FINDINGS: usize = 20;
/// Entries of the lists of other answers.
const MOST_ENTRIES: usize = 100;

/// A command and what it reads from standard input.
pub(super) struct Invocation {
    pub(super) args: Vec<String>,
    pub(super) stdin: Option<String>,
}

/// What a call runs, in order, and how its answer is made.
pub(super) struct PlannedCall {
    pub(super) kind: AnswerKind,
    pub(super) runs: Vec<Invocation>,
    /// Entries of a list that are returned.
    pub(super) limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerKind {
    Check,
    Explain,
    Needs,
    Policy,
    Can,
    WhoCan,
    Paths,
    Diff,
    /// The first command makes the difference; a second one, if any, writes.
    Fix,
}

/// A tool and how it is called.
pub(super) struct ServedTool {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    schema: fn() -> JsonObject,
    plan: fn(JsonObject, &ServedFolder) -> Result<PlannedCall, String>,
    writes: bool,
}

impl ServedTool {
    pub(super) const ALL: [Self; 8] = [
        Self {
            name: "check",
            title: "Check for IAM that grants too much",
            about: "Finds policies, roles, and code that grant more AWS access than they should, and credentials, with the token to \
                    edit, the reason, and what to do. With `text`, checks a file as it would be, before it is written. Files \
                    around those that are named count too. What is under `unjudged` is not known to be safe.",
            schema: schema::<CheckCall>,
            plan: plan::<CheckCall>,
            writes: false,
        },
        Self {
            name: "explain",
            title: "Explain a finding or a rule",
            about: "Explains a rule, the findings on a line (`FILE:LINE`), or the finding with a fingerprint: why it matters, what \
                    wildcards match, how to fix it, with examples.",
            schema: schema::<ExplainCall>,
            plan: plan::<ExplainCall>,
            writes: false,
        },
        Self {
            name: "needs",
            title: "List the permissions that code needs",
            about: "Lists the AWS calls of Python code and state machines with the actions and resources that they need: what a \
                    policy for this code has to allow, and no more. What is under `unresolved` may need more. With `policy`, \
                    returns that policy instead, and notes what else may be needed.",
            schema: schema::<NeedsCall>,
            plan: plan::<NeedsCall>,
            writes: false,
        },
        Self {
            name: "can",
            title: "Tell whether a principal can do something",
            about: "Decides whether a role, user, service, or `public` can perform an action, with the statements that decide: \
                    allowed, denied, or unknown with what it depends on. `who_can` with the same action lists those that can.",
            schema: schema::<CanCall>,
            plan: plan::<CanCall>,
            writes: false,
        },
        Self {
            name: "who_can",
            title: "List who can do something",
            about: "Lists the principals of the repository that can perform an action, through which statements, and who can \
                    become one of them.",
            schema: schema::<WhoCanCall>,
            plan: plan::<WhoCanCall>,
            writes: false,
        },
        Self {
            name: "paths",
            title: "List paths to administrator access and data",
            about: "Lists how identities, other accounts, or anyone can gain administrator access or data, step by step, with the \
                    place of each permission.",
            schema: schema::<PathsCall>,
            plan: plan::<PathsCall>,
            writes: false,
        },
        Self {
            name: "diff",
            title: "Compare what is granted",
            about: "Says what `new` allows and `old` does not, and the reverse, each with a request that proves it. They are files, \
                    folders, or Git revisions; without `new`, the revision `old` is compared with the files as they are.",
            schema: schema::<DiffCall>,
            plan: plan::<DiffCall>,
            writes: false,
        },
        Self {
            name: "fix",
            title: "Fix findings",
            about: "Returns the difference that fixes would make. Writes it only with `apply`. Safe fixes never change what is \
                    granted; with `unsafe`, fixes that do are made too, and each says what it removes.",
            schema: schema::<FixCall>,
            plan: plan::<FixCall>,
            writes: true,
        },
    ];

    pub(super) fn named(name: &str) -> Option<&'static Self> {
        const ALL: &[ServedTool] = &ServedTool::ALL;
        ALL.iter().find(|tool| tool.name == name)
    }

    pub(super) fn definition(&self) -> Tool {
        let annotations = ToolAnnotations::with_title(self.title)
            .read_only(!self.writes)
            .destructive(self.writes)
            .idempotent(true)
            .open_world(false);
        Tool::new(self.name, self.about, Arc::new((self.schema)())).with_annotations(annotations)
    }

    pub(super) fn plan(&self, arguments: JsonObject, folder: &ServedFolder) -> Result<PlannedCall, String> {
        (self.plan)(arguments, folder)
    }
}

/// The parameters of a tool.
trait ToolParameters: DeserializeOwned + JsonSchema {
    fn plan(self, folder: &ServedFolder) -> Result<PlannedCall, String>;
}

fn plan<P: ToolParameters>(arguments: JsonObject, folder: &ServedFolder) -> Result<PlannedCall, String> {
    parse::<P>(&arguments)
        .map_err(|wrong| match wrong_argument::<P>(&arguments, &wrong) {
            Some(name) => format!("the argument `{name}` is not valid: {wrong}"),
            None => format!("the arguments are not valid: {wrong}"),
        })?
        .plan(folder)
}

fn parse<P: ToolParameters>(arguments: &JsonObject) -> Result<P, String> {
    P::deserialize(arguments).map_err(|wrong| wrong.to_string())
}

/// The argument that an error is about and does not name: without it, the error is another one or none.
fn wrong_argument<'a, P: ToolParameters>(arguments: &'a JsonObject, wrong: &str) -> Option<&'a String> {
    let is_about = |name: &&String| {
        let mut others = arguments.clone();
        others.remove(*name);
        parse::<P>(&others).err().is_none_or(|other| other != wrong)
    };
    match wrong.contains(" field `") {
        true => None,
        false => arguments.keys().find(is_about),
    }
}

fn schema<P: ToolParameters>() -> JsonObject {
    let schema = schemars::SchemaGenerator::default().into_root_schema_for::<P>();
    match schema.to_value() {
        serde_json::Value::Object(object) => object,
        _ => JsonObject::new(),
    }
}

/// A command with flags, and after `--` what could be taken for one.
#[derive(Default)]
struct CommandLine {
    flags: Vec<String>,
    rest: Vec<String>,
}

impl CommandLine {
    fn new(flags: &[&str]) -> Self {
        Self {
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            rest: Vec::new(),
        }
    }

    fn flag(&mut self, name: &str, value: &str) {
        self.flags.push(format!("--{name}={value}"));
    }

    fn list(&mut self, name: &str, values: &[String]) {
        values.iter().for_each(|value| self.flag(name, value));
    }

    fn paths(&mut self, folder: &ServedFolder, paths: &[String]) -> Result<(), String> {
        for path in paths {
            self.rest.push(folder.inside(path)?);
        }
        Ok(())
    }

    /// Files and folders; or `text`, which one file would hold.
    fn read(&mut self, folder: &ServedFolder, paths: &[String], text: Option<&String>) -> Result<(), String> {
        match (text, paths) {
            (None, paths) => self.paths(folder, paths),
            (Some(_), [path]) => {
                self.flag("stdin-filename", &folder.inside(path)?);
                self.rest.push("-".to_owned());
                Ok(())
            }
            (Some(_), _) => Err("`text` needs exactly one path in `paths`, of the file that would hold it".to_owned()),
        }
    }

    /// The paths of commands whose arguments are something else.
    fn look_in(&mut self, folder: &ServedFolder, paths: &[String]) -> Result<(), String> {
        for path in paths {
            self.flag("in", &folder.inside(path)?);
        }
        Ok(())
    }

    fn context(&mut self, context: BTreeMap<String, ContextValues>) -> Result<(), String> {
        for (key, values) in context {
            if !key.contains(':') {
                return Err(format!("`{key}` is not a condition key such as `aws:SourceVpc`"));
            }
            let values = match values {
                ContextValues::One(value) => vec![value],
                ContextValues::More(values) => values,
            };
            for value in values {
                self.flag("context", &format!("{key}={}", value.text()));
            }
        }
        Ok(())
    }

    fn invocation(self, stdin: Option<String>) -> Invocation {
        let mut args = self.flags;
        if !self.rest.is_empty() {
            args.push("--".to_owned());
        }
        args.extend(self.rest);
        Invocation { args, stdin }
    }

    fn call(self, kind: AnswerKind) -> PlannedCall {
        PlannedCall {
            kind,
            runs: vec![self.invocation(None)],
            limit: MOST_ENTRIES,
        }
    }
}

/// Values of a condition key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a value is a string, a Boolean, a number, or a list of these")]
#[schemars(inline)]
enum ContextValues {
    One(GivenValue),
    More(Vec<GivenValue>),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
enum GivenValue {
    Text(String),
    Flag(bool),
    #[schemars(with = "f64")]
    Number(serde_json::Number),
}

impl GivenValue {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Flag(flag) => flag.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// A principal as commands take it: `role/deploy`, as in an ARN, and `role deploy` are its name.
fn principal(who: &str) -> &str {
    let name = ["role", "user"]
        .into_iter()
        .find_map(|kind| who.strip_prefix(kind)?.strip_prefix(['/', ' ']));
    let name = name.map(|name| name.rsplit('/').next().unwrap_or(name).trim());
    // A pattern of names would be one of roles and users.
    name.filter(|name| !name.is_empty() && !name.contains(['*', '?']))
        .unwrap_or(who)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CheckCall {
    /// Files and folders in the served folder; without any, all of it.
    #[serde(default)]
    paths: Vec<String>,
    /// What the one file of `paths` would hold: it is checked instead of the file, which need not exist. The files around it
    /// count as they are.
    text: Option<String>,
    /// Run exactly these rules: names, families, or patterns.
    #[serde(default)]
    only: Vec<String>,
    /// Hide findings below this severity: `low`, `medium`, `high`, or `critical`.
    #[schemars(extend("enum" = ["low", "medium", "high", "critical", null]))]
    min_severity: Option<String>,
    /// The set of rules: `default`, `strict`, or `audit`.
    #[schemars(extend("enum" = ["default", "strict", "audit", null]))]
    profile: Option<String>,
    /// How many findings, and how many entries of what was not judged, are listed at most, the worst first [default: 20].
    limit: Option<usize>,
}

impl ToolParameters for CheckCall {
    fn plan(self, folder: &ServedFolder) -> Result<PlannedCall, String> {
        let mut command = CommandLine::new(&["check", "--format=json"]);
        command.list("only", &self.only);
        for (name, value) in [("min-severity", &self.min_severity), ("profile", &self.profile)] {
            if let Some(value) = value {
                command.flag(name, value);
            }
        }
        command.read(folder, &self.paths, self.text.as_ref())?;
        Ok(PlannedCall {
            kind: AnswerKind::Check,
            runs: vec![command.invocation(self.text)],
            limit: self.limit.unwrap_or(MOST_FINDINGS),
        })
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExplainCall {
    /// A rule, such as `pass-role-star`; a line of a file, such as `infra/main.tf:12`; or a fingerprint, such as `og1:…`.
    what: String,
}

impl ToolParameters for ExplainCall {
    fn plan(self, folder: &ServedFolder) -> Result<PlannedCall, String> {
        let mut command = CommandLine::new(&["explain", "--format=json"]);
        let is_fingerprint = self.what.starts_with("og1:");
        let what = match parse_location(&self.what).filter(|_| !is_fingerprint) {
            Some((path, line)) => format!("{}:{line}", folder.inside(&path)?),
            None if folder.has_file(&self.what) => {
                let what = self.what;
                return Err(format!(
                    "`{what}` needs the line of a finding, such as `{what}:12`; `check` lists them"
                ));
            }
            None => self.what,
        };
        command.rest.push(what);
        Ok(command.call(AnswerKind::Explain))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NeedsCall {
    /// Files and folders with code in the served folder; without any, all of it.
    #[serde(default)]
    paths: Vec<String>,
    /// What the one file of `paths` would hold: it is read instead of the file, which need not exist.
    text: Option<String>,
    /// Return the policy that allows what the code calls, and no more.
    #[serde(default)]
    policy: bool,
}

impl ToolParameters for NeedsCall {
    fn plan(self, folder: &ServedFolder) -> Result<PlannedCall, String> {
        let (format, kind) = match self.policy {
            true => ("--format=policy", AnswerKind::Policy),
            false => ("--format=json", AnswerKind::Needs),
        };
        let mut command = CommandLine::new(&["needs", format]);
        command.read(folder, &self.paths, self.text.as_ref())?;
        Ok(PlannedCall {
            kind,
            runs: vec![command.invocation(self.text)],
            limit: MOST_ENTRIES,
        })
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CanCall {
    /// The name of a role or user, such as `deploy`, its address, such as `aws_iam_role.deploy` or a logical ID, or its ARN; a
    /// service, such as `lambda.amazonaws.com`; or `public`.
    who: String,
    /// One action, such as `s3:GetObject`.
    action: String,
    /// The ARN or the address of a resource; without it, any resource.
    resource: Option<String>,
    /// Condition keys of the request with their values. Keys that are not given are unknown.
    #[serde(default)]
    context: BTreeMap<String, ContextValues>,
    /// Look only in these files and folders of the served folder.
    #[serde(default)]
    paths: Vec<String>,
}

impl ToolParameters for CanCall {
    fn plan(self, folder: &ServedFolder) -> Result<PlannedCall, String> {
        let mut command = CommandLine::new(&["can", "--format=json"]);
        command.context(self.context)?;
        command.look_in(folder, &self.paths)?;
        command.rest.extend([principal(&self.who).to_owned(), self.action]);
        command.rest.extend(self.resource);
        Ok(command.call(AnswerKind::Can))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WhoCanCall {
    /// One action, such as `s3:GetObject`.
    action: String,
    /// The ARN or the address of a resource; without it, any resource.
    resource: Option<String>,
    /// Condition keys of the request with their values. Keys that are not given are unknown.
    #[serde(default)]
    context: BTreeMap<String, ContextValues>,
    /// Look only in these files and folders of the served folder.
    #[serde(default)]
    paths: Vec<String>,
}

impl ToolParameters for WhoCanCall {
    fn plan(self, folder: &ServedFolder) -> Result<PlannedCall, String> {
        let mut command = CommandLine::new(&["who-can", "--format=json"]);
        command.context(self.context)?;
        command.look_in(folder, &self.paths)?;
        command.rest.push(self.action);
        command.rest.extend(self.resource);
        Ok(command.call(AnswerKind::WhoCan))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PathsCall {
    /// Only paths that start here: a name, an address, an ARN, a pattern, or `public`.
    from: Option<String>,
    /// Only paths that end here: `admin`, `identity-administration`, `data`, `account`, a name, an address, an ARN, or a pattern.
    to: Option<String>,
    /// Files and folders in the served folder; without any, all of it.
    #[serde(default)]
    paths: Vec<String>,
}

impl ToolParameters for PathsCall {
    fn plan(self, folder: &ServedFolder) -> Result<PlannedCall, String> {
        let mut command = CommandLine::new(&["paths", "--format=json"]);
        for (name, value) in [("from", &self.from), ("to", &self.to)] {
            if let Some(value) = value {
                command.flag(name, principal(value));
            }
        }
        command.paths(folder, &self.paths)?;
        Ok(command.call(AnswerKind::Paths))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DiffCall {
    /// The side before: a file or folder in the served folder, a Git revision, such as `main` or `HEAD`, or what it has at a
    /// path, such as `HEAD:policies/deploy.json`.
    old: String,
    /// The side after, of the same kinds; without it, `old` is a revision and the files are compared as they are.
    new: Option<String>,
}

impl ToolParameters for DiffCall {
    fn plan(self, folder: &ServedFolder) -> Result<PlannedCall, String> {
        let mut command = CommandLine::new(&["diff", "--format=json"]);
        for operand in [Some(self.old), self.new].into_iter().flatten() {
            // What is not a path of the folder may be a revision, but leads nowhere else.
            let path = folder.inside(&operand)?;
            let exists = folder.path().join(&path).exists();
            if let Some((_, path)) = operand.split_once(':').filter(|_| !exists) {
                folder.ensure_inside_in_revision(path)?;
            }
            match exists || operand.starts_with('-') {
                true => command.rest.push(path),
                false => command.rest.push(operand),
            }
        }
        Ok(command.call(AnswerKind::Diff))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FixCall {
    /// Files and folders in the served folder; without any, all of it.
    #[serde(default)]
    paths: Vec<String>,
    /// Fix the findings of exactly these rules: names, families, or patterns.
    #[serde(default)]
    only: Vec<String>,
    /// Make unsafe fixes too, which change what is granted and need a review.
    #[serde(default, rename = "unsafe")]
    risky: bool,
    /// Write the files. Without it, nothing is written.
    #[serde(default)]
    apply: bool,
}

impl ToolParameters for FixCall {
    fn plan(self, folder: &ServedFolder) -> Result<PlannedCall, String> {
        let command = |flag: &str| {
            let mut command = CommandLine::new(&["fix", flag]);
            if self.risky {
                command.flags.push("--unsafe".to_owned());
            }
            command.list("only", &self.only);
            command.paths(folder, &self.paths)?;
            Ok::<_, String>(command.invocation(None))
        };
        let mut runs = vec![command("--diff")?];
        if self.apply {
            runs.push(command("--format=json")?);
        }
        Ok(PlannedCall {
            kind: AnswerKind::Fix,
            runs,
            limit: MOST_FINDINGS,
        })
    }
}
