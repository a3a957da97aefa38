//! `cargo xtask cloudtrail`: writes CloudTrail logs that look real, for measurements and comparisons.
//!
//! The same seed gives the same logs. Every event has all fields of a real record, and IDs of its own.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

pub const USAGE: &str = "  cloudtrail   write CloudTrail logs: DIR --events N --days N --seed S --per-file N";

/// What to write.
pub struct Logs {
    pub folder: PathBuf,
    pub events: u64,
    /// The days of the events, the first of which is 2026-01-01.
    pub days: u64,
    pub seed: u64,
    pub per_file: u64,
}

pub fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let folder = args.next().ok_or_else(|| format!("usage:\n{USAGE}"))?;
    let mut logs = Logs {
        folder: PathBuf::from(folder),
        events: 100_000,
        days: 90,
        seed: 1,
        per_file: 5_000,
    };
    while let Some(arg) = args.next() {
        let value: u64 = args
            .next()
            .and_then(|v| v.parse().ok())
            .ok_or_else(|| format!("{arg} needs a number"))?;
        match arg.as_str() {
            "--events" => logs.events = value,
            "--days" => logs.days = value.clamp(1, 365),
            "--seed" => logs.seed = value,
            "--per-file" => logs.per_file = value.max(1),
            _ => return Err(format!("unknown option {arg}\n{USAGE}")),
        }
    }
    let bytes = logs.write()?;
    println!(
        "{} events, {} bytes of JSON, {} bytes each",
        logs.events,
        bytes,
        bytes / logs.events.max(1)
    );
    Ok(())
}

impl Logs {
    /// Writes the files, and gives the bytes of JSON in them.
    pub fn write(&self) -> Result<u64, String> {
        let mut random = Random(self.seed);
        let (mut written, mut bytes, mut file) = (0, 0, 0u64);
        let mut text = String::new();
        while written < self.events {
            let count = self.per_file.min(self.events - written);
            text.clear();
            text.push_str("{\"Records\":[");
            for i in 0..count {
                if i > 0 {
                    text.push(',');
                }
                // Files follow the days, as deliveries do.
                let day = (written + i) * self.days / self.events;
                event(&mut text, &mut random, day);
            }
            text.push_str("]}");
            bytes += text.len() as u64;
            let (region, account) = (REGIONS[(file % 3) as usize], ACCOUNTS[(file % 2) as usize]);
            let folder = self.folder.join(format!("AWSLogs/{account}/CloudTrail/{region}"));
            write_packed(
                &folder,
                &format!("{account}_CloudTrail_{region}_{file:08}.json.gz"),
                &text,
            )?;
            written += count;
            file += 1;
        }
        Ok(bytes)
    }
}

fn write_packed(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let write = || {
        fs::create_dir_all(folder)?;
        let file = fs::File::create(folder.join(name))?;
        let mut packer = GzEncoder::new(file, Compression::fast());
        packer.write_all(text.as_bytes())?;
        packer.finish().map(drop)
    };
    write().map_err(|e| format!("{}: {e}", folder.join(name).display()))
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            a >> 32,
            a >> 16 & 0xffff,
            a & 0xffff,
            b >> 48,
            b & 0xffff_ffff_ffff
        )
    }
}

const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "eu-central-1"];
const ROLES: [&str; 12] = [
    "app",
    "batch",
    "ci-deploy",
    "etl",
    "exports",
    "frontend",
    "ingest",
    "jobs",
    "reporting",
    "search",
    "thumbnails",
    "web",
];
const USERS: [&str; 4] = ["alice", "bob", "deploy-user", "carol"];
const AGENTS: [&str; 4] = [
    "Boto3/1.42.0 md/Botocore#1.42.0 ua/2.1 os/linux#6.1.0 md/arch#x86_64 lang/python#3.13.1 md/pyimpl#CPython cfg/retry-mode#standard Botocore/1.42.0",
    "aws-cli/2.31.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.8.0-1021-aws md/arch#x86_64 lang/python#3.13.7 md/pyimpl#CPython",
    "aws-sdk-go-v2/1.36.1 ua/2.1 os/linux lang/go#1.24.1 md/GOOS#linux md/GOARCH#arm64 api/s3#1.79.0",
    "APN/1.0 HashiCorp/1.0 Terraform/1.12.1 (+https://www.terraform.io) terraform-provider-aws/6.2.0 aws-sdk-go-v2/1.36.5",
];

/// A kind of event: source, name, whether it only reads, whether it is a data event.
const KINDS: [(&str, &str, bool, bool); 24] = [
    ("s3", "GetObject", true, true),
    ("s3", "GetObject", true, true),
    ("s3", "PutObject", false, true),
    ("s3", "ListObjects", true, true),
    ("s3", "HeadObject", true, true),
    ("s3", "GetBucketEncryption", true, false),
    ("dynamodb", "GetItem", true, true),
    ("dynamodb", "PutItem", false, true),
    ("dynamodb", "DescribeTable", true, false),
    ("lambda", "Invoke", false, true),
    ("lambda", "GetFunction20150331v2", true, false),
    ("lambda", "ListFunctions20150331", true, false),
    ("sqs", "SendMessage", false, true),
    ("sqs", "GetQueueAttributes", true, false),
    ("kms", "Decrypt", true, false),
    ("kms", "GenerateDataKey", true, false),
    ("secretsmanager", "GetSecretValue", true, false),
    ("ssm", "GetParameter", true, false),
    ("sts", "AssumeRole", true, false),
    ("sts", "GetCallerIdentity", true, false),
    ("ec2", "DescribeInstances", true, false),
    ("monitoring", "DescribeAlarms", true, false),
    ("elasticloadbalancing", "DescribeTargetHealth", true, false),
    ("logs", "CreateLogStream", false, false),
];

fn event(out: &mut String, random: &mut Random, day: u64) {
    let (source, name, reads, is_data) = KINDS[random.below(KINDS.len() as u64) as usize];
    let account = random.one(&ACCOUNTS);
    let region = random.one(&REGIONS);
    let time = {
        let (month, of_month) = month_of(day);
        let second = random.below(86_400);
        format!(
            "2026-{month:02}-{of_month:02}T{:02}:{:02}:{:02}Z",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    };
    let number = random.below(100);
    let subject = random.below(400);
    // Writing to a string cannot fail.
    let _ = write!(out, "{{\"eventVersion\":\"1.11\",\"userIdentity\":");
    identity(out, random, account, &time);
    let _ = write!(
        out,
        ",\"eventTime\":\"{time}\",\"eventSource\":\"{source}.amazonaws.com\",\"eventName\":\"{name}\",\"awsRegion\":\"{region}\",\
         \"sourceIPAddress\":\"198.51.100.{}\",\"userAgent\":\"[{}]\"",
        random.below(256),
        random.one(&AGENTS)
    );
    if number < 3 {
        let _ = write!(
            out,
            ",\"errorCode\":\"AccessDenied\",\"errorMessage\":\"User is not authorized to perform this operation because no identity-based policy allows it\""
        );
    } else if number == 3 {
        let _ = write!(
            out,
            ",\"errorCode\":\"ThrottlingException\",\"errorMessage\":\"Rate exceeded\""
        );
    }
    let _ = write!(out, ",\"requestParameters\":");
    let resources = request(out, source, name, subject, account, region);
    let _ = write!(
        out,
        ",\"responseElements\":null,\"additionalEventData\":{{\"SignatureVersion\":\"SigV4\",\"CipherSuite\":\"TLS_AES_128_GCM_SHA256\",\
         \"bytesTransferredIn\":{},\"AuthenticationMethod\":\"AuthHeader\",\"bytesTransferredOut\":{}}},\"requestID\":\"{}\",\
         \"eventID\":\"{}\",\"readOnly\":{reads}",
        random.below(100_000),
        random.below(100_000),
        random.uuid(),
        random.uuid()
    );
    if let Some(resources) = resources {
        let _ = write!(out, ",\"resources\":{resources}");
    }
    let _ = write!(
        out,
        ",\"eventType\":\"AwsApiCall\",\"managementEvent\":{},\"recipientAccountId\":\"{account}\",\"eventCategory\":\"{}\",\
         \"tlsDetails\":{{\"tlsVersion\":\"TLSv1.3\",\"cipherSuite\":\"TLS_AES_128_GCM_SHA256\",\
         \"clientProvidedHostHeader\":\"{source}.{region}.amazonaws.com\"}}}}",
        !is_data,
        if is_data { "Data" } else { "Management" }
    );
}

fn identity(out: &mut String, random: &mut Random, account: &str, time: &str) {
    let id = random.next();
    let _ = match random.below(20) {
        0 => {
            let user = random.one(&USERS);
            write!(
                out,
                "{{\"type\":\"IAMUser\",\"principalId\":\"AIDA{id:016X}\",\"arn\":\"arn:aws:iam::{account}:user/{user}\",\
                 \"accountId\":\"{account}\",\"accessKeyId\":\"AKIAIOSFODNN7EXAMPLE\",\"userName\":\"{user}\"}}"
            )
        }
        1 => write!(
            out,
            "{{\"type\":\"AWSService\",\"invokedBy\":\"{}.amazonaws.com\"}}",
            random.one(&["cloudtrail", "config", "lambda"])
        ),
        2 => write!(
            out,
            "{{\"type\":\"AWSAccount\",\"principalId\":\"AIDA{id:016X}:jane@example.com\",\"accountId\":\"777788889999\"}}"
        ),
        other => {
            let role = random.one(&ROLES);
            let session = match other {
                3 => "jane.doe@example.com".to_owned(),
                _ => format!("{id:x}"),
            };
            let via = match other {
                4 => ",\"invokedBy\":\"cloudformation.amazonaws.com\"",
                _ => "",
            };
            write!(
                out,
                "{{\"type\":\"AssumedRole\",\"principalId\":\"AROA{id:016X}:{session}\",\
                 \"arn\":\"arn:aws:sts::{account}:assumed-role/{role}/{session}\",\"accountId\":\"{account}\",\
                 \"accessKeyId\":\"ASIAIOSFODNN7EXAMPLE\",\"sessionContext\":{{\"sessionIssuer\":{{\"type\":\"Role\",\
                 \"principalId\":\"AROA{id:016X}\",\"arn\":\"arn:aws:iam::{account}:role/service/{role}\",\
                 \"accountId\":\"{account}\",\"userName\":\"{role}\"}},\"webIdFederationData\":{{}},\
                 \"attributes\":{{\"creationDate\":\"{time}\",\"mfaAuthenticated\":\"false\"}}}}{via}}}"
            )
        }
    };
}

/// Writes the parameters, and gives the resources.
fn request(out: &mut String, source: &str, name: &str, subject: u64, account: &str, region: &str) -> Option<String> {
    let few = subject % 6;
    let (parameters, resources) = match (source, name) {
        ("s3", "GetObject" | "PutObject" | "HeadObject") => {
            let key = format!("data/{:03}/part-{subject:05}.parquet", subject % 40);
            (
                format!(
                    "{{\"bucketName\":\"bucket-{few}\",\"Host\":\"bucket-{few}.s3.{region}.amazonaws.com\",\"key\":\"{key}\"}}"
                ),
                Some(format!(
                    "[{{\"type\":\"AWS::S3::Object\",\"ARN\":\"arn:aws:s3:::bucket-{few}/{key}\"}},{{\"accountId\":\"{account}\",\
                     \"type\":\"AWS::S3::Bucket\",\"ARN\":\"arn:aws:s3:::bucket-{few}\"}}]"
                )),
            )
        }
        ("s3", "ListObjects") => (
            format!(
                "{{\"list-type\":\"2\",\"bucketName\":\"bucket-{few}\",\"prefix\":\"data/\",\"Host\":\"bucket-{few}.s3.amazonaws.com\"}}"
            ),
            Some(format!(
                "[{{\"accountId\":\"{account}\",\"type\":\"AWS::S3::Bucket\",\"ARN\":\"arn:aws:s3:::bucket-{few}\"}},\
                 {{\"type\":\"AWS::S3::Object\",\"ARNPrefix\":\"arn:aws:s3:::bucket-{few}/data/\"}}]"
            )),
        ),
        ("s3", _) => (format!("{{\"bucketName\":\"bucket-{few}\",\"encryption\":\"\"}}"), None),
        ("dynamodb", _) => (
            format!("{{\"tableName\":\"table-{few}\",\"key\":{{\"id\":\"{subject}\"}}}}"),
            Some(format!(
                "[{{\"accountId\":\"{account}\",\"type\":\"AWS::DynamoDB::Table\",\
                 \"ARN\":\"arn:aws:dynamodb:{region}:{account}:table/table-{few}\"}}]"
            )),
        ),
        ("lambda", "Invoke") => (
            format!(
                "{{\"functionName\":\"arn:aws:lambda:{region}:{account}:function:function-{few}\",\"invocationType\":\"Event\"}}"
            ),
            Some(format!(
                "[{{\"accountId\":\"{account}\",\"type\":\"AWS::Lambda::Function\",\
                 \"ARN\":\"arn:aws:lambda:{region}:{account}:function:function-{few}\"}}]"
            )),
        ),
        ("lambda", "GetFunction20150331v2") => (format!("{{\"functionName\":\"function-{few}\"}}"), None),
        ("sqs", _) => (
            format!("{{\"queueUrl\":\"https://sqs.{region}.amazonaws.com/{account}/queue-{few}\"}}"),
            None,
        ),
        ("kms", _) => (
            format!("{{\"keyId\":\"alias/key-{few}\",\"encryptionAlgorithm\":\"SYMMETRIC_DEFAULT\"}}"),
            Some(format!(
                "[{{\"accountId\":\"{account}\",\"type\":\"AWS::KMS::Key\",\
                 \"ARN\":\"arn:aws:kms:{region}:{account}:key/1234abcd-12ab-34cd-56ef-{few:012}\"}}]"
            )),
        ),
        ("secretsmanager", _) => (format!("{{\"secretId\":\"secret-{few}\"}}"), None),
        ("ssm", _) => (
            format!("{{\"name\":\"/app/parameter-{few}\",\"withDecryption\":true}}"),
            None,
        ),
        ("sts", "AssumeRole") => (
            format!(
                "{{\"roleArn\":\"arn:aws:iam::{account}:role/target-{few}\",\"roleSessionName\":\"jane@example.com\"}}"
            ),
            Some(format!(
                "[{{\"accountId\":\"{account}\",\"type\":\"AWS::IAM::Role\",\"ARN\":\"arn:aws:iam::{account}:role/target-{few}\"}}]"
            )),
        ),
        ("logs", _) => (
            format!("{{\"logGroupName\":\"/aws/lambda/function-{few}\",\"logStreamName\":\"{subject}\"}}"),
            None,
        ),
        _ => ("null".to_owned(), None),
    };
    out.push_str(&parameters);
    resources
}

/// Month and day of a day of 2026, from 0.
fn month_of(day: u64) -> (u64, u64) {
    let mut rest = day;
    for (month, length) in (1..).zip([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
        if rest < length {
            return (month, rest + 1);
        }
        rest -= length;
    }
    (12, 31)
}
