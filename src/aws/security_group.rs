//! Security groups; the rules of all of them come in one more list.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{
    Filter, IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType,
    SecurityGroup as WireGroup, SecurityGroupRule, UserIdGroupPair,
};

use super::found::{self, Found};
use super::{Aws, ec2, pages};
use crate::cloud::{Class, Failure, Owner, Phase};
use crate::kinds::{Change, Edit, KindName, Peer, Rule, SecurityGroup};
use crate::model::{CloudId, Link, SecurityGroupId, VpcId};

/// How many values a filter takes.
const FILTER_VALUES: usize = 200;

/// All ports of a protocol, as the wire says it.
fn all_ports(protocol: &str) -> Option<(i32, i32)> {
    match protocol {
        "tcp" | "udp" | "6" | "17" => Some((0, 65535)),
        "icmp" | "icmpv6" | "1" | "58" => Some((-1, -1)),
        _ => None,
    }
}

fn read_rule(rule: SecurityGroupRule) -> (bool, Rule) {
    let protocol = rule.ip_protocol.unwrap_or_default();
    let ports = rule.from_port.zip(rule.to_port);
    let everything = protocol == "-1" || ports == all_ports(&protocol);
    let group = rule.referenced_group_info.and_then(|info| info.group_id);
    let peer = match (rule.cidr_ipv4.or(rule.cidr_ipv6), group) {
        (Some(cidr), _) => Peer::Cidr(cidr),
        (None, Some(group)) if Some(&group) == rule.group_id.as_ref() => Peer::Itself,
        (None, Some(group)) => Peer::Group(Link::Id(SecurityGroupId(group))),
        (None, None) => Peer::PrefixList(rule.prefix_list_id.unwrap_or_default()),
    };
    let ports = if everything { None } else { ports };
    let description = rule.description.unwrap_or_default();
    (rule.is_egress.unwrap_or(false), Rule { protocol, ports, peer, description })
}

/// The rule as the wire wants it. Revoking matches rules without their description.
fn wire_rule(group: &CloudId, rule: &Rule, describe: bool) -> Result<IpPermission, Failure> {
    let api = "ec2:AuthorizeSecurityGroup";
    let text = (describe && !rule.description.is_empty()).then(|| rule.description.clone());
    let ports = rule.ports.or_else(|| all_ports(&rule.protocol));
    let wire = IpPermission::builder()
        .ip_protocol(&rule.protocol)
        .set_from_port(ports.map(|(from, _)| from))
        .set_to_port(ports.map(|(_, to)| to));
    let pair = |id: &str| UserIdGroupPair::builder().group_id(id).set_description(text.clone());
    Ok(match &rule.peer {
        Peer::Itself => wire.user_id_group_pairs(pair(group.as_str()).build()),
        Peer::Group(link) => wire.user_id_group_pairs(pair(&found::id_of(api, link)?).build()),
        Peer::Cidr(cidr) if cidr.contains(':') => {
            wire.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr).set_description(text).build())
        }
        Peer::Cidr(cidr) => {
            wire.ip_ranges(IpRange::builder().cidr_ip(cidr).set_description(text).build())
        }
        Peer::PrefixList(id) => wire.prefix_list_ids(
            PrefixListId::builder().prefix_list_id(id).set_description(text).build(),
        ),
    }
    .build())
}

/// Both directions, sorted.
type Rules = (Vec<Rule>, Vec<Rule>);

fn read(group: WireGroup, rules: &Result<BTreeMap<String, Rules>, Failure>) -> Found {
    let tags = ec2::tags_of(group.tags);
    let id = group.group_id.unwrap_or_default();
    let spec = rules.as_ref().map_err(Clone::clone).map(|rules| {
        let (ingress, egress) = rules.get(&id).cloned().unwrap_or_default();
        SecurityGroup {
            name: group.group_name.unwrap_or_default(),
            description: group.description.unwrap_or_default(),
            vpc: Link::Id(VpcId(group.vpc_id.unwrap_or_default())),
            ingress,
            egress,
            tags: found::user_tags(&tags),
        }
    });
    Found::read(CloudId(id), tags, spec)
}

impl Aws {
    pub(super) async fn list_groups(&self, wanted: &ec2::Filter) -> Result<Vec<Found>, Failure> {
        let request =
            || self.ec2.describe_security_groups().filters(wanted.clone()).max_results(1000);
        let all = pages!(self, "ec2:DescribeSecurityGroups", request(), security_groups);
        let ids: Vec<_> = all.iter().filter_map(|group| group.group_id.clone()).collect();
        let rules = self.rules_of(&ids).await;
        Ok(all.into_iter().map(|group| read(group, &rules)).collect())
    }

    async fn rules_of(&self, groups: &[String]) -> Result<BTreeMap<String, Rules>, Failure> {
        let mut out: BTreeMap<String, Rules> = BTreeMap::new();
        for some in groups.chunks(FILTER_VALUES) {
            let of_groups =
                Filter::builder().name("group-id").set_values(Some(some.to_vec())).build();
            let request = || {
                let request = self.ec2.describe_security_group_rules().max_results(1000);
                request.filters(of_groups.clone())
            };
            let page =
                pages!(self, "ec2:DescribeSecurityGroupRules", request(), security_group_rules);
            for rule in page {
                let rules = out.entry(rule.group_id.clone().unwrap_or_default()).or_default();
                match read_rule(rule) {
                    (false, rule) => rules.0.push(rule),
                    (true, rule) => rules.1.push(rule),
                }
            }
        }
        for (ingress, egress) in out.values_mut() {
            ingress.sort();
            egress.sort();
        }
        Ok(out)
    }

    pub(super) async fn create_group(
        &self,
        spec: &SecurityGroup,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "ec2:CreateSecurityGroup";
        let tags = found::birth_tags(owner, &spec.tags, &[]);
        let vpc = found::id_of(API, &spec.vpc)?;
        let request = self
            .ec2
            .create_security_group()
            .group_name(&spec.name)
            .description(&spec.description)
            .vpc_id(&vpc)
            .tag_specifications(ec2::tag_on_create(ResourceType::SecurityGroup, &tags));
        match self.send(API, request.send()).await {
            Err(failure) if failure.class == Class::Exists => {
                let request = self
                    .ec2
                    .describe_security_groups()
                    .filters(ec2::filter("vpc-id", &vpc))
                    .filters(ec2::filter("group-name", &spec.name));
                let found = self.send("ec2:DescribeSecurityGroups", request.send()).await;
                let found = found.map(|found| {
                    let group = found.security_groups.unwrap_or_default().into_iter().next()?;
                    Some((CloudId(group.group_id?), ec2::tags_of(group.tags)))
                });
                found::holder(owner, failure, found)
            }
            answer => ec2::made(API, answer?.group_id),
        }
    }

    pub(super) async fn edit_group(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        let group = id.as_str();
        let rule = |item, describe| wire_rule(id, &found::value(edit, item)?, describe);
        let answer = match (edit.field.as_str(), &edit.change) {
            ("ingress", Change::Add(item)) => {
                let request = self.ec2.authorize_security_group_ingress().group_id(group);
                let request = request.ip_permissions(rule(item, true)?);
                self.send("ec2:AuthorizeSecurityGroupIngress", request.send()).await.map(|_| ())
            }
            ("egress", Change::Add(item)) => {
                let request = self.ec2.authorize_security_group_egress().group_id(group);
                let request = request.ip_permissions(rule(item, true)?);
                self.send("ec2:AuthorizeSecurityGroupEgress", request.send()).await.map(|_| ())
            }
            ("ingress", Change::Remove(item)) => {
                let request = self.ec2.revoke_security_group_ingress().group_id(group);
                let request = request.ip_permissions(rule(item, false)?);
                self.send("ec2:RevokeSecurityGroupIngress", request.send()).await.map(|_| ())
            }
            ("egress", Change::Remove(item)) => {
                let request = self.ec2.revoke_security_group_egress().group_id(group);
                let request = request.ip_permissions(rule(item, false)?);
                self.send("ec2:RevokeSecurityGroupEgress", request.send()).await.map(|_| ())
            }
            ("tags", _) => self.edit_ec2_tags(KindName::SecurityGroup, group, edit).await,
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                Err(found::unknown(KindName::SecurityGroup, edit))
            }
        };
        match answer {
            Err(failure) if is_done(&failure.code, &edit.change) => Ok(()),
            answer => answer,
        }
    }

    pub(super) async fn delete_group(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.ec2.delete_security_group().group_id(id.as_str());
        self.send("ec2:DeleteSecurityGroup", request.send()).await.map(|_| ())
    }

    pub(super) async fn group_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let request = self.ec2.describe_security_groups().group_ids(id.as_str());
        let found = self.send("ec2:DescribeSecurityGroups", request.send()).await?;
        Ok(found.security_groups.unwrap_or_default().first().map_or(Phase::Gone, |_| Phase::Ready))
    }
}

/// A repeat of what has been done.
fn is_done(code: &str, change: &Change) -> bool {
    match change {
        Change::Add(_) => code == "InvalidPermission.Duplicate",
        Change::Remove(_) => code == "InvalidPermission.NotFound",
        Change::Put(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_to_all_ports_names_them_on_the_wire_only() {
        let id = CloudId::from("sg-1");
        let rule = Rule { protocol: "tcp".to_owned(), ..Rule::all(Peer::Itself, "why") };
        let wire = wire_rule(&id, &rule, true).expect("a rule");
        assert_eq!((wire.from_port, wire.to_port), (Some(0), Some(65535)));
        let pair = &wire.user_id_group_pairs.as_deref().expect("a group")[0];
        assert_eq!(pair.group_id.as_deref(), Some("sg-1"));
        let back = SecurityGroupRule::builder()
            .group_id("sg-1")
            .ip_protocol("tcp")
            .from_port(0)
            .to_port(65535)
            .description("why")
            .referenced_group_info(
                aws_sdk_ec2::types::ReferencedSecurityGroup::builder().group_id("sg-1").build(),
            );
        assert_eq!(read_rule(back.build()), (false, rule));
    }
}
