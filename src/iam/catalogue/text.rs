//! The text form of the facts (`rules/facts/`): one line a thing, fields between tabs.
//!
//! **Invariant:** `kind`, then the thing's name, then plain fields and `field=value` pairs; lists are joined by `, `.
//! Empty lines and lines that begin with `#` are nothing.

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct CatalogueLine<'a> {
    fields: Vec<&'a str>,
}

impl<'a> CatalogueLine<'a> {
    /// The plain field at `index`; the empty string where there is not one.
    pub(crate) fn at(&self, index: usize) -> &'a str {
        self.fields.get(index).copied().unwrap_or("")
    }

    /// The value of `name=value`.
    pub(crate) fn value(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find_map(|f| f.strip_prefix(name)?.strip_prefix('='))
    }

    /// The items of `name=a, b`.
    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        items(self.value(name).unwrap_or(""))
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.fields.clone().into_iter()
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.fields.iter().skip(2).any(|f| *f == flag)
    }
}

/// The items of `a, b`.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(", ").filter(|s| !s.is_empty())
}

/// The lines of a facts file.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = CatalogueLine<'_>> {
    text.lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .map(|l| CatalogueLine {
            fields: l.split('\t').collect(),
        })
}
