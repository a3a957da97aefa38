//! Expected outputs, in files. `OVERGRANT_UPDATE=1 cargo test` writes them; the change is read before it is committed.

use std::path::Path;

/// Compares `actual` with the file at `path` under `testdata/`.
pub(crate) fn check(path: &str, actual: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path);
    if std::env::var_os("OVERGRANT_UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, actual).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        expected == actual,
        "{path} differs; OVERGRANT_UPDATE=1 writes it anew\n--- expected\n{expected}\n--- actual\n{actual}"
    );
}
