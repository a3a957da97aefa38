//! The lines of a file that a finding shows, made fit to be shown: secrets masked, long lines cut to windows around the
//! labels, control characters replaced. Line and column numbers stay those of the file.

use std::collections::BTreeMap;
use std::ops::Range;

use codespan_reporting::files::{Error, Files};
use unicode_width::UnicodeWidthChar as _;

use crate::secrets::Mask;
use crate::source::{FileId, Sources, Span, visible};

/// Lines are cut at so many characters, however wide the terminal is.
const MAX_LINE: usize = 140;
/// The fewest characters that are left of a line.
const MIN_LINE: usize = 30;
/// Columns of a tab.
const TAB: usize = 4;
/// A label over more lines shows its first line.
const MAX_LINES: usize = 8;
/// Lines beside a label that the renderer may ask for, to fill a gap of one line.
const BESIDE: usize = 1;

/// Excerpts of several files, as codespan wants them.
#[derive(Debug, Default)]
pub(super) struct Excerpts {
    parts: Vec<ExcerptPart>,
}

#[derive(Debug)]
struct ExcerptPart {
    file: FileId,
    name: String,
    text: String,
    /// Line of the file, counted from 0, to its bytes in `text`.
    lines: BTreeMap<usize, Range<usize>>,
    /// Where labels start in `text`, and their columns in the file.
    columns: BTreeMap<usize, usize>,
}

/// A label's place in an excerpt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LabelPlace {
    pub(super) part: usize,
    pub(super) range: Range<usize>,
}

impl Excerpts {
    /// Excerpts at most `columns` wide for labels at `spans`, and where the labels are in them. `name` gives the name that is shown of a file.
    pub(super) fn new(
        sources: &Sources,
        mask: &Mask,
        spans: &[Span],
        columns: usize,
        name: &dyn Fn(FileId) -> String,
    ) -> (Self, Vec<LabelPlace>) {
        let clipped: Vec<Span> = spans.iter().map(|s| clip(sources, *s)).collect();
        let mut files: Vec<FileId> = Vec::new();
        for s in &clipped {
            if !files.contains(&s.file) {
                files.push(s.file);
            }
        }
        let mut places: Vec<Option<LabelPlace>> = vec![None; spans.len()];
        let mut parts = Vec::new();
        for file in files {
            let mine: Vec<(usize, Span)> = clipped
                .iter()
                .copied()
                .enumerate()
                .filter(|(_, s)| s.file == file)
                .collect();
            let mut part = ExcerptPart {
                file,
                name: name(file),
                text: String::new(),
                lines: BTreeMap::new(),
                columns: BTreeMap::new(),
            };
            let columns = columns.clamp(MIN_LINE, MAX_LINE);
            part.fill(sources, mask, &mine, (parts.len(), columns), &mut places);
            parts.push(part);
        }
        let places = places.into_iter().flatten().collect();
        (Self { parts }, places)
    }

    /// The files of the excerpts, with the number of each shown line, from 1, and its bytes in the text.
    pub(super) fn files(&self) -> impl Iterator<Item = ExcerptFile<'_>> {
        self.parts.iter().map(|part| ExcerptFile {
            file: part.file,
            text: &part.text,
            lines: part
                .lines
                .iter()
                .map(|(line, range)| (line + 1, range.clone()))
                .collect(),
        })
    }
}

/// What is shown of one file.
pub(super) struct ExcerptFile<'e> {
    pub(super) file: FileId,
    pub(super) text: &'e str,
    /// Numbers from 1, and bytes of `text`.
    pub(super) lines: Vec<(usize, Range<usize>)>,
}

/// A label over many lines becomes one over its first line.
fn clip(sources: &Sources, span: Span) -> Span {
    let file = sources.file(span.file);
    let text: &str = &file.text;
    let lines = file.lines();
    let mut end = (span.end as usize).min(text.len());
    let start = (span.start as usize).min(end);
    // An end at the start of a line belongs to the line before.
    while end > start && text[..end].ends_with(['\n', '\r']) {
        end -= 1;
    }
    let first = lines.line(start);
    if lines.line(end.saturating_sub(1).max(start)) - first >= MAX_LINES {
        end = start + text[start..].find(['\n', '\r']).unwrap_or(text.len() - start);
    }
    Span::new(span.file, start, end)
}

impl ExcerptPart {
    fn fill(
        &mut self,
        sources: &Sources,
        mask: &Mask,
        labels: &[(usize, Span)],
        (index, columns): (usize, usize),
        places: &mut [Option<LabelPlace>],
    ) {
        let file = sources.file(self.file);
        let (text, lines): (&str, _) = (&file.text, file.lines());
        let mut wanted: Vec<usize> = Vec::new();
        for (_, s) in labels {
            let (first, last) = (lines.line(s.start as usize), lines.line(s.end as usize));
            wanted.extend(first.saturating_sub(BESIDE).max(1)..=(last + BESIDE).min(lines.count()));
        }
        wanted.sort_unstable();
        wanted.dedup();
        let mut starts: BTreeMap<usize, usize> = BTreeMap::new();
        let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
        for line in wanted {
            let from = lines.start_of(line);
            let to = from + text[from..].find(['\n', '\r']).unwrap_or(text.len() - from);
            let on_line: Vec<Range<usize>> = labels
                .iter()
                .map(|(_, s)| s.range())
                .filter(|r| r.start <= to && r.end >= from)
                .collect();
            let begin = self.text.len();
            let windows = windows(text, from..to, &on_line, columns);
            for (n, window) in windows.iter().enumerate() {
                if n > 0 {
                    self.text.push_str(" … ");
                } else if window.start > from {
                    self.text.push_str("… ");
                }
                for (i, s) in labels {
                    for (at, known) in [(s.start as usize, &mut starts), (s.end as usize, &mut ends)] {
                        if (window.start..=window.end).contains(&at) && !known.contains_key(i) {
                            let before = visible(&mask.slice(sources, self.file, window.start..at)).into_owned();
                            known.insert(*i, self.text.len() + before.len());
                        }
                    }
                }
                self.text
                    .push_str(&visible(&mask.slice(sources, self.file, window.clone())));
            }
            if windows.last().is_some_and(|w| w.end < to) {
                self.text.push_str(" …");
            }
            // Labels that the windows cut end where the shown part of the line ends.
            self.lines.insert(line - 1, begin..self.text.len());
            for (i, s) in labels {
                if starts.contains_key(i) && !ends.contains_key(i) && (s.end as usize) <= to {
                    ends.insert(*i, self.text.len());
                }
            }
            self.text.push('\n');
        }
        for (i, s) in labels {
            let start = starts.get(i).copied().unwrap_or(0);
            let end = ends.get(i).copied().unwrap_or(start).max(start);
            self.columns
                .insert(start, lines.position(text, s.start as usize).column);
            places[*i] = Some(LabelPlace {
                part: index,
                range: start..end,
            });
        }
    }
}

/// Columns of what stands for parts that are not shown.
const ELLIPSIS: usize = 4;

/// The parts of the line at `line` that are shown: all of it, or what is around `labels`.
fn windows(text: &str, line: Range<usize>, labels: &[Range<usize>], columns: usize) -> Vec<Range<usize>> {
    let width = |c: char| if c == '\t' { TAB } else { c.width().unwrap_or(1) };
    if text[line.clone()].chars().map(width).sum::<usize>() <= columns {
        return vec![line];
    }
    // Of what there is for one label, the most is for the label itself, and the least for what follows.
    let each = (columns / labels.len().max(1))
        .saturating_sub(ELLIPSIS)
        .max(MIN_LINE / 2);
    let (before_label, label_columns, after_label) = (each / 4, each / 2, each / 5);
    let back = |at: usize, n: usize| {
        let before = &text[line.start..at];
        before
            .char_indices()
            .rev()
            .nth(n - 1)
            .map_or(line.start, |(i, _)| line.start + i)
    };
    let forward = |at: usize, n: usize| {
        let after = &text[at..line.end];
        after.char_indices().nth(n).map_or(line.end, |(i, _)| at + i)
    };
    let mut out: Vec<Range<usize>> = Vec::new();
    for label in labels {
        let start = label.start.max(line.start);
        let end = label.end.min(line.end).max(start).min(forward(start, label_columns));
        out.push(back(start, before_label)..forward(end, after_label));
    }
    if out.is_empty() {
        out.push(line.start..forward(line.start, columns.saturating_sub(ELLIPSIS)));
        return out;
    }
    out.sort_by_key(|r| r.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for r in out {
        match merged.last_mut() {
            Some(last) if r.start <= last.end => last.end = last.end.max(r.end),
            _ => merged.push(r),
        }
    }
    // What is left of the columns shows more around the labels: between them, then after, then before.
    let shown = |r: &Range<usize>| text[r.clone()].chars().map(width).sum::<usize>();
    let mut left = columns.saturating_sub(merged.iter().map(|r| shown(r) + ELLIPSIS).sum());
    let mut joined: Vec<Range<usize>> = Vec::new();
    for r in merged {
        match joined.last_mut() {
            Some(last) if shown(&(last.end..r.start)) <= left => {
                left -= shown(&(last.end..r.start));
                last.end = r.end;
            }
            _ => joined.push(r),
        }
    }
    if let Some(last) = joined.last_mut().filter(|_| left > 0) {
        let end = forward(last.end, left);
        left = left.saturating_sub(shown(&(last.end..end)));
        last.end = end;
    }
    // The text of a label stands to the right of its mark: that has room.
    let before = left.min(columns / 3);
    if let Some(first) = joined.first_mut().filter(|_| before > 0) {
        first.start = back(first.start, before);
    }
    joined
}

impl<'a> Files<'a> for Excerpts {
    type FileId = usize;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, id: usize) -> Result<&'a str, Error> {
        self.parts.get(id).map(|p| p.name.as_str()).ok_or(Error::FileMissing)
    }

    fn source(&'a self, id: usize) -> Result<&'a str, Error> {
        self.parts.get(id).map(|p| p.text.as_str()).ok_or(Error::FileMissing)
    }

    fn line_index(&'a self, id: usize, byte: usize) -> Result<usize, Error> {
        let part = self.parts.get(id).ok_or(Error::FileMissing)?;
        let found = part.lines.iter().find(|(_, r)| r.start <= byte && byte <= r.end);
        Ok(found.or(part.lines.iter().next_back()).map_or(0, |(i, _)| *i))
    }

    fn column_number(&'a self, id: usize, line: usize, byte: usize) -> Result<usize, Error> {
        let part = self.parts.get(id).ok_or(Error::FileMissing)?;
        match part.columns.get(&byte) {
            Some(column) => Ok(*column),
            None => Ok(byte - part.lines.get(&line).map_or(byte, |r| r.start.min(byte)) + 1),
        }
    }

    fn line_range(&'a self, id: usize, line: usize) -> Result<Range<usize>, Error> {
        let part = self.parts.get(id).ok_or(Error::FileMissing)?;
        let given = || Error::LineTooLarge {
            given: line,
            max: part.lines.keys().next_back().copied().unwrap_or(0),
        };
        // With its line feed, which codespan expects.
        part.lines.get(&line).map(|r| r.start..r.end + 1).ok_or_else(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, labels: &[Range<usize>]) -> (Excerpts, Vec<LabelPlace>) {
        let sources = Sources::from_strings(&[("a.json", text)]);
        let spans: Vec<Span> = labels.iter().map(|r| Span::new(FileId(0), r.start, r.end)).collect();
        Excerpts::new(&sources, &Mask::default(), &spans, MAX_LINE, &|_| "a.json".to_owned())
    }

    #[test]
    fn long_lines_are_cut_around_their_labels() {
        let text = format!("{}\"*\"{}\"x\"{}", "a".repeat(500), "b".repeat(500), "c".repeat(500));
        let (files, places) = shown(&text, &[500..503, 1003..1006]);
        let source = files.source(0).unwrap();
        assert_eq!(&source[places[0].range.clone()], "\"*\"");
        assert_eq!(&source[places[1].range.clone()], "\"x\"");
        assert!(source.chars().count() < 200, "{source}");
        assert_eq!(files.location(0, places[1].range.start).unwrap().column_number, 1004);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let (files, _) = shown("a \u{1b}[31m \u{202e}b", std::slice::from_ref(&(0..1)));
        let source = files.source(0).unwrap();
        assert!(!source.contains('\u{1b}') && !source.contains('\u{202e}'));
    }

    #[test]
    fn numbers_are_those_of_the_file() {
        let text = "1\n2\n3\n4\n  five\n6\n";
        let (files, places) = shown(text, std::slice::from_ref(&(10..14)));
        let at = files.location(0, places[0].range.start).unwrap();
        assert_eq!((at.line_number, at.column_number), (5, 3));
    }
}
