use super::Users;
use crate::model::Resource;
pub(super) fn api(_users: &mut Users<'_, '_, '_>, _r: &Resource) {}
