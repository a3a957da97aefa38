//! `«…»` and `‹…›` in the texts of examples, and `‖`, which is nothing: it keeps a key-shaped string in a rule file from
//! being one.

use std::ops::Range;

/// Byte ranges in the text without marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) primary: Vec<Range<usize>>,
    pub(super) secondary: Vec<Range<usize>>,
}

/// Takes the marks out of `text`. An opening mark that is never closed marks the rest.
pub(super) fn strip(text: &str) -> (String, Marks) {
    let mut out = String::with_capacity(text.len());
    let mut marks = Marks::default();
    let (mut primary, mut secondary) = (Vec::new(), Vec::new());
    for c in text.chars() {
        match c {
            '«' => primary.push(out.len()),
            '‹' => secondary.push(out.len()),
            '»' => marks.primary.extend(primary.pop().map(|start| start..out.len())),
            '›' => marks.secondary.extend(secondary.pop().map(|start| start..out.len())),
            '‖' => {}
            _ => out.push(c),
        }
    }
    marks.primary.extend(primary.into_iter().map(|start| start..out.len()));
    marks
        .secondary
        .extend(secondary.into_iter().map(|start| start..out.len()));
    (out, marks)
}

/// The text alone.
pub(in crate::rules) fn without_marks(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '«' | '»' | '‹' | '›' | '‖'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_give_ranges_of_the_bare_text() {
        let (text, marks) = strip("a «b‹c›» «d‖»");
        assert_eq!(text, "a bc d");
        assert_eq!(marks.primary, [2..4, 5..6]);
        assert_eq!(marks.secondary.first(), Some(&(3..4)));
        assert_eq!(without_marks("«x»"), "x");
    }
}
