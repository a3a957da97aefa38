//! The files of a commit or of the index, read from Git's objects as they are stored: without conversion of line ends, and
//! without what a filter such as LFS keeps elsewhere.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, OnceLock};

use super::git::{GitFailure, GitRepository, start_failure};
use super::read::{self, Content};
use super::tree::EntryKind;
use crate::source::join_path;

/// Links that are followed on the way to one file.
const MAX_LINKS: usize = 40;
/// Bytes of a link.
const MAX_TARGET: u64 = 4096;

/// One path of a tree.
#[derive(Clone, Debug)]
pub(super) struct GitEntry {
    pub(super) kind: GitEntryKind,
    /// Of the blob.
    id: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GitEntryKind {
    File,
    Link,
    Submodule,
}

impl GitEntry {
    pub(super) fn new(mode: &str, id: &str) -> Self {
        let kind = match mode {
            "120000" => GitEntryKind::Link,
            "160000" => GitEntryKind::Submodule,
            _ => GitEntryKind::File,
        };
        Self { kind, id: id.into() }
    }
}

/// See the head of the file.
#[derive(Debug)]
pub struct GitTree {
    repository: GitRepository,
    /// What the user calls it.
    pub(super) name: String,
    /// By path from the top of the repository.
    entries: BTreeMap<String, GitEntry>,
    has_links: bool,
    blobs: Mutex<Option<Blobs>>,
    failure: OnceLock<GitFailure>,
}

/// Where a path leads.
pub(super) enum GitPlace {
    /// From the top of the repository.
    Inside(String),
    /// On disk.
    Outside(PathBuf),
}

impl GitTree {
    pub(super) fn new(repository: GitRepository, name: String, entries: Vec<(String, GitEntry)>) -> Self {
        let is_plain = |path: &str| path.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git"));
        let entries: BTreeMap<String, GitEntry> = entries.into_iter().filter(|(path, _)| is_plain(path)).collect();
        Self {
            repository,
            name,
            has_links: entries.values().any(|e| e.kind == GitEntryKind::Link),
            entries,
            blobs: Mutex::default(),
            failure: OnceLock::new(),
        }
    }

    /// The top of the repository, absolute.
    pub(super) fn top(&self) -> &str {
        &self.repository.top
    }

    /// What kept objects from being read: then what was found is not all.
    pub(super) fn failure(&self) -> Option<&GitFailure> {
        self.failure.get()
    }

    /// Where an absolute path leads, its links followed; `None` where it does not start in the repository.
    pub(super) fn place(&self, path: &str) -> Option<io::Result<GitPlace>> {
        let rest = path.strip_prefix(self.top())?;
        let rest = if self.top() == "/" {
            rest
        } else {
            rest.strip_prefix('/').or(rest.is_empty().then_some(""))?
        };
        let place = match self.has_links {
            true => self.follow(rest),
            false => Ok(GitPlace::Inside(rest.trim_end_matches('/').to_owned())),
        };
        Some(place.and_then(|place| match place {
            GitPlace::Inside(inside) if self.kind(&inside).is_none() => Err(io::ErrorKind::NotFound.into()),
            place => Ok(place),
        }))
    }

    fn follow(&self, rest: &str) -> io::Result<GitPlace> {
        let mut done: Vec<String> = Vec::new();
        let mut left: Vec<String> = rest.split('/').rev().map(str::to_owned).collect();
        let mut links = 0;
        while let Some(part) = left.pop() {
            match &*part {
                "" | "." => continue,
                ".." => match done.pop() {
                    Some(_) => continue,
                    None => return Ok(GitPlace::Outside(self.outside(&Path::new("..").join(joined(&left)))?)),
                },
                _ => done.push(part),
            }
            let Some(entry) = self
                .entries
                .get(&done.join("/"))
                .filter(|e| e.kind == GitEntryKind::Link)
            else {
                continue;
            };
            links += 1;
            if links > MAX_LINKS {
                return Err(io::Error::other("too many links"));
            }
            let target = String::from_utf8_lossy(&self.bytes(&entry.id, MAX_TARGET)?).replace('\\', "/");
            done.pop();
            if let Some(inside) = self.inside(&target) {
                done.clear();
                left.extend(inside.split('/').rev().map(str::to_owned));
            } else if Path::new(&target).is_absolute() {
                return Ok(GitPlace::Outside(
                    self.outside(&Path::new(&target).join(joined(&left)))?,
                ));
            } else {
                left.extend(target.split('/').rev().map(str::to_owned));
            }
        }
        Ok(GitPlace::Inside(done.join("/")))
    }

    /// An absolute target as a path from the top.
    fn inside<'t>(&self, target: &'t str) -> Option<&'t str> {
        let real = self.repository.real_top.to_str()?;
        [self.top(), real].into_iter().find_map(|top| {
            let rest = target.strip_prefix(top)?;
            (rest.is_empty() || rest.starts_with('/')).then_some(rest)
        })
    }

    fn outside(&self, path: &Path) -> io::Result<PathBuf> {
        std::fs::canonicalize(self.repository.real_top.join(path))
    }

    /// What stands at a path from the top; links are not followed.
    pub(super) fn kind(&self, path: &str) -> Option<EntryKind> {
        if let Some(entry) = self.entries.get(path) {
            return Some(match entry.kind {
                GitEntryKind::File => EntryKind::File,
                GitEntryKind::Link => EntryKind::Link,
                GitEntryKind::Submodule => EntryKind::Submodule,
            });
        }
        (path.is_empty() || self.below(path).next().is_some()).then_some(EntryKind::Folder)
    }

    /// The absolute path of a path from the top.
    pub(super) fn absolute(&self, path: &str) -> String {
        join_path(self.top(), path)
    }

    /// All files and links below a folder, by their paths from it.
    pub(super) fn below<'t>(&'t self, folder: &str) -> impl Iterator<Item = (&'t str, EntryKind)> + use<'t> {
        let prefix = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let length = prefix.len();
        let entries = self.entries.range(prefix.clone()..);
        entries.map_while(move |(path, entry)| {
            let kind = match entry.kind {
                GitEntryKind::File => EntryKind::File,
                GitEntryKind::Link => EntryKind::Link,
                GitEntryKind::Submodule => EntryKind::Submodule,
            };
            path.starts_with(&prefix).then(|| (&path[length..], kind))
        })
    }

    /// What lies directly in a folder: names and kinds, links not followed.
    pub(super) fn list(&self, folder: &str) -> Vec<(String, EntryKind)> {
        let prefix = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let mut out = Vec::new();
        let mut from = prefix.clone();
        while let Some((path, _)) = self.entries.range(from..).next()
            && let Some(rest) = path.strip_prefix(&prefix)
        {
            match rest.split_once('/') {
                Some((name, _)) => {
                    out.push((name.to_owned(), EntryKind::Folder));
                    // `0` is next to `/`.
                    from = format!("{prefix}{name}0");
                }
                None => {
                    out.extend(self.kind(path).map(|kind| (rest.to_owned(), kind)));
                    from = format!("{path}\0");
                }
            }
        }
        out
    }

    /// The bytes of a blob, at most `cap`.
    fn bytes(&self, id: &str, cap: u64) -> io::Result<Vec<u8>> {
        let mut out = Err(io::ErrorKind::NotFound.into());
        self.each_blob(&[id], &mut |_, blob| {
            out = blob.and_then(|(size, content)| {
                let mut bytes = Vec::new();
                content.take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
                match size > cap {
                    true => Err(read::too_large(cap)),
                    false => Ok(bytes),
                }
            });
        });
        out
    }

    /// The content of a file, as [`read::read`] would have it.
    pub(super) fn read(&self, path: &str, cap: u64) -> io::Result<Content> {
        let mut out = Err(io::ErrorKind::NotFound.into());
        self.read_all(&[path.to_owned()], cap, &mut |_, content| out = content);
        out
    }

    /// The text of a file of at most `cap` bytes.
    pub(super) fn text(&self, path: &str, cap: u64) -> io::Result<String> {
        let entry = self.file(path)?;
        String::from_utf8(self.bytes(&entry.id, cap)?).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
    }

    fn file(&self, path: &str) -> io::Result<&GitEntry> {
        let entry = self.entries.get(path).ok_or(io::ErrorKind::NotFound)?;
        match entry.kind {
            GitEntryKind::File => Ok(entry),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
        }
    }

    /// Reads files by their paths from the top; `take` gets the index of each and its content.
    pub(super) fn read_all(&self, paths: &[String], cap: u64, take: &mut dyn FnMut(usize, io::Result<Content>)) {
        let mut ids = Vec::new();
        let mut places = Vec::new();
        for (i, path) in paths.iter().enumerate() {
            match self.file(path) {
                Ok(entry) => {
                    ids.push(&*entry.id);
                    places.push(i);
                }
                Err(e) => take(i, Err(e)),
            }
        }
        self.each_blob(&ids, &mut |i, blob| {
            take(
                places[i],
                blob.and_then(|(size, content)| read::content(content, size, cap)),
            );
        });
    }

    /// Gives each blob, in order, with its size.
    fn each_blob(&self, ids: &[&str], take: &mut TakeBlob<'_>) {
        if ids.is_empty() {
            return;
        }
        let Ok(mut blobs) = self.blobs.lock() else {
            return;
        };
        let started = match &mut *blobs {
            Some(_) => Ok(()),
            none => Blobs::start(&self.repository).map(|started| *none = Some(started)),
        };
        if let Err(failure) = started {
            let _ = self.failure.set(failure);
        } else if let Some(running) = &mut *blobs
            && let Err(failure) = running.each(ids, take)
        {
            let _ = self.failure.set(failure);
            *blobs = None;
        }
    }
}

/// Gets the index of a blob, its size, and its bytes.
type TakeBlob<'t> = dyn FnMut(usize, io::Result<(u64, &mut dyn Read)>) + 't;

fn joined(left: &[String]) -> String {
    left.iter().rev().map(String::as_str).collect::<Vec<_>>().join("/")
}

/// `git cat-file --batch`, which answers for as long as it is asked.
#[derive(Debug)]
struct Blobs {
    process: Child,
    /// Taken when it is to end.
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Drop for Blobs {
    fn drop(&mut self) {
        self.asks.take();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Blobs {
    fn start(repository: &GitRepository) -> Result<Self, GitFailure> {
        let mut process = repository
            .command()
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| start_failure(&e))?;
        let (Some(asks), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(GitFailure::Failed("no pipe".to_owned()));
        };
        Ok(Self {
            process,
            asks: Some(asks),
            answers: BufReader::with_capacity(1 << 16, answers),
        })
    }

    fn each(&mut self, ids: &[&str], take: &mut TakeBlob<'_>) -> Result<(), GitFailure> {
        let Some(asks) = &mut self.asks else {
            return Ok(());
        };
        let answers = &mut self.answers;
        let ended = |e: io::Error| GitFailure::Failed(format!("cat-file ended early: {e}"));
        if let [id] = ids {
            writeln!(asks, "{id}").map_err(ended)?;
            return answer(answers, 0, take);
        }
        // Both pipes may be full at once: another thread asks.
        std::thread::scope(|scope| {
            let asking = scope.spawn(move || {
                let mut text = String::with_capacity(ids.len() * 41);
                for id in ids {
                    text.push_str(id);
                    text.push('\n');
                }
                asks.write_all(text.as_bytes())
            });
            for i in 0..ids.len() {
                if let Err(failure) = answer(answers, i, take) {
                    // The rest is not read: the process must end for the asking to end.
                    let _ = self.process.kill();
                    return Err(failure);
                }
            }
            match asking.join() {
                Ok(asked) => asked.map_err(ended),
                Err(_) => Err(GitFailure::Failed("cat-file was not asked".to_owned())),
            }
        })
    }
}

/// Reads `ID blob SIZE`, the bytes, and the end of the line.
fn answer(answers: &mut BufReader<ChildStdout>, index: usize, take: &mut TakeBlob<'_>) -> Result<(), GitFailure> {
    let ended = |e: io::Error| GitFailure::Failed(format!("cat-file ended early: {e}"));
    let mut head = String::new();
    answers.by_ref().take(1024).read_line(&mut head).map_err(ended)?;
    if head.trim_end().ends_with(" missing") {
        return Err(GitFailure::MissingObject);
    }
    let size = head
        .trim_end()
        .rsplit_once(' ')
        .and_then(|(_, size)| size.parse::<u64>().ok());
    let size = size.ok_or_else(|| GitFailure::Failed("cat-file ended early".to_owned()))?;
    let mut content = answers.by_ref().take(size);
    take(index, Ok((size, &mut content)));
    io::copy(&mut content, &mut io::sink()).map_err(ended)?;
    let mut end = [0];
    answers.read_exact(&mut end).map_err(ended)
}
