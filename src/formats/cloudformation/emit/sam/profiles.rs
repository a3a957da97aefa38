//! What connectors between two types of resources allow.
//! SAM Developer Guide, "AWS SAM connector reference".

/// What a connector from one type to another makes.
pub(super) struct ConnectorProfile {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) makes: ConnectorOutput,
}

pub(super) enum ConnectorOutput {
    /// A managed policy on the role of the source, about the destination: for reading, for writing.
    Policy(&'static [ConnectorGrant], &'static [ConnectorGrant]),
    /// One on the role of the destination, about the source.
    Reversed(&'static [ConnectorGrant], &'static [ConnectorGrant]),
    /// A permission for this service to invoke the destination.
    Permission(&'static str),
    /// A policy of the destination that lets this service write to it.
    Resource(Delivery, &'static str),
}

/// The type of a resource policy, what it ends the logical id with, its list of resources, and the action.
pub(super) type Delivery = (&'static str, &'static str, &'static str, &'static str);

const QUEUE_POLICY: Delivery = ("AWS::SQS::QueuePolicy", "QueuePolicy", "Queues", "sqs:SendMessage");
const TOPIC_POLICY: Delivery = ("AWS::SNS::TopicPolicy", "TopicPolicy", "Topics", "sns:Publish");

/// Actions, and what follows the ARN of the resource; `execution` stands for a state machine's executions, `rule` for the
/// rule through which a state machine waits for another.
pub(super) type ConnectorGrant = (&'static [&'static str], &'static [&'static str]);

pub(super) const FUNCTION: &str = "AWS::Lambda::Function";
pub(super) const MACHINE: &str = "AWS::StepFunctions::StateMachine";
pub(super) const TABLE: &str = "AWS::DynamoDB::Table";
pub(super) const QUEUE: &str = "AWS::SQS::Queue";
pub(super) const BUCKET: &str = "AWS::S3::Bucket";
pub(super) const TOPIC: &str = "AWS::SNS::Topic";
const BUS: &str = "AWS::Events::EventBus";
pub(super) const RULE: &str = "AWS::Events::Rule";
pub(super) const REST: &str = "AWS::ApiGateway::RestApi";
pub(super) const HTTP: &str = "AWS::ApiGatewayV2::Api";
pub(super) const GRAPH: &str = "AWS::AppSync::GraphQLApi";
pub(super) const DATA: &str = "AWS::AppSync::DataSource";
const PLACES: &str = "AWS::Location::PlaceIndex";

const BUCKET_READ: &[ConnectorGrant] = &[(
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
const BUCKET_WRITE: &[ConnectorGrant] = &[(
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
pub(super) const TABLE_READ: &[ConnectorGrant] = &[(
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
pub(super) const TABLE_WRITE: &[ConnectorGrant] = &[(
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
const INVOKE: &[ConnectorGrant] = &[(&["lambda:InvokeAsync", "lambda:InvokeFunction"], &[""])];
/// A data source may name a version.
pub(super) const INVOKE_VERSIONS: &[ConnectorGrant] =
    &[(&["lambda:InvokeAsync", "lambda:InvokeFunction"], &["", ":*"])];
const PUBLISH: &[ConnectorGrant] = &[(&["sns:Publish"], &[""])];
const PUT_EVENTS: &[ConnectorGrant] = &[(&["events:PutEvents"], &[""])];

pub(super) const PROFILES: &[ConnectorProfile] = &[
    writes(FUNCTION, FUNCTION, INVOKE),
    read_write_profile(FUNCTION, BUCKET, BUCKET_READ, BUCKET_WRITE),
    read_write_profile(FUNCTION, TABLE, TABLE_READ, TABLE_WRITE),
    read_write_profile(
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
    read_write_profile(
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
    read_write_profile(MACHINE, BUCKET, BUCKET_READ, BUCKET_WRITE),
    read_write_profile(MACHINE, TABLE, TABLE_READ, TABLE_WRITE),
    read_write_profile(
        MACHINE,
        MACHINE,
        &[
            (&["states:DescribeExecution"], &["execution"]),
            (&["events:DescribeRule"], &["rule"]),
        ],
        &[
            (&["states:StartExecution"], &[""]),
            (&["states:StopExecution"], &["execution"]),
            (&["events:PutTargets", "events:PutRule"], &["rule"]),
        ],
    ),
    writes(MACHINE, BUS, PUT_EVENTS),
    ConnectorProfile {
        from: TABLE,
        to: FUNCTION,
        makes: ConnectorOutput::Reversed(
            &[(
                &[
                    "dynamodb:DescribeStream",
                    "dynamodb:GetRecords",
                    "dynamodb:GetShardIterator",
                    "dynamodb:ListStreams",
                ],
                &["/stream/*"],
            )],
            &[],
        ),
    },
    ConnectorProfile {
        from: QUEUE,
        to: FUNCTION,
        makes: ConnectorOutput::Reversed(
            &[(&["sqs:ReceiveMessage", "sqs:GetQueueAttributes"], &[""])],
            &[(&["sqs:DeleteMessage"], &[""])],
        ),
    },
    read_write_profile(
        FUNCTION,
        PLACES,
        &[(
            &[
                "geo:DescribePlaceIndex",
                "geo:GetPlace",
                "geo:SearchPlaceIndexForPosition",
                "geo:SearchPlaceIndexForSuggestions",
                "geo:SearchPlaceIndexForText",
            ],
            &[""],
        )],
        &[],
    ),
    writes(RULE, BUS, PUT_EVENTS),
    writes(RULE, MACHINE, &[(&["states:StartExecution"], &[""])]),
    read_write_profile(DATA, TABLE, TABLE_READ, TABLE_WRITE),
    writes(DATA, FUNCTION, INVOKE_VERSIONS),
    writes(DATA, BUS, PUT_EVENTS),
    invokes(RULE, "events.amazonaws.com"),
    invokes(REST, "apigateway.amazonaws.com"),
    invokes(HTTP, "apigateway.amazonaws.com"),
    invokes(TOPIC, "sns.amazonaws.com"),
    invokes(BUCKET, "s3.amazonaws.com"),
    invokes(GRAPH, "appsync.amazonaws.com"),
    delivers(RULE, QUEUE, QUEUE_POLICY, "events.amazonaws.com"),
    delivers(TOPIC, QUEUE, QUEUE_POLICY, "sns.amazonaws.com"),
    delivers(RULE, TOPIC, TOPIC_POLICY, "events.amazonaws.com"),
];

const fn read_write_profile(
    from: &'static str,
    to: &'static str,
    read: &'static [ConnectorGrant],
    write: &'static [ConnectorGrant],
) -> ConnectorProfile {
    ConnectorProfile {
        from,
        to,
        makes: ConnectorOutput::Policy(read, write),
    }
}

const fn writes(from: &'static str, to: &'static str, write: &'static [ConnectorGrant]) -> ConnectorProfile {
    read_write_profile(from, to, &[], write)
}

const fn invokes(from: &'static str, service: &'static str) -> ConnectorProfile {
    ConnectorProfile {
        from,
        to: FUNCTION,
        makes: ConnectorOutput::Permission(service),
    }
}

const fn delivers(from: &'static str, to: &'static str, policy: Delivery, service: &'static str) -> ConnectorProfile {
    ConnectorProfile {
        from,
        to,
        makes: ConnectorOutput::Resource(policy, service),
    }
}
