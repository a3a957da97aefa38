//! The identity providers themselves. IAM API Reference, `CreateOpenIDConnectProvider`.

use crate::rules::{Context, FindingSink, ids};
use crate::value::Value;

pub(super) fn check(cx: &Context<'_>, out: &mut FindingSink<'_>) {
    for (id, r) in cx.project.deployed() {
        if &*r.kind != "AWS::IAM::OIDCProvider" {
            continue;
        }
        if let Some(url) = r.get("Url")
            && url.as_str().is_some_and(|u| u.starts_with("http://"))
        {
            out.push(
                cx.at_resource(
                    ids::OIDC_PROVIDER_THUMBPRINT_OR_URL,
                    id,
                    "the URL of the provider is not `https`",
                )
                .under(r.branch.as_ref())
                .primary(url.span, "must be `https://`")
                .scope(r.header, ""),
            );
        }
        for client in r.get("ClientIdList").iter().flat_map(|c: &&Value| c.items()) {
            if client.as_str().as_deref() == Some("*") {
                out.push(
                    cx.at_resource(
                        ids::OIDC_PROVIDER_THUMBPRINT_OR_URL,
                        id,
                        "invalid client ID: no token matches",
                    )
                    .under(r.branch.as_ref())
                    .primary(client.span, "matches no client id")
                    .scope(r.header, ""),
                );
            }
        }
    }
}
