//! Patterns of actions and resources against what they say letter by letter.

use crate::support::glob_matches;
use overgrant::internals::iam::Truth;
use overgrant::internals::iam::glob::{self, CaseSensitivity};
use overgrant::internals::iam::pattern::Pattern;
use overgrant::internals::source::{Hole, HoleKind, Piece, Span, Text};
use proptest::prelude::*;

/// Few letters, so that patterns meet.
fn short_pattern() -> impl Strategy<Value = String> {
    "[ab:*?]{0,7}"
}

/// A string of the pattern: each wildcard replaced by letters.
fn filled(pattern: &str, letters: &[String]) -> String {
    let mut letters = letters.iter().cycle();
    let mut out = String::new();
    for c in pattern.chars() {
        match c {
            '*' => out.push_str(letters.next().map_or("", |l| l)),
            '?' => out.push(letters.next().and_then(|l| l.chars().next()).unwrap_or('a')),
            c => out.push(c),
        }
    }
    out
}

/// `before`, something that is not known, `behind`.
fn holed(before: &str, behind: &str) -> Text {
    let span = Span::NOWHERE;
    let mut text = Text::synthetic(before, span);
    text.push(Piece::Hole(Hole::new(HoleKind::Input, "v", span).into()));
    text.append(&Text::synthetic(behind, span));
    text
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn a_pattern_matches_what_a_naive_glob_matches(p in short_pattern(), text in "[ab:]{0,8}") {
        prop_assert_eq!(glob::matches(&p, &text, CaseSensitivity::Sensitive), glob_matches(p.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn what_covers_overlaps(a in short_pattern(), b in short_pattern(), letters in prop::collection::vec("[ab:]{0,3}", 8)) {
        let (covers, overlaps) = (glob::covers(&a, &b, CaseSensitivity::Sensitive), glob::overlaps(&a, &b, CaseSensitivity::Sensitive));
        prop_assert!(!covers || overlaps, "{a} covers {b} and does not overlap it");
        prop_assert_eq!(overlaps, glob::overlaps(&b, &a, CaseSensitivity::Sensitive));
        let one = filled(&b, &letters);
        let inside = glob_matches(a.as_bytes(), one.as_bytes());
        prop_assert!(!covers || inside, "{a} covers {b} and not its {one}");
        prop_assert!(!inside || overlaps, "{a} and {b} share {one}");
    }

    /// Whatever stands in the place of what is not known, an answer that was certain stays true.
    #[test]
    fn certain_answers_hold_for_every_filling(
        a in short_pattern(), before in "[ab:*]{0,4}", behind in "[ab:*]{0,4}", value in "[ab:]{0,3}",
    ) {
        let outer = Pattern::plain(&a, CaseSensitivity::Sensitive);
        let open = Pattern::resource(&holed(&before, &behind));
        let known = Pattern::plain(&format!("{before}{value}{behind}"), CaseSensitivity::Sensitive);
        for (open, known) in [
            (outer.covers(&open), outer.covers(&known)),
            (open.covers(&outer), known.covers(&outer)),
            (outer.overlaps(&open), outer.overlaps(&known)),
        ] {
            prop_assert!(open == Truth::Unknown || open == known, "{open:?} before, {known:?} with {value}");
        }
        prop_assert!(!outer.covers(&open).is_yes() || outer.overlaps(&open).is_yes());
    }
}
