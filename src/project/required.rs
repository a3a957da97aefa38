//! What a workload's code needs, and how sure that is.
//!
//! **Invariant:** every call that may run is listed; whatever may hide another one is a [`Doubt`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use aho_corasick::AhoCorasick;

use super::{CodePlace, Project, WorkloadCode};
use crate::iam::{ActionSet, sdk};
use crate::python::calls::{ApiCall, Calls};
use crate::python::{
    ArgName, BindingValue, ConstantEvaluator, ExprId, ExprKind, Import, ImportFrom, ObjectChange, Program,
    PythonModule, ScopeId,
};
use crate::source::{FileId, Span};
use crate::unjudged::Doubt;
use crate::value::{Value, ValueKind};

/// The analysed Python of a project.
pub struct Codebase<'c, 'p> {
    /// Of [`Project::modules`].
    calls: AnalyzedCode<'c, 'p>,
    /// Of each of [`Project::inline`].
    inline: Vec<AnalyzedCode<'c, 'p>>,
}

/// The calls of a program, and what each of its modules needs in addition, found once when it is asked for.
struct AnalyzedCode<'c, 'p> {
    calls: &'c Calls<'p>,
    modules: Vec<OnceLock<ModuleNeeds>>,
}

/// What is needed of a module, and doubted, whatever of it runs.
#[derive(Debug, Default)]
struct ModuleNeeds {
    /// What its libraries may call.
    libraries: Vec<ImportedLibrary>,
    doubts: Vec<Uncertainty>,
    /// The word or the end point in it that lets calls be someone else's.
    other_identity: Option<Span>,
    /// Keys that the code makes may sign it in.
    takes_keys: bool,
}

/// What a workload's code needs.
#[derive(Debug)]
pub struct Required<'c> {
    /// In the order of files and of the text.
    pub calls: Vec<&'c ApiCall>,
    /// Those of them that run for all we know, rather than perhaps.
    pub named: Vec<&'c ApiCall>,
    /// Counted from the handler; else everything where the code is counts.
    pub exact: bool,
    /// What its libraries may call in addition.
    pub libraries: ActionSet,
    /// Those that may call something, in the order of files and of the text.
    pub imported: Vec<ImportedLibrary>,
    /// Where calls may be hidden. Sorted.
    pub doubts: Vec<Uncertainty>,
    /// What in it may sign in as someone else, or call another end point: calls may not be its role's.
    pub other_identity: Option<Span>,
}

/// A library that may call AWS.
#[derive(Clone, Debug)]
pub struct ImportedLibrary {
    /// As it is imported: `pandas`, `aws_lambda_powertools.utilities`.
    pub name: Arc<str>,
    /// Where it is imported.
    pub span: Span,
    pub actions: ActionSet,
}

/// A place that may hide calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uncertainty {
    pub span: Span,
    pub doubt: Doubt,
    /// The module that is imported, or the word that hides a call; empty for other reasons.
    pub name: Arc<str>,
}

/// Words that start other programs, run text as code, or sign requests by hand.
const HIDING: &[&str] = &[
    "subprocess",
    "os.system",
    "os.popen",
    "os.exec",
    "os.spawn",
    "os.posix_spawn",
    "os import system",
    "os import popen",
    "create_subprocess_",
    "run_process(",
    "exec(",
    "eval(",
    "__import__",
    IMPORTLIB,
    "entry_points(",
    "SigV4Auth",
    "SigV4QueryAuth",
    "S3SigV4Auth",
    "S3SigV4QueryAuth",
    "CrtSigV4Auth",
    "CrtSigV4QueryAuth",
    "SigV4HttpRequest",
    "AWSRequest",
    "\"AWS4\"",
    "'AWS4'",
    // The Parameters and Secrets extension, and that of AppConfig.
    "PARAMETERS_SECRETS_EXTENSION",
    "X-Aws-Parameters-Secrets-Token",
    "localhost:2772",
    "localhost:2773",
    "127.0.0.1",
    // What boto3 and libraries call by themselves.
    "AWSSecretsManagerSettingsSource",
    "AssumeRoleCredentialFetcher",
    "WaiterModel(",
    "awsathena+",
    "boto3.s3.inject",
    "dynamodb://",
    "object.__getattribute__",
    "redshift+redshift_connector",
    // Code that a library makes of a text.
    "\"()\"",
    "'()'",
    "fileConfig(",
    "loadTestsFromName",
];

const IMPORTLIB: &str = "importlib";

/// What follows `importlib` where it reads files and versions, and runs no code.
const READS_PACKAGES: &[&str] = &[
    "._bootstrap",
    ".metadata",
    ".resources",
    "_metadata",
    "_resources",
    " import metadata\n",
    " import resources\n",
];

/// Words that let calls be someone else's.
const OTHERS: &[&str] = &[
    "AWS_ENDPOINT_URL",
    "aws_access_key_id",
    "aws_session_token",
    "profile_name",
    "UNSIGNED",
    "RefreshableCredentials",
    "botocore_session",
];

/// Operations that answer with keys of someone else, or of a session with other permissions.
const SIGN_IN: &[&str] = &[
    "GetCredentialsForIdentity",
    "GetFederationToken",
    "GetRoleCredentials",
    "GetSessionToken",
];

/// Where keys that the code makes may sign it in; else they are for someone else to use.
const TAKES_KEYS: &[&str] = &[
    "aws_secret_access_key",
    "AWS_SECRET_ACCESS_KEY",
    "Credentials(",
    "AWS4Auth(",
];

/// Domains of AWS's own end points (AWS General Reference, "AWS service endpoints").
const DOMAINS: &[&str] = &[".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];

/// Services of which an account has end points of its own, that clients must be given (API Gateway Developer Guide, "Use
/// @connections commands in your backend service"; AWS IoT Core Developer Guide, "AWS IoT device data and service endpoints").
const OWN_ENDPOINTS: &[&str] = &[
    "apigatewaymanagementapi",
    "cloudsearchdomain",
    "iot-data",
    "iot-jobs-data",
    "kinesis-video-archived-media",
    "kinesis-video-media",
    "kinesis-video-signaling",
    "mediaconvert",
];

impl<'c, 'p> AnalyzedCode<'c, 'p> {
    fn new(calls: &'c Calls<'p>) -> Self {
        Self {
            calls,
            modules: calls.program.modules.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    fn module(&self, index: usize) -> &ModuleNeeds {
        self.modules[index].get_or_init(|| ModuleNeeds::new(self.calls.program, index))
    }
}

impl ModuleNeeds {
    fn new(program: &Program<'_>, index: usize) -> Self {
        let module = &program.modules[index];
        let extent = module.scope(ScopeId::MODULE).extent;
        let words = TellingWords::of(program.sources.slice(extent));
        let start = extent.start as usize;
        let place = |at: usize, len: usize| Span::new(extent.file, start + at, start + at + len);
        let mut out = Self {
            other_identity: (words.others.map(|(at, len)| place(at, len))).or_else(|| foreign_endpoint(program, index)),
            takes_keys: words.takes_keys || opens_session(module),
            ..Self::default()
        };
        out.doubts
            .extend(words.hiding.into_iter().map(|(word, at)| Uncertainty {
                span: place(at, word.len()),
                doubt: Doubt::Hidden,
                name: word.trim_end_matches('(').into(),
            }));
        imports(program, index, &mut out);
        out
    }
}

impl<'c, 'p> Codebase<'c, 'p> {
    pub fn new(calls: &'c Calls<'p>, inline: &'c [Calls<'p>]) -> Self {
        Self {
            calls: AnalyzedCode::new(calls),
            inline: inline.iter().map(AnalyzedCode::new).collect(),
        }
    }

    /// What `code` needs; `None` where none of it was read.
    pub fn required(&self, code: &WorkloadCode) -> Option<Required<'c>> {
        let (analyzed, found) = self.reachable_calls(code)?;
        let calls = analyzed.calls;
        let mut out = Required {
            calls: found.calls.iter().map(|i| &calls.calls[*i]).collect(),
            named: found.named.iter().map(|i| &calls.calls[*i]).collect(),
            exact: found.exact,
            libraries: ActionSet::empty(),
            imported: Vec::new(),
            doubts: Vec::new(),
            other_identity: None,
        };
        for u in found.unresolved.iter().map(|i| &calls.unresolved[*i]) {
            out.doubts.push(Uncertainty {
                span: u.span,
                doubt: Doubt::Unresolved(u.why),
                name: Arc::from(""),
            });
        }
        let mut takes_keys = false;
        for m in found.files.iter().filter_map(|f| calls.program.index_of(*f)) {
            let module = analyzed.module(m);
            out.other_identity = out.other_identity.or(module.other_identity);
            takes_keys |= module.takes_keys;
            for library in &module.libraries {
                out.libraries.union_with(&library.actions);
            }
            out.imported.extend(module.libraries.iter().cloned());
            out.doubts.extend(module.doubts.iter().cloned());
        }
        let signs_in = |c: &&&ApiCall| {
            c.operation.is_some_and(|o| {
                SIGN_IN.contains(&o) || o.starts_with("AssumeRole") || takes_keys && o == "CreateAccessKey"
            })
        };
        let sign_in = out.calls.iter().find(signs_in).map(|c| c.span);
        out.other_identity = out.other_identity.or(sign_in);
        out.imported.sort_by_key(|library| library.span);
        out.doubts.sort_unstable();
        out.doubts.dedup();
        Some(out)
    }

    /// For each of [`Calls::calls`] the workloads whose code may run it, as indices into [`Project::workloads`].
    pub fn callers(&self, project: &Project<'_>) -> Vec<Vec<usize>> {
        let mut by_code: BTreeMap<_, (&WorkloadCode, Vec<usize>)> = BTreeMap::new();
        for (i, w) in project.workloads.iter().enumerate() {
            if let Some(code) = w.code().filter(|c| matches!(c.place, CodePlace::Paths(_))) {
                let same = by_code.entry((&code.place, &code.handler));
                same.or_insert_with(|| (code, Vec::new())).1.push(i);
            }
        }
        let mut out = vec![Vec::new(); self.calls.calls.calls.len()];
        for (code, workloads) in by_code.into_values() {
            if let Some((_, found)) = self.reachable_calls(code) {
                found.calls.iter().for_each(|call| out[*call].extend(&workloads));
            }
        }
        out
    }

    /// What may run of `code`, as indices into what [`Calls`] holds; `None` where none of it was read.
    fn reachable_calls(&self, code: &WorkloadCode) -> Option<(&AnalyzedCode<'c, 'p>, FoundActions)> {
        let analyzed = match &code.place {
            CodePlace::Paths(_) => &self.calls,
            CodePlace::Inline(i) => self.inline.get(*i)?,
        };
        let calls = analyzed.calls;
        let mut found = FoundActions::default();
        match (&code.handler, &code.place) {
            (Some(handler), _) => {
                let reach = match &handler.function {
                    Some(function) => calls.reach(handler.file, function),
                    None => calls.script(handler.file),
                };
                found.exact = reach.exact;
                found.add_reach(&reach);
                if let (false, CodePlace::Paths(paths)) = (reach.exact, &code.place) {
                    paths.iter().for_each(|path| found.add_reach(&calls.folder(path)));
                }
            }
            (None, CodePlace::Paths(paths)) => paths.iter().for_each(|path| found.add_reach(&calls.folder(path))),
            (None, CodePlace::Inline(_)) => return None,
        }
        (!found.files.is_empty()).then_some((analyzed, found))
    }
}

#[derive(Default)]
struct FoundActions {
    calls: BTreeSet<usize>,
    named: BTreeSet<usize>,
    unresolved: BTreeSet<usize>,
    files: BTreeSet<FileId>,
    exact: bool,
}

impl FoundActions {
    fn add_reach(&mut self, reach: &crate::python::calls::EntryReach) {
        self.calls.extend(&reach.calls);
        self.named.extend(&reach.named);
        self.unresolved.extend(&reach.unresolved);
        self.files.extend(&reach.modules);
    }
}

/// The position of the end point among the arguments of what makes a client (boto3 reference, "Session.client").
const ENDPOINT: usize = 5;

/// The first end point that a module gives and that is not AWS's: of a service where each account has its own, or by its name.
fn foreign_endpoint(program: &Program<'_>, index: usize) -> Option<Span> {
    let m = &program.modules[index];
    let values = ConstantEvaluator::new(program);
    let own = |endpoint: ExprId| is_aws_endpoint(&values.value(index, endpoint));
    // The keys of arguments that are given by `**` to a service where each account has end points of its own.
    let mut expected: BTreeSet<ExprId> = BTreeSet::new();
    let mut set: BTreeMap<ExprId, ExprId> = BTreeMap::new();
    for e in m.ids() {
        match &m.expr(e).kind {
            ExprKind::Call(c) => {
                let service = c.argument(0, "service_name").and_then(|e| m.string(e));
                let is_own_service = service.is_some_and(|name| OWN_ENDPOINTS.contains(&&*name));
                let given = c.keyword("endpoint_url").or_else(|| {
                    let makes = matches!(&m.expr(c.function).kind, ExprKind::Attr { name, .. }
                        if matches!(&**name, "client" | "resource" | "create_client"));
                    c.positional(ENDPOINT).filter(|_| makes)
                });
                if let Some(endpoint) = given.filter(|endpoint| !is_own_service && !own(*endpoint)) {
                    return Some(m.expr(endpoint).span);
                }
                let spread = c.args.iter().filter(|a| a.name == ArgName::Spread && is_own_service);
                for made in spread.filter_map(|a| m.defining_expression(a.value)) {
                    if let ExprKind::Dict(pairs) = &m.expr(made).kind {
                        expected.extend(pairs.iter().filter_map(|p| p.key));
                    }
                }
            }
            ExprKind::Dict(pairs) => set.extend(pairs.iter().filter_map(|p| Some((p.key?, p.value)))),
            _ => {}
        }
    }
    for change in m.scopes.iter().flat_map(|s| &s.mutations) {
        if let (ObjectChange::Set(value), Some(key)) = (&change.change, change.path.last()) {
            set.insert(*key, *value);
        }
    }
    let mut keys = m
        .ids()
        .filter(|e| m.string(*e).as_deref() == Some("endpoint_url") && !expected.contains(e));
    let foreign = keys.find(|e| !set.get(e).is_some_and(|endpoint| own(*endpoint)));
    foreign.map(|e| m.expr(e).span)
}

/// Whether an end point is not one, or a host of AWS, whatever its region is.
fn is_aws_endpoint(endpoint: &Value) -> bool {
    match &endpoint.kind {
        ValueKind::Null => true,
        ValueKind::Str(text) => {
            let flat = text.with_placeholders();
            let host = flat.strip_prefix("https://").unwrap_or("");
            let host = host.split(['/', ':']).next().unwrap_or("");
            DOMAINS.iter().any(|d| host.ends_with(d))
        }
        ValueKind::OneOf(branches) => branches.iter().all(|b| is_aws_endpoint(&b.value)),
        _ => false,
    }
}

/// Whether a module hands keys to a session by their order: `boto3.Session(key, secret)`.
fn opens_session(m: &PythonModule) -> bool {
    m.ids().any(|e| {
        m.call(e).is_some_and(|c| {
            let class = m.dotted(c.function).unwrap_or_default();
            class.ends_with("Session") && c.positional(1).is_some()
        })
    })
}

/// Which lists of words a text has one of, not as the end of a longer word; a name of a class is not the begin of one either.
#[derive(Debug, Default)]
struct TellingWords {
    /// Where the first word of [`OTHERS`] stands, and its length.
    others: Option<(usize, usize)>,
    /// Where each word of [`HIDING`] stands first.
    hiding: BTreeMap<&'static str, usize>,
    takes_keys: bool,
}

impl TellingWords {
    fn of(text: &str) -> Self {
        static WORDS: OnceLock<Option<AhoCorasick>> = OnceLock::new();
        let all = || AhoCorasick::new([OTHERS, HIDING, TAKES_KEYS].concat()).ok();
        let mut out = Self::default();
        let found = WORDS
            .get_or_init(all)
            .iter()
            .flat_map(|w| w.find_overlapping_iter(text));
        for word in found {
            let before = text[..word.start()].chars().next_back();
            let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let is_class =
                text[word.range()].starts_with(char::is_uppercase) && text[word.range()].contains(char::is_lowercase);
            let goes_on = || text[word.end()..].starts_with(is_of_name);
            if before.is_some_and(is_of_name) || is_class && goes_on() {
                continue;
            }
            match word.pattern().as_usize() {
                n if n < OTHERS.len() => {
                    out.others.get_or_insert((word.start(), word.len()));
                }
                n if n < OTHERS.len() + HIDING.len() => {
                    let name = HIDING[n - OTHERS.len()];
                    if name != IMPORTLIB || loads_code(&text[..word.start()], &text[word.end()..]) {
                        out.hiding.entry(name).or_insert(word.start());
                    }
                }
                _ => out.takes_keys = true,
            }
        }
        out
    }
}

/// Whether `importlib` may import a module here whose name is not written. What is `before` and `after` it tells; of a plain
/// import, the uses do.
fn loads_code(before: &str, after: &str) -> bool {
    let is_plain = before.trim_end_matches([' ', '\t']).ends_with("import") && after.starts_with(['\n', '\r']);
    !is_plain && !READS_PACKAGES.iter().any(|rest| after.starts_with(rest))
}

/// What the libraries of a module may call, and what of its imports no one knows.
fn imports(program: &Program<'_>, index: usize, out: &mut ModuleNeeds) {
    let module = &program.modules[index];
    let read = attributes_read(module);
    // Of a module that is imported whole only what is read of it counts.
    let parts = |dotted: &str, name: &str| -> Option<ActionSet> {
        let attributes = read.get(name)?.iter().map(|a| a.map(|a| format!("{dotted}.{a}")));
        let mut set = ActionSet::empty();
        for part in attributes {
            set.union_with(&sdk::library(&part?)?);
        }
        Some(set)
    };
    let mut library = |dotted: &str, name: Option<&str>, span: Span| {
        // What a relative import names is no library.
        let known = (!dotted.starts_with('.')).then(|| sdk::library(dotted)).flatten();
        let Some(whole) = known else {
            return out.doubts.push(Uncertainty {
                span,
                doubt: Doubt::Library,
                name: dotted.into(),
            });
        };
        let parts = name.and_then(|name| Some((name, parts(dotted, name)?)));
        let parts =
            parts.filter(|(name, parts)| !whole.is_subset(parts) && !program.is_imported_elsewhere(index, name));
        let actions = parts.map_or(whole, |(_, parts)| parts);
        if !actions.is_empty() {
            let name = dotted.into();
            out.libraries.push(ImportedLibrary { name, span, actions });
        }
    };
    let dotted = |i: &ImportFrom| match (&*i.module, &*i.name) {
        (module, "*") => module.to_owned(),
        ("", name) => name.to_owned(),
        (module, name) => format!("{module}.{name}"),
    };
    let mut from = |i: &ImportFrom, name: Option<&str>, span: Span| {
        let (found, inner) = program.import_from(module.file, i);
        if found.is_none() && inner.is_none() {
            let dots = ".".repeat(i.level as usize);
            library(&format!("{dots}{}", dotted(i)), name.filter(|_| i.level == 0), span);
        }
    };
    for scope in &module.scopes {
        for (i, span) in scope.wildcards.iter().zip(&scope.wildcard_spans) {
            from(i, None, *span);
        }
        for (name, binding) in scope
            .bindings
            .iter()
            .flat_map(|(n, all)| all.iter().map(move |b| (n, b)))
        {
            if let BindingValue::From(i) = &binding.bound {
                from(i, Some(name), binding.span);
            }
        }
    }
    for binding in module.scopes.iter().flat_map(|s| s.bindings.values().flatten()) {
        if let BindingValue::Import(Import { full, .. }) = &binding.bound
            && program.import(module.file, 0, full).is_none()
        {
            library(full, None, binding.span);
        }
    }
}

/// What is read of each name: an attribute, or (none) the whole.
fn attributes_read(m: &PythonModule) -> BTreeMap<&str, BTreeSet<Option<&str>>> {
    let mut of = BTreeMap::new();
    for e in m.ids() {
        if let ExprKind::Attr { of: object, name, .. } = &m.expr(e).kind {
            of.insert(*object, &**name);
        }
    }
    let mut out: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for e in m.ids() {
        if let ExprKind::Name(name) = &m.expr(e).kind {
            out.entry(&**name).or_default().insert(of.get(&e).copied());
        }
    }
    out
}
