//! Forms of texts that AWS documents: dates, addresses, and IDs.

use super::arn::{ArnShape, arn_shape, is_account_id};
use super::catalogue::catalogue;
use super::condition::Network;
use super::kind::is_assume_role_action;
use super::truth::Truth;
use crate::date::Date;
use crate::source::Text;
use crate::terms::TextForm;

impl TextForm {
    pub fn matches(self, written: &Text) -> Truth {
        let Some(text) = written.known() else {
            return Truth::Unknown;
        };
        let text = &*text;
        let network = || Network::parse(text);
        let fits = match self {
            Self::Boolean => matches!(text.to_ascii_lowercase().as_str(), "true" | "false"),
            Self::Number => text.trim().parse::<f64>().is_ok(),
            Self::Date => is_date(text),
            Self::IpAddress => network().is_some(),
            Self::HostBits => network().is_some_and(|n| n.has_host_bits()),
            Self::PrivateIp => network().is_some_and(|n| n.is_private()),
            Self::Base64 => is_base64(text),
            Self::Arn => !matches!(arn_shape(written), ArnShape::TooShort(_) | ArnShape::Other),
            Self::AccountId => is_account_id(text),
            Self::OrganizationId => is_organization(text),
            Self::OrganizationPath => text.split_once('/').is_some_and(|(id, _)| is_organization(id)),
            Self::VpcId => text.strip_prefix("vpc-").is_some_and(is_resource_id),
            Self::VpcEndpointId => text.strip_prefix("vpce-").is_some_and(is_resource_id),
            Self::Region => catalogue().region(text).is_some(),
            Self::Alphanumeric => text.bytes().all(|b| b.is_ascii_alphanumeric()),
            Self::AssumeAction => is_assume_role_action(text),
        };
        fits.into()
    }
}

fn is_date(text: &str) -> bool {
    if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        return true;
    }
    let Some((day, rest)) = text.split_at_checked(10) else {
        return false;
    };
    Date::parse(day).is_some() && (rest.is_empty() || rest.strip_prefix(['T', 't', ' ']).is_some_and(is_time))
}

/// `23:59`, `23:59:59`, with fractions and a zone of at most fourteen hours.
fn is_time(text: &str) -> bool {
    let (clock, zone) = text.split_at(text.find(['Z', 'z', '+', '-']).unwrap_or(text.len()));
    let below =
        |part: Option<&str>, end: u8| part.is_some_and(|p| p.len() == 2 && p.parse::<u8>().is_ok_and(|n| n < end));
    let mut parts = clock.split(':');
    let hours_and_minutes = below(parts.next(), 24) && below(parts.next(), 60);
    let seconds = parts.next().is_none_or(|s| below(s.split('.').next(), 61)) && parts.next().is_none();
    let zone = match zone.split_at_checked(1) {
        None => true,
        Some(("Z" | "z", rest)) => rest.is_empty(),
        Some((_, offset)) => {
            let minutes = offset.get(2..).map(|m| m.strip_prefix(':').unwrap_or(m));
            below(offset.get(..2), 15) && below(minutes, 60)
        }
    };
    hours_and_minutes && seconds && zone
}

fn is_base64(text: &str) -> bool {
    text.len().is_multiple_of(4)
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
}

fn is_organization(text: &str) -> bool {
    text.strip_prefix("o-").is_some_and(|id| {
        (10..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// The hexadecimal digits of the ID of a VPC or of a part of it.
fn is_resource_id(digits: &str) -> bool {
    (8..=17).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}
