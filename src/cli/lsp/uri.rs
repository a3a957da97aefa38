//! Addresses of files.

use std::str::FromStr as _;

use lsp_types::Uri;

use crate::report::escape_uri;
use crate::source::join_path;

/// The absolute path of a file, with `/` between the parts; `None` for what is not on disk.
pub(super) fn path(uri: &Uri) -> Option<String> {
    let rest = uri.as_str().strip_prefix("file://")?;
    let rest = rest.strip_prefix("localhost").unwrap_or(rest);
    let path = decode(rest.split(['?', '#']).next()?)?;
    // Of a buffer without a name, some clients write an address without a path.
    if path.trim_matches('/').is_empty() {
        return None;
    }
    let path = match cfg!(windows) {
        true => path.trim_start_matches('/').to_owned(),
        false => path,
    };
    Some(join_path("", &path))
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let digits = after.get(..2).filter(|_| *first == b'%');
        match digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

/// The address of the file at an absolute path.
pub(super) fn of_path(path: &str) -> Option<Uri> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    Uri::from_str(&format!("file://{slash}{}", escape_uri(path))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_an_address_and_back() {
        for shown in ["/a/b.tf", "/a b/é%20/#1?.json"] {
            assert_eq!(path(&of_path(shown).unwrap()).as_deref(), Some(shown));
        }
        let path_of = |uri: &str| path(&Uri::from_str(uri).unwrap());
        assert_eq!(path_of("file:///a/../b.tf").as_deref(), Some("/b.tf"));
        for uri in ["untitled:Untitled-1", "file://", "file:///"] {
            assert_eq!(path_of(uri), None);
        }
    }
}
