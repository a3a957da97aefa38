//! What a condition's values let through. Values of one key are alternatives: the weakest counts.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::key::{ValueReading, tag_of};
use super::{Grade, Operator, Weakness};
use crate::iam::arn::{self, ArnField, ArnShape, Breadth};
use crate::iam::glob::CaseSensitivity;
use crate::iam::managed::{ADMINISTRATORS, matches_administrator};
use crate::iam::pattern::is_star;
use crate::iam::service::is_any_service;
use crate::iam::{Condition, variables};
use crate::source::{HoleKind, Piece, Text};

type Weight = (Grade, Option<Weakness>);

const PINS: Weight = (Grade::Pins, None);
const NARROWS: Weight = (Grade::Narrows, None);
const ANY: Weight = (Grade::Decoration, Some(Weakness::AnyValue));
const IDLE: Weight = (Grade::Decoration, Some(Weakness::Idle));

pub(super) fn weigh(c: &Condition, operator: Operator, key: &str, values: ValueReading) -> Weight {
    if c.values.is_empty() {
        // `[]` lets nothing through; values that we cannot see are taken at their key's word.
        return if !c.complete && values.pins_by_itself() {
            PINS
        } else {
            NARROWS
        };
    }
    if values == ValueReading::Address {
        return addresses(c);
    }
    c.values
        .iter()
        .map(|v| {
            if is_same_variable(&v.text, key) {
                return ANY;
            }
            // Any value of a tag: what has no such tag is kept out.
            if values == ValueReading::Text && tag_of(key).is_some() {
                return NARROWS;
            }
            match values {
                ValueReading::Account => account(&v.text, operator.wildcards),
                ValueReading::Organization => organization(&v.text, operator.wildcards),
                ValueReading::OrganizationPath => organization_path(&v.text, operator.wildcards),
                ValueReading::Arn => arn(&v.text, operator.wildcards),
                ValueReading::Id => id(&v.text, operator.wildcards),
                ValueReading::Subject => subject(&v.text, operator.wildcards),
                ValueReading::True { pins } => match v.text.known().map(|t| t.to_ascii_lowercase()).as_deref() {
                    Some("true") if pins => PINS,
                    Some("true") | None => NARROWS,
                    Some(_) => IDLE,
                },
                ValueReading::Age => {
                    if operator.is_upper_bound() {
                        NARROWS
                    } else {
                        IDLE
                    }
                }
                ValueReading::UrlAuth => match v.text.known().as_deref() {
                    Some("AWS_IAM") | None => NARROWS,
                    Some(_) => IDLE,
                },
                ValueReading::Policy | ValueReading::Service => match delegation_weakness(values, &v.text, operator) {
                    Some(weakness) => (Grade::Decoration, Some(weakness)),
                    None => NARROWS,
                },
                ValueReading::Text | ValueReading::Spoofable | ValueReading::Idle | ValueReading::Address => {
                    if operator.wildcards && is_only_wildcards(&v.text) {
                        ANY
                    } else {
                        NARROWS
                    }
                }
            }
        })
        .min_by_key(|(grade, _)| *grade)
        .unwrap_or(NARROWS)
}

/// Why a value of what is given to others limits nothing: any policy, one of full access, any service.
pub(super) fn delegation_weakness(values: ValueReading, value: &Text, operator: Operator) -> Option<Weakness> {
    if operator.wildcards && is_only_wildcards(value) {
        return Some(Weakness::AnyValue);
    }
    match values {
        ValueReading::Policy => ADMINISTRATORS
            .iter()
            .any(|policy| matches_administrator(value, policy, operator.wildcards, case(operator)).is_yes())
            .then_some(Weakness::FullAccess),
        ValueReading::Service => (operator.wildcards && is_any_service(value)).then_some(Weakness::AnyValue),
        _ => None,
    }
}

/// Every policy but those that are named: whether one of full access is left.
pub(super) fn all_policies_but(c: &Condition, operator: Operator) -> Weight {
    let named = |policy: &&str| {
        let fits = |v: &Text| matches_administrator(v, policy, operator.wildcards, case(operator)).may_be();
        c.values.iter().any(|v| fits(&v.text))
    };
    match c.complete && !ADMINISTRATORS.iter().all(named) {
        true => (Grade::Decoration, Some(Weakness::Negated)),
        false => NARROWS,
    }
}

fn case(operator: Operator) -> CaseSensitivity {
    match operator.name.ends_with("IgnoreCase") {
        true => CaseSensitivity::Insensitive,
        false => CaseSensitivity::Sensitive,
    }
}

/// `aws:PrincipalAccount` equal to `${aws:PrincipalAccount}`: always true.
fn is_same_variable(text: &Text, key: &str) -> bool {
    only_variable(text).is_some_and(|name| name.eq_ignore_ascii_case(key))
}

/// The name of the policy variable that is all of a value.
pub(super) fn only_variable(text: &Text) -> Option<String> {
    let text = text.known().filter(|t| t.starts_with("${"))?;
    let first = variables::variables(&text).into_iter().next()?;
    (first.range.len() == text.len()).then_some(first.name)
}

fn is_only_wildcards(text: &Text) -> bool {
    text.known()
        .is_some_and(|t| t.contains('*') && t.bytes().all(|b| b == b'*' || b == b'?'))
}

/// Of known text only: before the first wildcard.
fn known_prefix(text: &Text) -> String {
    let head = text.prefix();
    head.split(['*', '?']).next().unwrap_or_default().to_owned()
}

fn has_wildcard(text: &Text) -> bool {
    text.pieces()
        .iter()
        .any(|p| matches!(p, Piece::Lit(l) if l.text.contains(['*', '?'])))
}

fn account(text: &Text, wildcards: bool) -> Weight {
    if !wildcards || !has_wildcard(text) {
        PINS
    } else if text.known().is_some_and(|t| t.bytes().all(|b| b == b'*' || b == b'?')) {
        ANY
    } else {
        NARROWS
    }
}

fn organization(text: &Text, wildcards: bool) -> Weight {
    if !wildcards || !has_wildcard(text) {
        PINS
    } else if known_prefix(text).len() <= "o-".len() && text.is_known() {
        ANY
    } else {
        NARROWS
    }
}

/// `o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*`: the organization must be named.
fn organization_path(text: &Text, wildcards: bool) -> Weight {
    let named = !text.is_known() || known_prefix(text).len() > "o-".len();
    if !wildcards || named { PINS } else { ANY }
}

fn id(text: &Text, wildcards: bool) -> Weight {
    if !wildcards || !has_wildcard(text) || !text.is_known() {
        return PINS;
    }
    let head = known_prefix(text);
    match head.as_str() {
        "" | "vpce-" | "vpc-" | "vpce" | "vpc" => ANY,
        // A unique id and `:*` for its sessions.
        h if h.len() >= 10 => PINS,
        _ => NARROWS,
    }
}

fn arn(text: &Text, wildcards: bool) -> Weight {
    match arn::arn_shape(text) {
        ArnShape::Star | ArnShape::Wildcard if !wildcards => NARROWS,
        // `*:role/deploy`: nothing says of which account.
        ArnShape::Wildcard if is_restrictive(text) => (Grade::Narrows, Some(Weakness::AnyAccount)),
        ArnShape::Star | ArnShape::Wildcard => ANY,
        ArnShape::Arn(parts) => match parts.account() {
            ArnField::Literal(_) | ArnField::Hole(_) => PINS,
            ArnField::Any | ArnField::Pattern if !wildcards => NARROWS,
            ArnField::Pattern => NARROWS,
            account => {
                let wide = wildcards && arn::breadth_of(text) <= Breadth::WholeType;
                // A bucket's ARN has no account, which `arn:aws:s3:*:*:reports` does not ask for either.
                let has = account != ArnField::Empty && parts.service().as_deref() != Some("s3");
                let weakness = has.then_some(Weakness::AnyAccount);
                if wide {
                    (Grade::Decoration, weakness.or(Some(Weakness::AnyValue)))
                } else {
                    (Grade::Narrows, weakness)
                }
            }
        },
        // The ARN of a resource of the repository, with or without more after it; or one that is given from outside, which
        // is taken at its key's word unless a wildcard follows.
        ArnShape::Hole => match text.holes().next() {
            Some(h) if h.kind == HoleKind::Resource => PINS,
            _ if !wildcards || !has_wildcard(text) => PINS,
            _ => NARROWS,
        },
        ArnShape::TooShort(_) | ArnShape::Other => NARROWS,
    }
}

/// Whether a pattern in place of an ARN asks for more than that it is one, as `*:role/deploy` does and `arn:*` does not.
fn is_restrictive(text: &Text) -> bool {
    let shown = text.display();
    let asked = shown.strip_prefix("arn:").unwrap_or(&shown);
    asked.contains(|c: char| !matches!(c, '*' | '?' | ':' | '/'))
}

/// The subject of a token: what stands before the first wildcard must name an owner.
fn subject(text: &Text, wildcards: bool) -> Weight {
    if !text.is_known() {
        return NARROWS;
    }
    if !wildcards || !has_wildcard(text) {
        return PINS;
    }
    let head = known_prefix(text);
    // `repo:org/…`, `project_path:group/…`, `organization:name:…`, `system:serviceaccount:namespace:…`.
    match head.split_once(':') {
        None | Some((_, "")) => ANY,
        Some((_, rest)) if rest.trim_end_matches(['/', ':']).is_empty() => ANY,
        Some(("system", "serviceaccount:")) => ANY,
        Some((_, rest)) if rest.contains(['/', ':']) => PINS,
        Some(_) => NARROWS,
    }
}

/// An IP range of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Network {
    V4(u32, u8),
    V6(u128, u8),
}

impl Network {
    /// `203.0.113.0/24`, `2001:db8::/32`; without `/` one address. Host bits stay as written.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((a, b)) => (a, Some(b.parse::<u8>().ok()?)),
            None => (text, None),
        };
        if let Ok(v4) = address.parse::<Ipv4Addr>() {
            let bits = bits.unwrap_or(32);
            return (bits <= 32).then(|| Self::V4(v4.into(), bits));
        }
        let v6 = address.parse::<Ipv6Addr>().ok()?;
        let bits = bits.unwrap_or(128);
        (bits <= 128).then(|| Self::V6(v6.into(), bits))
    }

    /// Whether every address of `other` is one of it. An IPv4 network has no IPv6 address, and the other way round.
    pub fn contains(self, other: Self) -> bool {
        let shift = |width: u32, bits: u8| width.saturating_sub(u32::from(bits));
        match (self, other) {
            (Self::V4(a, bits), Self::V4(b, inner)) => {
                let by = shift(32, bits);
                inner >= bits && a.checked_shr(by) == b.checked_shr(by)
            }
            (Self::V6(a, bits), Self::V6(b, inner)) => {
                let by = shift(128, bits);
                inner >= bits && a.checked_shr(by) == b.checked_shr(by)
            }
            _ => false,
        }
    }

    /// Bits after the prefix that are not zero.
    pub fn has_host_bits(self) -> bool {
        match self {
            Self::V4(a, bits) => a.checked_shl(u32::from(bits)).unwrap_or(0) != 0,
            Self::V6(a, bits) => a.checked_shl(u32::from(bits)).unwrap_or(0) != 0,
        }
    }

    /// The network itself, as it is written.
    pub fn without_host_bits(self) -> String {
        match self {
            Self::V4(a, bits) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                format!("{}/{bits}", Ipv4Addr::from(a & mask))
            }
            Self::V6(a, bits) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                format!("{}/{bits}", Ipv6Addr::from(a & mask))
            }
        }
    }

    /// Addresses that never reach AWS over the internet. RFC 1918, 6598, 3927, 4193, 4291.
    pub fn is_private(self) -> bool {
        let within = |a: u32, bits: u8, net: [u8; 4], len: u8| {
            let net = u32::from(Ipv4Addr::from(net));
            bits >= len && a >> (32 - len) == net >> (32 - len)
        };
        match self {
            Self::V4(a, bits) => {
                within(a, bits, [10, 0, 0, 0], 8)
                    || within(a, bits, [172, 16, 0, 0], 12)
                    || within(a, bits, [192, 168, 0, 0], 16)
                    || within(a, bits, [100, 64, 0, 0], 10)
                    || within(a, bits, [169, 254, 0, 0], 16)
                    || within(a, bits, [127, 0, 0, 0], 8)
            }
            Self::V6(a, bits) => {
                (bits >= 7 && a >> 121 == 0xfc >> 1)
                    || (bits >= 10 && a >> 118 == 0xfe80 >> 6)
                    || (bits == 128 && a == 1)
            }
        }
    }

    /// So wide that it keeps no one in particular out.
    fn is_too_wide(self) -> bool {
        match self {
            Self::V4(_, bits) => bits < 8,
            Self::V6(_, bits) => bits < 16,
        }
    }
}

/// Whether the ranges let any IPv4 or any IPv6 address through: `0.0.0.0/0`, or both its halves.
pub fn is_any_address(networks: &[Network]) -> bool {
    let mut v4: u64 = 0;
    let mut v6_half = [false; 2];
    let mut sorted = networks.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    for n in sorted {
        match n {
            Network::V4(_, 0) | Network::V6(_, 0) => return true,
            Network::V4(_, bits) if bits < 8 => v4 += 1 << (32 - u32::from(bits)),
            Network::V6(a, 1) => v6_half[usize::from(a >> 127 == 1)] = true,
            _ => {}
        }
    }
    v4 >= 1 << 32 || v6_half == [true; 2]
}

fn addresses(c: &Condition) -> Weight {
    let networks: Vec<Network> = c
        .values
        .iter()
        .filter_map(|v| Network::parse(v.text.known()?.trim()))
        .collect();
    let star = c.values.iter().any(|v| is_star(&v.text));
    if star || is_any_address(&networks) || networks.iter().any(|n| n.is_too_wide()) {
        (Grade::Decoration, Some(Weakness::AnyAddress))
    } else {
        NARROWS
    }
}
