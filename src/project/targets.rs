//! What calls and grants are about, distinguished where that is certain.
//!
//! **Invariant:** a place is compared without partition, region and account, and two places are apart only if no deployment can
//! make them one: names that are written differ, or each is made by AWS for a resource of its own.

use super::{Project, ResourceId, Workload};
use crate::iam::pattern::{Pattern, overlaps};
use crate::iam::{Action, SourceFormat, Statement, Truth, glob::CaseSensitivity};
use crate::index::Id;
use crate::model::Resource;
use crate::model::resource_types::{self, ArnForm};
use crate::python::calls::ApiCall;
use crate::source::{Hole, HoleKind, Piece, Span, Text};
use crate::value::Value;

/// How many values may refer to each other.
const MAX_DEPTH: usize = 4;
/// First of the characters that stand for names that AWS makes; the n-th resource's is this plus n (supplementary private use
/// plane B, which no name has).
const MARK: u32 = 0x10_0000;

/// One or more resources of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceRef {
    service: String,
    /// What follows the account in the ARN.
    rest: Text,
}

/// Services whose calls say in their parameters all of the ARN that AWS checks.
const CERTAIN: &[&str] = &[
    "bedrock",
    "dynamodb",
    "events",
    "firehose",
    "iam",
    "kinesis",
    "kms",
    "lambda",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "states",
];

/// Actions of these services that AWS checks on more, or on another thing, than the parameter says: those of roles by name on
/// an ARN with a path, a path of parameters on all that is below it.
const ELSEWHERE: &[&str] = &["iam:", "ssm:GetParametersByPath"];

/// The places of a project.
#[derive(Clone, Copy)]
pub(crate) struct ResourceRefs<'p> {
    project: &'p Project<'p>,
}

impl<'p> ResourceRefs<'p> {
    pub(crate) fn new(project: &'p Project<'p>) -> Self {
        Self { project }
    }

    /// Where `call` needs `action` when `workload` makes it; `None` where it may be anywhere.
    pub(crate) fn targets_of_call(
        &self,
        workload: &Workload,
        call: &ApiCall,
        action: Action,
    ) -> Option<Vec<ResourceRef>> {
        let known = self.known_resources(workload, call, action);
        let all = known.len() == call.resources_of(action.name()).len();
        (all && !known.is_empty()).then(|| known.into_iter().map(|(_, place)| place).collect())
    }

    /// The same as the call names it and as it is, for those of its resources of which that is known.
    pub(crate) fn known_resources<'c>(
        &self,
        workload: &Workload,
        call: &'c ApiCall,
        action: Action,
    ) -> Vec<(&'c Text, ResourceRef)> {
        let environment = self.environment(workload);
        let name = action.name();
        if ELSEWHERE.iter().any(|e| name.starts_with(e)) && name != "iam:PassRole" {
            return Vec::new();
        }
        call.resources_of(name)
            .iter()
            .filter_map(|text| {
                let place = self.resolve(text, environment)?;
                // The call's other actions may be about something else.
                let arn = Pattern::resource(&place.arn(call.span));
                let fits = action.resource_types().any(|t| t.matches(&arn).may_be());
                (fits && CERTAIN.contains(&&*place.service) && place.is_complete()).then_some((text, place))
            })
            .collect()
    }

    /// The place that an ARN or a reference names, where `action` is checked there and on nothing else.
    pub(crate) fn place_of(&self, named: &Text, action: Action) -> Option<ResourceRef> {
        let place = self.resolve(named, None)?;
        let at = named.span_of(0..named.len().min(1))?;
        let arn = Pattern::resource(&place.arn(at));
        let fits = action.resource_types().any(|t| t.matches(&arn).may_be());
        (fits && CERTAIN.contains(&&*place.service) && place.is_complete()).then_some(place)
    }

    /// One of the resources of a call that `workload` makes, as the environment names it.
    pub(crate) fn display_resource(&self, workload: &Workload, text: &Text) -> String {
        let mut out = Text::default();
        for piece in text.pieces() {
            let said = match piece {
                Piece::Hole(hole) => hole.name.strip_prefix("env.").and_then(|name| {
                    let environment = self.environment(workload)?;
                    environment.get(name)?.to_text()
                }),
                Piece::Lit(_) => None,
            };
            match said {
                Some(said) => out.append(&said),
                None => out.push(piece.clone()),
            }
        }
        out.display()
    }

    /// One of the resources of a call that `workload` makes, as an ARN in which the environment's variables stand for what
    /// the repository gives them; `None` where it names none of them, or they stay unknown.
    pub(crate) fn in_environment(&self, workload: &Workload, text: &Text) -> Option<Text> {
        let from_outside = |t: &Text| t.holes().any(|h| h.name.starts_with("env."));
        let environment = self.environment(workload).filter(|_| from_outside(text))?;
        let resolved = self.resolved(text, Some(environment), 0)?;
        let flat = resolved.prefix();
        let placeless = flat.starts_with("https://") || flat.split(':').nth(4) == Some("");
        let whole = match self.resolve(&resolved, None).filter(|p| placeless && p.service != "s3") {
            Some(place) => place.deployed_arn(text.holes().next()?.span),
            None => resolved,
        };
        let named = self.with_resource_names(&whole);
        (!from_outside(&named)).then_some(named)
    }

    /// The text with the resources' own names in the place of the marks for what AWS calls them.
    fn with_resource_names(&self, text: &Text) -> Text {
        let mut out = Text::default();
        for piece in text.pieces() {
            let Piece::Lit(lit) = piece else {
                out.push(piece.clone());
                continue;
            };
            let own = Text::from_pieces([piece.clone()]);
            let mut from = 0;
            for (at, mark) in lit.text.char_indices().filter(|(_, c)| *c as u32 >= MARK) {
                out.append(&own.slice(from..at));
                from = at + mark.len_utf8();
                if let Some(r) = self
                    .project
                    .resources
                    .get(ResourceId::new((mark as u32 - MARK) as usize))
                {
                    out.append(&Text::hole(Hole::new(
                        HoleKind::Resource,
                        r.address.name.clone(),
                        r.header,
                    )));
                }
            }
            out.append(&own.slice(from..lit.text.len()));
        }
        out
    }

    fn environment(&self, workload: &Workload) -> Option<&'p Value> {
        self.project.resources[workload.resource].path(&["Environment", "Variables"])
    }

    /// Whether a statement grants nothing at any of `places`.
    pub(crate) fn grants_none_of(&self, statement: &Statement, places: &[ResourceRef]) -> bool {
        let Some(clause) = statement.resource.as_ref().filter(|c| !c.negated && c.complete) else {
            return false;
        };
        !clause.items.is_empty()
            && clause.items.iter().all(|item| {
                self.resolve(&item.text, None)
                    .is_some_and(|granted| places.iter().all(|p| p.is_distinct_from(&granted)))
            })
    }

    /// Whether what a statement says it is about may be at a place.
    pub(crate) fn names(&self, statement: &Statement, place: &ResourceRef) -> bool {
        let clause = statement.resource.as_ref().filter(|c| !c.negated);
        clause.is_some_and(|c| {
            let mut named = c.items.iter().filter_map(|item| self.resolve(&item.text, None));
            named.any(|named| !place.is_distinct_from(&named))
        })
    }

    /// The place that an ARN, a queue's URL, or a reference to a resource names.
    fn resolve(&self, text: &Text, environment: Option<&Value>) -> Option<ResourceRef> {
        let text = self.resolved(text, environment, 0)?;
        let flat = text.with_placeholders();
        if flat.starts_with("https://sqs.") {
            let (head, name) = flat.rsplit_once('/')?;
            let rest = text.slice(head.len() + 1..head.len() + 1 + name.len());
            return Some(ResourceRef {
                service: "sqs".to_owned(),
                rest,
            });
        }
        if !flat.starts_with("arn:") {
            return None;
        }
        let (at, _) = flat.match_indices(':').nth(4)?;
        let service = flat.split(':').nth(2)?;
        let mut end = flat.len();
        // A version, an alias, or all of them, may follow the name.
        if matches!(service, "lambda" | "states")
            && let Some((more, _)) = flat[at + 1..].match_indices(':').nth(1)
        {
            end = at + 1 + more;
        }
        // A function's account may stand before its name.
        if flat[at..].matches("function:").count() > 1 {
            return None;
        }
        let plain = service.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let rest = text.slice(at + 1..end);
        (plain && !service.is_empty()).then(|| ResourceRef {
            service: service.to_owned(),
            rest: match service {
                "secretsmanager" => secret_name_part(&rest),
                "ssm" => parameter_name_part(&rest),
                _ => rest,
            },
        })
    }

    /// The text as an ARN, where it refers to resources of the repository by their ARNs or names: of the type, in some account
    /// and region, and with a word for each name.
    pub(crate) fn as_arn(&self, text: &Text) -> Option<Text> {
        let mut out = Text::default();
        for piece in text.pieces() {
            let named = match piece {
                Piece::Hole(hole) => self.reference(hole),
                Piece::Lit(_) => None,
            };
            match named {
                Some(named) if out.is_empty() || !named.prefix().starts_with("arn:") => out.append(&named),
                Some(_) => return None,
                None => out.push(piece.clone()),
            }
        }
        Some(out)
    }

    /// Whether a text begins with the name or the URL of a resource of the repository, where its ARN must be.
    pub(crate) fn begins_with_name(&self, text: &Text) -> bool {
        let Some(Piece::Hole(hole)) = text.pieces().first() else {
            return false;
        };
        let attribute = hole.target.as_ref().map(|t| &*t.attribute);
        let (Some(attribute), Some((_, resource))) = (attribute, self.target(hole)) else {
            return false;
        };
        // What a call of Python returns is more than a name.
        resource.format != SourceFormat::Python
            && arn_form(resource).is_some_and(|n| n.names.contains(&attribute) || n.urls.contains(&attribute))
    }

    /// The one resource of the repository that a hole refers to.
    pub(crate) fn target(&self, hole: &Hole) -> Option<(ResourceId, &'p Resource)> {
        // Which of several is meant is not known.
        let [id] = *self.project.resources_at(hole.target.as_ref()?) else {
            return None;
        };
        let resource = &self.project.resources[id];
        resource.instances.is_none().then_some((id, resource))
    }

    fn reference(&self, hole: &Hole) -> Option<Text> {
        let (attribute, (_, resource)) = (&*hole.target.as_ref()?.attribute, self.target(hole)?);
        let form = arn_form(resource)?;
        if form.names.contains(&attribute) {
            return Some(Text::synthetic("name", hole.span));
        }
        form.arns.contains(&attribute).then(|| {
            let place = ResourceRef {
                service: form.service.to_owned(),
                rest: Text::synthetic(&format!("{}name", form.before), hole.span),
            };
            place.arn(hole.span)
        })
    }

    /// The text with what the environment and the resources of the repository say in the place of its holes.
    fn resolved(&self, text: &Text, environment: Option<&Value>, depth: usize) -> Option<Text> {
        let mut out = Text::default();
        for piece in text.pieces() {
            let Piece::Hole(hole) = piece else {
                out.push(piece.clone());
                continue;
            };
            let Some(found) = self.resolve_hole(hole, environment, depth) else {
                out.push(piece.clone());
                continue;
            };
            // A parameter that takes a name takes an ARN as well.
            let whole = found.prefix().starts_with("arn:") || found.prefix().starts_with("https:");
            match (out.is_empty(), whole, environment.is_some() || depth > 0) {
                (true, _, _) | (_, false, _) => out.append(&found),
                (false, true, true) if !text.prefix().starts_with("arn:aws:s3:") => return Some(found),
                (false, true, _) => return None,
            }
        }
        Some(out)
    }

    fn resolve_hole(&self, hole: &Hole, environment: Option<&Value>, depth: usize) -> Option<Text> {
        if depth >= MAX_DEPTH {
            return None;
        }
        if let Some(name) = hole.name.strip_prefix("env.") {
            return self.resolved(&environment?.get(name)?.to_text()?, None, depth + 1);
        }
        let target = hole.target.as_ref()?;
        let (id, r) = self.target(hole)?;
        let form = arn_form(r)?;
        let property = form.property?;
        // A path stands before the name.
        if r.get("Path").is_some_and(|p| p.as_str().as_deref() != Some("/")) {
            return None;
        }
        let name = self.name(id, r, property, depth)?;
        if form.names.contains(&&*target.attribute) {
            return Some(name);
        }
        let says_all = form.arns.iter().chain(form.urls).any(|a| **a == *target.attribute);
        says_all.then(|| {
            let mut arn = Text::synthetic(&format!("arn:aws:{}:::{}", form.service, form.before), hole.span);
            arn.append(&name);
            arn
        })
    }

    /// The physical name: as it is written, or a mark where AWS makes one.
    fn name(&self, id: ResourceId, r: &Resource, property: &str, depth: usize) -> Option<Text> {
        match r.get(property).filter(|v| !v.is_null()) {
            Some(value) => self.resolved(&value.to_text()?, None, depth + 1),
            None => {
                let mark = char::from_u32(MARK.checked_add(u32::try_from(id.index()).ok()?)?)?;
                Some(Text::synthetic(&mark.to_string(), r.header))
            }
        }
    }
}

fn arn_form(r: &Resource) -> Option<&'static ArnForm> {
    let form = resource_types::find(&r.kind)?.arn.as_ref();
    // Most actions on a log group are checked against the ARN of its streams.
    form.filter(|f| f.service != "logs")
}

/// A secret's part of an ARN without the six characters that AWS adds to its name, or a pattern for it where these cannot be
/// derived from the name (AWS Secrets Manager User Guide, "What's in a Secrets Manager secret?").
fn secret_name_part(rest: &Text) -> Text {
    let flat = rest.with_placeholders();
    let Some((name, last)) = flat.rsplit_once('-') else {
        return rest.clone();
    };
    let mut out = rest.slice(0..name.len());
    let span = rest.pieces().first().and_then(|_| rest.span_of(0..flat.len().min(1)));
    match last {
        "??????" => out,
        _ if last == "*" || last.len() == 6 && last.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            let Some(span) = span else { return rest.clone() };
            out.append(&Text::synthetic("*", span));
            out
        }
        _ => rest.clone(),
    }
}

/// A parameter's part of an ARN with one slash before its name, whether that begins with one or not, and without a version or
/// label.
fn parameter_name_part(rest: &Text) -> Text {
    let flat = rest.with_placeholders().into_owned();
    let end = flat.find(':').unwrap_or(flat.len());
    match flat.strip_prefix("parameter//") {
        Some(_) => {
            let mut out = rest.slice(0.."parameter/".len());
            out.append(&rest.slice("parameter//".len()..end));
            out
        }
        None => rest.slice(0..end),
    }
}

impl ResourceRef {
    /// Whether it is all that AWS checks. A key may be named by its alias, and those that AWS made are pasted as well; a model
    /// by a profile, which needs its models too; AWS's own parameters are for everyone.
    fn is_complete(&self) -> bool {
        let rest = self.rest.with_placeholders();
        match &*self.service {
            "bedrock" => rest
                .strip_prefix("foundation-model/")
                .is_some_and(|m| m.matches('.').count() == 1),
            "kms" => rest.chars().any(|c| c as u32 >= MARK),
            "ssm" => !rest.starts_with("parameter/aws/"),
            _ => true,
        }
    }

    /// As the ARN that it may have.
    fn arn(&self, span: Span) -> Text {
        let place = match &*self.service {
            "s3" => ":",
            "iam" => ":111122223333",
            "bedrock" if self.rest.prefix().starts_with("foundation-model/") => "eu-west-1:",
            _ => "eu-west-1:111122223333",
        };
        let mut arn = Text::synthetic(&format!("arn:aws:{}:{place}:", self.service), span);
        arn.append(&self.with_secret_suffix(span));
        arn
    }

    /// As the ARN that it has in the account and region that are deployed to.
    fn deployed_arn(&self, span: Span) -> Text {
        let hole = |kind, name: &str| Text::hole(Hole::new(kind, name, span));
        let mut arn = Text::synthetic(&format!("arn:aws:{}:", self.service), span);
        arn.append(&hole(HoleKind::Region, "AWS::Region"));
        arn.append(&Text::synthetic(":", span));
        arn.append(&hole(HoleKind::Account, "AWS::AccountId"));
        arn.append(&Text::synthetic(":", span));
        arn.append(&self.with_secret_suffix(span));
        arn
    }

    /// With what AWS adds to a secret's name.
    fn with_secret_suffix(&self, span: Span) -> Text {
        let mut out = self.rest.clone();
        if self.service == "secretsmanager" && !out.with_placeholders().ends_with('*') {
            out.append(&Text::synthetic("-??????", span));
        }
        out
    }

    /// Whether two places are certainly different.
    pub(crate) fn is_distinct_from(&self, other: &Self) -> bool {
        if self.service != other.service {
            return true;
        }
        overlaps(&self.rest, &other.rest, CaseSensitivity::Sensitive) == Truth::No
            && !self.may_be_generated_name(other)
            && !other.may_be_generated_name(self)
    }

    /// Whether a name that AWS makes may be what `other` has a pattern for.
    fn may_be_generated_name(&self, other: &Self) -> bool {
        let [own, others] = [&self.rest, &other.rest].map(|t| t.with_placeholders().into_owned());
        let segments = |s: &str| s.split(['/', ':']).map(str::to_owned).collect::<Vec<_>>();
        let others = segments(&others);
        let open = |s: &String| {
            s.chars()
                .any(|c| matches!(c, '*' | '?') || Text::placeholder(c).is_some())
        };
        segments(&own)
            .iter()
            .enumerate()
            .filter(|(_, s)| s.chars().any(|c| c as u32 >= MARK))
            .any(|(i, _)| others.iter().take(i + 1).any(open))
    }
}
