//! What the kinds of FSx share: tags. Their calls name a resource by its ARN.

use aws_sdk_fsx::types::Tag;

use super::Aws;
use super::found::{self, TagChange};
use crate::cloud::Failure;
use crate::kinds::{Change, Edit, KindName, Tags};

/// Tags as a map.
pub fn tags_of(found: Option<Vec<Tag>>) -> Tags {
    let pair = |tag: Tag| Some((tag.key?, tag.value.unwrap_or_default()));
    found.unwrap_or_default().into_iter().filter_map(pair).collect()
}

/// Tags as the wire wants them.
pub fn wire_tags(from: &Tags) -> Vec<Tag> {
    from.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

impl Aws {
    /// Changes tags, or the mark of what is precious, of something in FSx: `file-system/fs-1`.
    pub(super) async fn edit_fsx_tags(
        &self,
        kind: KindName,
        resource: &str,
        edit: &Edit,
    ) -> Result<(), Failure> {
        let arn = self.home().arn("fsx", resource);
        let change = match (edit.field.as_str(), &edit.change) {
            ("precious", Change::Put(to)) => {
                found::tag_change(kind, &found::precious_edit(found::value(edit, to)?))?
            }
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                found::tag_change(kind, edit)?
            }
        };
        match change {
            TagChange::Add(new) => {
                let tags = Some(wire_tags(&new));
                let request = self.fsx.tag_resource().resource_arn(arn).set_tags(tags);
                self.send("fsx:TagResource", request.send()).await.map(|_| ())
            }
            TagChange::Remove(keys) => {
                let request = self.fsx.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
                self.send("fsx:UntagResource", request.send()).await.map(|_| ())
            }
        }
    }
}
