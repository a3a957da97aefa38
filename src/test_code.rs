//! Whether a file is test code, by its path below the root of the repository.
//!
//! **Invariant:** the only place that decides so by a path. What a test does or shows is granted by nothing; what a key in it
//! opens is open all the same.

use crate::source::file_name;

/// Folders by the conventions of pytest, Jest, RSpec, Go, Maven, Gradle, Terraform and of libraries that record answers
/// (VCR.py, placebo, nock). `examples`, `samples` and `docs` are for people to copy, and not test code.
const FOLDERS: [&str; 29] = [
    "__fixtures__",
    "__mocks__",
    "__snapshots__",
    "__tests__",
    "androidtest",
    "cassette",
    "cassettes",
    "e2e",
    "fixture",
    "fixtures",
    "functionaltest",
    "integrationtest",
    "mocks",
    "placebo",
    "recordings",
    "spec",
    "test-data",
    "test-fixtures",
    "test-resources",
    "test_data",
    "test_fixtures",
    "test_resources",
    "test_utils",
    "testdata",
    "testfixtures",
    "testresources",
    "tests",
    "testsuite",
    "unittests",
];

/// Folders in which `test` is a stage, as `dev` and `prod` are.
const STAGES: [&str; 27] = [
    "account",
    "accounts",
    "clusters",
    "config",
    "configs",
    "deploy",
    "deployment",
    "deployments",
    "env",
    "environment",
    "environments",
    "envs",
    "infra",
    "infrastructure",
    "inventories",
    "live",
    "overlays",
    "parameters",
    "params",
    "regions",
    "stacks",
    "stage",
    "stages",
    "tenants",
    "tfvars",
    "vars",
    "workspaces",
];

/// Endings of files in which a name can say that they are tests: `store.test.ts`, `store_test.go`.
const CODE: [&str; 13] = [
    "cjs", "cs", "go", "groovy", "java", "js", "jsx", "kt", "mjs", "php", "rb", "ts", "tsx",
];

/// Whether the file or folder at `path`, with `/` between its parts and relative to the root of the repository, is test code.
pub fn is_test_code(path: &str) -> bool {
    let parts: Vec<String> = path.split('/').map(str::to_ascii_lowercase).collect();
    let folder = |i: usize| {
        let before = i.checked_sub(1).map_or("", |before| &parts[before]);
        is_folder(&parts[i], before)
    };
    let Some((name, folders)) = parts.split_last() else {
        return false;
    };
    (0..folders.len()).any(folder) || (!name.contains('.') && folder(folders.len())) || is_file(name, path)
}

fn is_folder(name: &str, parent: &str) -> bool {
    let stage = STAGES.contains(&parent);
    FOLDERS.contains(&name) || name.ends_with("-tests") || name.ends_with("_tests") || name == "test" && !stage
}

/// `name` in lower case; case matters where it separates words (`StoreTest.java`).
fn is_file(name: &str, path: &str) -> bool {
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    let written = file_name(path);
    let written = written.rsplit_once('.').map_or(written, |(stem, _)| stem);
    match extension {
        "py" => stem.starts_with("test_") || stem.ends_with("_test") || matches!(stem, "conftest" | "tests"),
        "hcl" => stem.ends_with(".tftest"),
        "json" if stem.ends_with(".tftest") => true,
        "snap" => true,
        _ if CODE.contains(&extension) => {
            let word = |end: &str| stem.ends_with(end);
            word(".test") || word(".spec") || word("_test") || word("_spec") || {
                let pascal = written.strip_suffix("Test").or_else(|| written.strip_suffix("Tests"));
                pascal.is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_alphanumeric()))
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conventions_of_test_code() {
        for path in [
            "tests/test_store.py",
            "tests/.env",
            "src/store/tests/data/policy.json",
            "test/main.tf",
            "modules/role/test/fixtures/main.tf",
            "src/test/resources/policy.json",
            "src/__tests__/store.ts",
            "spec/store_spec.rb",
            "testdata/policy.json",
            "testdata/example",
            "cassettes/iam.yaml",
            "orders/fixtures/admin.json",
            "integration-tests/stack.yaml",
            "unit_tests/x.json",
            "test_store.py",
            "store_test.py",
            "conftest.py",
            "src/store.test.ts",
            "src/store.spec.js",
            "store_test.go",
            "src/StoreTest.java",
            "role.tftest.hcl",
            "Tests/Policy.json",
        ] {
            assert!(is_test_code(path), "{path}");
        }
        for path in [
            "src/store.py",
            "main.tf",
            "examples/admin.json",
            "docs/policy.json",
            "samples/test.json",
            "environments/test/main.tf",
            "live/test/policy.json",
            "test.tfvars",
            "config.test.json",
            "latest/policy.json",
            "contest/policy.json",
            "attestation.py",
            "testing.py",
            "orders-test/main.tf",
            "src/Contest.java",
            "protest.go",
            "specs/openapi.yaml",
            "inspect.py",
            "",
        ] {
            assert!(!is_test_code(path), "{path}");
        }
    }
}
