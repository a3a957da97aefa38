//! The identity providers themselves. IAM API Reference, `CreateOpenIDConnectProvider`.

use crate::rules::{Context, FindingSink};
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
                    "oidc-provider-thumbprint-or-url",
                    id,
                    "the URL of the provider is not `https`",
                )
                .only_under(r.branch.as_ref())
                .primary(url.span, "must be `https://`")
                .scope(r.header, ""),
            );
        }
        for client in r.get("ClientIdList").iter().flat_map(|c: &&Value| c.items()) {
            if client.as_str().as_deref() == Some("*") {
                out.push(
                    cx.at_resource(
                        "oidc-provider-thumbprint-or-url",
                        id,
                        "invalid client ID: no token matches",
                    )
                    .only_under(r.branch.as_ref())
                    .primary(client.span, "matches no client id")
                    .scope(r.header, ""),
                );
            }
        }
    }
}
