//! The model of the file.

use std::fmt;

use crate::date::Date;

/// What was used, in which time, and what the logs cover. All lists are sorted and without repetitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageEvidence {
    /// The first and the last day with an event. `None` if no event was read.
    pub period: Option<Period>,
    /// Days inside the period without any event.
    pub gaps: Vec<Period>,
    /// What the logs cover, by account and Region.
    pub coverage: Vec<Coverage>,
    /// What was called.
    pub rows: Vec<UsedRow>,
    /// What IAM's service last-accessed details say.
    pub last_used: Vec<LastUsed>,
    /// What IAM Access Analyzer found unused.
    pub unused: Vec<UnusedPermission>,
}

/// Days from `first` to `last`, both included, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    pub first: Date,
    pub last: Date,
}

impl Period {
    /// How many days it has, at least 1.
    pub fn days(self) -> i64 {
        (self.last.days() - self.first.days()).max(0) + 1
    }

    /// With the days of another one, and those between.
    pub fn extend(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// Who called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvidenceIdentity {
    pub kind: EvidenceIdentityKind,
    /// What the kind says: an ARN, an account, or a service principal.
    pub name: String,
}

impl EvidenceIdentity {
    /// The 12 digits of the account, where the name has them.
    pub fn account(&self) -> Option<&str> {
        let account = match self.kind {
            EvidenceIdentityKind::Account => &*self.name,
            _ => self.name.split(':').nth(4)?,
        };
        is_account(account).then_some(account)
    }
}

/// 12 digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// The kind of a caller, and what its name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceIdentityKind {
    /// A role, also if a person, a workload, or an AWS service has assumed it: `arn:aws:iam::111122223333:role/path/app`. The path
    /// is as in the log, which has it only for some events.
    Role,
    /// An IAM user: `arn:aws:iam::111122223333:user/path/name`.
    User,
    /// The root user: `arn:aws:iam::111122223333:root`.
    Root,
    /// A session of `GetFederationToken`: the ARN of the IAM user (or the root user) who asked for it.
    Federated,
    /// Whom an OpenID Connect provider signed in, before a role is assumed: the ARN or host of the provider.
    Web,
    /// Whom a SAML provider signed in, before a role is assumed: the ARN of the provider.
    Saml,
    /// An AWS service on its own account: `cloudtrail.amazonaws.com`.
    Service,
    /// A user of IAM Identity Center: the ARN of the directory or instance, or the account.
    IdentityCenter,
    /// Someone of another account, of whom the log has the account alone: `111122223333`.
    Account,
    /// The log does not say: `-`.
    Unknown,
}

impl EvidenceIdentityKind {
    pub const ALL: [Self; 10] = [
        Self::Role,
        Self::User,
        Self::Root,
        Self::Federated,
        Self::Web,
        Self::Saml,
        Self::Service,
        Self::IdentityCenter,
        Self::Account,
        Self::Unknown,
    ];

    /// Its word in the file: `role`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::User => "user",
            Self::Root => "root",
            Self::Federated => "federated",
            Self::Web => "web",
            Self::Saml => "saml",
            Self::Service => "service",
            Self::IdentityCenter => "identity-center",
            Self::Account => "account",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for EvidenceIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.name)
    }
}

/// Calls of one event by one identity that ended alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsedRow {
    pub identity: EvidenceIdentity,
    /// `s3.amazonaws.com`, as logged.
    pub event_source: String,
    /// `ListObjects`, as logged.
    pub event_name: String,
    /// AWS denied the calls: they are no use of a grant.
    pub denied: bool,
    /// The AWS service that made the calls with the identity's credentials: `cloudformation.amazonaws.com`.
    pub via: Option<String>,
    /// The account whose trail has the event, if it is another one than the identity's.
    pub account: Option<String>,
    /// The actions that the calls need, such as `s3:ListBucket`. `None`: not known for this event. Empty: it needs none.
    pub actions: Option<Vec<String>>,
    /// ARNs, as far as the log names resources.
    pub resources: Vec<String>,
    /// There were more than [`UsedRow::MOST_RESOURCES`].
    pub resources_cut: bool,
    /// How many calls.
    pub count: u64,
    /// The days of the first and the last call, in UTC.
    pub seen: Period,
}

impl UsedRow {
    /// Resources of one row.
    pub const MOST_RESOURCES: usize = 16;
}

/// A trail that was seen: events of an account in a Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coverage {
    /// The 12 digits of the account whose trail it is.
    pub account: String,
    pub region: String,
    /// The first and last day with an event.
    pub seen: Period,
    /// Management events that only read were logged.
    pub reads: bool,
    /// Management events that change something were logged.
    pub writes: bool,
    /// Event sources of the management events that were logged: `kms.amazonaws.com`.
    pub sources: Vec<String>,
    /// The data events that were logged, by type.
    pub data: Vec<DataCoverage>,
}

/// Data events of one resource type that were seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DataCoverage {
    /// The resource type of CloudTrail's selectors: `AWS::S3::Object`.
    pub resource_type: String,
    pub reads: bool,
    pub writes: bool,
    /// The buckets, tables, functions, … whose data events were seen: ARNs. A trail may log some of them only.
    pub containers: Vec<String>,
}

/// A line of IAM's service last-accessed details.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LastUsed {
    pub identity: EvidenceIdentity,
    /// `s3`.
    pub namespace: String,
    /// `s3:GetObject`. `None`: the line is about the service as a whole.
    pub action: Option<String>,
    /// `None`: not in the tracking period, which is 400 days at most.
    pub last: Option<Date>,
    /// The day of the report. `None` where the report does not say.
    pub as_of: Option<Date>,
}

/// What a finding of IAM Access Analyzer calls unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnusedKind {
    /// `UnusedIAMRole`
    Role,
    /// `UnusedPermission`, of an action, or of a service if the action is `s3:*`.
    Permission,
    /// `UnusedIAMUserAccessKey`
    AccessKey,
    /// `UnusedIAMUserPassword`
    Password,
}

impl UnusedKind {
    pub const ALL: [Self; 4] = [Self::Role, Self::Permission, Self::AccessKey, Self::Password];

    /// Its word in the file: `permission`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Permission => "permission",
            Self::AccessKey => "access-key",
            Self::Password => "password",
        }
    }
}

/// An unused-access finding of IAM Access Analyzer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnusedPermission {
    pub identity: EvidenceIdentity,
    pub kind: UnusedKind,
    /// `s3:GetObject`; `s3:*` if the whole service is unused. `None` unless the kind is a permission.
    pub action: Option<String>,
    /// The last use before. `None`: none is known.
    pub last: Option<Date>,
    /// The day the finding was analyzed. `None` where the finding does not say.
    pub as_of: Option<Date>,
}
