//! What the facts cost: to open, to look up, to expand.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use overgrant::internals::iam::catalogue::catalogue;
use overgrant::internals::iam::{ActionSet, sdk};

fn look_ups(c: &mut Criterion) {
    c.bench_function("catalogue/open and look up an action", |b| {
        b.iter(|| catalogue().action(black_box("s3:getobject")).unwrap().level());
    });
    c.bench_function("catalogue/service", |b| {
        b.iter(|| catalogue().service(black_box("dynamodb")))
    });
    c.bench_function("catalogue/managed policy", |b| {
        b.iter(|| catalogue().managed_policy(black_box("arn:aws:iam::aws:policy/AmazonS3FullAccess")));
    });
    c.bench_function("catalogue/global condition key", |b| {
        b.iter(|| catalogue().global_condition_key(black_box("aws:SourceArn")));
    });
    c.bench_function("catalogue/did you mean", |b| {
        b.iter(|| catalogue().did_you_mean_action(black_box("ec2:DescribeInstance"), &ActionSet::empty()));
    });
    c.bench_function("sdk/operation and its actions", |b| {
        b.iter(|| {
            sdk::operation(black_box("s3"), "list_objects_v2")
                .unwrap()
                .required()
                .count()
        });
    });
}

fn sets(c: &mut Criterion) {
    for pattern in ["*", "s3:GetObject", "s3:Get*", "ec2:*", "*:Describe*"] {
        c.bench_function(&format!("expand/{pattern}"), |b| {
            b.iter(|| ActionSet::expand(black_box(pattern)))
        });
    }
    let all = ActionSet::all();
    c.bench_function("set/levels of *", |b| b.iter(|| black_box(&all).by_level()));
    c.bench_function("set/worst three of s3:*", |b| {
        let s3 = ActionSet::expand("s3:*");
        b.iter(|| black_box(&s3).most_severe(3));
    });
    c.bench_function("set/worst three of *", |b| b.iter(|| black_box(&all).most_severe(3)));
}

criterion_group!(benches, look_ups, sets);
criterion_main!(benches);
