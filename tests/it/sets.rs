//! Sets of requests: two random documents are compared, and requests that are sampled say the same as the comparison. The
//! judge of samples and of witnesses is `decide`, as `can` asks it.

use std::collections::BTreeMap;

use overgrant::internals::access::sets::{Difference, Witness, WitnessPrincipal, compare};
use overgrant::internals::access::{
    AccessRequest, Caller, ContextValue, Decision, PolicyGroup, RequestContext, RequestPolicies, decide,
};
use overgrant::internals::iam::{Document, Ownership, catalogue};
use overgrant::internals::pipeline::analyze;
use overgrant::internals::source::Sources;
use rayon::prelude::*;
use serde_json::Value;

use crate::support::random_policies::{Random, pair, policies, request};

/// Pairs of one analysis.
const BATCH: u64 = 250;

fn has_principals(document: &Value) -> bool {
    let first = &document["Statement"][0];
    first.get("Principal").or(first.get("NotPrincipal")).is_some()
}

/// The document alone, about a resource of another account: what is on the other side allows everything.
fn decision(document: &Document, request: &AccessRequest, principals: bool) -> Decision {
    let mut policies = RequestPolicies::default();
    let own = PolicyGroup::of([document]);
    match principals {
        true => {
            policies.identity.allows_all = true;
            policies.resource = own;
        }
        false => {
            policies.identity = own;
            policies.resource.allows_all = true;
        }
    }
    decide(request, &policies).decision
}

fn as_request(w: &Witness) -> AccessRequest {
    let mut context = RequestContext::closed();
    for (key, value) in &w.context {
        context.set(key, ContextValue::Known(value.values().to_vec()));
    }
    let caller = match &w.principal {
        WitnessPrincipal::Named(name) => Caller::parse(name).unwrap(),
        WitnessPrincipal::Anonymous => Caller::Anonymous,
    };
    AccessRequest {
        resource_account: Some("000000000000".to_owned()),
        caller,
        action: w.action.clone(),
        resources: vec![w.resource.clone()],
        context,
    }
}

/// How many pairs were equal, were different, and were not decided.
#[derive(Default)]
struct Tally {
    nothing: usize,
    gains: usize,
    unknown: usize,
    /// Of what was not decided: how many, and one of them.
    reasons: BTreeMap<String, (usize, String)>,
    wrong: Vec<String>,
}

impl Tally {
    fn add(mut self, other: Self) -> Self {
        self.nothing += other.nothing;
        self.gains += other.gains;
        self.unknown += other.unknown;
        self.wrong.extend(other.wrong);
        for (why, (count, one)) in other.reasons {
            self.reasons.entry(why).or_insert((0, one)).0 += count;
        }
        self
    }

    fn judge(&mut self, texts: &[Value; 2], documents: [&Document; 2], samples: &[AccessRequest]) {
        let [old, new] = documents;
        let found = compare(old, new);
        let principals = has_principals(&texts[1]);
        let is_new = |request: &AccessRequest| {
            decision(new, request, principals) == Decision::Allowed
                && decision(old, request, principals) != Decision::Allowed
        };
        let said = |what: &str| format!("{what}\nold {}\nnew {}", texts[0], texts[1]);
        for gain in &found.gained {
            if !is_new(&as_request(&gain.request)) {
                self.wrong.push(said(&format!("not a witness: {:?}", gain.request)));
            }
        }
        match (&*found.gained, &*found.unknown) {
            ([], []) => self.nothing += 1,
            ([], [first, ..]) => {
                self.unknown += 1;
                let one = said("unknown");
                self.reasons.entry(first.why.clone()).or_insert((0, one)).0 += 1;
                return;
            }
            _ => self.gains += 1,
        }
        let unexpected = samples.iter().filter(|s| is_new(s)).find(|s| !is_found(&found, s));
        if let Some(sample) = unexpected {
            self.wrong
                .push(said(&format!("newly allowed and not found: {sample:?}")));
        }
    }
}

/// Whether a gain is of the action of this request, or something is not known. Of what no action is about, only that there
/// is a gain.
fn is_found(found: &Difference, request: &AccessRequest) -> bool {
    let action = catalogue().action(&request.action);
    match action.filter(|_| is_real(request)) {
        Some(action) => !found.unknown.is_empty() || found.gained.iter().any(|g| g.actions.contains(action.id())),
        None => !found.gained.is_empty(),
    }
}

/// Whether the action is one on such a resource.
fn is_real(request: &AccessRequest) -> bool {
    let (action, resource) = (&*request.action, &*request.resources[0]);
    let of = |service: &str| resource.starts_with(&format!("arn:aws:{service}:"));
    match action.split_once(':') {
        Some(("s3", "ListBucket")) => of("s3") && !resource.contains('/'),
        Some(("s3", _)) => of("s3") && resource.contains('/'),
        Some(("sqs" | "iam", _)) => action.split(':').next().is_some_and(of),
        _ => false,
    }
}

fn batch(seed: u64, make: fn(&mut Random) -> [Value; 2], count: usize, samples: usize) -> Tally {
    let mut r = Random::new(seed);
    let all: Vec<[Value; 2]> = (0..count).map(|_| make(&mut r)).collect();
    let texts = all.iter().flatten().enumerate();
    let files: Vec<(String, String)> = texts.map(|(i, d)| (format!("{i:06}.json"), d.to_string())).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (&**name, &**text)).collect();
    let sources = Sources::from_strings(&files);
    let own = Ownership::default();
    let project = analyze(&sources, &own).project;
    let documents: BTreeMap<&str, _> = project
        .documents
        .iter()
        .map(|d| (sources.path(d.span.file), d))
        .collect();
    let of_kind = |r: &mut Random, principals| (0..samples).map(|_| request(r, principals)).collect::<Vec<_>>();
    let requests = [of_kind(&mut r, false), of_kind(&mut r, true)];
    let mut tally = Tally::default();
    for (i, texts) in all.iter().enumerate() {
        let document = |n: usize| documents.get(&*format!("{:06}.json", 2 * i + n)).copied();
        match (document(0), document(1)) {
            (Some(old), Some(new)) => {
                let samples = &requests[usize::from(has_principals(&texts[1]))];
                tally.judge(texts, [old, new], samples);
            }
            _ => tally.wrong.push(format!("not read: {} {}", texts[0], texts[1])),
        }
    }
    tally
}

#[expect(clippy::print_stdout, reason = "long runs show what they came to")]
fn compare_many(make: fn(&mut Random) -> [Value; 2], count: u64, samples: usize) -> Tally {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let pairs = number("OVERGRANT_PAIRS").unwrap_or(count);
    let seed = number("OVERGRANT_SEED").unwrap_or(1);
    let size = pairs.min(BATCH);
    let batches: Vec<u64> = (0..pairs.div_ceil(size)).collect();
    let tally = batches
        .par_iter()
        .map(|n| {
            let seed = seed.wrapping_mul(1_000_003).wrapping_add(*n);
            batch(seed, make, size as usize, samples)
        })
        .reduce(Tally::default, Tally::add);
    println!(
        "{} with nothing new, {} with something new, {} unknown, {} wrong\n{:#?}",
        tally.nothing,
        tally.gains,
        tally.unknown,
        tally.wrong.len(),
        tally.reasons
    );
    let shown: Vec<&str> = tally.wrong.iter().take(5).map(|w| w.as_str()).collect();
    assert!(tally.wrong.is_empty(), "{}", shown.join("\n\n"));
    tally
}

/// `cargo xtask sets` asks for more pairs.
#[test]
fn comparisons_agree_with_requests() {
    let tally = compare_many(pair, 500, 64);
    assert!(tally.unknown * 20 < tally.nothing + tally.gains, "too many unknown");
}

/// `cargo xtask diffs` asks for more pairs.
#[test]
fn policies_of_several_statements_agree_with_requests() {
    compare_many(policies, 100, 1000);
}
