//! Which subject of OLD is which one of NEW.

use std::collections::BTreeMap;

use crate::project::{AccessSubject, SubjectKind};

/// The subjects of one side.
pub(super) struct SubjectList {
    pub(super) all: Vec<AccessSubject>,
    /// Of each: the root of its address and its file, below what is compared.
    pub(super) roots: Vec<String>,
    /// What each says.
    pub(super) texts: Vec<String>,
    /// There are no others, in files that were left alone.
    pub(super) is_whole: bool,
}

/// A subject of each side by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SubjectPair {
    pub(super) old: Option<usize>,
    pub(super) new: Option<usize>,
    /// It is found under another address.
    pub(super) moved: bool,
}

impl SubjectList {
    pub(super) fn new(all: Vec<AccessSubject>, below: &dyn Fn(&str) -> String, is_whole: bool) -> Self {
        Self {
            roots: all.iter().map(|s| below(&s.root)).collect(),
            texts: all.iter().map(|s| s.policy.text()).collect(),
            is_whole,
            all,
        }
    }

    /// Whether what is deployed by itself in several places has this address.
    pub(super) fn is_in_several_roots(&self, subject: &AccessSubject) -> bool {
        let same = |s: &&AccessSubject| s.address.is_some() && s.address == subject.address;
        let mut roots = self.all.iter().filter(same).map(|s| &s.root);
        let first = roots.next();
        roots.any(|root| Some(root) != first)
    }

    /// The only document, where there is one.
    fn only_document(&self) -> Option<usize> {
        match self.all.as_slice() {
            [one] if one.kind == SubjectKind::Document && self.is_whole => Some(0),
            _ => None,
        }
    }
}

/// By what tells which subject one is, from the most to the least certain.
type SubjectKey = fn(&SubjectList, usize) -> Option<(SubjectKind, String)>;

const KEYS: [SubjectKey; 7] = [
    |list, at| Some((list.all[at].kind, place(list, at))),
    |list, at| Some((list.all[at].kind, list.all[at].address.clone()?)),
    |list, at| Some((list.all[at].kind, list.all[at].name.clone()?)),
    // In a module that is used several times.
    |list, at| in_module(list, at, list.all[at].name.as_ref()?),
    |list, at| in_module(list, at, text(list, at)?),
    |list, at| Some((list.all[at].kind, text(list, at)?.clone())),
    |list, at| {
        let s = &list.all[at];
        s.address.as_ref().map(|_| (s.kind, s.local.clone()))
    },
];

/// What its policies say. Many roles trust the same service.
fn text(list: &SubjectList, at: usize) -> Option<&String> {
    let text = &list.texts[at];
    (list.all[at].kind != SubjectKind::Trust && !text.is_empty()).then_some(text)
}

/// With the root, and the calls of modules that lead to what has an address.
fn in_module(list: &SubjectList, at: usize, name: &str) -> Option<(SubjectKind, String)> {
    let s = &list.all[at];
    let calls = s.address.as_deref()?.strip_suffix(s.local.as_str())?;
    (!calls.is_empty()).then(|| (s.kind, format!("{}\n{calls}\n{name}", list.roots[at])))
}

fn place(list: &SubjectList, at: usize) -> String {
    let s = &list.all[at];
    let address = s.address.as_deref().unwrap_or_default();
    format!("{}\n{address}\n{:?}", list.roots[at], s.policy.document.kind)
}

/// All subjects, each with the one that it is on the other side.
pub(super) fn pairs(old: &SubjectList, new: &SubjectList) -> Vec<SubjectPair> {
    let mut of_old: Vec<Option<usize>> = vec![None; old.all.len()];
    let mut of_new: Vec<Option<usize>> = vec![None; new.all.len()];
    if let (Some(a), Some(b)) = (old.only_document(), new.only_document()) {
        return vec![SubjectPair {
            old: Some(a),
            new: Some(b),
            moved: false,
        }];
    }
    for (place, key) in KEYS.into_iter().enumerate() {
        let mut found: BTreeMap<(SubjectKind, String), [Vec<usize>; 2]> = BTreeMap::new();
        for (side, list, taken) in [(0, old, &of_old), (1, new, &of_new)] {
            for at in (0..list.all.len()).filter(|at| taken[*at].is_none()) {
                if let Some(key) = key(list, at) {
                    found.entry(key).or_default()[side].push(at);
                }
            }
        }
        for [mut a, mut b] in found.into_values() {
            // One template is there several times, with the parameters of each deployment.
            let same = |a: &usize, b: &[usize]| b.iter().position(|b| old.texts[*a] == new.texts[*b]);
            let is_placed = place == 0 && a.len().max(b.len()) > 1;
            let mut each: Vec<(usize, usize)> = Vec::new();
            if is_placed {
                a.retain(|one| match same(one, &b) {
                    Some(at) => {
                        each.push((*one, b.remove(at)));
                        false
                    }
                    None => true,
                });
            }
            if a.len() == b.len() && (is_placed || a.len() == 1) {
                each.extend(a.into_iter().zip(b));
            }
            for (a, b) in each {
                of_old[a] = Some(b);
                of_new[b] = Some(a);
            }
        }
    }
    follow_roles(old, new, &mut of_old, &mut of_new);
    let mut out = Vec::new();
    for (a, b) in of_old.iter().enumerate() {
        out.push(SubjectPair {
            old: Some(a),
            new: *b,
            moved: b.is_some_and(|b| is_moved(old, a, new, b)),
        });
    }
    let left = (0..new.all.len()).filter(|b| of_new[*b].is_none());
    out.extend(left.map(|b| SubjectPair {
        old: None,
        new: Some(b),
        moved: false,
    }));
    out
}

/// The trust policy of a role is found where the role is.
fn follow_roles(old: &SubjectList, new: &SubjectList, of_old: &mut [Option<usize>], of_new: &mut [Option<usize>]) {
    let same = |list: &SubjectList, role: usize, at: usize| {
        let (role, s) = (&list.all[role], &list.all[at]);
        s.kind == SubjectKind::Trust && s.span == role.span && s.address == role.address
    };
    for a in 0..old.all.len() {
        let Some(b) = of_old[a].filter(|_| old.all[a].kind == SubjectKind::Identity) else {
            continue;
        };
        let trust = |list: &SubjectList, role| (0..list.all.len()).find(|at| same(list, role, *at));
        let moved = old.all[a].address != new.all[b].address;
        if let (true, Some(from), Some(to)) = (moved, trust(old, a), trust(new, b))
            && of_old[from].is_none()
            && of_new[to].is_none()
        {
            of_old[from] = Some(to);
            of_new[to] = Some(from);
        }
    }
}

fn is_moved(old: &SubjectList, a: usize, new: &SubjectList, b: usize) -> bool {
    let (from, to) = (&old.all[a], &new.all[b]);
    // A role takes its trust policy along.
    from.kind != SubjectKind::Trust && (from.address != to.address || old.roots[a] != new.roots[b])
}
