//! Calls of methods that the API data does not have, on clients that are known by name.
//!
//! **Invariant:** each is a call, whose actions are a guess, or a place that is not resolved; none is left out.

use std::sync::Arc;

use crate::iam::sdk::Client;
use crate::iam::unlisted::{is_service_method, unlisted_method};
use crate::python::calls::UnresolvedReason;
use crate::python::calls::call_sites::{CallSiteFinder, CallTarget};
use crate::python::calls::spelled::{is_method_of_any, operation};
use crate::python::points_to::AbstractValue;
use crate::python::{CallExpr, ExprId, PythonModule};

/// How a call names what it asks a client for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// `client.list_jobs()`
    Method,
    /// `client.get_paginator("list_jobs")`
    Operation,
    Waiter,
}

impl Asked {
    fn by(method: &str) -> Self {
        match method {
            "get_paginator" | "generate_presigned_url" | "_make_api_call" => Self::Operation,
            "get_waiter" => Self::Waiter,
            _ => Self::Method,
        }
    }

    fn is_known(self, client: Client, name: &str) -> bool {
        match self {
            Self::Method => operation(client, name).is_some() || client.injected(name).is_some(),
            Self::Operation => client.operation(name).is_some(),
            Self::Waiter => client.waiter(name).is_some(),
        }
    }
}

impl CallSiteFinder<'_, '_> {
    /// Of the methods that a callee may be, those that the data does not have.
    pub(super) fn unlisted_targets(
        &mut self,
        m: &PythonModule,
        expr: ExprId,
        call: &CallExpr,
        callee: &[AbstractValue],
    ) -> Vec<CallTarget> {
        let mut out = Vec::new();
        // A class of the repository has the method, and may stand in for the client.
        if callee
            .iter()
            .any(|t| matches!(t, AbstractValue::Method(..) | AbstractValue::Function(_)))
        {
            return out;
        }
        let clients = || {
            callee.iter().filter_map(|t| match t {
                AbstractValue::Bound(of, _) => match **of {
                    AbstractValue::Client(c) => Some(c),
                    _ => None,
                },
                _ => None,
            })
        };
        for t in callee {
            let AbstractValue::Bound(of, method) = t else { continue };
            let client: Arc<str> = match &**of {
                AbstractValue::Client(c) => c.name().into(),
                AbstractValue::UnlistedClient(name) => name.clone(),
                AbstractValue::SomeClient => {
                    if is_service_method(method) && !is_method_of_any(method) && callee.len() == 1 {
                        self.add_unresolved_service(m, expr, method);
                    }
                    continue;
                }
                _ => continue,
            };
            let asked = Asked::by(method);
            let names = match asked {
                Asked::Method => vec![method.clone()],
                Asked::Operation | Asked::Waiter => self.names_asked(call, method),
            };
            for name in names.iter().filter(|name| is_service_method(name)) {
                if !clients().any(|c| asked.is_known(c, name)) {
                    // The name of a waiter is that of no operation.
                    let operation = if asked == Asked::Waiter { "" } else { &**name };
                    match unlisted_method(&client, operation) {
                        Some(needs) => out.push(CallTarget::Unlisted {
                            service: client.clone(),
                            method: name.clone(),
                            needs,
                        }),
                        None => self.add_unresolved(m, expr, UnresolvedReason::Service),
                    }
                }
            }
            if names.is_empty() && matches!(**of, AbstractValue::UnlistedClient(_)) {
                self.add_unresolved(m, expr, UnresolvedReason::Operation);
            }
        }
        out
    }

    /// The operations or waiters that a call of `get_paginator` and the like names.
    fn names_asked(&self, call: &CallExpr, method: &str) -> Vec<Arc<str>> {
        let keyword = match method {
            "generate_presigned_url" => "ClientMethod",
            "get_waiter" => "waiter_name",
            _ => "operation_name",
        };
        let named = call.argument(0, keyword);
        named.map_or_else(Vec::new, |a| self.evaluator.texts(self.module, a, None))
    }

    /// A method that only one service has says which one it is.
    fn add_unresolved_service(&mut self, m: &PythonModule, expr: ExprId, method: &str) {
        if self.unique_service(method).is_none() {
            self.add_unresolved(m, expr, UnresolvedReason::Service);
        }
    }
}
