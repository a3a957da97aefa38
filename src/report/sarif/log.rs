//! The log of SARIF 2.1.0 ("Static Analysis Results Interchange Format (SARIF) Version 2.1.0", OASIS): the properties that are
//! written, in their order. Sections are those of the standard.

use std::borrow::Cow;

use serde::Serialize;

use crate::finding::{Confidence, Severity};
use crate::rules::RuleId;

/// 3.13 sarifLog.
#[derive(Debug, Serialize)]
pub(super) struct SarifLog<'a> {
    #[serde(rename = "$schema")]
    pub(super) schema: &'static str,
    pub(super) version: &'static str,
    pub(super) runs: [SarifRun<'a>; 1],
}

/// 3.14 run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifRun<'a> {
    pub(super) tool: SarifTool<'a>,
    pub(super) column_kind: &'static str,
    pub(super) original_uri_base_ids: SarifBases,
    pub(super) automation_details: SarifId,
    pub(super) invocations: [SarifInvocation<'a>; 1],
    pub(super) results: Vec<SarifResult<'a>>,
}

/// 3.14.14 originalUriBaseIds.
#[derive(Debug, Serialize)]
pub(super) struct SarifBases {
    #[serde(rename = "SRCROOT")]
    pub(super) root: SarifDescribed<'static>,
}

/// 3.17 runAutomationDetails and 3.52 reportingDescriptorReference.
#[derive(Debug, Serialize)]
pub(super) struct SarifId {
    pub(super) id: &'static str,
}

/// 3.18 tool.
#[derive(Debug, Serialize)]
pub(super) struct SarifTool<'a> {
    pub(super) driver: SarifDriver<'a>,
}

/// 3.19 toolComponent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifDriver<'a> {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) semantic_version: &'static str,
    pub(super) information_uri: &'static str,
    pub(super) rules: Vec<SarifRule<'a>>,
}

/// 3.49 reportingDescriptor.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifRule<'a> {
    pub(super) id: &'a str,
    pub(super) name: String,
    pub(super) short_description: SarifMessage<'a>,
    /// Absent for what is no rule of the rule set.
    #[serde(flatten)]
    pub(super) docs: Option<SarifRuleDocs<'a>>,
}

/// The properties of a reportingDescriptor that come from the rule's file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifRuleDocs<'a> {
    pub(super) full_description: SarifMessage<'a>,
    pub(super) help: SarifHelp,
    pub(super) help_uri: String,
    pub(super) default_configuration: SarifConfiguration,
    pub(super) properties: SarifRuleProperties,
}

/// 3.12 multiformatMessageString.
#[derive(Debug, Serialize)]
pub(super) struct SarifHelp {
    pub(super) text: String,
    pub(super) markdown: String,
}

/// 3.50 reportingConfiguration.
#[derive(Debug, Serialize)]
pub(super) struct SarifConfiguration {
    pub(super) level: &'static str,
}

/// What GitHub reads of a rule ("SARIF support for code scanning", GitHub Docs: reportingDescriptor object).
#[derive(Debug, Serialize)]
pub(super) struct SarifRuleProperties {
    #[serde(rename = "security-severity")]
    pub(super) security_severity: &'static str,
    pub(super) precision: &'static str,
    #[serde(rename = "problem.severity")]
    pub(super) problem_severity: &'static str,
    pub(super) tags: Vec<String>,
}

/// 3.20 invocation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifInvocation<'a> {
    pub(super) execution_successful: bool,
    pub(super) tool_execution_notifications: Vec<SarifNotification<'a>>,
}

/// 3.58 notification.
#[derive(Debug, Serialize)]
pub(super) struct SarifNotification<'a> {
    pub(super) level: &'static str,
    pub(super) message: SarifMessage<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) descriptor: Option<SarifId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) locations: Vec<SarifLocation<'a>>,
}

/// 3.11 message, and 3.3 artifactContent.
#[derive(Debug, Serialize)]
pub(super) struct SarifMessage<'a> {
    pub(super) text: Cow<'a, str>,
}

/// An object with a description only.
#[derive(Debug, Serialize)]
pub(super) struct SarifDescribed<'a> {
    pub(super) description: SarifMessage<'a>,
}

/// 3.27 result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifResult<'a> {
    pub(super) rule_id: &'a str,
    pub(super) rule_index: usize,
    pub(super) level: &'static str,
    pub(super) rank: f64,
    pub(super) message: SarifMessage<'a>,
    pub(super) locations: [SarifLocation<'a>; 1],
    pub(super) related_locations: Vec<SarifLocation<'a>>,
    pub(super) partial_fingerprints: SarifFingerprints<'a>,
    pub(super) properties: SarifResultProperties<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) code_flows: Option<[SarifCodeFlow<'a>; 1]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) fixes: Vec<SarifFix<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) suppressions: Option<[SarifSuppression<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) baseline_state: Option<&'static str>,
}

/// 3.27.17 partialFingerprints.
#[derive(Debug, Serialize)]
pub(super) struct SarifFingerprints<'a> {
    #[serde(rename = "overgrant/v1")]
    pub(super) fingerprint: &'a str,
    #[serde(rename = "primaryLocationLineHash", skip_serializing_if = "Option::is_none")]
    pub(super) line_hash: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct SarifResultProperties<'a> {
    pub(super) severity: Severity,
    pub(super) confidence: Confidence,
    #[serde(rename = "security-severity")]
    pub(super) security_severity: &'static str,
    pub(super) folded: &'a [RuleId],
}

/// 3.28 location.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifLocation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<SarifMessage<'a>>,
    pub(super) physical_location: SarifPhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logical_locations: Option<[SarifLogicalLocation; 1]>,
}

/// 3.29 physicalLocation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifPhysicalLocation {
    pub(super) artifact_location: SarifArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<SarifRegion>,
}

/// 3.4 artifactLocation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifArtifactLocation {
    pub(super) uri: String,
    pub(super) uri_base_id: &'static str,
}

/// 3.30 region.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifRegion {
    pub(super) start_line: usize,
    pub(super) start_column: usize,
    pub(super) end_line: usize,
    pub(super) end_column: usize,
    pub(super) byte_offset: usize,
    pub(super) byte_length: usize,
}

/// 3.33 logicalLocation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifLogicalLocation {
    pub(super) fully_qualified_name: String,
    pub(super) kind: &'static str,
}

/// 3.36 codeFlow.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifCodeFlow<'a> {
    pub(super) thread_flows: [SarifThreadFlow<'a>; 1],
}

/// 3.37 threadFlow.
#[derive(Debug, Serialize)]
pub(super) struct SarifThreadFlow<'a> {
    pub(super) locations: Vec<SarifStep<'a>>,
}

/// 3.38 threadFlowLocation.
#[derive(Debug, Serialize)]
pub(super) struct SarifStep<'a> {
    pub(super) location: SarifLocation<'a>,
}

/// 3.35 suppression.
#[derive(Debug, Serialize)]
pub(super) struct SarifSuppression<'a> {
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    pub(super) justification: &'a str,
}

/// 3.55 fix.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifFix<'a> {
    pub(super) description: SarifMessage<'a>,
    pub(super) artifact_changes: Vec<SarifChange<'a>>,
}

/// 3.56 artifactChange.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifChange<'a> {
    pub(super) artifact_location: SarifArtifactLocation,
    pub(super) replacements: Vec<SarifReplacement<'a>>,
}

/// 3.57 replacement.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SarifReplacement<'a> {
    pub(super) deleted_region: SarifRegion,
    pub(super) inserted_content: SarifMessage<'a>,
}
