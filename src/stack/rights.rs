//! What the nodes of a cluster may do: what their buckets and queue need, and to say how
//! they are.

use serde_json::json;

use crate::kinds::{InlinePolicy, InstanceProfile, Role, canonical};
use crate::lang::{Evaluated, Value};
use crate::model::{Address, Link, Text, tags};

use super::expansion::{Expansion, tags_of};
use super::names::fit;
use super::{machine, mounts};

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

/// A node may say how it is, by three tags of itself and of nothing else. The condition compares
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
            "ForAllValues:StringEquals": { "aws:TagKeys": [tags::JOB, tags::REASON, tags::STATE] },
        },
    })
}

/// A service may read the secrets that it names, and have them decrypted on the way
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html>,
/// <https://docs.aws.amazon.com/kms/latest/developerguide/services-secrets-manager.html>).
fn kept(x: &Expansion<'_>, block: &Evaluated) -> Vec<serde_json::Value> {
    let home = &x.here.home;
    let (mut parameters, mut secrets) = (Vec::new(), Vec::new());
    for secret in machine::secrets(block) {
        match secret {
            machine::Secret::Parameter(name) if name.starts_with("arn:") => parameters.push(name),
            machine::Secret::Parameter(name) => {
                let rest = format!("parameter/{}", name.trim_start_matches('/'));
                parameters.push(home.arn("ssm", &rest));
            }
            machine::Secret::Manager(arn) if arn.starts_with("arn:") => secrets.push(arn),
            // Six characters of AWS's own follow the name.
            machine::Secret::Manager(name) => {
                secrets.push(home.arn("secretsmanager", &format!("secret:{name}-??????")));
            }
        }
    }
    let mut out = Vec::new();
    let stores = [
        ("ssm", "ssm:GetParameter", "PARAMETER_ARN", parameters),
        ("secretsmanager", "secretsmanager:GetSecretValue", "SecretARN", secrets),
    ];
    for (service, action, context, mut arns) in stores {
        if arns.is_empty() {
            continue;
        }
        arns.sort();
        arns.dedup();
        let domain =
            if home.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
        let via = format!("{service}.{}.{domain}", home.region);
        out.push(json!({
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": home.arn("kms", "key/*"),
            "Condition": {
                "StringEquals": { "kms:ViaService": via },
                "StringLike": { format!("kms:EncryptionContext:{context}"): arns },
            },
        }));
        out.push(json!({ "Effect": "Allow", "Action": action, "Resource": arns }));
    }
    out
}

/// A service may pull its image when that is kept in an ECR of AWS.
fn pulled(x: &Expansion<'_>, block: &Evaluated) -> Vec<serde_json::Value> {
    let image = machine::run(block).and_then(|run| run.attr("image")).and_then(Value::as_str);
    let Some((host, rest)) = image.and_then(|image| image.split_once('/')) else {
        return Vec::new();
    };
    let words: Vec<&str> = host.split('.').collect();
    let [account, "dkr", "ecr", region, "amazonaws", "com", ..] = words.as_slice() else {
        return Vec::new();
    };
    let name = rest.split(['@', ':']).next().unwrap_or(rest);
    let partition = x.here.home.partition();
    let repository = format!("arn:{partition}:ecr:{region}:{account}:repository/{name}");
    let pull =
        ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
    let login = "ecr:GetAuthorizationToken";
    vec![
        json!({ "Effect": "Allow", "Action": login, "Resource": "*" }),
        json!({ "Effect": "Allow", "Action": pull, "Resource": repository }),
    ]
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
    if let Some(agent) = machine::agent_arn(block, x.here.home.partition()) {
        statements.push(json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": agent }));
    }
    statements.extend(mounts::statements(x, block));
    statements.extend(kept(x, block));
    statements.extend(pulled(x, block));
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
