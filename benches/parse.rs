//! What it costs to read: each parser, lowering, and a whole run.
#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use overgrant::internals::formats::FileKinds;
use overgrant::internals::iam::Ownership;
use overgrant::internals::pipeline::analyze;
use overgrant::internals::rules::{self, Ruleset, Selection};
use overgrant::internals::source::{FileId, Sources};
use overgrant::internals::syntax::{hcl, json, yaml};

const STATEMENTS: usize = 500;

/// A long policy as JSON.
fn policy() -> String {
    let mut out = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n".to_owned();
    for i in 0..STATEMENTS {
        let comma = if i + 1 < STATEMENTS { "," } else { "" };
        writeln!(
            out,
            "    {{\"Sid\": \"S{i}\", \"Effect\": \"Allow\", \"Action\": [\"s3:GetObject\", \"s3:List*\"], \"Resource\": \"arn:aws:s3:::bucket-{i}/*\"}}{comma}"
        )
        .unwrap();
    }
    out + "  ]\n}\n"
}

/// As a template.
fn template() -> String {
    let mut out = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n".to_owned();
    for i in 0..STATEMENTS {
        writeln!(
            out,
            "  Policy{i}:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      PolicyDocument:\n        Version: '2012-10-17'\n        Statement:\n          - Effect: Allow\n            Action: [s3:GetObject, \"s3:List*\"]\n            Resource: !Sub arn:${{AWS::Partition}}:s3:::bucket-{i}/*"
        )
        .unwrap();
    }
    out
}

/// As Terraform.
fn module() -> String {
    let mut out = String::new();
    for i in 0..STATEMENTS {
        writeln!(
            out,
            "resource \"aws_iam_policy\" \"p{i}\" {{\n  name   = \"p{i}\"\n  policy = jsonencode({{\n    Version   = \"2012-10-17\"\n    Statement = [{{ Effect = \"Allow\", Action = [\"s3:GetObject\", \"s3:List*\"], Resource = \"arn:aws:s3:::bucket-{i}/*\" }}]\n  }})\n}}\n"
        )
        .unwrap();
    }
    out
}

/// As Python.
fn code() -> String {
    let mut out = "import boto3\nimport json\n\niam = boto3.client('iam')\n\n".to_owned();
    for i in 0..STATEMENTS {
        writeln!(
            out,
            "iam.create_policy(PolicyName='p{i}', PolicyDocument=json.dumps({{'Version': '2012-10-17', 'Statement': [{{'Effect': 'Allow', 'Action': ['s3:GetObject', 's3:List*'], 'Resource': 'arn:aws:s3:::bucket-{i}/*'}}]}}))"
        )
        .unwrap();
    }
    out
}

fn parsers(c: &mut Criterion) {
    let file = FileId(0);
    let mut group = c.benchmark_group("parse");
    let (policy, template, module) = (policy(), template(), module());
    group.throughput(Throughput::Bytes(policy.len() as u64));
    group.bench_function("json", |b| b.iter(|| json::parse(file, black_box(&policy))));
    group.throughput(Throughput::Bytes(template.len() as u64));
    group.bench_function("yaml", |b| b.iter(|| yaml::parse(file, black_box(&template))));
    group.throughput(Throughput::Bytes(module.len() as u64));
    group.bench_function("hcl", |b| b.iter(|| hcl::parse(file, black_box(&module))));
    group.bench_function("classify", |b| b.iter(|| FileKinds::of("main.tf", black_box(&module))));
    group.finish();
}

fn whole(c: &mut Criterion) {
    let own = Ownership::default();
    let ruleset = Ruleset::builtin();
    let all = Selection::all(&ruleset);
    let files = [
        ("policy.json", policy()),
        ("template.yaml", template()),
        ("main.tf", module()),
        ("app.py", code()),
    ];
    for (path, text) in &files {
        let sources = Sources::from_strings(&[(path, text)]);
        c.bench_function(&format!("lower/{path}"), |b| {
            b.iter(|| analyze(black_box(&sources), &own))
        });
        let project = analyze(&sources, &own).project;
        c.bench_function(&format!("rules/{path}"), |b| {
            b.iter(|| rules::run(black_box(&project), &ruleset, &all))
        });
    }
    let texts: Vec<(&str, &str)> = files.iter().map(|(p, t)| (*p, t.as_str())).collect();
    c.bench_function("whole run", |b| {
        b.iter(|| {
            let sources = Sources::from_strings(black_box(&texts));
            let project = analyze(&sources, &own).project;
            rules::run(&project, &ruleset, &all)
        });
    });
}

criterion_group!(benches, parsers, whole);
criterion_main!(benches);
