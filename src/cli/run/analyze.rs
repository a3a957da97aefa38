//! From what was read to an analysis, which may ask for further files.

use std::collections::BTreeSet;

use super::Loaded;
use crate::cli::input::classify_input;
use crate::discover::{self, SearchRequest};
use crate::focus::{LinkMemory, focus, focus_on};
use crate::iam::Ownership;
use crate::pipeline::{Analysis, PartialAnalysis};
use crate::source::{FileId, ProblemKind, Sources};

/// How often analysis may ask for more files.
const MAX_ROUNDS: usize = 4;

impl Loaded<'_> {
    /// Sources of all that was read so far. Files that could not be read are empty ones, for findings to point at.
    fn sources(&mut self) -> Sources {
        for t in &self.found.troubles {
            if t.kind == ProblemKind::Input && self.found.files.iter().all(|f| f.path != t.path) {
                self.found.files.push(discover::InputFile {
                    path: t.path.clone(),
                    text: "".into(),
                    in_scope: true,
                });
            }
        }
        let inputs = self.found.files.iter();
        let sources = Sources::new(inputs.map(|f| (f.path.clone(), f.text.clone(), f.in_scope)));
        sources.with_links(self.found.links.iter().cloned())
    }

    /// The files that may limit what all others allow.
    fn limits(&self, sources: &Sources) -> Vec<FileId> {
        let limits_all = |id: &FileId| {
            let path = sources.path(*id);
            let (settings, absolute) = (self.governing.settings_for(path), self.governing.absolute(path));
            let mut globs = settings.service_control_policies.iter();
            globs.any(|glob| settings.covers(glob, &absolute))
        };
        let has_limits = self
            .governing
            .all()
            .iter()
            .any(|s| !s.service_control_policies.is_empty());
        match has_limits {
            true => sources.ids().filter(limits_all).collect(),
            false => Vec::new(),
        }
    }

    /// Of what was read, only a part can take part in what is reported of some files.
    fn has_parts(&self) -> bool {
        // An identity of the logs may be one of any file.
        self.context && self.evidence.is_empty()
    }

    /// The same sources, of which only those are analyzed that can take part in what is reported.
    fn focused(&self, sources: Sources, own: &Ownership) -> Sources {
        if !self.left_alone.is_empty() {
            return sources.without(&self.left_alone);
        }
        if self.roots.is_empty() || !self.has_parts() {
            return sources;
        }
        let always = self.limits(&sources);
        match focus(&sources, own, &always) {
            Some(chosen) => sources.with_analyzed(|id| chosen.contains(&id)),
            None => sources,
        }
    }

    /// The same sources, of which only those at these paths, and what is linked to them, are analyzed and in scope.
    fn part(&self, sources: Sources, own: &Ownership, around: &BTreeSet<String>, memory: &mut LinkMemory) -> Sources {
        if !self.has_parts() {
            return sources;
        }
        let always = self.limits(&sources);
        let named: Vec<FileId> = around.iter().filter_map(|path| sources.find(path)).collect();
        let chosen = focus_on(&named, &sources, own, &always, memory);
        let limits = |id: &FileId| memory.reaches_all(*id) || always.contains(id);
        match chosen.filter(|_| !named.iter().any(limits)) {
            Some(chosen) => sources
                .with_scope(|id| chosen.contains(&id))
                .with_analyzed(|id| chosen.contains(&id)),
            None => sources,
        }
    }

    /// A search of nothing, as which single files are read.
    pub(super) fn search(&self) -> SearchRequest<'_> {
        SearchRequest {
            cwd: self.cwd.clone(),
            tree: &self.tree,
            inside: &self.inside,
            paths: Vec::new(),
            stdin: None,
            include: None,
            exclude: Vec::new(),
            force_exclude: false,
            gitignore: false,
            max_file_size: self.max_file_size,
            context: false,
            roots: Vec::new(),
            leaves_repositories: false,
            only_lists: false,
            jobs: self.jobs,
            report_skipped: false,
            judge: &classify_input,
        }
    }

    /// Reads what analysis asks for, as context. Whether there was anything new.
    fn read_wanted(&mut self, wanted: &[String]) -> bool {
        let known: BTreeSet<&str> = self.found.files.iter().map(|f| f.path.as_str()).collect();
        let wanted: Vec<String> = wanted.iter().filter(|w| !known.contains(w.as_str())).cloned().collect();
        if wanted.is_empty() {
            return false;
        }
        let search = self.search();
        let more = discover::read_wanted(&search, &wanted, &|file| self.is_requested(file));
        let fresh: Vec<discover::InputFile> = more.files.into_iter().filter(|f| !known.contains(&*f.path)).collect();
        let any = !fresh.is_empty();
        self.found.files.extend(fresh);
        self.found.unjudged.extend(more.unjudged);
        any
    }
}

/// Understands what was read, reading further files as they are asked for, and hands over to `then`.
pub(in crate::cli) fn analyze<T>(
    mut read: Loaded<'_>,
    then: impl FnOnce(&mut Loaded<'_>, &mut Analysis<'_>) -> T,
) -> T {
    let repeats = read.repeats;
    let mut focused = |read: &Loaded<'_>, sources: Sources, own: &Ownership| read.focused(sources, own);
    analyze_loaded(&mut read, &mut focused, then, |analysis| match repeats {
        true => drop(analysis),
        // The process is about to end: taking a large repository's model apart would only cost time.
        false => std::mem::forget(analysis),
    })
}

/// As [`analyze`], for what is to be understood once more when its texts have changed.
pub(in crate::cli) fn analyze_again<T>(
    read: &mut Loaded<'_>,
    then: impl FnOnce(&mut Loaded<'_>, &mut Analysis<'_>) -> T,
) -> T {
    let mut focused = |read: &Loaded<'_>, sources: Sources, own: &Ownership| read.focused(sources, own);
    analyze_loaded(read, &mut focused, then, |analysis| drop(analysis))
}

/// As [`analyze_again`], of the files at the paths `around` and of those that are linked to them, or of all; `then` gets a
/// report on exactly these.
pub(in crate::cli) fn analyze_part<T>(
    read: &mut Loaded<'_>,
    around: Option<&BTreeSet<String>>,
    memory: &mut LinkMemory,
    then: impl FnOnce(&mut Loaded<'_>, &mut Analysis<'_>) -> T,
) -> T {
    let mut part = |read: &Loaded<'_>, sources: Sources, own: &Ownership| match around {
        Some(around) => read.part(sources, own, around, memory),
        None => sources,
    };
    analyze_loaded(read, &mut part, then, |analysis| drop(analysis))
}

/// The files, as shown, that are linked to the one at `path`; all if everything is analyzed together.
pub(in crate::cli) fn linked(read: &mut Loaded<'_>, path: &str, memory: &mut LinkMemory) -> BTreeSet<String> {
    let own = read.ownership();
    let sources = read.sources();
    let sources = read.part(sources, &own, &BTreeSet::from([path.to_owned()]), memory);
    let ids = sources.ids().filter(|id| sources.is_analyzed(*id));
    ids.map(|id| sources.path(id).to_owned()).collect()
}

fn analyze_loaded<T>(
    read: &mut Loaded<'_>,
    choose: &mut dyn FnMut(&Loaded<'_>, Sources, &Ownership) -> Sources,
    then: impl FnOnce(&mut Loaded<'_>, &mut Analysis<'_>) -> T,
    done: impl Fn(Analysis<'_>),
) -> T {
    let own = read.ownership();
    let mut early = 0;
    let mut round = 0;
    loop {
        let sources = read.sources();
        let sources = choose(read, sources, &own);
        read.clock.record("focus");
        let partial = PartialAnalysis::new(&sources);
        early += 1;
        if early <= MAX_ROUNDS && read.context && read.read_wanted(&partial.wanted()) {
            read.clock.record("parse and lower");
            continue;
        }
        let mut analysis = partial.finish(&own);
        read.clock.add(&mut analysis.timings);
        round += 1;
        if round > MAX_ROUNDS || !read.context || !read.read_wanted(&analysis.wanted) {
            let out = then(read, &mut analysis);
            done(analysis);
            return out;
        }
    }
}
