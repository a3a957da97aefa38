use std::collections::BTreeSet;
use super::Users;
use crate::model::Resource;
pub(super) fn project(_users: &mut Users<'_, '_, '_>, _r: &Resource, _wanted: &mut BTreeSet<String>) {}
