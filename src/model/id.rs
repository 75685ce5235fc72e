//! Ids as newtypes: a VPC's id does not compile where a subnet's is wanted.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    )*};
}

text_id! {
    /// Any cloud object: the EC2 id (`vpc-0abc`), or the ARN where the object is known by a name.
    CloudId,
    /// The twelve digits of an AWS account.
    AccountId,
    /// An AWS region, such as `us-east-1`.
    Region,
    /// An availability zone by name, such as `us-east-1a`.
    Zone,
    /// The name of a stack; every object that it owns carries it as a tag.
    StackName,
    /// A client token: minted when an intent is written, at most 64 ASCII characters.
    Token,
    /// `cr-…`: a capacity reservation or a Capacity Block.
    ReservationId,
    /// `vpc-…`
    VpcId,
    /// `subnet-…`
    SubnetId,
    /// `igw-…`
    GatewayId,
    /// `eipalloc-…`
    AllocationId,
    /// `nat-…`
    NatId,
    /// `rtb-…`
    RouteTableId,
    /// `vpce-…`
    EndpointId,
    /// `sg-…`
    SecurityGroupId,
    /// `Z…`: a hosted zone.
    HostedZoneId,
    /// `lt-…`
    TemplateId,
    /// `fs-…`: a file system of FSx or EFS.
    FileSystemId,
    /// `i-…`
    InstanceId,
    /// `ami-…`
    ImageId,
    /// ARN of a placement group.
    GroupName,
    /// ARN of a bucket.
    BucketArn,
    /// ARN of an SQS queue.
    QueueArn,
    /// ARN of an IAM role.
    RoleArn,
    /// ARN of an instance profile.
    ProfileArn,
}

impl CloudId {
    /// The last part of an ARN, or the id itself: the name a person reads.
    pub fn short(&self) -> &str {
        let tail = self.0.rsplit(':').next().unwrap_or(&self.0);
        tail.rsplit('/').next().unwrap_or(tail)
    }
}

impl Zone {
    /// The letter that AWS puts behind the region: `us-east-1a` → `a`.
    pub fn letter(&self) -> Option<char> {
        self.0.chars().last().filter(char::is_ascii_lowercase)
    }
}
