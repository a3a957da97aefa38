//! How an embedded text is written inside the string that holds it.

/// What a character of the inner text becomes in the outer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    /// JSON, and YAML in double quotes: backslash escapes.
    Escaped,
    /// YAML in single quotes: the quote is doubled, and a line break has no spelling.
    Doubled,
    /// A YAML literal block: every line is indented.
    Indented(String),
    /// A YAML folded block: a line break would be a blank.
    OneLine,
    /// An HCL quoted template: escapes, and `${` and `%{` begin what is interpolated.
    Template,
    /// An HCL heredoc: only `${` and `%{` are special; with `<<-`, lines are indented.
    Heredoc(String),
    Python {
        quote: char,
        /// Three quotes: line breaks stand for themselves.
        long: bool,
        /// `r"…"`: there are no escapes.
        raw: bool,
        /// `f"…"`: braces are doubled.
        formatted: bool,
    },
}

impl Quoting {
    pub(super) fn python(written: &str) -> Option<Self> {
        let (prefix, raw, formatted) = python_prefix(written);
        let quoted = &written[prefix..];
        Some(Self::Python {
            quote: quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?,
            long: python_quotes(quoted) == 3,
            raw,
            formatted,
        })
    }

    /// `text` as it is written here; `None` where it cannot be.
    pub(super) fn encode(&self, text: &str) -> Option<String> {
        let mut out = String::with_capacity(text.len() + 8);
        for (i, c) in text.char_indices() {
            match (self, c) {
                (Self::Escaped | Self::Template, '"') => out.push_str("\\\""),
                (Self::Escaped | Self::Template, '\\') => out.push_str("\\\\"),
                (Self::Escaped | Self::Template, '\n') => out.push_str("\\n"),
                (Self::Template | Self::Heredoc(_), '$' | '%') if text[i + 1..].starts_with('{') => {
                    out.extend([c, c]);
                }
                (Self::Doubled, '\'') => out.push_str("''"),
                (Self::Indented(indent) | Self::Heredoc(indent), '\n') => {
                    out.push('\n');
                    out.push_str(indent);
                }
                (Self::Doubled | Self::OneLine, '\n') => return None,
                (Self::Python { formatted: true, .. }, '{' | '}') => out.extend([c, c]),
                (Self::Python { long: true, .. }, '\n') => out.push('\n'),
                // Three quotes in a row would end a long string; two do not, and no text that a fix writes has more.
                (Self::Python { long: true, .. }, '"' | '\'') => out.push(c),
                (Self::Python { raw: true, quote, .. }, c) if c == *quote || matches!(c, '\\' | '\n') => return None,
                (Self::Python { raw: false, quote, .. }, c) if c == *quote || c == '\\' => out.extend(['\\', c]),
                (Self::Python { raw: false, .. }, '\n') => out.push_str("\\n"),
                (_, c) if c.is_control() && c != '\n' => return None,
                (_, c) => out.push(c),
            }
        }
        Some(out)
    }
}

/// Length of a Python string's prefix, and whether it says that the string is raw or formatted.
pub(super) fn python_prefix(written: &str) -> (usize, bool, bool) {
    let prefix = written.bytes().take_while(u8::is_ascii_alphabetic).count();
    let has = |letters: [char; 2]| written[..prefix].contains(letters);
    (prefix, has(['r', 'R']), has(['f', 'F']) || has(['t', 'T']))
}

/// How many quotes a Python string, without its prefix, begins with.
pub(super) fn python_quotes(quoted: &str) -> usize {
    if quoted.starts_with("\"\"\"") || quoted.starts_with("'''") {
        3
    } else {
        1
    }
}
