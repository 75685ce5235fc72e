//! The table of kinds and the dispatch that is generated from it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Bucket, BucketObject, DataRepositoryAssociation, EfsFileSystem, ElasticIp, Home, HostedZone,
    InstanceProfile, InternetGateway, Kind, LaunchTemplate, LustreFileSystem, NatGateway, Node,
    PlacementGroup, Queue, Role, RouteTable, SecurityGroup, Subnet, Traits, Volume, Vpc,
    VpcEndpoint, seek,
};
use crate::model::CloudId;

macro_rules! kinds {
    ($($name:ident = $word:literal),* $(,)?) => {
        /// The name of a kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum KindName {
            $(#[doc = $word] #[serde(rename = $word)] $name,)*
        }

        impl KindName {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name as written in files and JSON.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The facts about it.
            pub fn traits(self) -> &'static Traits {
                match self { $(Self::$name => &<$name as Kind>::TRAITS,)* }
            }

            /// Reads a spec of this kind from its fields.
            pub fn read(self, fields: Map<String, Value>) -> Result<Spec, serde_json::Error> {
                let value = Value::Object(fields);
                Ok(match self { $(Self::$name => Spec::$name(serde_json::from_value(value)?),)* })
            }
        }

        /// What an object should be, or is.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", content = "spec")]
        pub enum Spec {
            $(#[doc = $word] #[serde(rename = $word)] $name($name),)*
        }

        impl Spec {
            /// Its kind.
            pub fn kind(&self) -> KindName {
                match self { $(Self::$name(_) => KindName::$name,)* }
            }

            /// Its fields as JSON, in the order in which the kind declares them.
            pub fn fields(&self) -> Map<String, Value> {
                let value = match self { $(Self::$name(spec) => serde_json::to_value(spec),)* };
                match value {
                    Ok(Value::Object(map)) => map,
                    // A spec is a struct of plain data: serde cannot fail on it.
                    Ok(_) | Err(_) => Map::new(),
                }
            }

            /// Looks for links and deferred texts in it.
            pub(super) fn seek(&self, sink: seek::Sink<'_>) {
                match self { $(Self::$name(spec) => seek::seek(spec, sink),)* }
            }

            /// What it is right after the create call.
            #[must_use]
            pub fn born(&self) -> Self {
                match self { $(Self::$name(spec) => Self::$name(spec.born()),)* }
            }

            /// Its data forbids deleting it.
            pub fn is_precious(&self) -> bool {
                match self { $(Self::$name(spec) => spec.is_precious(),)* }
            }

            /// Fields that change in place, but not from its value to that of another.
            pub fn cannot_become(&self, want: &Self) -> &'static [&'static str] {
                match self {
                    $(Self::$name(have) => {
                        if let Self::$name(want) = want { have.cannot_become(want) } else { &[] }
                    })*
                }
            }

            /// What only one living object can hold.
            pub fn claim(&self) -> Option<String> {
                match self { $(Self::$name(spec) => spec.claim(),)* }
            }

            /// Its id when that follows from its name.
            pub fn computed_id(&self, home: &Home) -> Option<CloudId> {
                match self { $(Self::$name(spec) => spec.computed_id(home),)* }
            }

            /// The same spec for its n-th replacement: a unique name gets a suffix.
            #[must_use]
            pub fn at_generation(mut self, generation: u32) -> Self {
                let name = match &mut self { $(Self::$name(spec) => spec.name_mut(),)* };
                if let (Some(name), true) = (name, generation > 1) {
                    name.push_str(&format!("-g{generation}"));
                }
                self
            }
        }

        $(impl From<$name> for Spec {
            fn from(spec: $name) -> Self {
                Self::$name(spec)
            }
        })*
    };
}

kinds! {
    Vpc = "vpc",
    Subnet = "subnet",
    InternetGateway = "internet_gateway",
    ElasticIp = "elastic_ip",
    NatGateway = "nat_gateway",
    RouteTable = "route_table",
    VpcEndpoint = "vpc_endpoint",
    SecurityGroup = "security_group",
    HostedZone = "hosted_zone",
    Bucket = "bucket",
    BucketObject = "bucket_object",
    Queue = "queue",
    Volume = "volume",
    EfsFileSystem = "efs_file_system",
    LustreFileSystem = "lustre_file_system",
    DataRepositoryAssociation = "data_repository_association",
    Role = "role",
    InstanceProfile = "instance_profile",
    PlacementGroup = "placement_group",
    LaunchTemplate = "launch_template",
    Node = "node",
}

impl KindName {
    /// One object of it can be asked for by its id; nodes come as batches.
    pub fn can_be_found(self) -> bool {
        self != Self::Node
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        self.traits().title
    }
}

impl fmt::Display for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
