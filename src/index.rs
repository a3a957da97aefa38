//! Vectors that are indexed by ids of their own type: no id is looked up in the vector of another.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut, Index, IndexMut};

/// An index into an [`IndexVec`].
pub trait Id: Copy {
    fn new(index: usize) -> Self;
    fn index(self) -> usize;
}

/// Defines types of ids.
macro_rules! define_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $crate::index::Id for $name {
            fn new(index: usize) -> Self {
                Self(u32::try_from(index).unwrap_or(u32::MAX))
            }

            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}
pub(crate) use define_id;

define_id! {
    /// Index into the documents of a project.
    DocumentId;
    /// Index into the identities of a project.
    IdentityId;
    /// Index into the resources of a project, or of a unit before it is linked.
    ResourceId;
}

/// A vector that is indexed by `I`.
pub struct IndexVec<I, T> {
    /// The vector itself, for changes that move items.
    pub raw: Vec<T>,
    of: PhantomData<fn(I)>,
}

impl<I: Id, T> IndexVec<I, T> {
    pub const fn new() -> Self {
        Self::from_vec(Vec::new())
    }

    pub const fn from_vec(raw: Vec<T>) -> Self {
        Self { raw, of: PhantomData }
    }

    /// One item for each of `other`.
    pub fn with_len_of<U>(other: &IndexVec<I, U>, make: impl FnMut() -> T) -> Self {
        std::iter::repeat_with(make).take(other.len()).collect()
    }

    pub fn push(&mut self, item: T) -> I {
        self.raw.push(item);
        I::new(self.raw.len() - 1)
    }

    /// The id of the next item.
    pub fn next_id(&self) -> I {
        I::new(self.raw.len())
    }

    pub fn get(&self, id: I) -> Option<&T> {
        self.raw.get(id.index())
    }

    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + use<I, T> {
        (0..self.raw.len()).map(I::new)
    }

    pub fn iter_enumerated(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator + Clone {
        self.raw.iter().enumerate().map(|(i, item)| (I::new(i), item))
    }

    pub fn iter_mut_enumerated(&mut self) -> impl Iterator<Item = (I, &mut T)> {
        self.raw.iter_mut().enumerate().map(|(i, item)| (I::new(i), item))
    }

    pub fn into_iter_enumerated(self) -> impl Iterator<Item = (I, T)> {
        self.raw.into_iter().enumerate().map(|(i, item)| (I::new(i), item))
    }
}

impl<I: Id, T> Index<I> for IndexVec<I, T> {
    type Output = T;

    fn index(&self, id: I) -> &T {
        &self.raw[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for IndexVec<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.raw[id.index()]
    }
}

impl<I, T> Deref for IndexVec<I, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.raw
    }
}

impl<I, T> DerefMut for IndexVec<I, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.raw
    }
}

impl<I, T> Extend<T> for IndexVec<I, T> {
    fn extend<It: IntoIterator<Item = T>>(&mut self, items: It) {
        self.raw.extend(items);
    }
}

impl<I: Id, T> FromIterator<T> for IndexVec<I, T> {
    fn from_iter<It: IntoIterator<Item = T>>(items: It) -> Self {
        Self::from_vec(items.into_iter().collect())
    }
}

impl<I, T> IntoIterator for IndexVec<I, T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.raw.into_iter()
    }
}

impl<'a, I, T> IntoIterator for &'a IndexVec<I, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.raw.iter()
    }
}

impl<'a, I, T> IntoIterator for &'a mut IndexVec<I, T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.raw.iter_mut()
    }
}

impl<I: Id, T> Default for IndexVec<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I, T: fmt::Debug> fmt::Debug for IndexVec<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.raw.fmt(f)
    }
}
