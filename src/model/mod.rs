//! Floor 0: the words every other room speaks.
//!
//! Addresses, ids, links between objects, tags and problems. Nothing here knows
//! a cloud, a file or a clock; it exists so that the rooms above never exchange
//! bare strings.

mod address;
mod address_text;
mod clock;
mod id;
mod link;
mod money;
mod place;
mod problem;
pub mod tags;

pub use address::{Address, BadAddress, Block, Key, Module, Name, Part};
pub use clock::{Clock, Moment};
pub use id::{
    AccountId, AllocationId, BucketArn, CloudId, EndpointId, FileSystemId, GatewayId, GroupName,
    HostedZoneId, ImageId, InstanceId, NatId, ProfileArn, QueueArn, Region, ReservationId, RoleArn,
    RouteTableId, SecurityGroupId, StackName, SubnetId, TemplateId, Token, VpcId, Zone,
};
pub use link::{Encoder, Link, Piece, Text};
pub use money::Money;
pub use place::{BlockPlace, Place};
pub use problem::{Label, Problem, Severity, Source, Sources, Span};
