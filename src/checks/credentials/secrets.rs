//! Key-shaped secrets anywhere in a file, and literals in properties that are meant for credentials.

use rayon::prelude::*;

use std::ops::Range;

use super::slots::{self, CredentialSlot, SlotLiteral, Spans};
use crate::finding::{Cause, Confidence, Finding, Severity, Subject};
use crate::model::kinds;
use crate::project::Project;
use crate::rules::{Context, FindingSink, RuleId, ids};
use crate::secrets::{self, Credential, Secret, SecretKind, is_placeholder, is_plausible};
use crate::source::{FileId, Span, Text};
use crate::value::Value;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    let project = cx.project;
    let literals = slots::literals(project);
    let files: Vec<FileId> = project
        .sources
        .ids()
        .filter(|id| project.sources.file(*id).in_scope)
        .collect();
    // Secrets that the text contains as written.
    let mut found: Vec<Located> = files.par_iter().flat_map_iter(|id| in_file(project, *id)).collect();
    // Secrets that only appear after values are joined or decoded.
    let known = spans_of(&found);
    for l in &literals {
        found.extend(in_literal(l, &known));
    }
    let places = LiteralSlots::new(&literals);
    for l in &mut found {
        l.choose_literal(&literals, &places);
    }
    let taken = spans_of(&found);
    for l in found {
        out.push(l.report(cx, &literals));
    }
    for l in &literals {
        if !taken.overlaps_any(l.value.span) {
            slot(cx, l, out);
        }
    }
    if out.is_selected(ids::SHARED_CREDENTIALS_FILE_COMMITTED) {
        for id in files {
            credentials_file(cx, id, &taken, out);
        }
    }
}

/// A credential and where its parts are written.
struct Located {
    credential: Credential,
    spans: Vec<Span>,
    place: Option<CredentialSlot>,
    /// Index into the literals of all places.
    literal: Option<usize>,
    /// A key ID without a secret, in a log record.
    logged: bool,
}

fn spans_of(found: &[Located]) -> Spans {
    Spans::new(found.iter().flat_map(|l| l.spans.iter().copied()).collect())
}

/// The literals of all places, by their spans.
struct LiteralSlots(Vec<(Span, usize)>);

/// The most literals that can enclose one span: the uses of one value.
const MOST_USES: usize = 64;

impl LiteralSlots {
    fn new(literals: &[SlotLiteral<'_>]) -> Self {
        let mut all: Vec<(Span, usize)> = Vec::with_capacity(literals.len());
        for (i, l) in literals.iter().enumerate() {
            all.push((l.value.span, i));
            // A joined value may have a part that is written elsewhere.
            let text = l.text.span_of(0..l.text.len());
            all.extend(text.filter(|s| !l.value.span.contains(*s)).map(|s| (s, i)));
        }
        all.sort_unstable();
        Self(all)
    }

    /// Literals whose text contains `span`.
    fn literals_around(&self, span: Span) -> impl Iterator<Item = usize> {
        let after = self
            .0
            .partition_point(|(s, _)| (s.file, s.start) <= (span.file, span.start));
        self.0[..after]
            .iter()
            .rev()
            .take(MOST_USES)
            .take_while(move |(s, _)| s.file == span.file)
            .filter(move |(s, _)| s.contains(span))
            .map(|(_, i)| *i)
    }
}

fn in_file(project: &Project<'_>, file: FileId) -> Vec<Located> {
    let source = project.sources.file(file);
    let text: &str = &source.text;
    let by_name = slots::is_credentials_file(&source.path).then_some(CredentialSlot::CredentialsFile);
    let located = |text: &str, place: &dyn Fn(&Secret) -> Range<usize>| -> Vec<Located> {
        let secrets = secrets::scan(text);
        secrets::credentials(text, secrets)
            .into_iter()
            .map(|credential| Located {
                spans: credential
                    .parts
                    .iter()
                    .map(place)
                    .map(|range| Span::new(file, range.start, range.end))
                    .collect(),
                logged: credential.is_id() && secrets::is_logged(text, credential.first().range.start),
                credential,
                place: by_name,
                literal: None,
            })
            .collect()
    };
    let joined = source.path.ends_with(".py").then(|| secrets::joined(text)).flatten();
    match joined {
        Some(joined) => located(&joined.text, &|s| joined.source_range(&s.range)),
        None => located(text, &|s| s.range.clone()),
    }
}

/// Credentials in a literal that are not already among the `known` spans.
fn in_literal(l: &SlotLiteral<'_>, known: &Spans) -> Vec<Located> {
    let mut out = Vec::new();
    let flat = l.text.with_placeholders();
    let mut add = |text: &str, place_of: &dyn Fn(&Secret) -> Span, encoded: bool| {
        let secrets = secrets::scan(text).into_iter().map(|s| Secret {
            encoded: s.encoded || encoded,
            ..s
        });
        for credential in secrets::credentials(text, secrets.collect()) {
            let mut spans: Vec<Span> = credential.parts.iter().map(place_of).collect();
            spans.dedup();
            if spans.iter().any(|s| known.overlaps_any(*s)) {
                continue;
            }
            out.push(Located {
                logged: credential.is_id() && secrets::is_logged(text, credential.first().range.start),
                credential,
                spans,
                place: None,
                literal: None,
            });
        }
    };
    add(
        &flat,
        &|s| l.text.span_of(s.range.clone()).unwrap_or(l.value.span),
        false,
    );
    // A file without a credential mark of its own, such as a script that names a secret but has no key ID.
    if let Some(decoded) = l.text.known().and_then(|t| secrets::decoded(&t)) {
        let whole = slots::span_of(l.text, l.value);
        add(&decoded, &|_| whole, true);
    }
    out
}

impl Located {
    fn choose_literal(&mut self, literals: &[SlotLiteral<'_>], places: &LiteralSlots) {
        // The most severe place of any part; among equals the first.
        let here = self
            .spans
            .iter()
            .flat_map(|s| places.literals_around(*s))
            .max_by_key(|i| (literals[*i].place.severity(), std::cmp::Reverse(*i)));
        if let Some(i) = here {
            self.place = Some(literals[i].place);
            self.literal = Some(i);
        }
    }

    fn rule(&self) -> RuleId {
        if self.credential.is_pair() {
            return ids::AWS_KEY_PAIR_TOGETHER;
        }
        rule_of(self.credential.first().kind)
    }

    fn severity(&self) -> Severity {
        let own = if self.credential.is_example() || self.logged {
            return Severity::Low;
        } else if self.credential.is_pair() {
            Severity::Critical
        } else {
            match self.credential.first().kind {
                // An access key ID alone gives no access.
                SecretKind::TemporaryAccessKeyId if self.credential.is_id() => Severity::Low,
                SecretKind::TemporaryAccessKeyId | SecretKind::MwsToken | SecretKind::AppSyncApiKey => Severity::Medium,
                SecretKind::SecretAccessKey => Severity::Critical,
                SecretKind::AccessKeyId
                | SecretKind::SessionToken
                | SecretKind::BedrockApiKey
                | SecretKind::PrivateKey => Severity::High,
            }
        };
        self.place.map_or(own, |p| own.max(p.severity()))
    }

    fn report(self, cx: &Context<'_>, literals: &[SlotLiteral<'_>]) -> Finding {
        let rule = self.rule();
        let literal = self.literal.map(|i| &literals[i]);
        let place = self.place.map_or("the source", CredentialSlot::phrase);
        let noun = noun(&self.credential);
        let message = if self.credential.is_example() {
            format!("example key from the AWS documentation in {place}")
        } else if self.logged {
            format!("{noun} in a log record")
        } else {
            format!("{noun} in {place}")
        };
        let mut f = match literal {
            Some(l) => cx.at_resource(rule, l.resource, message),
            None => {
                let mut f = Finding::new(rule, message);
                f.subject = Subject {
                    kind: "text".to_owned(),
                    ..Subject::default()
                };
                f
            }
        };
        f.cause = Cause::Place(self.spans[0]);
        for (i, span) in self.spans.iter().enumerate().rev() {
            let part = &self.credential.parts[i.min(self.credential.parts.len() - 1)];
            let label = if part.encoded {
                "Base64-encoded"
            } else {
                label(part.kind)
            };
            f = if i == 0 {
                f.primary(*span, label)
            } else {
                f.secondary(*span, label)
            };
        }
        f.labels[1..].reverse();
        if let Some(l) = literal {
            f = f.label_provenance(&l.value.via);
            if !l.value.span.contains(self.spans[0]) {
                f = f.secondary(l.value.span, "used here");
            }
        }
        f.secrets = self.spans.clone();
        if self.credential.is_example() {
            f = f
                .severity(Severity::Low)
                .note("an example key gives no access, but a real key in its place would")
                .help("Load the credential from the environment or from a role, so that no real key ends up here.");
        } else {
            f = f.severity(self.severity());
        }
        let is_private_key = self.place.is_none() && self.credential.first().kind == SecretKind::PrivateKey;
        let for_tests = || super::tests_only::evidence(cx, self.spans[0]);
        if let Some(evidence) = is_private_key.then(for_tests).flatten() {
            f = f.severity(Severity::Low).note(evidence.text());
        }
        if self.logged && !self.credential.is_example() {
            f = f
                .note("a log contains the ID of the key that was used; the ID alone gives no access")
                .help(
                    "Replace the ID with the example ID from the AWS documentation, and check whether the key exists.",
                );
        }
        let text = cx.project.sources.text(self.spans[0].file);
        for account in self.credential.parts.iter().filter_map(|p| p.account.as_ref()) {
            let name = cx.project.own.accounts.get(account);
            // If the text names only other accounts, the ID is made up.
            if name.is_none() && secrets::contradicts(text, self.spans[0].range().start, account) {
                continue;
            }
            f = f
                .note(match name {
                    Some(name) => format!("if it is real, the key belongs to account `{account}` ({name})"),
                    None => format!("if it is real, the key belongs to account `{account}`"),
                })
                .other_evidence(format!("account:{account}"));
        }
        if let Some(p) = self.place {
            f = f.other_evidence(format!("place:{}", p.rule()));
            f.folded.push(p.rule());
        }
        for part in &self.credential.parts {
            let name = rule_of(part.kind);
            if name != rule {
                f.folded.push(name);
            }
        }
        f.folded.sort();
        f.folded.dedup();
        f
    }
}

fn rule_of(kind: SecretKind) -> RuleId {
    match kind {
        SecretKind::AccessKeyId => ids::AWS_ACCESS_KEY_ID,
        SecretKind::TemporaryAccessKeyId => ids::AWS_TEMPORARY_ACCESS_KEY_ID,
        SecretKind::SecretAccessKey => ids::AWS_SECRET_ACCESS_KEY,
        SecretKind::SessionToken => ids::AWS_SESSION_TOKEN,
        SecretKind::BedrockApiKey => ids::AWS_BEDROCK_API_KEY,
        SecretKind::MwsToken => ids::AWS_MWS_TOKEN,
        SecretKind::AppSyncApiKey => ids::AWS_APPSYNC_API_KEY,
        SecretKind::PrivateKey => ids::PRIVATE_KEY_IN_SOURCE,
    }
}

fn noun(c: &Credential) -> &'static str {
    let temporary = c.has(SecretKind::TemporaryAccessKeyId);
    if c.is_pair() {
        return if temporary {
            "temporary AWS access key ID and secret access key"
        } else {
            "AWS access key ID and secret access key"
        };
    }
    match c.first().kind {
        SecretKind::AccessKeyId => "AWS access key ID",
        SecretKind::TemporaryAccessKeyId => "temporary AWS access key ID",
        SecretKind::SecretAccessKey => "AWS secret access key",
        SecretKind::SessionToken => "AWS session token",
        SecretKind::BedrockApiKey => "Amazon Bedrock API key",
        SecretKind::MwsToken => "Amazon MWS auth token",
        SecretKind::AppSyncApiKey => "AWS AppSync API key",
        SecretKind::PrivateKey => "private key",
    }
}

fn label(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::AccessKeyId | SecretKind::TemporaryAccessKeyId => "access key ID",
        SecretKind::SecretAccessKey => "secret access key",
        SecretKind::SessionToken => "session token",
        SecretKind::BedrockApiKey | SecretKind::AppSyncApiKey => "API key",
        SecretKind::MwsToken => "token",
        SecretKind::PrivateKey => "private key",
    }
}

/// A literal that is not key-shaped, in a property that is meant for a credential.
fn slot(cx: &Context<'_>, l: &SlotLiteral<'_>, out: &mut FindingSink<'_>) {
    let Some(value) = l.text.known().filter(|v| !v.trim().is_empty()) else {
        return;
    };
    let placeholder = is_placeholder(&value);
    let noun = match (l.place, l.slot) {
        (CredentialSlot::UserData, _) => return user_data(cx, l, &value, out),
        (CredentialSlot::SsmParameter, _) => return ssm_parameter(cx, l, &value, out),
        (CredentialSlot::Authentication, None) => "password",
        (_, Some(slot)) => match slot.kind() {
            SecretKind::SecretAccessKey => "secret access key",
            SecretKind::SessionToken => "session token",
            _ => "access key ID",
        },
        (_, None) => return,
    };
    if value.starts_with("{{resolve:") || value.contains("${") {
        return;
    }
    if placeholder
        && matches!(
            l.place,
            CredentialSlot::Provider | CredentialSlot::Boto3 | CredentialSlot::Backend
        )
        && is_local(cx, l, &value)
    {
        return;
    }
    let span = slots::span_of(l.text, l.value);
    let rule = l.place.rule();
    let mut f = cx
        .at_resource(rule, l.resource, format!("{noun} in {}", l.place.phrase()))
        .cause(Cause::Place(span))
        .primary(span, "hard-coded value");
    if l.value.via.is_some() {
        f = f.label_provenance(&l.value.via);
    }
    f.secrets.push(span);
    if placeholder || l.slot.is_some_and(|slot| !is_plausible(slot.kind(), &value)) {
        f = f.severity(Severity::Low).note(NOT_A_KEY);
    }
    out.push(f);
}

/// For an emulator or a test: `mock_access_key`, or `test` with custom endpoints.
fn is_local(cx: &Context<'_>, l: &SlotLiteral<'_>, value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    let r = &cx.project.resources[l.resource];
    let mocked = lower.starts_with("mock") || matches!(lower.as_str(), "localstack" | "minio" | "minioadmin");
    let words = &*r.kind == kinds::BOTO3_CLIENT
        && matches!(lower.as_str(), "test" | "testing" | "dummy" | "fake" | "foo" | "bar");
    let elsewhere = r.props.entries().unwrap_or_default().iter().any(|e| {
        let key = e.key.display().to_ascii_lowercase();
        key.contains("endpoint") || key.contains("skipcredentials") || key.contains("skip_credentials")
    });
    mocked || words || elsewhere
}

const NOT_A_KEY: &str = "the value does not have the format of an AWS key";

/// `export AWS_SECRET_ACCESS_KEY=…` with a value that is neither key-shaped nor a placeholder.
fn user_data(cx: &Context<'_>, l: &SlotLiteral<'_>, value: &str, out: &mut FindingSink<'_>) {
    let rule = CredentialSlot::UserData.rule();
    let inner = l.text.known().and_then(|t| secrets::decoded(&t));
    let script = inner.as_deref().unwrap_or(value);
    for (name, range) in assignments(script) {
        let assigned = &script[range.clone()];
        if assigned.len() < 8 || assigned.starts_with(['$', '`', '<']) || is_placeholder(assigned) {
            continue;
        }
        let span = if inner.is_some() {
            slots::span_of(l.text, l.value)
        } else {
            l.text.span_of(range).unwrap_or(l.value.span)
        };
        let noun = match name {
            SecretKind::SecretAccessKey => "secret access key",
            SecretKind::SessionToken => "session token",
            _ => "access key ID",
        };
        let mut f = cx
            .at_resource(rule, l.resource, format!("{noun} in user data"))
            .cause(Cause::Place(span))
            .confidence(Confidence::Medium)
            .primary(span, "hard-coded value");
        f.secrets.push(span);
        if !is_plausible(name, assigned) {
            f = f.severity(Severity::Low).note(NOT_A_KEY);
        }
        out.push(f);
    }
}

/// Assignments such as `AWS_SECRET_ACCESS_KEY=value`, line by line: the kind that the name says, and the range of the
/// value without its quotes.
fn assignments(script: &str) -> Vec<(SecretKind, std::ops::Range<usize>)> {
    let mut out = Vec::new();
    let mut at = 0;
    for line in script.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let Some(eq) = line.find('=') else { continue };
        let head = line[..eq].trim_end();
        let name = head.rsplit([' ', '\t', ';']).next().unwrap_or(head);
        let Some(slot) = secrets::slot_of(name) else { continue };
        let rest = &line[eq + 1..];
        let from = rest.len() - rest.trim_start_matches([' ', '\t', '"', '\'']).len();
        let len = rest[from..]
            .find([' ', '\t', '"', '\'', '\n', '\r', ';'])
            .unwrap_or(rest.len() - from);
        if len > 0 {
            let from = start + eq + 1 + from;
            out.push((slot.kind(), from..from + len));
        }
    }
    out
}

/// Ends of names whose value says something of a secret: where it is, what it is called, how long it holds.
const ABOUT_A_SECRET: &[&str] = &[
    "arn",
    "bucket",
    "enabled",
    "endpoint",
    "expiration",
    "expiry",
    "file",
    "folder",
    "host",
    "issuer",
    "length",
    "location",
    "lifetime",
    "name",
    "path",
    "paths",
    "policy",
    "prefix",
    "region",
    "ttl",
    "type",
    "uri",
    "url",
    "username",
    "version",
];

/// A parameter whose name or type says that it is secret, with a literal value.
fn ssm_parameter(cx: &Context<'_>, l: &SlotLiteral<'_>, value: &str, out: &mut FindingSink<'_>) {
    let r = &cx.project.resources[l.resource];
    let secure = r
        .get("Type")
        .and_then(Value::as_str)
        .is_some_and(|t| t == "SecureString");
    let name = r
        .get("Name")
        .and_then(Value::as_text)
        .map(Text::display)
        .unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let telling = [
        "password",
        "passwd",
        "secret",
        "token",
        "api_key",
        "apikey",
        "api-key",
        "private_key",
        "credential",
    ]
    .iter()
    .any(|w| lower.contains(w))
        && !ABOUT_A_SECRET.iter().any(|end| lower.ends_with(end));
    let plain = value.len() < 8
        || is_placeholder(value)
        || value.starts_with("arn:")
        || value.starts_with("http")
        // A path, or joined names.
        || value.contains('/') && secrets::is_wordy(value)
        || value.contains(char::is_whitespace)
        || value.starts_with("{{resolve:");
    if plain || !(secure || telling) {
        return;
    }
    let span = slots::span_of(l.text, l.value);
    let mut f = cx
        .at_resource(
            CredentialSlot::SsmParameter.rule(),
            l.resource,
            "hard-coded secret in the value of an SSM parameter",
        )
        .cause(Cause::Place(span))
        .confidence(if secure { Confidence::High } else { Confidence::Medium })
        .primary(span, "hard-coded value")
        .label_provenance(&l.value.via);
    f.secrets.push(span);
    out.push(f);
}

/// Values in a credentials file that are not key-shaped.
fn credentials_file(cx: &Context<'_>, file: FileId, taken: &Spans, out: &mut FindingSink<'_>) {
    let source = cx.project.sources.file(file);
    if !slots::is_credentials_file(&source.path) {
        return;
    }
    for (kind, range) in assignments(&source.text) {
        let value = &source.text[range.clone()];
        let span = Span::new(file, range.start, range.end);
        if kind == SecretKind::AccessKeyId
            || value.len() < 8
            || value.starts_with(['$', '<', '{'])
            || is_placeholder(value)
            || taken.overlaps_any(span)
        {
            continue;
        }
        let noun = if kind == SecretKind::SessionToken {
            "session token"
        } else {
            "secret access key"
        };
        let mut f = Finding::new(
            CredentialSlot::CredentialsFile.rule(),
            format!("{noun} in a credentials file"),
        )
        .cause(Cause::Place(span))
        .primary(span, "hard-coded value");
        f.subject.kind = "text".to_owned();
        f.secrets.push(span);
        if !is_plausible(kind, value) {
            f = f.severity(Severity::Low).note(NOT_A_KEY);
        }
        out.push(f);
    }
}
