//! What an edit of one file changes in what was read.

use std::collections::HashMap;
use std::sync::Arc;

use super::Loaded;
use crate::discover::{Discovery, InputFile};
use crate::settings::NAMES;
use crate::source::file_name;

/// What an edit of a file asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum EditEffect {
    /// Nothing that was read depends on the file.
    None,
    /// The text was put in the place of the one before: what is linked to the file is to be analyzed again.
    Text,
    /// Which files are read, or what they are read for, may be another: all are to be read again.
    Reading,
}

impl Loaded<'_> {
    /// Puts `text` in the place of the text of the file that is shown as `path`, if nothing else changes.
    pub(in crate::cli) fn edit(&mut self, path: &str, text: &Arc<str>) -> EditEffect {
        let name = file_name(path);
        if NAMES.contains(&name) || matches!(name, ".gitignore" | ".ignore") {
            return EditEffect::Reading;
        }
        let is = self.judge_text(path, text);
        let Some(before) = self.text(path) else {
            return match self.found.would_keep(&is) {
                true => EditEffect::Reading,
                false => EditEffect::None,
            };
        };
        if !self.judge_text(path, &before).reads_as(&is) {
            return EditEffect::Reading;
        }
        self.set_text(path, text);
        EditEffect::Text
    }

    /// Puts `text` in the place of the text of the file that is shown as `path`, and gives that.
    pub(in crate::cli) fn set_text(&mut self, path: &str, text: &Arc<str>) -> Option<Arc<str>> {
        let file = self.found.files.iter_mut().find(|f| f.path == path)?;
        Some(std::mem::replace(&mut file.text, text.clone()))
    }

    /// What a search would make of a text.
    fn judge_text(&self, path: &str, text: &str) -> Discovery {
        let is_named = self.named.contains(&self.governing.absolute(path));
        self.search().judge_text(path, text, is_named)
    }

    /// The text of a file that was read, by its path as shown.
    pub(in crate::cli) fn text(&self, path: &str) -> Option<Arc<str>> {
        let file = self.found.files.iter().find(|f| f.path == path)?;
        Some(file.text.clone())
    }

    /// The paths of the files that have another text than in an earlier reading; `None` if the files are not the same.
    pub(in crate::cli) fn differing_from(&self, earlier: &Self) -> Option<Vec<String>> {
        let (now, before) = (&self.found, &earlier.found);
        let known: HashMap<&str, &InputFile> = before.files.iter().map(|f| (f.path.as_str(), f)).collect();
        let mut differing = Vec::new();
        let mut asked_for = 0;
        for file in &now.files {
            let before = known.get(file.path.as_str()).filter(|f| f.in_scope == file.in_scope)?;
            asked_for += usize::from(file.in_scope);
            if before.text != file.text {
                differing.push(file.path.clone());
            }
        }
        let is_same = asked_for == before.files.iter().filter(|f| f.in_scope).count()
            && now.troubles == before.troubles
            && now.unjudged == before.unjudged
            && now.links == before.links;
        is_same.then_some(differing)
    }

    /// Keeps one copy of the texts that were read before too.
    pub(in crate::cli) fn share_texts(&mut self, earlier: &Self) {
        let known: HashMap<&str, &InputFile> = earlier.found.files.iter().map(|f| (f.path.as_str(), f)).collect();
        for file in &mut self.found.files {
            if let Some(before) = known.get(file.path.as_str()).filter(|f| f.text == file.text) {
                file.text = before.text.clone();
            }
        }
    }
}
