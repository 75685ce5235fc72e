//! What the nodes of a cluster may do: what their buckets and queue need, and to say how
//! they are.

use serde_json::json;

use crate::kinds::{InlinePolicy, InstanceProfile, Role, canonical};
use crate::lang::{Evaluated, Value};
use crate::model::{Address, Link, Text, tags};

use super::expansion::{Expansion, tags_of};
use super::mounts;
use super::names::fit;

/// Adds the role and its profile to what is wanted.
pub(super) fn role(x: &mut Expansion<'_>, block: &Evaluated, address: &Address) {
    let (role, profile) = (address.with_part("role"), address.with_part("profile"));
    let path = x.here.path();
    let partition = x.here.home.partition();
    let trust = canonical(json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": { "Service": "ec2.amazonaws.com" },
        }],
    }));
    let spec = Role {
        name: x.here.role(&role),
        path: path.clone(),
        description: x.here.nodes_of(&role),
        trust: Text::Known(trust),
        policies: policies(x, block),
        managed: vec![format!("arn:{partition}:iam::aws:policy/AmazonSSMManagedInstanceCore")],
        tags: tags_of(x, &role, block),
    };
    x.desired.specs.insert(role.clone(), spec.into());
    let (name, tags) = (x.here.role(&profile), tags_of(x, &profile, block));
    let spec = InstanceProfile { name, path, roles: vec![Link::To(role)], tags };
    x.desired.specs.insert(profile, spec.into());
}

/// The ARNs of the blocks that an attribute refers to.
fn arns(block: &Evaluated, attribute: &str) -> Vec<String> {
    let listed = block.attr(attribute).and_then(Value::as_list).unwrap_or_default();
    let arn = |value: &Value| {
        let block = value.block()?;
        block.exports.get("arn")?.as_str().map(str::to_owned)
    };
    listed.iter().filter_map(arn).collect()
}

/// A node may say how it is, by two tags of itself and of nothing else. The condition compares
/// the instance that the credentials were given to with the one that is tagged
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html>).
fn itself(x: &Expansion<'_>) -> serde_json::Value {
    let instance = |id: &str| x.here.home.arn("ec2", &format!("instance/{id}"));
    json!({
        "Effect": "Allow",
        "Action": "ec2:CreateTags",
        "Resource": instance("*"),
        "Condition": {
            "ArnEquals": { "ec2:SourceInstanceARN": instance("${ec2:InstanceID}") },
            "ForAllValues:StringEquals": { "aws:TagKeys": [tags::REASON, tags::STATE] },
        },
    })
}

/// Exactly what the nodes' buckets and queue need.
fn policies(x: &Expansion<'_>, block: &Evaluated) -> Vec<InlinePolicy> {
    let (mut read, mut write) = (arns(block, "read"), arns(block, "write"));
    let (mounted, mounted_to_write) = mounts::buckets(x, block);
    read.extend(mounted.into_iter().filter(|arn| !read.contains(arn)).collect::<Vec<_>>());
    write.extend(
        mounted_to_write.into_iter().filter(|arn| !write.contains(arn)).collect::<Vec<_>>(),
    );
    let mut statements = vec![itself(x)];
    let only_read = read.iter().filter(|arn| !write.contains(arn));
    let all: Vec<&String> = only_read.chain(&write).collect();
    let inside = |arns: &[&String]| arns.iter().map(|arn| format!("{arn}/*")).collect::<Vec<_>>();
    if !all.is_empty() {
        let list = ["s3:ListBucket", "s3:GetBucketLocation"];
        statements.push(json!({ "Effect": "Allow", "Action": list, "Resource": all }));
        statements.push(
            json!({ "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": inside(&all) }),
        );
    }
    if !write.is_empty() {
        let write: Vec<&String> = write.iter().collect();
        let actions = ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"];
        statements
            .push(json!({ "Effect": "Allow", "Action": actions, "Resource": inside(&write) }));
    }
    statements.extend(mounts::statements(x, block));
    let queue = block.attr("queue").and_then(Value::block);
    if let Some(arn) = queue.and_then(|queue| queue.exports.get("arn")?.as_str()) {
        let actions = [
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:ChangeMessageVisibility",
            "sqs:SendMessage",
            "sqs:GetQueueAttributes",
        ];
        statements.push(json!({ "Effect": "Allow", "Action": actions, "Resource": arn }));
    }
    let document = canonical(json!({ "Version": "2012-10-17", "Statement": statements }));
    let name = fit(&format!("{}-data", x.here.stack), 128);
    vec![InlinePolicy { name, document: Text::Known(document) }]
}
