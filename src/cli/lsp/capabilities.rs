//! What the server offers.

use lsp_types::{CodeActionKind, PositionEncodingKind};
use serde_json::{Value, json};

use super::text::Units;

/// Of the fix of all findings of a file that have a safe one.
pub(super) const FIX_ALL: &str = "source.fixAll.overgrant";

pub(super) fn capabilities(units: Units, pulls: bool) -> Value {
    let encoding: PositionEncodingKind = units.kind();
    let mut capabilities = json!({
        "positionEncoding": encoding,
        "textDocumentSync": {"openClose": true, "change": 2, "save": {"includeText": false}},
        "hoverProvider": true,
        "definitionProvider": true,
        "completionProvider": {
            "triggerCharacters": [":", "\"", "'", ".", "/"],
            "resolveProvider": false,
        },
        "codeActionProvider": {
            "codeActionKinds": [CodeActionKind::QUICKFIX, FIX_ALL],
            "resolveProvider": true,
        },
        "workspace": {"workspaceFolders": {"supported": true, "changeNotifications": true}},
    });
    if pulls {
        capabilities["diagnosticProvider"] = json!({
            "identifier": "overgrant",
            "interFileDependencies": true,
            "workspaceDiagnostics": true,
        });
    }
    capabilities
}
