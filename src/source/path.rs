//! Paths as text: `/` between the parts on every system, `.` and `..` resolved without the disk.

/// The last part of `path`.
pub fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The folder of `path`, without a final `/`; empty for a file at the top.
pub fn parent_path(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// `folder` and the folders around it, the nearest first; the last one is the empty one.
pub fn folders_around(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |f| (!f.is_empty()).then(|| parent_path(f)))
}

/// Whether a template is one that the CDK synthesized: its metadata names constructs, or it asks for the bootstrap stack. AWS CDK
/// Developer Guide, "Bootstrapping".
pub fn is_synthesized(template: &str) -> bool {
    let has = |word: &str| memchr::memmem::find(template.as_bytes(), word.as_bytes()).is_some();
    has("aws:cdk:path") || has("/cdk-bootstrap/")
}

/// The folder of an asset, staged by the CDK, that a path leads to or into: `cdk.out/asset.0123…`. AWS CDK Developer Guide,
/// "Assets and the AWS CDK".
pub fn staged_folder(path: &str) -> Option<&str> {
    const LEAST_DIGITS: usize = 32;
    let at = match path.starts_with("asset.") {
        true => 0,
        false => path.find("/asset.")? + 1,
    };
    let name = path[at..].split('/').next()?;
    let digits = name.strip_prefix("asset.")?;
    let is_hash = digits.len() >= LEAST_DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit());
    is_hash.then(|| &path[..at + name.len()])
}

/// `path` is `folder` or lies in it. The empty folder holds every path.
pub fn is_within(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| folder.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

/// `rest` seen from folder `dir`, with `.` and `..` resolved: `join_path("a/b", "../c.json")` is `a/c.json`. An absolute
/// `rest` stays as it is.
pub fn join_path(dir: &str, rest: &str) -> String {
    let dir = if rest.starts_with('/') { "/" } else { dir };
    let absolute = dir.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in dir.split('/').chain(rest.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            _ => parts.push(part),
        }
    }
    format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"))
}

/// `to` as seen from folder `from`, both absolute or both relative to one place and without `.` or `..`:
/// `relative_path("/a/b", "/a/c.json")` is `../c.json`. Empty for the folder itself.
pub fn relative_path(from: &str, to: &str) -> String {
    let mut from = from.split('/').filter(|p| !p.is_empty()).peekable();
    let mut to = to.split('/').filter(|p| !p.is_empty()).peekable();
    while from.peek().is_some() && from.peek() == to.peek() {
        from.next();
        to.next();
    }
    let up = from.map(|_| "..");
    up.chain(to).collect::<Vec<_>>().join("/")
}
