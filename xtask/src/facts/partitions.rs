//! Which partitions have a service: `service-partitions.txt`, from the endpoints that botocore knows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::sdk::{Clients, newest};
use super::source;

/// Services of which botocore lists no endpoint at all are left out: of these it says nothing.
pub fn from_botocore(dir: &str, clients: &Clients) -> Result<String, String> {
    let data = Path::new(dir).join("botocore/data");
    let endpoints = source::json(&data.join("endpoints.json"))?;
    let mut of_endpoint: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for partition in endpoints["partitions"].as_array().into_iter().flatten() {
        let name = partition["partition"].as_str().unwrap_or_default();
        for endpoint in partition["services"].as_object().into_iter().flatten() {
            of_endpoint.entry(endpoint.0).or_default().insert(name);
        }
    }
    let mut of_service: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (client, about) in clients {
        let Some(newest) = newest(&data.join(client))? else {
            continue;
        };
        let model = source::json_or_gz(&newest.join("service-2.json"))?;
        let endpoint = model["metadata"]["endpointPrefix"].as_str().unwrap_or_default();
        if let Some(partitions) = of_endpoint.get(endpoint) {
            of_service.entry(&about.prefix).or_default().extend(partitions);
        }
    }
    if of_service.is_empty() {
        return Err(format!("{dir} holds no endpoints"));
    }
    let line = |(service, partitions): (&str, BTreeSet<&str>)| {
        format!("{service}\t{}\n", partitions.into_iter().collect::<Vec<_>>().join(", "))
    };
    Ok(of_service.into_iter().map(line).collect())
}
