//! The words of a rule as compiled patterns, each made once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex::Regex;

use crate::iam::glob::Case;
use crate::iam::pattern::Pattern;

/// Patterns and regular expressions of one rule by their text.
#[derive(Default)]
pub(super) struct Words {
    patterns: RefCell<HashMap<(String, bool), Rc<Pattern>>>,
    regexes: RefCell<HashMap<String, Option<Rc<Regex>>>>,
}

impl Words {
    pub(super) fn pattern(&self, word: &str, case: Case) -> Rc<Pattern> {
        let key = (word.to_owned(), case == Case::Sensitive);
        let mut patterns = self.patterns.borrow_mut();
        Rc::clone(
            patterns
                .entry(key)
                .or_insert_with(|| Rc::new(Pattern::plain(word, case))),
        )
    }

    /// `None` for a text that is no regular expression; rules are tested for that.
    pub(super) fn regex(&self, text: &str) -> Option<Rc<Regex>> {
        let mut regexes = self.regexes.borrow_mut();
        let made = regexes
            .entry(text.to_owned())
            .or_insert_with(|| Regex::new(text).ok().map(Rc::new));
        made.clone()
    }
}
