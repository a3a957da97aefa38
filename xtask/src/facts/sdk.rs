//! boto3's clients and operations, and the actions that the operations need.
//!
//! An operation that is known keeps its actions: what is required, what suffices, what only some calls need was distinguished by
//! reading, which no source does. A new operation takes AWS's list from the Service Reference; without it, the action of its
//! own name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::catalogue::Catalogue;
use super::report::Report;
use super::source::{Authorized, Reference};
use super::{Files, source, text};

pub type Clients = BTreeMap<String, Client>;

#[derive(Clone, Debug, Default)]
pub struct Client {
    pub prefix: String,
    /// An action that botocore needs before every call.
    calls: Option<String>,
    /// By name in lower case.
    operations: BTreeMap<String, Operation>,
    waiters: BTreeMap<String, String>,
    /// The lines of the resource API, as written.
    pub types: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Operation {
    name: String,
    all: Vec<String>,
    any: Vec<String>,
    /// With their signs: `s3:PutObjectAcl(ACL)`.
    also: Vec<String>,
    /// Services and parameters of a role that is passed.
    pass: Option<(Vec<String>, Vec<String>)>,
    flags: BTreeSet<&'static str>,
}

const FLAGS: [&str; 4] = ["guess", "none", "assumed", "pages"];

/// The hand-kept tables.
pub struct Hand {
    prefixes: BTreeMap<String, String>,
    triggers: Vec<(String, Trigger)>,
    /// By `client.Operation`.
    corrections: BTreeMap<String, Operation>,
    /// Lines by `client`, then (type, method, rest of the line).
    pub injected: BTreeMap<String, Vec<(String, String, String)>>,
}

enum Trigger {
    Never,
    Bucket(String),
    Params(Vec<String>),
}

impl Hand {
    pub fn read(root: &Path) -> Result<Self, String> {
        let file = |name: &str| {
            let path = root.join("hand").join(name);
            fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
        };
        let prefixes = text::lines(&file("client-prefixes.txt")?)
            .map(|l| (l.at(0).to_owned(), l.at(1).to_owned()))
            .collect();
        let mut triggers: Vec<(String, Trigger)> = text::lines(&file("conditional-triggers.txt")?)
            .map(|l| {
                let trigger = match (l.at(1), l.value("bucket")) {
                    ("never", _) => Trigger::Never,
                    (_, Some(shape)) => Trigger::Bucket(shape.to_owned()),
                    _ => Trigger::Params(l.list("params").map(str::to_owned).collect()),
                };
                (l.at(0).to_owned(), trigger)
            })
            .collect();
        triggers.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.trim_matches('*').len()));
        let corrections = text::lines(&file("corrections.txt")?)
            .filter(|l| l.at(0) == "operation")
            .map(|l| (l.at(1).to_owned(), Operation::read(&l)))
            .collect();
        let mut injected: BTreeMap<String, Vec<(String, String, String)>> = BTreeMap::new();
        for line in text::lines(&file("injected-methods.txt")?) {
            let mut parts = line.at(0).splitn(3, '.').map(str::to_owned);
            if let (Some(client), Some(holder), Some(method)) = (parts.next(), parts.next(), parts.next()) {
                let rest: Vec<&str> = line.fields().skip(1).collect();
                injected
                    .entry(client)
                    .or_default()
                    .push((holder, method, rest.join("\t")));
            }
        }
        Ok(Self {
            prefixes,
            triggers,
            corrections,
            injected,
        })
    }

    /// A conditional action with its sign, for an operation with these parameters.
    fn sign(&self, action: &str, params: &BTreeSet<String>) -> String {
        match self.triggers.iter().find(|(pattern, _)| fits(pattern, action)) {
            None => action.to_owned(),
            Some((_, Trigger::Never)) => format!("{action}!"),
            Some((_, Trigger::Bucket(shape))) => format!("{action}@{shape}"),
            Some((_, Trigger::Params(wanted))) if wanted.is_empty() => format!("{action}()"),
            Some((_, Trigger::Params(wanted))) => {
                let here: Vec<&str> = wanted
                    .iter()
                    .map(String::as_str)
                    .filter(|p| params.contains(*p))
                    .collect();
                if here.is_empty() {
                    action.to_owned()
                } else {
                    format!("{action}({})", here.join("|"))
                }
            }
        }
    }
}

/// A star at either end is all that the hand-kept patterns have.
fn fits(pattern: &str, action: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(tail), None) => action.ends_with(tail),
        (None, Some(head)) => action.starts_with(head),
        _ => pattern == action,
    }
}

/// An operation that passes a role.
pub struct Passing<'a> {
    pub operation: &'a str,
    /// Without `iam:PassRole`.
    pub actions: Vec<String>,
    pub services: &'a [String],
    /// Only the names of parameters say so.
    pub is_guess: bool,
}

impl Client {
    /// The operations that pass a role.
    pub fn passing(&self) -> impl Iterator<Item = Passing<'_>> {
        self.operations.values().filter_map(|o| {
            let (services, _) = o.pass.as_ref()?;
            let own = || vec![format!("{}:{}", self.prefix, o.name)];
            let mut actions = match (o.all.is_empty(), o.any.first()) {
                (false, _) => o.all.clone(),
                (true, Some(first)) => vec![first.clone()],
                (true, None) => own(),
            };
            actions.retain(|a| a != "iam:PassRole");
            Some(Passing {
                operation: &o.name,
                actions,
                services,
                is_guess: o.flags.contains("guess"),
            })
        })
    }

    /// Waiters in python's spelling, and what they poll.
    pub fn waiters(&self) -> &BTreeMap<String, String> {
        &self.waiters
    }
}

impl Operation {
    fn read(line: &text::CatalogueLine<'_>) -> Self {
        let list = |name: &str| line.list(name).map(str::to_owned).collect();
        let name = line.at(1);
        Self {
            name: name.rsplit('.').next().unwrap_or(name).to_owned(),
            all: list("all"),
            any: list("any"),
            also: list("also"),
            pass: line.value("pass").map(|_| (list("pass"), list("roles"))),
            flags: FLAGS.into_iter().filter(|f| line.has(f)).collect(),
        }
    }

    fn write(&self) -> String {
        let mut line = format!("operation\t{}", self.name);
        let mut field = |name: &str, items: &[String]| line.push_str(&format!("\t{name}={}", items.join(", ")));
        for (name, items) in [("all", &self.all), ("any", &self.any), ("also", &self.also)] {
            if !items.is_empty() {
                field(name, items);
            }
        }
        if let Some((to, roles)) = &self.pass {
            field("pass", to);
            if !roles.is_empty() {
                field("roles", roles);
            }
        }
        for flag in FLAGS.into_iter().filter(|f| self.flags.contains(f)) {
            line.push('\t');
            line.push_str(flag);
        }
        line
    }
}

pub fn read(root: &Path) -> Result<Clients, String> {
    let mut clients = Clients::new();
    for path in source::files_in(&root.join("sdk"))? {
        let file = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let name = path.file_stem().and_then(|s| s.to_str()).unwrap_or_default();
        let mut client = Client::default();
        for (line, raw) in text::lines(&file).zip(file.lines().filter(|l| !l.is_empty() && !l.starts_with('#'))) {
            match line.at(0) {
                "client" => {
                    client.prefix = line.value("prefix").unwrap_or_default().to_owned();
                    client.calls = line.value("calls").map(str::to_owned);
                }
                "operation" => {
                    client
                        .operations
                        .insert(line.at(1).to_lowercase(), Operation::read(&line));
                }
                "waiter" => {
                    client.waiters.insert(line.at(1).to_owned(), line.at(2).to_owned());
                }
                _ => client.types.push(raw.to_owned()),
            }
        }
        clients.insert(name.to_owned(), client);
    }
    Ok(clients)
}

pub fn write(clients: &Clients, files: &mut Files) {
    for (name, client) in clients {
        let mut head = format!("client\t{name}\tprefix={}", client.prefix);
        if let Some(calls) = &client.calls {
            head.push_str(&format!("\tcalls={calls}"));
        }
        let mut lines = vec![head];
        lines.extend(client.operations.values().map(Operation::write));
        lines.extend(client.waiters.iter().map(|(w, o)| format!("waiter\t{w}\t{o}")));
        lines.extend(client.types.iter().cloned());
        files.insert(PathBuf::from(format!("sdk/{name}.txt")), lines.join("\n") + "\n");
    }
}

pub fn compare(old: &Clients, new: &Clients, report: &mut Report) {
    let names = |c: &Clients| c.keys().map(|n| (n.clone(), String::new())).collect();
    report.compare("client", true, &names(old), &names(new));
    let operations = |c: &Clients| -> BTreeMap<String, String> {
        c.iter()
            .flat_map(|(n, c)| {
                c.operations
                    .values()
                    .map(move |o| (format!("{n}:{}", o.name), o.write()))
            })
            .collect()
    };
    report.compare("operation", false, &operations(old), &operations(new));
}

/// Without boto3's data, the resource API stays as it is.
pub fn keep_resource_types(old: &Clients, new: &mut Clients) {
    for (name, client) in new {
        if let Some(before) = old.get(name) {
            client.types = before.types.clone();
        }
    }
}

/// The newest of a client's folders of data.
pub fn newest(folder: &Path) -> Result<Option<PathBuf>, String> {
    Ok(source::files_in(folder)?.into_iter().rfind(|p| p.is_dir()))
}

pub fn from_botocore(
    dir: &str,
    old: &Clients,
    hand: &Hand,
    catalogue: &Catalogue,
    reference: &Reference,
    report: &mut Report,
) -> Result<Clients, String> {
    let mut clients = Clients::new();
    for folder in source::files_in(&Path::new(dir).join("botocore/data"))? {
        let Some(newest) = folder.is_dir().then(|| newest(&folder)).transpose()?.flatten() else {
            continue;
        };
        let name = folder.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let model = source::json_or_gz(&newest.join("service-2.json"))?;
        let known = old.get(name);
        let mut client = Client {
            prefix: prefix(name, &model, hand),
            calls: known.and_then(|c| c.calls.clone()),
            ..Client::default()
        };
        if !catalogue.has_service(&client.prefix) {
            report.note(format!("client {name}: no service has the prefix {}", client.prefix));
        }
        let paginators = optional(&newest.join("paginators-1.json"))?;
        for (operation, definition) in model["operations"].as_object().into_iter().flatten() {
            let params = members(&model, definition["input"]["shape"].as_str());
            let key = operation.to_lowercase();
            let mut row = match known.and_then(|c| c.operations.get(&key)) {
                Some(before) => before.clone(),
                None => {
                    let listed = reference.get(&(name.to_owned(), key.clone()));
                    let new = Operation::derive(operation, &client.prefix, definition, listed, report);
                    new.guess_roles(&model, definition)
                }
            };
            row.flags.remove("pages");
            if !paginators["pagination"][operation].is_null() {
                row.flags.insert("pages");
            }
            if let Some(right) = hand.corrections.get(&format!("{name}.{operation}")) {
                row.all.clone_from(&right.all);
                row.any.clone_from(&right.any);
                row.flags.retain(|f| *f != "none" && *f != "assumed");
                row.flags.extend(right.flags.iter().filter(|f| **f == "none"));
            }
            row.flags.remove("assumed");
            let trivial = row.all.is_empty() && row.any.is_empty() && !row.flags.contains("none");
            if trivial && !catalogue.has(&format!("{}:{operation}", client.prefix)) {
                row.flags.insert("assumed");
            }
            for action in &mut row.also {
                let bare = action.split(['(', '!', '@']).next().unwrap_or_default().to_owned();
                *action = hand.sign(&bare, &params);
            }
            client.operations.insert(key, row);
        }
        let waiters = optional(&newest.join("waiters-2.json"))?;
        for (waiter, definition) in waiters["waiters"].as_object().into_iter().flatten() {
            let operation = definition["operation"].as_str().unwrap_or_default();
            client.waiters.insert(snake(waiter), operation.to_owned());
        }
        clients.insert(name.to_owned(), client);
    }
    if clients.is_empty() {
        return Err(format!("{dir} holds no botocore/data"));
    }
    Ok(clients)
}

fn optional(path: &Path) -> Result<Value, String> {
    if path.exists() {
        source::json(path)
    } else {
        Ok(Value::Null)
    }
}

fn prefix(name: &str, model: &Value, hand: &Hand) -> String {
    if let Some(prefix) = hand.prefixes.get(name) {
        return prefix.clone();
    }
    let metadata = &model["metadata"];
    metadata["signingName"]
        .as_str()
        .or_else(|| metadata["endpointPrefix"].as_str())
        .unwrap_or(name)
        .to_owned()
}

fn members(model: &Value, shape: Option<&str>) -> BTreeSet<String> {
    shape
        .and_then(|s| model["shapes"][s]["members"].as_object())
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

impl Operation {
    /// What AWS lists for it, sorted into what is certainly needed and what may be.
    fn derive(
        name: &str,
        prefix: &str,
        definition: &Value,
        listed: Option<&Vec<Authorized>>,
        report: &mut Report,
    ) -> Self {
        let mut row = Self {
            name: name.to_owned(),
            ..Self::default()
        };
        let auth = definition["auth"][0]
            .as_str()
            .or_else(|| definition["authtype"].as_str());
        if matches!(
            auth,
            Some("none" | "smithy.api#noAuth" | "bearer" | "smithy.api#httpBearerAuth")
        ) {
            row.flags.insert("none");
            return row;
        }
        let own = format!("{prefix}:{name}");
        let listed = listed.map(Vec::as_slice).unwrap_or_default();
        for role in listed.iter().filter(|a| a.action == "iam:PassRole") {
            row.pass = Some((role.passed_to.clone(), Vec::new()));
        }
        let actions: Vec<&String> = listed
            .iter()
            .map(|a| &a.action)
            .filter(|a| *a != "iam:PassRole")
            .collect();
        if actions.is_empty() {
            return row;
        }
        if actions.iter().any(|a| a.eq_ignore_ascii_case(&own)) {
            row.also = actions
                .into_iter()
                .filter(|a| !a.eq_ignore_ascii_case(&own))
                .cloned()
                .collect();
        } else if let [only] = actions.as_slice() {
            row.all.push((*only).clone());
        } else {
            report.note(format!(
                "{own} lists several actions and none of its name: read them and correct by hand"
            ));
            row.any = actions.into_iter().cloned().collect();
        }
        row
    }

    /// The parameters that hold a role, by their names; a guess where AWS does not list `iam:PassRole`.
    fn guess_roles(mut self, model: &Value, definition: &Value) -> Self {
        let mut found = Vec::new();
        let shape = definition["input"]["shape"].as_str().unwrap_or_default();
        roles(model, shape, "", 4, &mut found);
        if !found.is_empty() && !self.flags.contains("none") {
            if self.pass.is_none() {
                self.flags.insert("guess");
            }
            let to = self.pass.take().map_or_else(Vec::new, |(to, _)| to);
            self.pass = Some((to, found));
        }
        self
    }
}

fn roles(model: &Value, shape: &str, path: &str, depth: usize, found: &mut Vec<String>) {
    if depth == 0 {
        return;
    }
    let shape = &model["shapes"][shape];
    if let Some(inner) = shape["member"]["shape"].as_str() {
        return roles(model, inner, &format!("{path}[]."), depth - 1, found);
    }
    for (name, member) in shape["members"].as_object().into_iter().flatten() {
        let inner = member["shape"].as_str().unwrap_or_default();
        let here = format!("{path}{name}");
        let lower = name.to_lowercase();
        let is_string = model["shapes"][inner]["type"] == "string";
        if is_string && (lower.ends_with("rolearn") || lower == "role") {
            found.push(here);
        } else if !is_string {
            roles(model, inner, &format!("{here}."), depth - 1, found);
        }
    }
}

/// botocore's way of making a python name, as far as waiters and resources need it.
pub fn snake(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut snake = String::new();
    for (i, c) in name.char_indices() {
        let small = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_lowercase);
        let before = i > 0 && (small(i - 1) || bytes[i - 1].is_ascii_digit());
        if i > 0 && c.is_ascii_uppercase() && (before || small(i + 1)) {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
