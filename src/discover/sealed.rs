//! Files whose content is somewhere else, or is encrypted: nothing in them can be judged, and nothing in them is broken.

use crate::unjudged::Seal;

/// What the first bytes of such a file are, and why. Git LFS Specification, "The Pointer"; git-crypt, "Design"; Ansible,
/// "Format of files encrypted with Ansible Vault"; age, "File encryption"; RFC 9580, "Forming ASCII Armor".
const STARTS: [(&[u8], Seal); 6] = [
    (b"version https://git-lfs.github.com/spec/v1\n", Seal::GitLfs),
    (b"\0GITCRYPT\0", Seal::GitCrypt),
    (b"$ANSIBLE_VAULT;", Seal::AnsibleVault),
    (b"age-encryption.org/", Seal::Age),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", Seal::Age),
    (b"-----BEGIN PGP MESSAGE-----", Seal::Pgp),
];

/// Endings that tools put after the name of what they encrypted: blackbox, age, GnuPG.
const ENDINGS: [&str; 3] = [".gpg", ".age", ".asc"];

/// Why the content of a file is not there to be read, where its first bytes say so.
pub(super) fn seal_of(bytes: &[u8]) -> Option<Seal> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    STARTS
        .iter()
        .find(|(start, _)| bytes.starts_with(start))
        .map(|(_, seal)| *seal)
}

/// The name without what a tool that encrypts puts after it.
pub(super) fn strip_encryption_suffix(name: &str) -> &str {
    ENDINGS.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// Whether the values of a file are encrypted, and its keys are not. SOPS, "Encryption protocol".
pub(super) fn has_sealed_values(text: &str) -> bool {
    let marked = ["\nsops:", "\"sops\":", "\nsops_version="]
        .iter()
        .any(|mark| text.contains(mark));
    marked && text.contains("ENC[AES256_GCM,")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_to_be_read() {
        for (bytes, expected) in [
            (b"\0GITCRYPT\0\x01\xff".as_slice(), true),
            (
                br"version https://git-lfs.github.com/spec/v1
oid sha256:00
",
                true,
            ),
            (b"$ANSIBLE_VAULT;1.1;AES256\n3461\n", true),
            (b"\xEF\xBB\xBF-----BEGIN PGP MESSAGE-----\n", true),
            (b"age-encryption.org/v1\n", true),
            (b"version: 1\n", false),
            (b"", false),
        ] {
            assert_eq!(seal_of(bytes).is_some(), expected, "{bytes:?}");
        }
        assert_eq!(strip_encryption_suffix("policy.json.gpg"), "policy.json");
        assert!(has_sealed_values(
            r"a: ENC[AES256_GCM,data:x]
sops:
  version: 3
"
        ));
        assert!(!has_sealed_values(
            r"a: b
sops:
  version: 3
"
        ));
    }
}
