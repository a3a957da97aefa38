//! Which documents nothing refers to.

use std::collections::BTreeSet;

use aho_corasick::AhoCorasick;

use crate::model::UnattachedPolicy;
use crate::source::{FileId, Sources, Span};

use crate::formats::terraform::emit::resources::DOCUMENT;

/// The documents of data sources whose address no file names: neither a resource, nor an output, nor the call of a module
/// uses them.
pub(crate) fn unused_documents<'l>(
    sources: &Sources,
    files: impl Iterator<Item = FileId>,
    loose: impl Iterator<Item = &'l UnattachedPolicy>,
) -> Vec<Span> {
    // `aws_iam_policy_document.orders`; a declaration has no dot.
    let reference = |l: &UnattachedPolicy| {
        let address = l.name.as_ref().filter(|_| *l.type_name == *DOCUMENT)?.name.clone();
        let bare = address.strip_prefix("data.").unwrap_or(&address);
        Some(bare.split('[').next().unwrap_or(bare).to_owned())
    };
    let (names, spans): (Vec<String>, Vec<Span>) = loose
        .filter_map(|l| Some((reference(l)?, l.value.decoded().span)))
        .unzip();
    let Ok(words) = AhoCorasick::new(&names) else {
        return Vec::new();
    };
    let mut named = BTreeSet::new();
    for file in files {
        let text: &str = sources.text(file);
        named.extend(
            words
                .find_overlapping_iter(text)
                .map(|m| names[m.pattern().as_usize()].as_str()),
        );
    }
    let all = names.iter().zip(&spans);
    all.filter(|(name, _)| !named.contains(name.as_str()))
        .map(|(_, span)| *span)
        .collect()
}
