//! Hides secrets.

use aho_corasick::{AhoCorasick, MatchKind};

use super::{decoded, is_wordy, unescaped};
use crate::source::{FileId, Sources, Span, json_without_commands, one_line};

/// Shorter secrets are hidden where they are written, but not looked for elsewhere: like words ([`is_wordy`]), they
/// may be part of other text.
const MIN_ANYWHERE: usize = 10;

/// Knows which bytes of which files, and which strings anywhere, must not be shown.
#[derive(Debug, Default)]
pub struct Mask {
    /// In order.
    spans: Vec<Span>,
    longest: u32,
    anywhere: Option<(AhoCorasick, Vec<String>)>,
}

impl Mask {
    /// `hidden` may include the quotes around them.
    pub fn new(sources: &Sources, hidden: &[Span]) -> Self {
        let mut spans: Vec<Span> = hidden.iter().map(|s| unquoted(sources, *s)).collect();
        spans.sort();
        spans.dedup();
        let mut texts: Vec<String> = spans
            .iter()
            .map(|s| sources.slice(*s))
            .filter(|t| !is_wordy(t))
            .flat_map(|t| [t.to_owned(), unescaped(t)].into_iter().chain(decoded(t)))
            .flat_map(|t| forms(&t))
            .filter(|t| t.len() >= MIN_ANYWHERE)
            .collect();
        texts.sort();
        texts.dedup();
        let anywhere = (!texts.is_empty())
            .then(|| {
                AhoCorasick::builder()
                    .match_kind(MatchKind::LeftmostLongest)
                    .build(&texts)
                    .ok()
            })
            .flatten()
            .map(|automaton| {
                let masked = texts.iter().map(|t| mask(t)).collect();
                (automaton, masked)
            });
        let longest = spans.iter().map(|s| s.end - s.start).max().unwrap_or(0);
        Self {
            spans,
            longest,
            anywhere,
        }
    }

    /// The secrets that may reach into bytes of a file.
    fn secrets_near(&self, file: FileId, range: &std::ops::Range<usize>) -> &[Span] {
        let (start, end) = (range.start as u32, range.end as u32);
        let ends_before = |s: &Span| (s.file, s.start.saturating_add(self.longest)) < (file, start);
        let from = self.spans.partition_point(ends_before);
        let to = self.spans.partition_point(|s| (s.file, s.start) < (file, end));
        self.spans.get(from..to).unwrap_or(&[])
    }

    /// Where secrets of other places stand again in these bytes, also if only a part of one does.
    fn repeated_near(&self, file: FileId, text: &str, range: &std::ops::Range<usize>) -> Vec<Span> {
        let Some((automaton, masked)) = &self.anywhere else {
            return Vec::new();
        };
        // Four bytes for each character of the longest.
        let around = masked.iter().map(String::len).max().unwrap_or(0).saturating_mul(4);
        let from = text.floor_char_boundary(range.start.saturating_sub(around));
        let to = text.ceil_char_boundary((range.end + around).min(text.len()));
        let found = automaton.find_iter(&text[from..to]);
        let spans = found.map(|hit| Span::new(file, from + hit.start(), from + hit.end()));
        let reaches_in = |span: &Span| (span.start as usize) < range.end && (span.end as usize) > range.start;
        spans.filter(reaches_in).collect()
    }

    /// `text` without any secret.
    pub fn text(&self, text: String) -> String {
        match &self.anywhere {
            Some((automaton, masked)) if automaton.is_match(&text) => automaton.replace_all(&text, masked),
            _ => text,
        }
    }

    /// A JSON document without any secret, and without commands for the runner of a pipeline.
    pub fn json(&self, text: String) -> String {
        json_without_commands(self.text(text))
    }

    /// Bytes `start..end` of `file` as they may be shown: as many characters as there are, so that columns stay true.
    pub fn slice(&self, sources: &Sources, file: FileId, range: std::ops::Range<usize>) -> String {
        let text: &str = sources.text(file);
        let Some(raw) = text.get(range.clone()) else {
            return String::new();
        };
        let mut out = String::with_capacity(raw.len());
        let mut at = range.start;
        let mut hidden = self.secrets_near(file, &range).to_vec();
        hidden.extend(self.repeated_near(file, text, &range));
        hidden.sort_unstable();
        for span in &hidden {
            let (start, end) = ((span.start as usize).max(at), (span.end as usize).min(range.end));
            if start >= end {
                continue;
            }
            out.push_str(text.get(at..start).unwrap_or(""));
            let whole = mask(sources.slice(*span));
            let skip = text.get(span.start as usize..start).map_or(0, |t| t.chars().count());
            let take = text.get(start..end).map_or(0, |t| t.chars().count());
            out.extend(whole.chars().skip(skip).take(take));
            at = end;
        }
        out.push_str(text.get(at..range.end).unwrap_or(""));
        out
    }
}

fn unquoted(sources: &Sources, span: Span) -> Span {
    let text = sources.slice(span);
    let quotes = ['"', '\'', '`'];
    let start = text.len() - text.trim_start_matches(quotes).len();
    let end = text.trim_end_matches(quotes).len();
    if start >= end {
        return span;
    }
    Span {
        start: span.start + start as u32,
        end: span.start + end as u32,
        ..span
    }
}

/// A secret as the formats write it: as it is, made visible, and with the escapes of XML, JSON, and GitHub's commands.
fn forms(secret: &str) -> impl Iterator<Item = String> + use<> {
    let xml = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;")];
    let xml = xml
        .iter()
        .fold(secret.to_owned(), |t, (c, escape)| t.replace(*c, escape));
    let json = serde_json::Value::from(secret).to_string();
    let json = json.get(1..json.len() - 1).unwrap_or_default().to_owned();
    let command = one_line(secret).replace('%', "%25");
    [secret.to_owned(), one_line(secret).into_owned(), xml, json, command].into_iter()
}

/// Stars, character for character. Of an access key id the prefix and the last four letters stay: they tell which it is
/// and give nothing away.
fn mask(secret: &str) -> String {
    let count = secret.chars().count();
    let key_id = count == 20 && ["AKIA", "ASIA", "ABIA", "ACCA"].iter().any(|p| secret.starts_with(p));
    secret
        .chars()
        .enumerate()
        .map(|(i, c)| match c {
            '\n' | '\r' => c,
            _ if key_id && (i < 4 || i >= count - 4) => c,
            _ => '*',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hidden_where_they_stand_and_anywhere_else() {
        let key = format!("AKIA{}", "Q3EXAMPLEWXY2Z7K");
        let text = format!("id = \"{key}\"\n");
        let sources = Sources::from_strings(&[("a.tf", &text)]);
        let mask = Mask::new(&sources, &[Span::new(FileId(0), 5, 27)]);
        assert_eq!(
            mask.slice(&sources, FileId(0), 0..28),
            "id = \"AKIA************2Z7K\"\n".get(..28).unwrap()
        );
        assert_eq!(mask.slice(&sources, FileId(0), 8..12), "IA**");
        let again = format!("{text}# {key} again");
        let sources = Sources::from_strings(&[("a.tf", &again)]);
        assert_eq!(mask.slice(&sources, FileId(0), 28..42), "# AKIA********");
        assert_eq!(mask.slice(&sources, FileId(0), 44..56), "**2Z7K again");
        assert!(!mask.text(format!("found {key} here")).contains(&key));
    }

    #[test]
    fn short_secrets_do_not_spoil_other_text() {
        let sources = Sources::from_strings(&[("a.env", "AWS_SECRET_ACCESS_KEY=test")]);
        let mask = Mask::new(&sources, &[Span::new(FileId(0), 22, 26)]);
        assert_eq!(mask.text("a test".to_owned()), "a test");
        assert!(mask.slice(&sources, FileId(0), 0..26).ends_with("=****"));
    }

    #[test]
    fn words_are_hidden_only_where_they_are_written() {
        let sources = Sources::from_strings(&[("a.env", "AWS_SESSION_TOKEN=service-wildcard")]);
        let mask = Mask::new(&sources, &[Span::new(FileId(0), 18, 34)]);
        assert_eq!(mask.text("low[service-wildcard]".to_owned()), "low[service-wildcard]");
        assert!(mask.slice(&sources, FileId(0), 0..34).ends_with("=****************"));
    }

    #[test]
    fn an_escaped_secret_is_hidden_without_its_escapes_too() {
        let sources = Sources::from_strings(&[("a.json", "Sw7Zk2\\/Qx9Lm4Tv")]);
        let mask = Mask::new(&sources, &[Span::new(FileId(0), 0, 16)]);
        assert!(!mask.text("Sw7Zk2/Qx9Lm4Tv".to_owned()).contains("Qx9"));
    }

    #[test]
    fn a_secret_is_hidden_as_every_format_writes_it() {
        let secret = r#"p<"x\y&%25##[Zq7Lm"#;
        let sources = Sources::from_strings(&[("a.yaml", secret)]);
        let mask = Mask::new(&sources, &[Span::new(FileId(0), 0, secret.len())]);
        let json = serde_json::Value::from(secret).to_string();
        for text in [
            json,
            "p&lt;&quot;x\\y&amp;%25##[Zq7Lm".into(),
            "p<\"x\\y&%2525\u{fffd}#[Zq7Lm".into(),
        ] {
            assert!(!mask.text(text.clone()).contains("Zq7Lm"), "{text}");
        }
    }
}
