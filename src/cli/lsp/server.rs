//! Messages in, messages out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, TryRecvError};

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId};
use lsp_types::{
    CancelParams, ClientCapabilities, DidChangeTextDocumentParams, DidChangeWatchedFilesParams,
    DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, DocumentDiagnosticParams,
    InitializeParams, NumberOrString, WorkspaceDiagnosticParams,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::found::FoundByFile;
use super::text::{Units, changed};
use super::transport::{Incoming, Output};
use super::workspace::{ClientSettings, OpenText, Workspace};
use super::{actions, completion, definition, hover, uri};
use crate::cli::CliFailure;
use crate::discover;
use crate::settings::NAMES;
use crate::source::file_name;

/// What a request failed with.
pub(super) type Failure = (ErrorCode, String);

/// What the client can do.
#[derive(Debug, Default)]
struct ClientAbilities {
    /// It asks for diagnostics, and hears when they may be others.
    pulls: bool,
    /// It watches files if it is asked to.
    watches: bool,
    has_configuration: bool,
    /// It asks for the edit of an action when that is chosen.
    resolves: bool,
    /// It can fill in the parts of a text.
    has_snippets: bool,
}

impl ClientAbilities {
    /// `given` is what `capabilities` was read from.
    fn new(capabilities: &ClientCapabilities, given: &Value) -> Self {
        let workspace = capabilities.workspace.as_ref();
        let pulls = capabilities
            .text_document
            .as_ref()
            .is_some_and(|t| t.diagnostic.is_some());
        // The protocol calls it `diagnostics`, the library `diagnostic`.
        let refreshes = given["workspace"]["diagnostics"]["refreshSupport"].as_bool();
        let watches = workspace.and_then(|w| w.did_change_watched_files.as_ref()?.dynamic_registration);
        let text = capabilities.text_document.as_ref();
        let resolves = text.and_then(|t| t.code_action.as_ref()?.resolve_support.as_ref());
        let item = text.and_then(|t| t.completion.as_ref()?.completion_item.as_ref());
        Self {
            resolves: resolves.is_some_and(|r| r.properties.iter().any(|p| p == "edit")),
            has_snippets: item.and_then(|i| i.snippet_support).unwrap_or(false),
            pulls: pulls && refreshes.unwrap_or(false),
            watches: watches.unwrap_or(false),
            has_configuration: workspace.and_then(|w| w.configuration).unwrap_or(false),
        }
    }
}

/// Where the conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before `initialize`.
    New,
    Running,
    /// After `shutdown`.
    ShutDown,
}

pub(super) struct Server<W: Write> {
    out: Output<W>,
    phase: Phase,
    client: ClientAbilities,
    workspace: Workspace,
    queue: VecDeque<Incoming>,
    /// What was published, with the version of the text, by the address of the file as the client knows it.
    published: BTreeMap<String, (Option<i32>, Vec<Value>)>,
    /// What was shown as the reason why nothing can be read.
    shown_failure: Option<String>,
    /// What the open files are linked to is to be found out.
    is_prepared: bool,
    /// The last request for the settings.
    asked_settings: Option<RequestId>,
}

fn parse<T: DeserializeOwned>(params: Value) -> Result<T, Failure> {
    serde_json::from_value(params).map_err(|e| (ErrorCode::InvalidParams, e.to_string()))
}

pub(super) fn to_value(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

impl<W: Write> Server<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out: Output::new(out),
            phase: Phase::New,
            client: ClientAbilities::default(),
            workspace: Workspace::new(Vec::new(), ClientSettings::default(), Units::Utf16),
            queue: VecDeque::new(),
            published: BTreeMap::new(),
            shown_failure: None,
            is_prepared: true,
            asked_settings: None,
        }
    }

    /// Serves until `exit` or the end of the input; whether it ended in order.
    pub(super) fn run(mut self, from: &Receiver<Incoming>) -> io::Result<bool> {
        loop {
            let is_open = self.receive(from)?;
            self.drop_canceled()?;
            let Some(next) = self.queue.pop_front() else {
                if !is_open {
                    return Ok(true);
                }
                continue;
            };
            match next {
                Incoming::Malformed(malformed) => self.out.malformed(&malformed)?,
                Incoming::End => return Ok(true),
                Incoming::Message(Message::Request(request)) => self.answer(request)?,
                Incoming::Message(Message::Notification(n)) if n.method == "exit" => {
                    return Ok(self.phase == Phase::ShutDown);
                }
                Incoming::Message(Message::Notification(n)) => self.take(n)?,
                Incoming::Message(Message::Response(response)) => self.take_response(&response),
            }
        }
    }

    /// Takes all that has come in; whether there may be more. Before waiting for it, what has changed is analyzed.
    fn receive(&mut self, from: &Receiver<Incoming>) -> io::Result<bool> {
        loop {
            match from.try_recv() {
                Ok(incoming) => self.queue.push_back(incoming),
                Err(TryRecvError::Disconnected) => return Ok(false),
                Err(TryRecvError::Empty) if !self.queue.is_empty() => return Ok(true),
                Err(TryRecvError::Empty) if self.phase == Phase::Running && self.workspace.has_work() => {
                    self.refresh()?;
                }
                Err(TryRecvError::Empty) if !self.is_prepared => {
                    self.is_prepared = true;
                    if self.guarded(|server| server.workspace.prepare()).is_none() {
                        self.workspace.give_up();
                    }
                }
                Err(TryRecvError::Empty) => match from.recv() {
                    Ok(incoming) => self.queue.push_back(incoming),
                    Err(_) => return Ok(false),
                },
            }
        }
    }

    /// Answers requests that are waiting and were canceled.
    fn drop_canceled(&mut self) -> io::Result<()> {
        let canceled = |incoming: &Incoming| match incoming {
            Incoming::Message(Message::Notification(n)) if n.method == "$/cancelRequest" => {
                let params: CancelParams = serde_json::from_value(n.params.clone()).ok()?;
                Some(match params.id {
                    NumberOrString::Number(id) => RequestId::from(id),
                    NumberOrString::String(id) => RequestId::from(id),
                })
            }
            _ => None,
        };
        let ids: BTreeSet<RequestId> = self.queue.iter().filter_map(canceled).collect();
        if ids.is_empty() {
            return Ok(());
        }
        for incoming in std::mem::take(&mut self.queue) {
            match incoming {
                Incoming::Message(Message::Request(request)) if ids.contains(&request.id) => {
                    self.out.error(&request.id, ErrorCode::RequestCanceled, "canceled")?;
                }
                other => self.queue.push_back(other),
            }
        }
        Ok(())
    }

    fn answer(&mut self, Request { id, method, params }: Request) -> io::Result<()> {
        let answer = match (self.phase, &*method) {
            (Phase::New, "initialize") => self.initialize(params),
            (Phase::New, _) => Err((ErrorCode::ServerNotInitialized, "not initialized".to_owned())),
            (Phase::ShutDown, _) => Err((ErrorCode::InvalidRequest, "the server is shut down".to_owned())),
            (Phase::Running, "initialize") => Err((ErrorCode::InvalidRequest, "initialized before".to_owned())),
            (Phase::Running, "shutdown") => {
                self.phase = Phase::ShutDown;
                Ok(Value::Null)
            }
            (Phase::Running, method) => self
                .guarded(|server| server.request(method, params))
                .unwrap_or_else(|| {
                    self.workspace.give_up();
                    Err((ErrorCode::InternalError, "internal error; please report it".to_owned()))
                }),
        };
        match answer {
            Ok(result) => self.out.result(&id, &result),
            Err((code, message)) => self.out.error(&id, code, &message),
        }
    }

    /// A bug ends no more than what met it: `None`.
    fn guarded<T>(&mut self, what: impl FnOnce(&mut Self) -> T) -> Option<T> {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| what(self))).ok()
    }

    fn initialize(&mut self, params: Value) -> Result<Value, Failure> {
        let capabilities = params["capabilities"].clone();
        let params: InitializeParams = parse(params)?;
        self.client = ClientAbilities::new(&params.capabilities, &capabilities);
        let offered = params.capabilities.general.as_ref();
        let units = Units::of_client(offered.and_then(|g| g.position_encodings.as_deref()));
        let folders = params.workspace_folders.unwrap_or_default();
        let mut folders: Vec<String> = folders.iter().filter_map(|f| uri::path(&f.uri)).collect();
        #[allow(deprecated, reason = "older clients name the one folder so")]
        if folders.is_empty() {
            let root = params.root_uri.as_ref().and_then(uri::path);
            folders.extend(root.or(params.root_path.filter(|path| !path.is_empty())));
        }
        // Paths are shown from there, and settings looked for around it.
        if let Some(first) = folders.first() {
            let _ = std::env::set_current_dir(first);
        }
        let settings = settings(params.initialization_options.as_ref());
        self.workspace = Workspace::new(folders, settings, units);
        self.phase = Phase::Running;
        Ok(json!({
            "capabilities": super::capabilities::capabilities(units, self.client.pulls),
            "serverInfo": {"name": "overgrant", "version": env!("CARGO_PKG_VERSION")},
        }))
    }

    fn take(&mut self, notification: Notification) -> io::Result<()> {
        if self.phase != Phase::Running {
            return Ok(());
        }
        let Notification { method, params } = notification;
        let taken = match &*method {
            "initialized" => return self.ask_client(),
            "textDocument/didOpen" => parse(params).map(|p| self.opened(p)),
            "textDocument/didChange" => parse(params).map(|p| self.changed(p)),
            "textDocument/didClose" => parse(params).map(|p| self.closed(&p)),
            "textDocument/didSave" => {
                self.workspace.invalidate();
                Ok(())
            }
            "workspace/didChangeWatchedFiles" => parse(params).map(|p| self.watched(&p)),
            "workspace/didChangeWorkspaceFolders" => parse(params).map(|p| self.folders_changed(&p)),
            "workspace/didChangeConfiguration" => {
                if self.client.has_configuration {
                    let items = json!({"items": [{"section": "overgrant"}]});
                    self.asked_settings = Some(self.out.request("workspace/configuration", &items)?);
                    return Ok(());
                }
                self.take_settings(params.get("settings").map(|s| s.get("overgrant").unwrap_or(s)));
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err((_, message)) = taken {
            let params = json!({"type": 2, "message": format!("{method}: {message}")});
            self.out.notification("window/logMessage", &params)?;
        }
        Ok(())
    }

    /// What the client is asked after it is ready.
    fn ask_client(&mut self) -> io::Result<()> {
        if self.client.watches {
            let watchers = json!({"watchers": [{"globPattern": "**/*"}]});
            let method = "workspace/didChangeWatchedFiles";
            let registration = json!({"id": "files", "method": method, "registerOptions": watchers});
            let params = json!({"registrations": [registration]});
            self.out.request("client/registerCapability", &params)?;
        }
        Ok(())
    }

    /// Of what is asked for, only the settings are waited for.
    fn take_response(&mut self, response: &lsp_server::Response) {
        if self.asked_settings.as_ref() != Some(&response.id) {
            return;
        }
        self.asked_settings = None;
        if let Ok(Value::Array(items)) = &response.response_result {
            self.take_settings(items.first());
        }
    }

    fn take_settings(&mut self, given: Option<&Value>) {
        let settings = settings(given);
        if settings != self.workspace.settings {
            self.workspace.settings = settings;
            self.workspace.invalidate();
        }
    }

    fn opened(&mut self, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        // The client may have forgotten what it heard of the file before.
        self.published.remove(document.uri.as_str());
        self.workspace.name_buffer(&document.uri, &document.language_id);
        let key = self.workspace.key(&document.uri);
        let buffer = OpenText {
            uri: document.uri,
            version: document.version,
            text: document.text.into(),
        };
        self.workspace.open_or_change(&key, buffer);
        self.is_prepared = false;
    }

    fn changed(&mut self, params: DidChangeTextDocumentParams) {
        let key = self.workspace.key(&params.text_document.uri);
        let Some(buffer) = self.workspace.open.get(&key) else {
            return;
        };
        let buffer = OpenText {
            uri: buffer.uri.clone(),
            version: params.text_document.version,
            text: changed(&buffer.text, params.content_changes, self.workspace.units),
        };
        self.workspace.open_or_change(&key, buffer);
        self.is_prepared = false;
    }

    fn closed(&mut self, params: &DidCloseTextDocumentParams) {
        let key = self.workspace.key(&params.text_document.uri);
        self.workspace.close(&key);
    }

    fn watched(&mut self, params: &DidChangeWatchedFilesParams) {
        let changed = params.changes.iter().filter_map(|change| uri::path(&change.uri));
        let counts = |path: String| {
            let name = file_name(&path);
            let is_skipped = self
                .workspace
                .folders
                .iter()
                .any(|top| discover::in_skipped_folder(top, &path));
            !is_skipped
                && (discover::hint_from_requested_name(name).is_some()
                    || NAMES.contains(&name)
                    || self.workspace.reads(&path)
                    || name.starts_with('.'))
        };
        let counts: Vec<bool> = changed.map(counts).collect();
        if counts.contains(&true) {
            self.workspace.invalidate();
        }
    }

    fn folders_changed(&mut self, params: &DidChangeWorkspaceFoldersParams) {
        let path = |folder: &lsp_types::WorkspaceFolder| uri::path(&folder.uri);
        let removed: Vec<String> = params.event.removed.iter().filter_map(path).collect();
        let folders = &mut self.workspace.folders;
        folders.retain(|folder| !removed.contains(folder));
        folders.extend(params.event.added.iter().filter_map(path));
        self.workspace.invalidate();
    }

    fn refresh(&mut self) -> io::Result<()> {
        if self.guarded(|server| server.workspace.take_news()).is_none() {
            self.workspace.give_up();
            let params = json!({"type": 1, "message": "overgrant: internal error; please report it"});
            return self.out.notification("window/logMessage", &params);
        }
        self.tell_failure()?;
        self.is_prepared = false;
        match self.client.pulls {
            true => self.out.request("workspace/diagnostic/refresh", &Value::Null).map(drop),
            false => self.publish(),
        }
    }

    /// Says, once, why nothing can be read.
    fn tell_failure(&mut self) -> io::Result<()> {
        let failure = self.workspace.failure().map(CliFailure::to_string);
        if failure != self.shown_failure
            && let Some(message) = &failure
        {
            let params = json!({"type": 1, "message": format!("overgrant: {message}")});
            self.out.notification("window/showMessage", &params)?;
        }
        self.shown_failure = failure;
        Ok(())
    }

    /// Publishes what is found in open files, where it is not what was published before.
    fn publish(&mut self) -> io::Result<()> {
        let faults = self.workspace.faults();
        let mut now: BTreeMap<String, (Option<i32>, Vec<Value>)> = BTreeMap::new();
        for (path, buffer) in &self.workspace.open {
            let all = self.diagnostics(path, &faults);
            now.insert(buffer.uri.as_str().to_owned(), (Some(buffer.version), all));
        }
        for (path, found) in faults
            .iter()
            .filter(|(path, _)| !self.workspace.open.contains_key(*path))
        {
            if let Some(uri) = uri::of_path(path) {
                let all = found.iter().map(|f| to_value(&f.diagnostic)).collect();
                now.insert(uri.as_str().to_owned(), (None, all));
            }
        }
        let gone: Vec<String> = self
            .published
            .keys()
            .filter(|uri| !now.contains_key(*uri))
            .cloned()
            .collect();
        for uri in gone {
            self.published.remove(&uri);
            let params = json!({"uri": uri, "diagnostics": []});
            self.out.notification("textDocument/publishDiagnostics", &params)?;
        }
        for (uri, state) in now {
            if self.published.get(&uri) == Some(&state) {
                continue;
            }
            let mut params = json!({"uri": uri, "diagnostics": state.1});
            if let Some(version) = state.0 {
                params["version"] = version.into();
            }
            self.out.notification("textDocument/publishDiagnostics", &params)?;
            self.published.insert(uri, state);
        }
        Ok(())
    }

    fn diagnostics(&self, path: &str, faults: &FoundByFile) -> Vec<Value> {
        let faults = faults.get(path).into_iter().flatten();
        let found = self.workspace.found_in(path).into_iter();
        found.chain(faults).map(|f| to_value(&f.diagnostic)).collect()
    }

    /// What is found in one file.
    fn pull(&mut self, params: &DocumentDiagnosticParams) -> Value {
        self.workspace.update(false);
        let path = self.workspace.key(&params.text_document.uri);
        report(
            self.diagnostics(&path, &self.workspace.faults()),
            params.previous_result_id.as_deref(),
        )
    }

    /// What is found in all files. One in which nothing is found any more is named as long as the client has something of it.
    fn pull_all(&mut self, params: &WorkspaceDiagnosticParams) -> Value {
        self.workspace.update(true);
        let faults = self.workspace.faults();
        let known = params.previous_result_ids.iter();
        let known: BTreeMap<String, &str> = known
            .map(|id| (self.workspace.key(&id.uri), id.value.as_str()))
            .collect();
        let mut paths = self.workspace.files_with_findings();
        paths.extend(faults.keys().chain(known.keys()).cloned());
        let mut items = Vec::new();
        for path in paths {
            let open = self.workspace.open.get(&path);
            let uri = open.map(|buffer| buffer.uri.clone()).or_else(|| uri::of_path(&path));
            let mut item = report(self.diagnostics(&path, &faults), known.get(&path).copied());
            item["uri"] = to_value(uri);
            item["version"] = to_value(open.map(|buffer| buffer.version));
            items.push(item);
        }
        json!({ "items": items })
    }

    fn request(&mut self, method: &str, params: Value) -> Result<Value, Failure> {
        match method {
            "textDocument/codeAction" => {
                let defers = self.client.resolves;
                parse(params).map(|p| to_value(actions::actions(&mut self.workspace, &p, defers)))
            }
            "codeAction/resolve" => parse(params).map(|p| to_value(actions::resolve(&mut self.workspace, p))),
            "textDocument/completion" => {
                let snippets = self.client.has_snippets;
                parse(params).map(|p| to_value(completion::complete(&self.workspace, &p, snippets)))
            }
            "textDocument/definition" => {
                parse(params).map(|p| to_value(definition::definition(&mut self.workspace, &p)))
            }
            "textDocument/diagnostic" => parse(params).map(|p| self.pull(&p)),
            "workspace/diagnostic" => parse(params).map(|p| self.pull_all(&p)),
            "textDocument/hover" => parse(params).map(|p| to_value(hover::hover(&mut self.workspace, &p))),
            _ => Err((ErrorCode::MethodNotFound, format!("unknown method: {method}"))),
        }
    }
}

/// The report of a file, or that it is the one that the client has.
fn report(diagnostics: Vec<Value>, known: Option<&str>) -> Value {
    use sha2::{Digest as _, Sha256};
    let items = Value::Array(diagnostics);
    let hash = Sha256::digest(items.to_string());
    let id: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    match known == Some(&*id) {
        true => json!({"kind": "unchanged", "resultId": id}),
        false => json!({"kind": "full", "resultId": id, "items": items}),
    }
}

fn settings(given: Option<&Value>) -> ClientSettings {
    let text = |key: &str| Some(given?.get(key)?.as_str()?.to_owned());
    let is_off = |key: &str| given.and_then(|g| g.get(key)?.as_bool()) == Some(false);
    ClientSettings {
        config: text("config").filter(|path| !path.is_empty()),
        hides_unjudged: is_off("unjudged"),
    }
}
