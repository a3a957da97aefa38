//! The words of a rule as compiled patterns, each made once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use regex::Regex;

use crate::iam::glob::CaseSensitivity;
use crate::iam::pattern::Pattern;

/// Patterns, by what case counts for, and regular expressions of one rule by their text.
#[derive(Default)]
pub(super) struct Words {
    patterns: [RefCell<HashMap<String, Rc<Pattern>>>; 2],
    regexes: RefCell<HashMap<String, Option<Rc<Regex>>>>,
}

impl Words {
    pub(super) fn pattern(&self, word: &str, case: CaseSensitivity) -> Rc<Pattern> {
        let mut patterns = self.patterns[usize::from(case == CaseSensitivity::Sensitive)].borrow_mut();
        if let Some(made) = patterns.get(word) {
            return Rc::clone(made);
        }
        let made = Rc::new(Pattern::plain(word, case));
        patterns.insert(word.to_owned(), Rc::clone(&made));
        made
    }

    /// `None` for a text that is no regular expression; rules are tested for that.
    pub(super) fn regex(&self, text: &str) -> Option<Rc<Regex>> {
        let mut regexes = self.regexes.borrow_mut();
        if let Some(made) = regexes.get(text) {
            return made.clone();
        }
        let made = Regex::new(text).ok().map(Rc::new);
        regexes.insert(text.to_owned(), made.clone());
        made
    }
}
