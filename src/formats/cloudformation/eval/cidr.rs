//! `Fn::Cidr`: [block, count, bits] to `count` blocks of 2^`bits` addresses each, from the start of `block`.
//! CloudFormation Template Reference, "Fn::Cidr".

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::source::{Hole, Span};
use crate::syntax::NodeId;
use crate::value::Value;

use crate::formats::cloudformation::eval::env::TemplateScope;
use crate::formats::cloudformation::eval::template::Template;

/// "The number of CIDRs to generate. Valid range is between 1 and 256."
const MAX_COUNT: u32 = 256;

impl Template<'_> {
    pub(crate) fn cidr(&self, env: TemplateScope<'_>, argument: NodeId, span: Span) -> Value {
        let mut parts = env.tree.children(argument).map(|part| self.value(env, part));
        let block = parts.next().flatten();
        let mut number = || parts.next().flatten()?.as_number();
        let (count, bits) = (number(), number());
        let known = block.as_ref().and_then(Value::as_str);
        let blocks = match (&known, count, bits) {
            (Some(block), Some(count), Some(bits)) => blocks(block, count as u32, bits as u32),
            _ => None,
        };
        match blocks {
            Some(blocks) => Value::seq(blocks.iter().map(|b| Value::synthetic(b, span)).collect(), span),
            None => match block.as_ref().and_then(|b| b.as_text()?.holes().next()) {
                Some(hole) => Value::unknown(Hole { span, ..hole.clone() }),
                None => Value::unknown_other("Fn::Cidr", span),
            },
        }
    }
}

fn blocks(block: &str, count: u32, bits: u32) -> Option<Vec<String>> {
    let (address, prefix) = block.split_once('/')?;
    let (address, prefix): (IpAddr, u32) = (address.parse().ok()?, prefix.parse().ok()?);
    let (start, width): (u128, u32) = match address {
        IpAddr::V4(a) => (u128::from(u32::from(a)), 32),
        IpAddr::V6(a) => (u128::from(a), 128),
    };
    let room = width.checked_sub(prefix)?.checked_sub(bits)?;
    if count == 0 || count > MAX_COUNT || (room < 32 && count > 1 << room) {
        return None;
    }
    let host = (width - prefix).min(127);
    let start = start >> host << host;
    let shown = |i: u32| {
        let at = start.checked_add(u128::from(i) << bits.min(127))?;
        let address = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from(u32::try_from(at).ok()?)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from(at)),
        };
        Some(format!("{address}/{}", width - bits))
    };
    (0..count).map(shown).collect()
}
