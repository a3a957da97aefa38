//! What can be done about what is found: fixes, the fix of all of a file, and suppressions.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CreateFile, CreateFileOptions,
    DocumentChangeOperation, DocumentChanges, NumberOrString, OneOf, OptionalVersionedTextDocumentIdentifier, Range,
    ResourceOp, TextDocumentEdit, TextEdit, Uri, WorkspaceEdit,
};
use serde::{Deserialize, Serialize};

use super::capabilities::FIX_ALL;
use super::found::{FoundFix, KeptFinding};
use super::part::Part;
use super::server::to_value;
use super::text::Lines;
use super::uri;
use super::workspace::Workspace;
use crate::cli::CliFailure;
use crate::cli::ignore::{self, IgnoreTarget};
use crate::cli::run::{Loaded, MAX_SETTINGS};
use crate::fix::{self, LintedState};
use crate::pipeline::Analysis;
use crate::secrets::Mask;
use crate::source::{LineIndex, join_path};

/// What a suppression says until a person gives the reason.
const REASON: &str = "TODO: state the reason";

/// What an action is made of when it is chosen.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Deferred {
    FixAll { path: String },
    Ignore { path: String, fingerprint: String },
}

/// The actions for a range. What takes time is left to [`resolve`] if `defers`.
pub(super) fn actions(workspace: &mut Workspace, params: &CodeActionParams, defers: bool) -> Vec<CodeActionOrCommand> {
    let path = workspace.key(&params.text_document.uri);
    workspace.update(false);
    let only = params.context.only.as_deref();
    let wants = |kind: &str| {
        let is_of = |only: &CodeActionKind| kind == only.as_str() || kind.starts_with(&format!("{}.", only.as_str()));
        only.is_none_or(|only| only.iter().any(is_of))
    };
    let all: Vec<KeptFinding> = workspace.found_in(&path).into_iter().cloned().collect();
    let mut fixes = Vec::new();
    let mut later = Vec::new();
    // Some clients give the cursor as the range, and all diagnostics of its line.
    let is_meant = |f: &KeptFinding| {
        let (own, asked) = (f.diagnostic.range, params.range);
        let mut given = params.context.diagnostics.iter();
        own.start <= asked.end && asked.start <= own.end || given.any(|d| d.range == own && d.code == f.diagnostic.code)
    };
    for found in all.iter().filter(|f| is_meant(f) && wants("quickfix")) {
        let mut own: Vec<&FoundFix> = found.fixes.iter().collect();
        own.sort_by_key(|fix| !fix.is_safe);
        for (i, fix) in own.into_iter().enumerate() {
            fixes.push(fix_action(workspace, found, fix, i == 0 && fix.is_safe));
        }
        if let Some(rule) = &found.rule {
            let deferred = Deferred::Ignore {
                path: path.clone(),
                fingerprint: found.fingerprint.clone(),
            };
            let place = match ignore::takes_comments(&path) {
                true => "here",
                false => "in the settings",
            };
            let title = format!("Ignore `{rule}` {place}, with a reason");
            later.push((title, CodeActionKind::QUICKFIX, Some(found), deferred));
        }
    }
    let titles: Vec<String> = fixes.iter().map(|fix| fix.title.clone()).collect();
    for fix in &mut fixes {
        let rule = fix.diagnostics.iter().flatten().find_map(|d| d.code.clone());
        if let Some(NumberOrString::String(rule)) = rule
            && titles.iter().filter(|title| **title == fix.title).count() > 1
        {
            fix.title.push_str(&format!(", for `{rule}`"));
        }
    }
    let mut out: Vec<CodeActionOrCommand> = fixes.into_iter().map(CodeActionOrCommand::CodeAction).collect();
    let is_fixable = |f: &KeptFinding| f.fixes.iter().any(|fix| fix.is_safe);
    if all.iter().any(is_fixable) && wants(FIX_ALL) {
        let title = "Apply all safe fixes in this file".to_owned();
        let deferred = Deferred::FixAll { path: path.clone() };
        later.push((title, CodeActionKind::new(FIX_ALL), None, deferred));
    }
    // On save, clients ask for this one kind and apply what they get.
    let is_at_once = only.is_some_and(|only| only.iter().any(|kind| kind.as_str().starts_with("source")));
    for (title, kind, found, deferred) in later {
        let mut action = CodeAction {
            title,
            kind: Some(kind),
            diagnostics: found.map(|f| vec![f.diagnostic.clone()]),
            data: Some(to_value(&deferred)),
            ..CodeAction::default()
        };
        if !defers || is_at_once {
            action.edit = edit(workspace, &deferred);
            action.data = None;
            if action.edit.is_none() {
                continue;
            }
        }
        out.push(CodeActionOrCommand::CodeAction(action));
    }
    out
}

fn fix_action(workspace: &Workspace, found: &KeptFinding, fix: &FoundFix, is_preferred: bool) -> CodeAction {
    let mut title = fix.title.clone();
    if let Some(first) = title.get(..1) {
        title = format!("{}{}", first.to_uppercase(), &title[1..]);
    }
    if !fix.is_safe {
        title.push_str(" (unsafe: changes what is granted)");
    }
    let mut changes: BTreeMap<String, Vec<TextEdit>> = BTreeMap::new();
    for (place, text) in &fix.edits {
        changes
            .entry(place.path.clone())
            .or_default()
            .push(TextEdit::new(place.range, text.clone()));
    }
    CodeAction {
        title,
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(vec![found.diagnostic.clone()]),
        edit: Some(workspace_edit(workspace, changes)),
        is_preferred: is_preferred.then_some(true),
        ..CodeAction::default()
    }
}

fn uri_of(workspace: &Workspace, path: &str) -> Option<Uri> {
    let open = workspace.open.get(path).map(|buffer| buffer.uri.clone());
    open.or_else(|| uri::of_path(path))
}

#[allow(
    clippy::mutable_key_type,
    reason = "the type of the protocol's library; nothing changes a key"
)]
fn workspace_edit(workspace: &Workspace, changes: BTreeMap<String, Vec<TextEdit>>) -> WorkspaceEdit {
    let changes = changes.into_iter();
    let changes: HashMap<Uri, Vec<TextEdit>> = changes
        .filter_map(|(path, edits)| Some((uri_of(workspace, &path)?, edits)))
        .collect();
    WorkspaceEdit::new(changes)
}

/// The action with its edit.
pub(super) fn resolve(workspace: &mut Workspace, mut action: CodeAction) -> CodeAction {
    let deferred = action.data.clone().and_then(|data| serde_json::from_value(data).ok());
    if let Some(deferred) = deferred {
        action.edit = edit(workspace, &deferred);
    }
    action
}

fn edit(workspace: &mut Workspace, deferred: &Deferred) -> Option<WorkspaceEdit> {
    workspace.update(false);
    match deferred {
        Deferred::FixAll { path } => {
            let fixed = workspace.parts_of(path).find_map(|part| fix_all(part, path))?;
            replaced(workspace, path, &fixed)
        }
        Deferred::Ignore { path, fingerprint } => {
            let ignored = workspace
                .parts_of(path)
                .find_map(|part| ignored(part, path, fingerprint).ok()?)?;
            match ignored {
                NewIgnore::Comment(text) => replaced(workspace, path, &text),
                NewIgnore::Exception { config, text } => appended(workspace, &config, &text),
            }
        }
    }
}

/// The text of the file with all safe fixes of what is found in it, as `overgrant fix` makes them.
fn fix_all(part: &mut Part, path: &str) -> Option<Arc<str>> {
    let shown = part.read.governing.display_path(path);
    let before = part.read.text(&shown)?;
    let applied = fix::apply_fixes(false, |changed| {
        let text = changed.get(&shown).unwrap_or(&before).clone();
        Ok::<_, CliFailure>(part.with_text(&shown, &text, |read, analysis, options| {
            let mut report = read.report(analysis, options);
            let sources = analysis.project.sources;
            for f in &mut report.findings {
                f.fixes
                    .retain(|fix| fix.edits.iter().all(|edit| sources.path(edit.span.file) == shown));
            }
            LintedState::new(&analysis.project, &report)
        }))
    });
    applied.ok()?.texts.get(&shown).filter(|text| **text != before).cloned()
}

enum NewIgnore {
    /// The text of the file with the comment.
    Comment(String),
    Exception {
        config: String,
        text: String,
    },
}

/// The suppression that `overgrant ignore` writes.
fn ignored(part: &mut Part, path: &str, fingerprint: &str) -> Result<Option<NewIgnore>, CliFailure> {
    let shown = part.read.governing.display_path(path);
    let Some(before) = part.read.text(&shown) else {
        return Ok(None);
    };
    let found = part.with_text(&shown, &before, |read, analysis, options| {
        let report = read.report(analysis, options);
        let sources = analysis.project.sources;
        let f = report.active().find(|f| f.identity.fingerprint == fingerprint)?;
        let target = IgnoreTarget::new(sources, f, &Mask::new(sources, &report.secrets));
        Some((
            target,
            ignore::snapshot(&report, &analysis.project),
            ignore::config_file(read),
        ))
    });
    let Some((target, mut expected, config)) = found else {
        return Ok(None);
    };
    ignore::suppress(&mut expected, &target.fingerprint);
    for changed in ignore::comments(&target, &before, &target.comment(REASON, None)) {
        let with = part.with_text(&shown, &changed.as_str().into(), |read, analysis, options| {
            let report = read.report(analysis, options);
            ignore::snapshot(&report, &analysis.project)
        });
        if with == expected {
            return Ok(Some(NewIgnore::Comment(changed)));
        }
    }
    let text = target.exception(&config, REASON, None)?;
    let config = join_path(&part.read.cwd, &config);
    Ok(Some(NewIgnore::Exception { config, text }))
}

/// The edit from the text of an open file to another one: what is between the first and the last difference.
fn replaced(workspace: &Workspace, path: &str, after: &str) -> Option<WorkspaceEdit> {
    let before = workspace.text(path)?;
    let same = |a: &mut dyn Iterator<Item = char>, b: &mut dyn Iterator<Item = char>| -> usize {
        a.zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
    };
    let start = same(&mut before.chars(), &mut after.chars());
    let end = same(&mut before[start..].chars().rev(), &mut after[start..].chars().rev());
    let index = LineIndex::new(&before);
    let range = Lines::new(&before, &index, workspace.units).range(start..before.len() - end);
    let edit = TextEdit::new(range, after[start..after.len() - end].to_owned());
    Some(workspace_edit(
        workspace,
        BTreeMap::from([(path.to_owned(), vec![edit])]),
    ))
}

/// The edit that adds an entry to a file of settings, which may not be there yet.
fn appended(workspace: &Workspace, config: &str, entry: &str) -> Option<WorkspaceEdit> {
    let open = workspace.open.get(config).map(|buffer| buffer.text.to_string());
    let text = open.or_else(|| crate::discover::read_text(config.as_ref(), MAX_SETTINGS).ok());
    let Some(text) = text else {
        let uri = uri_of(workspace, config)?;
        let create = CreateFile {
            uri: uri.clone(),
            options: Some(CreateFileOptions {
                overwrite: None,
                ignore_if_exists: Some(true),
            }),
            annotation_id: None,
        };
        let edit = TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier { uri, version: None },
            edits: vec![OneOf::Left(TextEdit::new(
                Range::default(),
                format!("schema = 1\n\n{entry}"),
            ))],
        };
        let operations = vec![
            DocumentChangeOperation::Op(ResourceOp::Create(create)),
            DocumentChangeOperation::Edit(edit),
        ];
        return Some(WorkspaceEdit {
            document_changes: Some(DocumentChanges::Operations(operations)),
            ..WorkspaceEdit::default()
        });
    };
    let index = LineIndex::new(&text);
    let range = Lines::new(&text, &index, workspace.units).range(text.len()..text.len());
    let new_line = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let edit = TextEdit::new(range, format!("{new_line}\n{entry}"));
    Some(workspace_edit(
        workspace,
        BTreeMap::from([(config.to_owned(), vec![edit])]),
    ))
}

impl Part {
    /// Analyzes another text of one file, and what was or is linked to it. Afterwards the text is what it was.
    fn with_text<T>(
        &mut self,
        shown: &str,
        text: &Arc<str>,
        then: impl FnOnce(&mut Loaded<'_>, &mut Analysis<'_>, &crate::cli::run::RunOptions) -> T,
    ) -> T {
        let around = BTreeSet::from([shown.to_owned()]);
        let before = self.read.set_text(shown, text);
        let options = self.options.clone();
        let out = self.analyze_around(&around, |read, analysis| then(read, analysis, &options));
        if let Some(before) = before {
            self.read.set_text(shown, &before);
        }
        out
    }
}
