//! Which partitions have a service, as far as botocore lists its endpoints: `rules/facts/service-partitions.txt`.

/// Sorted.
const TABLE: &str = include_str!("../../rules/facts/service-partitions.txt");

/// Whether the service has endpoints, and none in the partition. What is launched there later than the data is not known.
pub fn is_missing(service: &str, partition: &str) -> bool {
    // All are here.
    if partition == "aws" {
        return false;
    }
    let mut lines = TABLE.lines().filter_map(|l| l.split_once('\t'));
    let line = lines.find(|(prefix, _)| prefix.eq_ignore_ascii_case(service));
    line.is_some_and(|(_, partitions)| partitions.split(", ").all(|p| p != partition))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_where_its_endpoints_are() {
        assert!(!is_missing("s3", "aws-cn"));
        assert!(!is_missing("iam", "aws-us-gov"));
        assert!(is_missing("lightsail", "aws-cn"));
        assert!(!is_missing("nothing-known-of-it", "aws-cn"));
        assert!(TABLE.lines().all(|l| l.contains("\taws, ") || l.ends_with("\taws")));
    }
}
