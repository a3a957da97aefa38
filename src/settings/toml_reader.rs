//! Reads TOML values of an expected type, noting every fault with its place.

use toml::de::{DeTable, DeValue};

use super::{Date, Fault};
use crate::edit_distance::nearest_word;
use crate::source::LineIndex;

use toml::Spanned;

/// A settings file while it is read.
pub(super) struct Reader<'t> {
    pub(super) path: &'t str,
    text: &'t str,
    lines: LineIndex,
    pub(super) faults: Vec<Fault>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(path: &'t str, text: &'t str) -> Self {
        Self {
            path,
            text,
            lines: LineIndex::new(text),
            faults: Vec::new(),
        }
    }

    /// A fault at byte `at`, not yet noted.
    pub(super) fn fault_at(&self, at: usize, message: impl Into<String>) -> Fault {
        let p = self.lines.position(self.text, at);
        Fault {
            path: self.path.to_owned(),
            line: p.line,
            column: p.column,
            message: message.into(),
        }
    }

    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.line(at)
    }

    pub(super) fn fault(&mut self, at: usize, message: impl Into<String>) {
        let fault = self.fault_at(at, message);
        self.faults.push(fault);
    }

    /// Parses the file; a syntax error is a fault and gives nothing.
    pub(super) fn parse(&mut self) -> Option<Spanned<DeTable<'t>>> {
        match DeTable::parse(self.text) {
            Ok(table) => Some(table),
            Err(e) => {
                let at = e.span().map_or(0, |s| s.start);
                self.fault(at, e.message().trim().replace('\n', "; "));
                None
            }
        }
    }

    /// Notes keys of `table` that are not in `known`.
    pub(super) fn unknown_keys(&mut self, table: &DeTable<'_>, known: &[&str], place: &str) {
        for (key, _) in table {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let hint = nearest_word(name, known.iter().copied())
                .map(|n| format!("; did you mean `{n}`?"))
                .unwrap_or_default();
            self.fault(key.span().start, format!("unknown key `{name}` in {place}{hint}"));
        }
    }

    fn report_wrong_type(&mut self, value: &Spanned<DeValue<'_>>, expected: &str) {
        let found = value.get_ref().type_str();
        self.fault(value.span().start, format!("expected {expected}, found {found}"));
    }

    pub(super) fn string(&mut self, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            self.report_wrong_type(value, "a string");
        }
        text
    }

    pub(super) fn boolean(&mut self, value: &Spanned<DeValue<'_>>) -> Option<bool> {
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.report_wrong_type(value, "true or false");
        }
        found
    }

    pub(super) fn integer(&mut self, value: &Spanned<DeValue<'_>>) -> Option<i64> {
        let found = value
            .get_ref()
            .as_integer()
            .and_then(|i| i64::from_str_radix(&i.as_str().replace('_', ""), i.radix()).ok());
        if found.is_none() {
            self.report_wrong_type(value, "a whole number");
        }
        found
    }

    /// The strings of a list with their places; a single string counts as a list of one.
    pub(super) fn strings(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<(String, usize)> {
        if let Some(text) = value.get_ref().as_str() {
            return vec![(text.to_owned(), value.span().start)];
        }
        let Some(items) = value.get_ref().as_array() else {
            self.report_wrong_type(value, "a list of strings");
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in items {
            if let Some(text) = self.string(item) {
                out.push((text, item.span().start));
            }
        }
        out
    }

    pub(super) fn table<'v, 'i>(&mut self, value: &'v Spanned<DeValue<'i>>) -> Option<&'v DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.report_wrong_type(value, "a table");
        }
        table
    }

    /// A TOML date or a string `YYYY-MM-DD`.
    pub(super) fn date(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Date> {
        let date = match value.get_ref() {
            DeValue::Datetime(d) => d.date.and_then(|d| Date::new(d.year, d.month, d.day)),
            DeValue::String(s) => Date::parse(s),
            _ => None,
        };
        if date.is_none() {
            self.report_wrong_type(value, "a date, YYYY-MM-DD");
        }
        date
    }

    /// One word of `words`.
    pub(super) fn read_word<T>(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        words: &[&'static str],
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.string(value)?;
        let found = read(&text);
        if found.is_none() {
            let hint = nearest_word(&text, words.iter().copied())
                .map(|n| format!("; did you mean `{n}`?"))
                .unwrap_or_else(|| format!("; expected one of {}", words.join(", ")));
            self.fault(value.span().start, format!("unknown value `{text}`{hint}"));
        }
        found
    }
}
