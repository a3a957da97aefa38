//! What AWS has: services, actions, resource types, condition keys, managed policies, SAM policy templates.
//!
//! **Invariant:** the facts are packed when the crate is built (`rules/facts/`, `build.rs`) and read in place; opening them
//! and one look-up cost microseconds and no allocation. Names are found in any case and given in AWS's own.
//! Source of the names: the Service Authorization Reference; see `rules/facts/README.md`.

mod action;
pub(super) mod layout;
pub(super) mod library;
mod nearest;
mod policies;
pub(super) mod store;
pub(super) mod tables;

pub use crate::terms::AccessLevel;
pub use action::{Action, ActionId, ResourceType, Service};
pub use policies::ManagedPolicy;
pub use tables::KeyPresence;

pub(super) use layout::ActionMask;

use std::cmp::Ordering;

/// The facts. There is one: [`catalogue`].
#[derive(Debug)]
pub struct Catalogue(());

static CATALOGUE: Catalogue = Catalogue(());

pub fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

impl Catalogue {
    /// The words of one bitmask over all actions, 64 actions each, from word number `first` on.
    pub(super) fn mask(&self, mask: ActionMask, first: usize) -> impl Iterator<Item = u64> + use<> {
        let all = store::len(layout::WordRange::Masks) / ActionMask::COUNT;
        let start = mask as usize * all;
        let half = |i| u64::from(store::at(layout::WordRange::Masks, i));
        (start + first * 2..start + all)
            .step_by(2)
            .map(move |i| half(i) | half(i + 1) << 32)
    }
}

/// Orders two names as if both were written in lower case.
fn compare(key: &str, text: &str) -> Ordering {
    let differ = |(a, b): (u8, u8)| {
        let order = a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase());
        (a != b && order.is_ne()).then_some(order)
    };
    let first = key.bytes().zip(text.bytes()).find_map(differ);
    first.unwrap_or_else(|| key.len().cmp(&text.len()))
}
