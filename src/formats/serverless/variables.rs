//! `${self:…}`, `${file(…)}` and the other variables. Serverless Framework, "Variables".

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;

use crate::formats::cloudformation::eval::env::TemplateScope;
use crate::formats::cloudformation::eval::text;
use crate::formats::cloudformation::eval::text::TemplatePart;
use crate::formats::cloudformation::{Template, Variables};
use crate::source::{Hole, HoleKind, MATCHING, Span, Text};
use crate::syntax::{NodeId, NodeKind as Node, Tree};
use crate::value::guard::Fact;
use crate::value::{Branch, Guard, Value, ValueKind};

/// Variables inside variables are followed this deep.
const MAX_NESTING: usize = 8;
/// Longer texts than this hold no variables worth reading.
const MAX_TEXT: usize = 256 * 1024;
/// Texts that variables make are shorter than this, in bytes: the largest policies of AWS have 20 KiB.
const MAX_FILLED: usize = 32 * 1024;
/// What an address stands for weighs less than this and the nodes of its file (see [`Value::weight`]).
const MAX_WEIGHT: usize = 4_000;
/// Longer than any variable with its fallbacks.
const MAX_VARIABLE: usize = 2_000;

/// Fills in the variables of one service.
pub(super) struct ServerlessService {
    tree: Arc<Tree>,
    root: NodeId,
    memo: Mutex<SelfMemo>,
}

/// What `self:` addresses stand for, and which are being evaluated by which thread: one that is met again refers to itself.
#[derive(Default)]
struct SelfMemo {
    known: HashMap<String, Value>,
    open: HashSet<(ThreadId, String)>,
    /// See [`ServerlessService::fallbacks`].
    fallbacks: BTreeMap<Span, Arc<str>>,
}

impl Variables for ServerlessService {
    fn resolve(&self, template: &Template<'_>, env: TemplateScope<'_>, text: &Text, span: Span) -> Option<Value> {
        self.fill_variables(template, env, text, span, 0)
    }
}

/// A variable in a text: where it stands, and what is between the braces.
struct VariableReference<'t> {
    start: usize,
    end: usize,
    inside: &'t str,
}

impl ServerlessService {
    pub(super) fn new(tree: Arc<Tree>, root: NodeId) -> Self {
        Self {
            tree,
            root,
            memo: Mutex::default(),
        }
    }

    /// The variables that a literal after them stands for, as nothing here gives them a value: place and name.
    pub(super) fn fallbacks(&self) -> Vec<(Span, Arc<str>)> {
        let memo = self.memo.lock().unwrap_or_else(PoisonError::into_inner);
        memo.fallbacks.iter().map(|(at, name)| (*at, name.clone())).collect()
    }

    /// The text with its variables filled in; a text that is one variable is the variable's value. `None` where there is
    /// no variable.
    fn fill_variables(
        &self,
        template: &Template<'_>,
        env: TemplateScope<'_>,
        text: &Text,
        span: Span,
        nesting: usize,
    ) -> Option<Value> {
        let flat = text.known()?;
        if !(flat.contains("${") || flat.contains("#{")) {
            return None;
        }
        if nesting > MAX_NESTING || flat.len() > MAX_TEXT {
            // What its variables stand for is not known; that of CloudFormation's own is not asked here.
            return next_variable(&flat, 0).map(|_| Value::unknown_other("too many variables", span));
        }
        let mut parts: Vec<TemplatePart> = Vec::new();
        let mut done = 0;
        let mut from = 0;
        let mut length = flat.len();
        while let Some(found) = next_variable(&flat, from) {
            from = found.end;
            let at = text.span_of(found.start..found.end).unwrap_or(span);
            let Some(value) = self.variable(template, env, found.inside, at, nesting) else {
                continue;
            };
            // What is empty unless someone says otherwise is a stand-in for what goes there.
            let is_empty = value.as_text().is_some_and(|t| t.is_known() && t.is_empty());
            let fallback = is_empty.then(|| self.fallback(at)).flatten();
            if found.start == 0 && found.end == flat.len() {
                return Some(fallback.map_or(value, |name| hole_text(HoleKind::Default, &name, at)));
            }
            let value = fallback.map_or(value, |name| hole_text(HoleKind::Input, &name, at));
            length += value.as_text().map_or(1, Text::len);
            if length > MAX_FILLED || !template.spend_nodes(1 + value.as_text().map_or(1, Text::len) / 16) {
                return Some(Value::unknown_other("too large", span));
            }
            if done < found.start {
                parts.push(text::fixed(text.slice(done..found.start)));
            }
            parts.push(text::part(&value, at, at));
            done = found.end;
        }
        if done == 0 {
            return None;
        }
        if done < flat.len() {
            parts.push(text::fixed(text.slice(done..flat.len())));
        }
        Some(text::concat(&parts, span))
    }

    /// The value of `inside`, sources by preference: `opt:stage, self:custom.stage, 'dev'`. `None` where it is no variable
    /// of the framework's.
    fn variable(
        &self,
        template: &Template<'_>,
        env: TemplateScope<'_>,
        inside: &str,
        at: Span,
        nesting: usize,
    ) -> Option<Value> {
        let Some(env) = env.nested() else {
            return Some(Value::unknown_other("variables that refer to each other", at));
        };
        if let Some(pseudo) = inside.strip_prefix("AWS::") {
            // `#{AWS::AccountId}` of the pseudo parameters plugin.
            let name = format!("AWS::{pseudo}");
            return Some(hole_text(text::pseudo(&name).unwrap_or(HoleKind::Other), &name, at));
        }
        let filled;
        let mut inside = inside;
        if let Some(value) = self
            .stage_files(template, env, inside, at)
            .or_else(|| self.stage_keys(template, env, inside, at, nesting))
        {
            return Some(value);
        }
        if inside.contains("${") {
            // The address itself holds variables.
            let value = self.fill_variables(template, env, &Text::synthetic(inside, at), at, nesting + 1)?;
            filled = value.as_text()?.display();
            inside = &filled;
        }
        let mut unknown = None;
        for source in sources(inside) {
            let source = source.trim();
            if let Some(literal) = literal(source) {
                if unknown.is_some() {
                    let name = sources(inside).first().map_or("", |s| s.trim());
                    let mut memo = self.memo.lock().unwrap_or_else(PoisonError::into_inner);
                    memo.fallbacks.insert(at, name.into());
                }
                return Some(Value::synthetic(literal, at));
            }
            match self.source(template, env, source, at) {
                Some(Answer::Value(value)) => return Some(value),
                Some(Answer::Unknown(value)) => unknown = unknown.or(Some(value)),
                None => return unknown,
            }
        }
        unknown
    }

    /// The variable whose place a literal after it takes.
    fn fallback(&self, at: Span) -> Option<Arc<str>> {
        let memo = self.memo.lock().unwrap_or_else(PoisonError::into_inner);
        memo.fallbacks.get(&at).cloned()
    }

    /// One source; `None` where it is not a source at all.
    fn source(&self, template: &Template<'_>, env: TemplateScope<'_>, source: &str, at: Span) -> Option<Answer> {
        let hole = |kind: HoleKind| Some(Answer::Unknown(hole_text(kind, source, at)));
        if let Some(rest) = source.strip_prefix("file(") {
            let (path, rest) = rest.split_once(')')?;
            return Some(self.file(template, env, path.trim(), rest.strip_prefix(':').unwrap_or(""), at));
        }
        let (kind, address) = source.split_once(':')?;
        if address.starts_with(':') || kind.is_empty() || !kind.bytes().all(is_word) {
            return None;
        }
        match kind {
            "self" => Some(self.self_value_at(template, env, address, at)),
            "sls" if address == "stage" => Some(self.self_value_at(template, env, "provider.stage", at)),
            "param" => Some(self.parameter(template, env, address, at)),
            _ => hole(outside_source(kind, address)),
        }
    }

    /// `self:a.b.c`.
    fn self_value_at(&self, template: &Template<'_>, env: TemplateScope<'_>, address: &str, at: Span) -> Answer {
        match self.value_at_address(template, env, address, at) {
            Some(value) if !value.is_null() => Answer::Value(value.used_at(at)),
            _ if address == "provider.stage" => Answer::Value(Value::synthetic("dev", at)),
            _ if address == "provider.region" => Answer::Unknown(hole_text(HoleKind::Region, address, at)),
            _ => Answer::Unknown(hole_text(HoleKind::Other, address, at)),
        }
    }

    /// The value at an address of the service, found once.
    fn value_at_address(
        &self,
        template: &Template<'_>,
        env: TemplateScope<'_>,
        address: &str,
        at: Span,
    ) -> Option<Value> {
        let memo = || self.memo.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = memo().known.get(address) {
            return Some(known.clone());
        }
        let here = (std::thread::current().id(), address.to_owned());
        if !memo().open.insert(here.clone()) {
            return Some(Value::unknown_other("a variable that refers to itself", at));
        }
        let value = self.walk(template, env.in_file(&self.tree), self.root, address);
        // Each of a chain of addresses may use the one before twice.
        let most = MAX_WEIGHT + self.tree.node_count();
        let value = value.map(|v| match v.weight(most) >= most {
            true => Value::unknown_other("too large", at),
            false => v,
        });
        let mut memo = memo();
        memo.open.remove(&here);
        if let Some(value) = &value {
            memo.known.insert(here.1, value.clone());
        }
        value
    }

    /// `param:name`: what each stage sets, since any of them may be deployed; else the default of all.
    /// Serverless Framework, "Parameters".
    fn parameter(&self, template: &Template<'_>, env: TemplateScope<'_>, name: &str, at: Span) -> Answer {
        let tree = &self.tree;
        let stages = |section: &str| {
            let section = tree.get(self.root, section).filter(|s| tree.kind(*s) == Node::Map);
            let entries = section.into_iter().flat_map(|s| tree.entries(s));
            entries
                .filter_map(|(key, _)| tree.text(key)?.known())
                .collect::<Vec<_>>()
        };
        let in_params = stages("params").into_iter().map(|s| (format!("params.{s}.{name}"), s));
        let in_stages = stages("stages")
            .into_iter()
            .map(|s| (format!("stages.{s}.params.{name}"), s));
        let mut values: Vec<(String, Value)> = Vec::new();
        let mut default = None;
        for (address, stage) in in_params.chain(in_stages) {
            let value = self.walk(template, env.in_file(tree), self.root, &address);
            let Some(value) = value.filter(|v| !v.is_null()) else {
                continue;
            };
            if stage == "default" {
                default = Some(value);
            } else {
                values.push((stage.into_owned(), value));
            }
        }
        values.extend(default.map(|value| ("default".to_owned(), value)));
        match by_stage(values, at) {
            Some(value) => Answer::Value(value.used_at(at)),
            None => Answer::Unknown(hole_text(HoleKind::Input, &format!("param:{name}"), at)),
        }
    }

    /// `file(config/${opt:stage}.yml):address`: what the file of each stage says. `None` where the path does not depend on the
    /// stage alone, or only one such file is there.
    fn stage_files(&self, template: &Template<'_>, env: TemplateScope<'_>, inside: &str, at: Span) -> Option<Value> {
        let (path, rest) = inside.strip_prefix("file(")?.split_once(')')?;
        let stage = next_variable(path, 0).filter(|v| is_stage(v.inside))?;
        let (before, after) = (&path[..stage.start], &path[stage.end..]);
        if after.contains("${") || before.contains("${") || rest.contains("${") {
            return None;
        }
        let (folder, name) = before.rsplit_once('/').unwrap_or((".", before));
        let folder = template.local_path(&self.tree, folder)?;
        let pattern = format!("{}*{after}", name.trim());
        template.request_file(format!(
            "{}/{MATCHING}{}",
            if folder.is_empty() { "." } else { &folder },
            pattern.trim()
        ));
        let start = crate::source::join_path(&folder, name.trim());
        let start = if name.trim().is_empty() {
            format!("{start}/")
        } else {
            start
        };
        let sources = template.world.sources;
        let mut values = Vec::new();
        for id in sources.ids().filter(|_| template.spend_nodes(1)) {
            let stage = sources
                .path(id)
                .strip_prefix(&start)
                .and_then(|p| p.strip_suffix(after.trim()));
            let Some(stage) = stage.filter(|s| !s.is_empty() && !s.contains('/')) else {
                continue;
            };
            let path = path.replacen(&path[before.len()..path.len() - after.len()], stage, 1);
            let address = rest.strip_prefix(':').unwrap_or("");
            if let Answer::Value(value) = self.file(template, env, path.trim(), address, at) {
                values.push((stage.to_owned(), value));
            }
        }
        if values.len() < 2 { None } else { by_stage(values, at) }
    }

    /// `self:custom.acl.${opt:stage}`: what the map says for each stage, since any of them may be deployed, and the next
    /// source for a stage that the map does not name. `None` where the address does not depend on the stage alone.
    fn stage_keys(
        &self,
        template: &Template<'_>,
        env: TemplateScope<'_>,
        inside: &str,
        at: Span,
        nesting: usize,
    ) -> Option<Value> {
        let all = sources(inside);
        let (first, others) = all.split_first()?;
        let stage = next_variable(first, 0).filter(|v| is_stage(v.inside))?;
        let (outer, below) = (first[..stage.start].strip_suffix('.')?, &first[stage.end..]);
        let below = match below.trim_end() {
            "" => None,
            below => Some(below.strip_prefix('.')?),
        };
        if outer.contains("${") || below.is_some_and(|b| b.contains("${")) {
            return None;
        }
        let Answer::Value(map) = self.source(template, env, outer.trim(), at)? else {
            return None;
        };
        let mut values: Vec<(String, Value)> = Vec::new();
        for entry in map.entries()? {
            let found = match below {
                Some(below) => value_at(&entry.value, below).cloned(),
                None => Some(entry.value.clone()),
            };
            if let Some(value) = found.filter(|v| !v.is_null()) {
                values.push((entry.key.known()?.into_owned(), value));
            }
        }
        if !others.is_empty()
            && let Some(value) = self.variable(template, env, &others.join(","), at, nesting + 1)
        {
            values.push(("other".to_owned(), value));
        }
        if values.len() < 2 {
            return None;
        }
        by_stage(values, at).map(|value| value.used_at(at))
    }

    /// `file(path):address`; what is not data (JavaScript) is unknown.
    fn file(&self, template: &Template<'_>, env: TemplateScope<'_>, path: &str, address: &str, at: Span) -> Answer {
        let said = match address {
            "" => format!("file({path})"),
            address => format!("file({path}):{address}"),
        };
        let unknown = || Answer::Unknown(Value::unknown(Hole::new(HoleKind::Outside, &*said, at)));
        let data = [".yml", ".yaml", ".json"].iter().any(|end| path.ends_with(end));
        let Some(path) = template.local_path(&self.tree, path).filter(|_| data) else {
            return unknown();
        };
        let Some(file) = template.world.sources.find(&path) else {
            template.request_file(path);
            return unknown();
        };
        let tree = template.world.tree(file);
        let value = tree
            .roots
            .first()
            .filter(|_| template.spend_nodes(tree.node_count()))
            .and_then(|root| self.walk(template, env.in_file(&tree), *root, address));
        value.map_or_else(unknown, |value| Answer::Value(value.used_at(at)))
    }

    /// Follows `a.b.0` from a node; the way may lead through variables.
    fn walk(&self, template: &Template<'_>, env: TemplateScope<'_>, root: NodeId, address: &str) -> Option<Value> {
        let mut node = root;
        let mut rest = address;
        while !rest.is_empty() {
            let (key, after) = rest.split_once('.').unwrap_or((rest, ""));
            let next = match env.tree.kind(node) {
                Node::Map => env.tree.get(node, key),
                Node::Seq => key.parse().ok().and_then(|i| env.tree.children(node).nth(i)),
                // The rest of the way is in what the variable stands for.
                _ => {
                    let value = template.value(env, node)?;
                    return value_at(&value, rest).cloned();
                }
            };
            node = next?;
            rest = after;
        }
        template.value(env, node)
    }
}

/// What a source outside the file gives: `aws:accountId`, `ssm:/path`.
fn outside_source(kind: &str, address: &str) -> HoleKind {
    match kind {
        "aws" if address == "accountId" => HoleKind::Account,
        "aws" if address == "region" => HoleKind::Region,
        "opt" if address == "region" => HoleKind::Region,
        "ssm" | "secretsmanager" | "vault" | "doppler" => HoleKind::Dynamic,
        "opt" | "env" | "cf" | "git" | "s3" | "output" | "terraform" => HoleKind::Input,
        _ => HoleKind::Other,
    }
}

/// What a variable of the framework stands for in a file that is not its own; `None` where it may be a policy variable, as
/// `${s3:prefix}` and `${ssm:resourceTag/team}` are.
pub(in crate::formats) fn framework_variable(inside: &str) -> Option<HoleKind> {
    let first = sources(inside).into_iter().next()?.trim();
    if first.starts_with("file(") {
        return Some(HoleKind::Outside);
    }
    let (kind, address) = first.split_once(':')?;
    // `cf.eu-west-1:stack.output`, `cf(eu-west-1):stack.output`.
    let kind = kind.split(['.', '(']).next().unwrap_or(kind);
    let known = match kind {
        "self" | "opt" | "sls" | "cf" | "env" | "param" | "output" | "git" | "terraform" | "vault" | "doppler" => {
            !address.starts_with(':')
        }
        "aws" => matches!(address, "accountId" | "region"),
        "ssm" => address.starts_with('/'),
        _ => false,
    };
    known.then(|| match outside_source(kind, address) {
        HoleKind::Other => HoleKind::Input,
        kind => kind,
    })
}

/// What stands at `a.b.0` of a value.
fn value_at<'v>(value: &'v Value, address: &str) -> Option<&'v Value> {
    let mut at = value;
    for key in address.split('.') {
        at = match &at.kind {
            ValueKind::Seq(items) => items.get(key.parse::<usize>().ok()?)?,
            _ => at.get(key)?,
        };
    }
    Some(at)
}

/// What a source gives: a later one is asked only where this one is not known.
enum Answer {
    Value(Value),
    Unknown(Value),
}

/// How many stages are distinguished.
const MAX_STAGES: usize = 8;

/// The value of each stage; one value where there is only one, unknown where there are too many.
fn by_stage(mut values: Vec<(String, Value)>, at: Span) -> Option<Value> {
    match values.len() {
        0 => None,
        1 => values.pop().map(|(_, value)| value),
        2..=MAX_STAGES => {
            let branches = values.into_iter().map(|(stage, value)| Branch {
                when: Guard::new(&format!("in stage {stage}"), vec![Fact::key("stage", &stage)]),
                value,
            });
            Some(Value::new(ValueKind::OneOf(branches.collect()), at))
        }
        _ => Some(hole_text(HoleKind::Input, "stage", at)),
    }
}

/// Whether a variable is the stage that is deployed, given on the command line.
fn is_stage(inside: &str) -> bool {
    let first = inside.split(',').next().unwrap_or("").trim();
    matches!(
        first,
        "opt:stage" | "sls:stage" | "self:provider.stage" | "self:custom.stage"
    )
}

fn hole_text(kind: HoleKind, name: &str, at: Span) -> Value {
    Value::text(text::hole(kind, name, at), at)
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

/// The next `${…}` with the braces inside it closed, or `#{AWS::…}`.
fn next_variable(flat: &str, from: usize) -> Option<VariableReference<'_>> {
    let bytes = flat.as_bytes();
    let mut at = from;
    loop {
        let open = at + memchr::memmem::find(bytes.get(at..)?, b"{")?;
        at = open + 1;
        let sign = open.checked_sub(1).filter(|s| *s >= from).map(|s| bytes[s]);
        let plugin = sign == Some(b'#') && flat[at..].starts_with("AWS::");
        if sign != Some(b'$') && !plugin {
            continue;
        }
        let mut depth = 1;
        let window = &bytes[at..bytes.len().min(at + MAX_VARIABLE)];
        let close = window.iter().position(|b| {
            match b {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let Some(close) = close.map(|i| at + i) else { continue };
        let inside = flat.get(at..close)?;
        // CloudFormation's own: `${AWS::Region}`, `${Bucket}`, `${Bucket.Arn}`, `${!Literal}`.
        let theirs = inside.starts_with("AWS::") || inside.starts_with('!');
        let ours = plugin || (!theirs && (inside.contains(':') || inside.starts_with("file(")));
        if ours {
            return Some(VariableReference {
                start: open - 1,
                end: close + 1,
                inside,
            });
        }
    }
}

/// The parts between commas; quotes, parentheses, and braces are left whole.
fn sources(inside: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut quote, mut depth) = (0, None, 0i32);
    for (i, c) in inside.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '{') => depth += 1,
            (None, ')' | '}') => depth -= 1,
            (None, ',') if depth <= 0 => {
                out.push(&inside[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    out.push(&inside[start..]);
    out
}

/// A fallback that is written out: quoted, a number, or a truth value.
fn literal(source: &str) -> Option<&str> {
    for quote in ['\'', '"'] {
        if let Some(inner) = source.strip_prefix(quote).and_then(|s| s.strip_suffix(quote)) {
            return Some(inner);
        }
    }
    (source == "true" || source == "false" || source == "null" || source.parse::<f64>().is_ok()).then_some(source)
}
