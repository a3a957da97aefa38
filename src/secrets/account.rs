//! The account number inside an access key id.

/// The account of an access key id of twenty characters: bits 1 to 40 of its tail, read as base 32. Ids made before
/// March 2019, with `I` or `J` after the prefix, hold none.
pub fn account_of(id: &str) -> Option<String> {
    let tail = id.get(4..20).filter(|_| id.len() == 20)?;
    if tail.starts_with(['I', 'J']) {
        return None;
    }
    let mut bits: u64 = 0;
    for c in tail.bytes().take(10) {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'2'..=b'7' => c - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u64::from(digit);
    }
    // 50 bits are read; the first 48 are bytes 0 to 5, of which the account is bits 1 to 40.
    let number = (bits >> 2 & 0x7fff_ffff_ff80) >> 7;
    (number <= 999_999_999_999).then(|| format!("{number:012}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inverse, for tests.
    pub(in crate::secrets) fn id_of(prefix: &str, account: u64, rest: &str) -> String {
        let bits = (account << 7) << 2 | 1 << 49;
        let mut out = prefix.to_owned();
        for i in (0..10).rev() {
            let digit = (bits >> (5 * i) & 31) as u8;
            out.push(char::from(if digit < 26 { b'A' + digit } else { b'2' + digit - 26 }));
        }
        out + rest
    }

    #[test]
    fn accounts_have_twelve_digits() {
        for (account, text) in [
            (123_456_789_012, "123456789012"),
            (1_234_567_890, "001234567890"),
            (999_999_999_999, "999999999999"),
        ] {
            let id = id_of("AKIA", account, "ABCDEF");
            assert_eq!(account_of(&id).as_deref(), Some(text), "{id}");
        }
        assert_eq!(account_of("AKIAIOSFODNN7EXAMPLE"), None);
        assert_eq!(account_of("AKIA1"), None);
    }
}
