//! Connectors: the policy on the source's (or destination's) role.
//! SAM Developer Guide, "AWS SAM connector reference". Connectors that become a permission or a resource policy on the
//! destination name the source and nothing else, and are left out.

use crate::formats::cloudformation::resources::Base;
use crate::model::Resource;
use crate::source::{Span, Target, Text};
use crate::value::{Kind, Value};

use super::Sam;
use super::props::{Props, arn, map, resource};

/// What a connector between two types allows.
struct Profile {
    from: &'static str,
    to: &'static str,
    read: &'static [Grant],
    write: &'static [Grant],
    /// The policy is on the destination's role and about the source.
    reversed: bool,
}

/// Actions, and what follows the ARN of the resource; `execution` stands for a state machine's executions.
type Grant = (&'static [&'static str], &'static [&'static str]);

const FUNCTION: &str = "AWS::Lambda::Function";
const MACHINE: &str = "AWS::StepFunctions::StateMachine";
const TABLE: &str = "AWS::DynamoDB::Table";
const QUEUE: &str = "AWS::SQS::Queue";
const BUCKET: &str = "AWS::S3::Bucket";
const TOPIC: &str = "AWS::SNS::Topic";
const BUS: &str = "AWS::Events::EventBus";

const BUCKET_READ: &[Grant] = &[(
    &[
        "s3:GetObject",
        "s3:GetObjectAcl",
        "s3:GetObjectLegalHold",
        "s3:GetObjectRetention",
        "s3:GetObjectTorrent",
        "s3:GetObjectVersion",
        "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionForReplication",
        "s3:GetObjectVersionTorrent",
        "s3:ListBucket",
        "s3:ListBucketMultipartUploads",
        "s3:ListBucketVersions",
        "s3:ListMultipartUploadParts",
    ],
    &["", "/*"],
)];
const BUCKET_WRITE: &[Grant] = &[(
    &[
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:PutObject",
        "s3:PutObjectLegalHold",
        "s3:PutObjectRetention",
        "s3:RestoreObject",
    ],
    &["", "/*"],
)];
const TABLE_READ: &[Grant] = &[(
    &[
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "dynamodb:BatchGetItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:PartiQLSelect",
    ],
    &["", "/index/*"],
)];
const TABLE_WRITE: &[Grant] = &[(
    &[
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:PartiQLDelete",
        "dynamodb:PartiQLInsert",
        "dynamodb:PartiQLUpdate",
    ],
    &["", "/index/*"],
)];
const INVOKE: &[Grant] = &[(&["lambda:InvokeAsync", "lambda:InvokeFunction"], &[""])];
const PUBLISH: &[Grant] = &[(&["sns:Publish"], &[""])];
const PUT_EVENTS: &[Grant] = &[(&["events:PutEvents"], &[""])];

const PROFILES: &[Profile] = &[
    writes(FUNCTION, FUNCTION, INVOKE),
    both(FUNCTION, BUCKET, BUCKET_READ, BUCKET_WRITE),
    both(FUNCTION, TABLE, TABLE_READ, TABLE_WRITE),
    both(
        FUNCTION,
        QUEUE,
        &[(&["sqs:ReceiveMessage", "sqs:GetQueueAttributes"], &[""])],
        &[(
            &[
                "sqs:DeleteMessage",
                "sqs:SendMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:PurgeQueue",
            ],
            &[""],
        )],
    ),
    writes(FUNCTION, TOPIC, PUBLISH),
    both(
        FUNCTION,
        MACHINE,
        &[
            (&["states:DescribeStateMachine", "states:ListExecutions"], &[""]),
            (
                &[
                    "states:DescribeExecution",
                    "states:DescribeStateMachineForExecution",
                    "states:GetExecutionHistory",
                ],
                &["execution"],
            ),
        ],
        &[
            (&["states:StartExecution", "states:StartSyncExecution"], &[""]),
            (&["states:StopExecution"], &["execution"]),
        ],
    ),
    writes(FUNCTION, BUS, PUT_EVENTS),
    writes(MACHINE, FUNCTION, INVOKE),
    writes(MACHINE, TOPIC, PUBLISH),
    writes(MACHINE, QUEUE, &[(&["sqs:SendMessage"], &[""])]),
    both(MACHINE, BUCKET, BUCKET_READ, BUCKET_WRITE),
    both(MACHINE, TABLE, TABLE_READ, TABLE_WRITE),
    both(
        MACHINE,
        MACHINE,
        &[(&["states:DescribeExecution"], &["execution"])],
        &[
            (&["states:StartExecution"], &[""]),
            (&["states:StopExecution"], &["execution"]),
        ],
    ),
    writes(MACHINE, BUS, PUT_EVENTS),
    Profile {
        from: TABLE,
        to: FUNCTION,
        read: &[(
            &[
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ],
            &["/stream/*"],
        )],
        write: &[],
        reversed: true,
    },
    Profile {
        from: QUEUE,
        to: FUNCTION,
        read: &[(&["sqs:ReceiveMessage", "sqs:GetQueueAttributes"], &[""])],
        write: &[(&["sqs:DeleteMessage"], &[""])],
        reversed: true,
    },
];

const fn both(from: &'static str, to: &'static str, read: &'static [Grant], write: &'static [Grant]) -> Profile {
    Profile {
        from,
        to,
        read,
        write,
        reversed: false,
    }
}

const fn writes(from: &'static str, to: &'static str, write: &'static [Grant]) -> Profile {
    both(from, to, &[], write)
}

impl Sam<'_, '_> {
    /// `AWS::Serverless::Connector`.
    pub(super) fn connector(&self, base: &Base, props: Props, out: &mut Vec<Resource>) {
        let source = props.get("Source").and_then(|s| self.end(s));
        let destinations = props.get("Destination").map_or(&[][..], Value::items);
        for (i, destination) in destinations.iter().enumerate() {
            let (Some(source), Some(destination)) = (&source, self.end(destination)) else {
                continue;
            };
            let id = if i == 0 {
                base.id.to_string()
            } else {
                format!("{}{i}", base.id)
            };
            out.extend(self.connected(base, &id, base.header, source, &destination, props.get("Permissions")));
        }
    }

    /// The `Connectors` attribute of a resource, whose source is the resource.
    pub(in crate::formats::cloudformation) fn embedded_connectors(
        &self,
        base: &Base,
        connectors: &Value,
        out: &mut Vec<Resource>,
    ) {
        let source = End {
            kind: canonical(&base.kind).to_owned(),
            id: base.id.to_string(),
        };
        for connector in connectors.entries().unwrap_or(&[]) {
            let destinations = connector.value.path(&["Properties", "Destination"]);
            let permissions = connector.value.path(&["Properties", "Permissions"]);
            for destination in destinations.map_or(&[][..], Value::items) {
                let Some(destination) = self.end(destination) else {
                    continue;
                };
                let id = format!("{}{}", base.id, connector.key.display());
                out.extend(self.connected(base, &id, connector.key_span, &source, &destination, permissions));
            }
        }
    }

    /// One end of a connector; only those that name a resource of the template by `Id`.
    fn end(&self, value: &Value) -> Option<End> {
        let id = value.get("Id")?.as_str()?.into_owned();
        let kind = &self.template.resources.get(&id)?.kind;
        Some(End {
            kind: canonical(kind).to_owned(),
            id,
        })
    }

    fn connected(
        &self,
        base: &Base,
        id: &str,
        at: Span,
        source: &End,
        destination: &End,
        permissions: Option<&Value>,
    ) -> Option<Resource> {
        let profile = PROFILES
            .iter()
            .find(|p| p.from == source.kind && p.to == destination.kind)?;
        let wants =
            |word: &str| permissions.is_some_and(|p| p.items().iter().any(|i| i.as_str().as_deref() == Some(word)));
        let (holder, subject) = if profile.reversed {
            (destination, source)
        } else {
            (source, destination)
        };
        let grants = [("Read", profile.read), ("Write", profile.write)];
        let statements: Vec<Value> = grants
            .iter()
            .filter(|(word, _)| wants(word))
            .flat_map(|(_, grants)| grants.iter())
            .map(|grant| self.statement(grant, subject, at))
            .collect();
        if statements.is_empty() {
            return None;
        }
        let document = map(
            vec![
                ("Version", Value::made("2012-10-17", at)),
                ("Statement", Value::seq(statements, at)),
            ],
            at,
        );
        let mut props = Props { entries: Vec::new() };
        props.push("SamTemplate", at, Value::made("Connector", at));
        props.push("PolicyDocument", at, document);
        props.push(
            "Roles",
            at,
            Value::seq(vec![resource(self.role_of(&holder.id), at)], at),
        );
        let mut made = self.made("AWS::IAM::ManagedPolicy", &format!("{id}Policy"), base, props);
        made.header = at;
        Some(made)
    }

    fn statement(&self, (actions, suffixes): &Grant, subject: &End, at: Span) -> Value {
        let actions = actions.iter().map(|a| Value::made(a, at)).collect();
        let resources = suffixes.iter().map(|suffix| {
            if *suffix == "execution" {
                let mut text = arn("arn:%partition:states:%region:%account:execution:", at);
                append(&mut text, &resource(self.template.target(&subject.id, "Name"), at));
                text.append(&Text::made(":*", at));
                return Value::text(text, at);
            }
            let mut text = Text::default();
            append(&mut text, &resource(self.template.target(&subject.id, "Arn"), at));
            if !suffix.is_empty() {
                text.append(&Text::made(suffix, at));
            }
            Value::text(text, at)
        });
        map(
            vec![
                ("Effect", Value::made("Allow", at)),
                ("Action", Value::seq(actions, at)),
                ("Resource", Value::new(Kind::Seq(resources.collect()), at)),
            ],
            at,
        )
    }

    /// The role that the resource `id` runs with.
    fn role_of(&self, id: &str) -> Target {
        let template = self.template;
        let tree = &template.doc.tree;
        let named = template
            .resources
            .get(id)
            .and_then(|r| tree.get(r.node?, "Properties"))
            .and_then(|p| tree.get(p, "Role").or_else(|| tree.get(p, "RoleArn")))
            .and_then(|r| template.value(template.env(), r))
            .and_then(|v| v.as_hole()?.target.clone());
        named.unwrap_or_else(|| template.target(&format!("{id}Role"), ""))
    }
}

fn append(text: &mut Text, value: &Value) {
    if let Some(part) = value.as_text() {
        text.append(part);
    }
}

/// A resource that a connector starts or ends at.
struct End {
    kind: String,
    id: String,
}

/// CloudFormation's type for a SAM type.
fn canonical(kind: &str) -> &str {
    match kind {
        "AWS::Serverless::Function" => FUNCTION,
        "AWS::Serverless::StateMachine" => MACHINE,
        "AWS::Serverless::SimpleTable" => TABLE,
        other => other,
    }
}
