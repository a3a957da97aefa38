//! String literals that make one text: side by side (Python Language Reference, "String literal concatenation"), with `+`
//! between them, or in a list that `''.join` joins.

use std::ops::Range;

/// A text of Python in which literals that make one text are one.
#[derive(Debug)]
pub struct JoinedLiterals {
    pub text: String,
    /// Where runs of `text` begin, there and in the file. Sorted.
    runs: Vec<(usize, usize)>,
}

impl JoinedLiterals {
    /// The bytes of the file that a range of `text` is made of, with the quotes between them.
    pub fn source_range(&self, range: &Range<usize>) -> Range<usize> {
        let at = |offset: usize| {
            let run = self.runs.partition_point(|(at, _)| *at <= offset).saturating_sub(1);
            self.runs.get(run).map_or(offset, |(at, src)| src + (offset - at))
        };
        let start = at(range.start);
        let last = range.end.saturating_sub(1).max(range.start);
        start..at(last) + usize::from(!range.is_empty())
    }
}

/// `text` with such literals joined; `None` where there are none.
pub fn joined(text: &str) -> Option<JoinedLiterals> {
    let bytes = text.as_bytes();
    let mut cuts: Vec<Range<usize>> = Vec::new();
    // Where the literal before ended, and its quote, while nothing but blanks, line ends and a `+` follow.
    let mut before: Option<(usize, u8)> = None;
    let mut i = 0;
    while let Some(&c) = bytes.get(i) {
        match c {
            b'"' | b'\'' => {
                let open = i;
                let triple = bytes.get(i..i + 3) == Some(&[c; 3]);
                let end = literal_end(bytes, i, c, triple);
                if !triple
                    && end == open + 2
                    && let Some((list, after)) = joined_list(bytes, open, end)
                {
                    cuts.extend(list);
                    before = None;
                    i = after;
                    continue;
                }
                if let Some((close, quote)) = before
                    && quote == c
                    && !triple
                {
                    cuts.push(close..open + 1);
                }
                before = (!triple && end > open + 1).then(|| (end - 1, c));
                i = end;
                continue;
            }
            b'#' => i = memchr::memchr(b'\n', &bytes[i..]).map_or(bytes.len(), |n| i + n),
            b' ' | b'\t' | b'\r' | b'\n' | b'\\' => i += 1,
            // `+=` is not one.
            b'+' if bytes.get(i + 1) != Some(&b'=') => i += 1,
            _ => {
                before = None;
                i += 1;
            }
        }
    }
    if cuts.is_empty() {
        return None;
    }
    let (mut out, mut runs, mut from) = (String::with_capacity(text.len()), Vec::new(), 0);
    for cut in cuts {
        runs.push((out.len(), from));
        out.push_str(text.get(from..cut.start)?);
        from = cut.end;
    }
    runs.push((out.len(), from));
    out.push_str(text.get(from..)?);
    Some(JoinedLiterals { text: out, runs })
}

/// What to cut out of `''.join([…])`, where the empty literal is at `open..end`, so that its literals are one, and where it
/// ends; `None` where something else is in the list.
fn joined_list(bytes: &[u8], open: usize, end: usize) -> Option<(Vec<Range<usize>>, usize)> {
    let mut i = end + b".join(".len();
    if bytes.get(end..i) != Some(b".join(") {
        return None;
    }
    let blank = |i: &mut usize| {
        while bytes.get(*i).is_some_and(u8::is_ascii_whitespace) {
            *i += 1;
        }
    };
    blank(&mut i);
    let close = match bytes.get(i)? {
        b'[' => b']',
        b'(' => b')',
        _ => return None,
    };
    i += 1;
    let (mut cuts, mut from, mut quote) = (Vec::new(), open, None);
    loop {
        blank(&mut i);
        match *bytes.get(i)? {
            c @ (b'"' | b'\'') if quote.is_none_or(|q| q == c) && bytes.get(i..i + 3) != Some(&[c; 3]) => {
                let after = literal_end(bytes, i, c, false);
                // The first keeps the quote that opens it.
                cuts.push(from..i + usize::from(quote.is_some()));
                quote = Some(c);
                from = after.checked_sub(1)?;
                i = after;
                blank(&mut i);
                match *bytes.get(i)? {
                    b',' => i += 1,
                    c if c == close => {}
                    _ => return None,
                }
            }
            c if c == close && quote.is_some() => break,
            _ => return None,
        }
    }
    i += 1;
    blank(&mut i);
    (bytes.get(i) == Some(&b')')).then(|| {
        cuts.push(from + 1..i + 1);
        (cuts, i + 1)
    })
}

/// The offset after the closing quote of the literal that opens at `open`.
fn literal_end(bytes: &[u8], open: usize, quote: u8, triple: bool) -> usize {
    let mut i = open + if triple { 3 } else { 1 };
    while let Some(&c) = bytes.get(i) {
        match c {
            b'\\' => i += 2,
            c if c == quote && !triple => return i + 1,
            c if c == quote && bytes.get(i..i + 3) == Some(&[quote; 3]) => return i + 3,
            b'\n' if !triple => return i + 1,
            _ => i += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_side_by_side_are_one_and_know_their_places() {
        let text = "A = (\n    \"one\"\n    # more\n    \"two\" \"three\"\n)\n";
        let joined = joined(text).unwrap();
        assert_eq!(joined.text, "A = (\n    \"onetwothree\"\n)\n");
        let at = joined.text.find("onetwo").unwrap();
        let place = joined.source_range(&(at..at + 6));
        assert_eq!(&text[place], "one\"\n    # more\n    \"two");
    }

    #[test]
    fn literals_with_a_plus_or_in_a_join_are_one() {
        for (text, expected) in [
            ("a = 'x' + 'y'\n", "a = 'xy'\n"),
            ("a = ('x' +\n  'y' + 'z')\n", "a = ('xyz')\n"),
            ("a = \"x\" + \\\n  \"y\"\n", "a = \"xy\"\n"),
            ("a = ''.join(['x', 'y'])\n", "a = 'xy'\n"),
            ("a = \"\".join((\n 'x',\n 'y',\n))\nb = 1\n", "a = 'xy'\nb = 1\n"),
            ("a = f(''.join( [ 'x' ] ))\n", "a = f('x')\n"),
        ] {
            assert_eq!(joined(text).unwrap().text, expected, "{text}");
        }
        let text = "a = ''.join(['one', 'two'])\n";
        let joined = joined(text).unwrap();
        let at = joined.text.find("onetwo").unwrap();
        assert_eq!(&text[joined.source_range(&(at..at + 6))], "one', 'two");
    }

    #[test]
    fn other_literals_are_not_joined() {
        for text in [
            "a = ('x', 'y')",
            "a = ['x', 'y']",
            "a = 'x' + b + 'y'",
            "a = 'x'\na += 'y'",
            "a = ''.join(['x', y])",
            "a = ''.join(x)",
            "a = ','.join(['x', 'y'])",
            "a = ''.join([])",
            "a = ''.join(['x'",
            "a = 'x'\nb = 'y'",
            "a = \"it's\"",
            "'''x''' 'y'",
            "# 'a' 'b'",
            "a = 'x' r'y'",
            "",
            "'",
        ] {
            assert!(joined(text).is_none(), "{text}");
        }
    }
}
