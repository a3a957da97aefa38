//! A file whose text is another one than on disk.

use super::{Discovery, SearchRequest, read};

impl SearchRequest<'_> {
    /// What a search makes of the text of one file.
    pub fn judge_text(&self, path: &str, text: &str, named: bool) -> Discovery {
        let mut found = Discovery::default();
        let content = read::classify_content(text.as_bytes().to_vec(), self.max_file_size);
        self.add_content(path, content, named, true, &mut found);
        found
    }
}

impl Discovery {
    /// Both are of one file, and are the same but for its text.
    pub fn reads_as(&self, other: &Self) -> bool {
        let counts = |found: &Self| (found.files.len(), found.code.len(), found.python);
        counts(self) == counts(other)
            && self.troubles == other.troubles
            && self.unjudged == other.unjudged
            && self.altered == other.altered
    }

    /// What was made of another file would be a part of what was found here.
    pub fn would_keep(&self, other: &Self) -> bool {
        let is_code = self.python && !other.code.is_empty();
        is_code || !(other.files.is_empty() && other.troubles.is_empty() && other.unjudged.is_empty())
    }
}
