//! What a service does with the caller's rights, by the parameters of a call.
//! AWS IAM User Guide, "Forward access sessions".

use crate::iam::sdk::{self, Client, RightOn, SdkOperation};
use crate::python::calls::ConditionalAction;
use crate::python::calls::permissions::{ArgumentPresence, ArgumentReader, CallSite, presence_at, text_of};
use crate::source::{Span, Text};
use crate::value::Value;

impl ArgumentReader<'_, '_> {
    /// The actions that the parameters of a call need beside its own.
    pub(super) fn caller_rights(&self, client: Client, op: SdkOperation, site: &CallSite) -> Vec<ConditionalAction> {
        let mut out = Vec::new();
        for right in sdk::caller_rights(client.name(), op.name()) {
            let mut parts = right.parameter.split('.');
            let first = parts.next().unwrap_or_default();
            let rest: Vec<&str> = parts.collect();
            let given = self.argument(site, first);
            let presence = match &given {
                Some(v) => presence_at(v, &rest, 0).0,
                None => self.argument_presence(site, first),
            };
            let trigger = match presence {
                ArgumentPresence::Yes => Some(right.parameter.into()),
                ArgumentPresence::Perhaps => None,
                ArgumentPresence::No => continue,
            };
            let on = given
                .filter(|_| trigger.is_some())
                .and_then(|v| resource(&v, &rest, right.holds));
            out.extend(right.actions.iter().map(|action| ConditionalAction {
                trigger: trigger.clone(),
                resources: on.iter().cloned().collect(),
                ..ConditionalAction::possible(action)
            }));
        }
        out
    }
}

/// What something is done to, as far as the parameter says it.
fn resource(v: &Value, path: &[&str], holds: RightOn) -> Option<Text> {
    let mut at = v;
    for step in path {
        at = match *step {
            "[]" => match at.items() {
                [one] => one,
                _ => return None,
            },
            name => at.get(name)?,
        };
    }
    match holds {
        RightOn::Object => {
            let bucket = ["Bucket", "S3Bucket"].iter().find_map(|name| at.get(name))?;
            let key = ["Name", "Key", "S3Key"].iter().find_map(|name| at.get(name))?;
            let mut object = bucket_arn(bucket)?;
            object.append(&Text::synthetic("/", Span::NOWHERE));
            object.append(&text_of(key)?);
            Some(object)
        }
        RightOn::Bucket => {
            let mut objects = bucket_arn(at)?;
            objects.append(&Text::synthetic("/*", Span::NOWHERE));
            Some(objects)
        }
        RightOn::Uri => {
            let text = text_of(at)?;
            let flat = text.with_placeholders().into_owned();
            let rest = flat.strip_prefix("s3://")?;
            let mut object = Text::synthetic("arn:aws:s3:::", Span::NOWHERE);
            object.append(&text.slice(flat.len() - rest.len()..flat.len()));
            if rest.ends_with('/') {
                object.append(&Text::synthetic("*", Span::NOWHERE));
            }
            Some(object)
        }
        RightOn::Arn => text_of(at),
        RightOn::Any => None,
    }
}

fn bucket_arn(name: &Value) -> Option<Text> {
    let name = text_of(name)?;
    if name.prefix().starts_with("arn:") {
        return Some(name);
    }
    let mut arn = Text::synthetic("arn:aws:s3:::", Span::NOWHERE);
    arn.append(&name);
    Some(arn)
}
