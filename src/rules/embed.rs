//! The build script's half of the rules: reads `rules/**/*.yaml` and writes two blobs, one for every run and a
//! compressed one for `explain`, `rules` and the tests, and a constant for the name of each rule. A rule file that is broken fails the build with its name and the reason.

#[path = "compile/mod.rs"]
mod compile;
#[path = "options.rs"]
mod options;
#[path = "spec/mod.rs"]
pub(crate) mod spec;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use spec::{Docs, RuleMetadata};

/// Writes `rules.bin`, `rules-docs.bin`, and `rule_ids.rs` into `OUT_DIR`.
pub(crate) fn build() {
    let root = PathBuf::from(var("CARGO_MANIFEST_DIR")).join("rules");
    println!("cargo::rerun-if-changed={}", root.display());
    let (mut heads, mut docs): (Vec<RuleMetadata>, Vec<Docs>) = (Vec::new(), Vec::new());
    let mut broken = Vec::new();
    let lists = compile::lists(&root);
    for path in compile::rule_files(&root) {
        let shown = path.strip_prefix(&root).unwrap_or(&path);
        match load(&path, shown, &lists) {
            Ok((head, doc)) => {
                heads.push(head);
                docs.push(doc);
            }
            Err(why) => broken.push(format!("rules/{}: {why}", shown.display())),
        }
    }
    let ids: std::collections::BTreeMap<&str, &str> = heads.iter().map(|h| (&*h.id, &*h.family)).collect();
    if ids.len() != heads.len() {
        broken.push("two rule files have the same id".to_owned());
    }
    for old in heads.iter().flat_map(|h| &h.renamed_from) {
        if ids.contains_key(&**old) {
            broken.push(format!("`renamed-from: {old}` names a rule that exists"));
        }
    }
    if !broken.is_empty() {
        for b in &broken {
            println!("cargo::error={}", b.replace('\n', " "));
        }
        std::process::exit(1);
    }
    let mut order: Vec<usize> = (0..heads.len()).collect();
    order.sort_by(|&a, &b| heads[a].id.cmp(&heads[b].id));
    let heads: Vec<&RuleMetadata> = order.iter().map(|&i| &heads[i]).collect();
    let docs: Vec<&Docs> = order.iter().map(|&i| &docs[i]).collect();
    let out = PathBuf::from(var("OUT_DIR"));
    std::fs::write(out.join("rule_ids.rs"), constants(&heads)).expect("OUT_DIR is writable");
    write(&out.join("rules.bin"), &blob(&heads));
    write(
        &out.join("rules-docs.bin"),
        &lz4_flex::block::compress_prepend_size(&blob(&docs)),
    );
}

/// A constant for each rule, and all of them in the order of `heads`.
fn constants(heads: &[&RuleMetadata]) -> String {
    let mut text = String::new();
    let name = |head: &RuleMetadata| head.id.to_uppercase().replace('-', "_");
    for head in heads {
        let _ = writeln!(text, "pub const {}: RuleId = RuleId({:?});", name(head), head.id);
    }
    let all: Vec<String> = heads.iter().map(|head| name(head)).collect();
    let _ = writeln!(
        text,
        "pub(crate) const ALL: [RuleId; {}] = [{}];",
        all.len(),
        all.join(", ")
    );
    text
}

const NONE: compile::Validators = compile::Validators {
    regex: |_| None,
    action: |_| None,
    call: |_, _| None,
};

fn load(path: &Path, shown: &Path, lists: &compile::Lists) -> Result<(RuleMetadata, Docs), String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let family = shown.parent().and_then(Path::to_str).unwrap_or_default();
    let (head, docs) = compile::compile(&text, family, lists, NONE).map_err(|e| e.to_string())?;
    if path.file_stem().and_then(|s| s.to_str()) != Some(&head.id) {
        return Err(format!("id `{}` is not the file's name", head.id));
    }
    Ok((head, docs))
}

fn blob(items: &impl serde::Serialize) -> Vec<u8> {
    postcard::to_stdvec(items).expect("rule types serialize")
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("OUT_DIR is writable");
}

fn var(name: &str) -> String {
    std::env::var(name).expect("cargo sets it")
}
