//! What code sets up for an AWS SDK: clients, sessions and credentials, and the variables of its environment.

use super::parameters::constructor_positional;
use super::resources::{CallLowering, method_of, rename, synthetic_entry};
use crate::model::{LoweredUnit, kinds};
use crate::python::receiver::Constructor;
use crate::python::{ArgName, ExprId, ObjectChange};
use crate::source::Text;
use crate::value::Value;

impl CallLowering<'_> {
    /// `boto3.client(...)` and its like.
    pub(super) fn constructors(&self, unit: &mut LoweredUnit) {
        let m = self.module();
        for expr in m.ids() {
            let Some(call) = m.call(expr) else { continue };
            let Some(made) = self.receivers.constructor(call) else {
                continue;
            };
            let header = m.expr(call.function).span;
            let callee = self
                .program
                .library(self.module, call.function)
                .or_else(|| m.dotted(call.function))
                .unwrap_or_else(|| method_of(m, call).to_owned());
            let names: Vec<&str> = match made {
                Constructor::Credentials(parameters) => parameters.split(", ").collect(),
                _ => constructor_positional(&callee).to_vec(),
            };
            let mut entries = vec![synthetic_entry("Callee", Value::synthetic(&callee, header))];
            let mut args = self.arguments(call, &names, |_| false);
            for e in &mut args {
                rename(
                    e,
                    &[
                        ("service_name", "Service"),
                        ("access_key", "aws_access_key_id"),
                        ("aws_access_key", "aws_access_key_id"),
                        ("key", "aws_access_key_id"),
                        ("secret_key", "aws_secret_access_key"),
                        ("secret", "aws_secret_access_key"),
                        ("token", "aws_session_token"),
                        ("aws_token", "aws_session_token"),
                        ("session_token", "aws_session_token"),
                    ],
                );
            }
            entries.append(&mut args);
            unit.resources
                .push(self.plain_resource(kinds::BOTO3_CLIENT, &callee, expr, header, entries));
        }
    }

    /// `os.environ["X"] = …`, `os.environ.update(…)`, `os.environ.setdefault(…)`, `os.putenv(…)`.
    pub(super) fn environment(&self, unit: &mut LoweredUnit) {
        let m = self.module();
        let mut put = |name: Value, value: Value, expr: ExprId| {
            let entries = vec![synthetic_entry("Name", name), synthetic_entry("Value", value)];
            let header = m.expr(expr).span;
            unit.resources
                .push(self.plain_resource(kinds::ENVIRON, "os.environ", expr, header, entries));
        };
        for s in &m.scopes {
            for c in &s.mutations {
                if !matches!(&*c.name, "os.environ" | "environ") {
                    continue;
                }
                match (&c.change, c.path.as_slice()) {
                    (ObjectChange::Set(e), [key]) => {
                        put(
                            self.values.value(self.module, *key),
                            self.values.value(self.module, *e),
                            *e,
                        );
                    }
                    (ObjectChange::Update(e), []) => {
                        let v = self.values.value(self.module, *e);
                        for entry in v.entries().unwrap_or_default() {
                            put(Value::text(entry.key.clone(), entry.key_span), entry.value.clone(), *e);
                        }
                    }
                    _ => {}
                }
            }
        }
        for expr in m.ids() {
            let Some(call) = m.call(expr) else { continue };
            let method = method_of(m, call);
            if !matches!(method, "putenv" | "setdefault" | "update") {
                continue;
            }
            let callee = m.dotted(call.function).unwrap_or_default();
            match callee.as_str() {
                "os.putenv" | "putenv" | "os.environ.setdefault" | "environ.setdefault" => {
                    if let (Some(k), Some(v)) = (call.positional(0), call.positional(1)) {
                        put(
                            self.values.value(self.module, k),
                            self.values.value(self.module, v),
                            expr,
                        );
                    }
                }
                "os.environ.update" | "environ.update" => {
                    for a in &call.args {
                        if let ArgName::Keyword(k, span) = &a.name {
                            let name = Value::text(Text::verbatim(k, span.file, span.start as usize), *span);
                            put(name, self.values.value(self.module, a.value), expr);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}
