//! What all EC2 kinds share: filters, tags on create, tags later.

pub use aws_sdk_ec2::types::Filter;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};

use super::found::{TagChange, tag_change};
use super::{Aws, failure};
use crate::cloud::{Failure, Scope};
use crate::kinds::{Edit, KindName, Tags};
use crate::model::{CloudId, tags};

/// Objects that carry the stack's tag. Stack names hold no wildcard.
pub fn of_stack(scope: &Scope) -> Filter {
    Filter::builder().name(format!("tag:{}", tags::STACK)).values(scope.stack.as_str()).build()
}

/// Not a filter that EC2 knows: [`Aws::list_templates`] makes a list of ids of it.
pub const TEMPLATE_ID: &str = "launch-template-id";

/// A filter by one value.
pub fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// Tags as a map.
pub fn tags_of(found: Option<Vec<Tag>>) -> Tags {
    let pair = |tag: Tag| Some((tag.key?, tag.value.unwrap_or_default()));
    found.unwrap_or_default().into_iter().filter_map(pair).collect()
}

/// Tags as the wire wants them.
pub fn wire_tags(from: &Tags) -> Vec<Tag> {
    from.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// The tags that a create call gives to what it makes.
pub fn tag_on_create(kind: ResourceType, all: &Tags) -> TagSpecification {
    TagSpecification::builder().resource_type(kind).set_tags(Some(wire_tags(all))).build()
}

/// True when two words of the wire are the same: the SDK's enums match neither the
/// endpoint's nor the gateway's spelling, so every state is compared as text.
pub fn is(word: Option<&str>, wanted: &str) -> bool {
    word.is_some_and(|word| word.eq_ignore_ascii_case(wanted))
}

impl Aws {
    /// Changes tags of anything that EC2 knows by its id.
    pub(super) async fn edit_ec2_tags(
        &self,
        kind: KindName,
        id: &str,
        edit: &Edit,
    ) -> Result<(), Failure> {
        match tag_change(kind, edit)? {
            TagChange::Add(new) => {
                let request = self.ec2.create_tags().resources(id).set_tags(Some(wire_tags(&new)));
                self.send("ec2:CreateTags", request.send()).await?;
            }
            TagChange::Remove(keys) => {
                // A key without a value removes the tag whatever its value is.
                let keys = keys.into_iter().map(|key| Tag::builder().key(key).build()).collect();
                let request = self.ec2.delete_tags().resources(id).set_tags(Some(keys));
                self.send("ec2:DeleteTags", request.send()).await?;
            }
        }
        Ok(())
    }
}

/// The id in the answer to a create call.
pub fn made(api: &str, id: Option<String>) -> Result<CloudId, Failure> {
    id.map(CloudId).ok_or_else(|| failure::strange(api, "no id in the answer"))
}
