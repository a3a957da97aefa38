//! How much of a service a resource pattern covers.
//!
//! Decided by matching the pattern against an ARN of each type of the service, in which every part that people or AWS choose
//! is a long run of a character that no policy contains: only a wildcard matches it. `role*`, `role/*` and `role/?*` all match
//! such a role; `role/app-*` does not. Service Authorization Reference, "Resource types" of each service.

use std::sync::OnceLock;

use super::arn::{Arn, ArnField, ArnShape, arn_shape, field, is_stars};
use super::arn_format::types_of;
use super::catalogue::{ResourceType, catalogue};
use super::glob::{self, CaseSensitivity};
use super::pattern::{Pattern, has_wildcard, is_star};
use crate::source::{HoleKind, Text, TextSlice};

/// How much of a service a resource pattern covers, the widest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breadth {
    /// Every resource there is: `*`, `arn:*`, `arn:aws:*:*:*:*`.
    Everything,
    /// Every resource of one service in every account: `arn:aws:s3:::*`, `arn:aws:sqs:*:*:*`. Also every S3 object.
    WholeService,
    /// Every resource of one service in one account or one region.
    AccountWide,
    /// Every resource of one type: `role/*`, `role*`, `secret:?*`.
    WholeType,
    /// A wildcard beside a known part of the name.
    Prefix,
    /// One resource.
    Exact,
    /// A hole decides.
    Unknown,
}

impl Breadth {
    /// As good as `*` for some service: what `resource-effectively-star` is about.
    pub fn is_star_like(self) -> bool {
        self <= Self::WholeService
    }
}

/// Stands for what is chosen freely. No policy contains it.
const FREE: &str = "\u{1}";

/// How long a chosen part is in an example: longer than any row of `?` that people write.
const LENGTH: usize = 61;

/// Parts of ARN formats that have a fixed shape, with `_` for what is chosen. AWS KMS Developer Guide, "Key identifiers";
/// Amazon EC2 User Guide, "Resource IDs"; AWS Secrets Manager User Guide, "What's in a Secrets Manager secret?".
const SHAPES: &[(&str, &str)] = &[
    ("AllocationId", "eipalloc-_"),
    ("CarrierGatewayId", "cagw-_"),
    ("ClientVpnEndpointId", "cvpn-endpoint-_"),
    ("CustomerGatewayId", "cgw-_"),
    ("DedicatedHostId", "h-_"),
    ("DhcpOptionsId", "dopt-_"),
    ("EgressOnlyInternetGatewayId", "eigw-_"),
    ("FileSystemId", "fs-_"),
    ("ImageId", "ami-_"),
    ("InstanceId", "i-_"),
    ("InternetGatewayId", "igw-_"),
    ("KeyId", "________-____-____-____-____________"),
    ("LaunchTemplateId", "lt-_"),
    ("NaclId", "acl-_"),
    ("NatGatewayId", "nat-_"),
    ("NetworkInterfaceId", "eni-_"),
    ("PrefixListId", "pl-_"),
    ("RouteTableId", "rtb-_"),
    ("SecretId", "_-______"),
    ("SecurityGroupId", "sg-_"),
    ("SnapshotId", "snap-_"),
    ("SubnetId", "subnet-_"),
    ("TransitGatewayId", "tgw-_"),
    ("VolumeId", "vol-_"),
    ("VpcEndpointId", "vpce-_"),
    ("VpcId", "vpc-_"),
    ("VpcPeeringConnectionId", "pcx-_"),
    ("VpnConnectionId", "vpn-_"),
    ("VpnGatewayId", "vgw-_"),
];

/// An ARN of one type, up to its resource, and whether the resource begins with the name: `bucket`, not `role/name`.
#[derive(Debug)]
struct ExampleArn {
    resource: String,
    untyped: bool,
    /// It has a region, an account: what leaves them out is another thing.
    placed: [bool; 2],
}

impl ExampleArn {
    fn new(format: &str) -> Option<Self> {
        let fields: Vec<&str> = format.splitn(6, ':').collect();
        let [_, _, _, region, account, format] = fields.as_slice() else {
            return None;
        };
        let mut resource = String::new();
        let mut rest: &str = format;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}')?;
            resource.push_str(before);
            match SHAPES.iter().find(|(part, _)| *part == name) {
                Some((_, shape)) => resource.push_str(&shape.replace('_', FREE)),
                None => resource.push_str(&FREE.repeat(LENGTH)),
            }
            rest = after;
        }
        resource.push_str(rest);
        Some(Self {
            resource,
            untyped: format.starts_with("${"),
            placed: [!region.is_empty(), !account.is_empty()],
        })
    }
}

/// Of one type, made when someone asks.
type CachedArns = OnceLock<Box<[ExampleArn]>>;

fn examples(kind: ResourceType) -> &'static [ExampleArn] {
    static TYPES: OnceLock<Box<[CachedArns]>> = OnceLock::new();
    let types = TYPES.get_or_init(|| {
        (0..catalogue().resource_type_count())
            .map(|_| OnceLock::new())
            .collect()
    });
    types.get(kind.number()).map_or(&[], |made| {
        made.get_or_init(|| kind.arn_formats().filter_map(ExampleArn::new).collect())
    })
}

/// The types of which `arn` covers every resource, in the accounts and regions that it names; nothing for `*` itself.
pub fn fully_covered_types(arn: &Text) -> Vec<ResourceType> {
    covered_types(arn).map(|(kind, _)| kind).collect()
}

fn covered_types(arn: &Text) -> impl Iterator<Item = (ResourceType, &'static ExampleArn)> {
    let parts = Arn::parse(arn).filter(|parts| has_wildcard(&parts.resource.to_text()));
    let types = parts.and_then(|parts| types_of(&parts.service()?)).unwrap_or_default();
    let matching = parts.map(|parts| matcher(parts.resource));
    let each = |kind: &'static ResourceType| examples(*kind).iter().map(|e| (*kind, e));
    let all = types.iter().flat_map(each);
    let left_out = parts.map_or([false; 2], |p| [p.region(), p.account()].map(|f| f == ArnField::Empty));
    let fits = move |e: &ExampleArn| !e.placed.iter().zip(left_out).any(|(has, left_out)| *has && left_out);
    all.filter(move |(_, e)| fits(e) && matching.as_ref().is_some_and(|m| m(&e.resource)))
}

/// Whether a resource is certainly one of those that `part` stands for.
fn matcher(part: TextSlice<'_>) -> Box<dyn Fn(&str) -> bool> {
    match part.known() {
        Some(known) if !known.contains("${") => {
            let known = known.into_owned();
            Box::new(move |resource| glob::matches(&known, resource, CaseSensitivity::Sensitive))
        }
        _ => {
            let pattern = Pattern::resource(&part.to_text());
            Box::new(move |resource| pattern.matches(resource, CaseSensitivity::Sensitive).is_yes())
        }
    }
}

/// Whether `arn` covers every `kind` of IAM (`role`, `user`) of some account, as `*` and `arn:aws:iam::*:role/*` do, and
/// `role/app-*` does not.
pub fn covers_every(arn: &Text, kind: &str) -> bool {
    match breadth_of(arn) {
        Breadth::Everything => true,
        breadth if breadth > Breadth::WholeType => false,
        _ => match arn_shape(arn) {
            ArnShape::Arn(parts) => {
                let iam = Pattern::new(&parts.service.to_text(), CaseSensitivity::Sensitive);
                let one = format!("{kind}/{}", FREE.repeat(LENGTH));
                let resource = Pattern::resource(&parts.resource.to_text());
                let fits = iam.matches("iam", CaseSensitivity::Sensitive);
                fits.and(resource.matches(&one, CaseSensitivity::Sensitive)).may_be()
            }
            _ => Pattern::resource(arn)
                .matches(
                    &format!("arn:aws:iam::111122223333:{kind}/{FREE}"),
                    CaseSensitivity::Sensitive,
                )
                .may_be(),
        },
    }
}

/// How much `arn` covers.
pub fn breadth_of(arn: &Text) -> Breadth {
    if is_star(arn) {
        return Breadth::Everything;
    }
    let parts = match arn_shape(arn) {
        ArnShape::Arn(parts) => parts,
        ArnShape::Hole => return hole_breadth(arn),
        ArnShape::Star => return Breadth::Everything,
        ArnShape::Wildcard => return open_breadth(arn),
        ArnShape::TooShort(_) | ArnShape::Other => {
            return if arn.is_known() {
                Breadth::Exact
            } else {
                Breadth::Unknown
            };
        }
    };
    let flat = parts.resource.with_placeholders();
    let anywhere = |f: ArnField<'_>| matches!(f, ArnField::Any | ArnField::Empty);
    let everywhere = anywhere(parts.region()) && anywhere(parts.account());
    let of_service = || match field(parts.service) {
        ArnField::Any if everywhere => Breadth::Everything,
        _ if everywhere => Breadth::WholeService,
        _ => Breadth::AccountWide,
    };
    if is_stars(&flat) && !flat.is_empty() {
        return of_service();
    }
    if !parts.resource.is_known() && parts.resource.as_hole().is_some() {
        return Breadth::Exact;
    }
    let wild = match parts.resource.known() {
        Some(known) if !known.contains('$') => glob::is_pattern(&known),
        _ => has_wildcard(&parts.resource.to_text()),
    };
    if !wild {
        return Breadth::Exact;
    }
    let mut whole = None;
    for (_, example) in covered_types(arn) {
        if example.untyped {
            return of_service();
        }
        whole = Some(Breadth::WholeType);
    }
    whole.unwrap_or_else(|| breadth_by_segments(&parts, &flat))
}

/// What a pattern covers of names that have parts of their own: `role/*/*` is every role with a path.
fn breadth_by_segments(parts: &Arn<'_>, flat: &str) -> Breadth {
    // Names of S3 objects and of queues come without a type: `arn:aws:s3:::bucket/*`.
    let typed = !matches!((parts.region(), parts.account()), (ArnField::Empty, ArnField::Empty));
    let mut segments = flat.split(['/', ':']);
    let first = segments.next().unwrap_or_default();
    if typed && !first.contains(['*', '?']) {
        // What follows the type: a star in the place of the name and no name anywhere else.
        match segments.next() {
            // `user/*/${aws:username}` is one name under any path.
            Some(name) if !name.is_empty() && is_stars(name) && segments.next_back().is_none_or(is_stars) => {
                Breadth::WholeType
            }
            _ => Breadth::Prefix,
        }
    } else if is_stars(first) && segments.all(is_stars) {
        Breadth::WholeType
    } else {
        Breadth::Prefix
    }
}

/// Of a pattern whose wildcards stand for whole fields: `arn:aws:s3*`, `a*`, `*:*`.
fn open_breadth(arn: &Text) -> Breadth {
    let pattern = Pattern::resource(arn);
    let every = |middle: &str, resource: &str| {
        ["aws", "aws-cn", "aws-us-gov"].iter().any(|partition| {
            pattern
                .matches(
                    &format!("arn:{partition}:{middle}:{resource}"),
                    CaseSensitivity::Sensitive,
                )
                .is_yes()
        })
    };
    if every(&format!("{FREE}:{FREE}:{FREE}"), FREE) {
        return Breadth::Everything;
    }
    let flat = arn.with_placeholders();
    let service = flat.split(':').nth(2).filter(|s| !s.is_empty() && !s.contains('*'));
    let Some(service) = service else { return Breadth::Prefix };
    if flat.split(':').skip(3).all(is_stars) {
        return Breadth::WholeService;
    }
    let types = types_of(service).unwrap_or_default();
    let mut formats = types.iter().flat_map(|t| examples(*t));
    match formats.any(|e| every(&format!("{service}:{FREE}:{FREE}"), &e.resource)) {
        true => Breadth::WholeType,
        false => Breadth::Prefix,
    }
}

fn hole_breadth(arn: &Text) -> Breadth {
    let whole = arn.as_hole();
    match whole {
        Some(h) if h.kind == HoleKind::Resource => Breadth::Exact,
        Some(_) => Breadth::Unknown,
        None => {
            if !has_wildcard(arn) {
                Breadth::Exact
            } else {
                Breadth::Prefix
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::tests::text;
    use super::*;

    #[test]
    fn how_much_a_pattern_covers() {
        use Breadth::*;
        for (t, expected) in [
            ("*", Everything),
            ("**", Everything),
            ("*:*", Everything),
            ("a*", Everything),
            ("arn*", Everything),
            ("arn:*", Everything),
            ("arn:aws:*", Everything),
            ("arn:aws*", Everything),
            ("arn:aws:*:*:*:*", Everything),
            ("arn:‹partition›:*:*:*:*", Everything),
            ("arn:aws:s3:::*", WholeService),
            ("arn:aws:s3:::?*", WholeService),
            ("arn:aws:s3:::*/*", WholeService),
            ("arn:aws:s3:::?*/*", WholeService),
            ("arn:‹partition›:s3:::*", WholeService),
            ("arn:aws:s3:*", WholeService),
            ("arn:aws:sqs:*:*:*", WholeService),
            ("arn:aws:sqs:*:*:?*", WholeService),
            ("arn:aws:sqs:‹region›:‹account›:*", AccountWide),
            ("arn:aws:sqs:‹region›:‹account›:?*", AccountWide),
            ("arn:aws:sns:eu-west-1:123456789012:??*", AccountWide),
            ("arn:aws:dynamodb:*:123456789012:*", AccountWide),
            ("arn:aws:iam::*:role/*", WholeType),
            ("arn:aws:iam::*:role*", WholeType),
            ("arn:aws:iam::*:role/?*", WholeType),
            ("arn:aws:iam::*:role/*/*", WholeType),
            ("arn:aws:iam::‹account›:role/*", WholeType),
            ("arn:aws:iam:*:role/*", WholeType),
            ("arn:aws:kms:*:*:key/?*", WholeType),
            ("arn:aws:kms:*:*:key/*-*-*-*-*", WholeType),
            ("arn:aws:kms:*:*:key/????????-????-????-????-????????????", WholeType),
            ("arn:aws:secretsmanager:*:*:secret:*", WholeType),
            ("arn:aws:secretsmanager:*:*:secret:*-??????", WholeType),
            ("arn:aws:ec2:*:*:instance/i-*", WholeType),
            ("arn:aws:ec2:*:*:instance/i-0*", Prefix),
            ("arn:aws:ec2:*:*:elastic-ip/eipalloc-*", WholeType),
            ("arn:aws:ec2:*:*:security-group/sg-*", WholeType),
            ("arn:aws:ec2:*::snapshot/snap-*", WholeType),
            ("arn:aws:ec2:*:*:vpc-endpoint/vpce-?*", WholeType),
            ("arn:aws:elasticfilesystem:*:*:file-system/fs-*", WholeType),
            ("arn:aws:logs:*:*:log-group:*:*", WholeType),
            ("arn:aws:dynamodb:*:*:table/*/index/*", WholeType),
            ("arn:aws:dynamodb:*:*:table*", WholeType),
            ("arn:aws:lambda:eu-west-1:‹account›:function:?*", WholeType),
            ("arn:aws:iam::*:role/service-role/*", Prefix),
            ("arn:aws:iam::*:role/x-*", Prefix),
            ("arn:aws:iam::*:role/????", Prefix),
            ("arn:aws:iam::*:user/*/${aws:username}", Prefix),
            ("arn:aws:iam::*:user/${aws:username}*", Prefix),
            ("arn:aws:kms:*:*:key/mrk-*", Prefix),
            ("arn:aws:s3:::b/*", Prefix),
            ("arn:aws:s3:::b-*/*", Prefix),
            ("arn:aws:s3:::*-logs", Prefix),
            ("arn:aws:s3:::*/public/*", Prefix),
            ("arn:aws:s3:::‹v›/*", Prefix),
            ("arn:aws:s3:::‹v›*/*", Prefix),
            ("‹v›/*", Prefix),
            ("arn:aws:s3:::b", Exact),
            ("arn:aws:s3:::‹v›", Exact),
            ("‹v›", Unknown),
        ] {
            assert_eq!(breadth_of(&text(t)), expected, "{t}");
        }
    }

    #[test]
    fn which_types_are_covered_whole() {
        let types = |t: &str| {
            let mut names: Vec<_> = fully_covered_types(&text(t)).iter().map(|k| k.name()).collect();
            names.sort_unstable();
            names.dedup();
            names.join(" ")
        };
        assert_eq!(types("arn:aws:iam::*:group*"), "group");
        assert_eq!(types("arn:aws:sqs:*:*:?*"), "queue");
        // Image Builder and Kinesis have a type of their own for a key.
        assert_eq!(types("arn:aws:kms:*:111122223333:*"), "alias key kmsKey");
        assert_eq!(types("arn:aws:kms:*:111122223333:key/mrk-*"), "");
        // Access points have a region and an account, buckets have neither.
        assert_eq!(types("arn:aws:s3:::*/*"), "object");
        assert!(types("arn:aws:s3:*:*:*/*").contains("accesspoint"));
        assert_eq!(types("*"), "");
    }

    #[test]
    fn every_role_or_user() {
        for (t, every) in [
            ("*", true),
            ("arn:aws:iam::*:*", true),
            ("arn:aws:iam::111122223333:role*", true),
            ("arn:aws:iam::111122223333:r*", true),
            ("arn:aws:iam::111122223333:role/?*", true),
            ("arn:aws:iam::111122223333:role/app-*", false),
            ("arn:aws:iam::111122223333:user/*", false),
            ("arn:aws:s3:::*", false),
        ] {
            assert_eq!(covers_every(&text(t), "role"), every, "{t}");
        }
    }
}
