//! Private hosted zones of Route 53, with their records.
//!
//! `CreateHostedZone` takes no tags. What it takes is a reference, unique for ever, and a
//! comment, and every list returns both: they say whose a zone is until its tags do, so that a
//! zone whose maker died between the two calls is nobody else's. Tags win over them, and a
//! zone that was given away has a tag that says so.

use std::collections::BTreeMap;

use aws_sdk_route53::types::{
    HostedZone as WireZone, HostedZoneConfig, HostedZoneType, Tag, TagResourceType, Vpc as WireVpc,
    VpcRegion,
};

use super::dns_record::{plain, read_records};
use super::found::{self, Found, TagChange};
use super::{Aws, failure};
use crate::cloud::{Class, Failure, Owner, Phase, Scope};
use crate::kinds::{Change, Edit, HostedZone, KindName, Tags};
use crate::model::{Address, CloudId, Link, StackName, Token, VpcId, tags};

const KIND: KindName = KindName::HostedZone;
const LIST: &str = "route53:ListHostedZones";
const GET: &str = "route53:GetHostedZone";
const TAGS: &str = "route53:ListTagsForResources";
const TAG: &str = "route53:ChangeTagsForResource";
/// How many zones' tags come in one call.
const AT_ONCE: usize = 10;
/// On a zone that was the stack's: its reference cannot be taken back.
const GIVEN_AWAY: &str = "mlinfra:forgotten";

/// `/hostedzone/Z1` and `/change/C1` as the other calls take them.
fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

fn reference(owner: &Owner) -> String {
    format!("mlinfra/{}/{}/{}", owner.stack, owner.generation, owner.token)
}

/// Whose a zone was made to be, as its reference and its comment say.
fn owner_of(zone: &WireZone) -> Option<Owner> {
    let mut words = zone.caller_reference.strip_prefix("mlinfra/")?.splitn(3, '/');
    let (stack, generation, token) = (words.next()?, words.next()?, words.next()?);
    let comment = zone.config.as_ref()?.comment.as_deref()?;
    Some(Owner {
        stack: StackName::from(stack),
        address: Address::from_tag(comment).ok()?,
        generation: generation.parse().ok()?,
        token: Token::from(token),
        named: None,
    })
}

fn tags_of(found: Option<Vec<Tag>>) -> Tags {
    let pair = |tag: Tag| Some((tag.key?, tag.value.unwrap_or_default()));
    found.unwrap_or_default().into_iter().filter_map(pair).collect()
}

/// Adds the owner that a zone was made for to tags that do not name another.
fn with_owner(zone: &WireZone, mut tags: Tags) -> Tags {
    let told = tags.contains_key(tags::STACK) || tags.contains_key(GIVEN_AWAY);
    if let (false, Some(owner)) = (told, owner_of(zone)) {
        tags.extend(owner.tags());
    }
    tags
}

/// A zone as far as one call tells.
struct Got {
    zone: WireZone,
    /// VPCs of this region.
    vpcs: Vec<Link<VpcId>>,
}

impl Aws {
    pub(super) async fn list_zones(&self, scope: &Scope) -> Result<Vec<Found>, Failure> {
        let mut all = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let request = self.route53.list_hosted_zones().set_marker(marker.take());
            let request = request.hosted_zone_type(HostedZoneType::PrivateHostedZone);
            let page = self.send(LIST, request.send()).await?;
            all.extend(page.hosted_zones);
            match page.next_marker {
                Some(next) if page.is_truncated && !next.is_empty() => marker = Some(next),
                Some(_) | None => break,
            }
        }
        all.retain(|zone| zone.config.as_ref().is_some_and(|config| config.private_zone));
        let mut ours = Vec::new();
        for some in all.chunks(AT_ONCE) {
            let mut tags = self.zone_tags(some).await?;
            for zone in some {
                let tags = tags.remove(bare(&zone.id)).unwrap_or_default();
                let tags = with_owner(zone, tags);
                if found::is_ours(scope, &tags) {
                    ours.push((CloudId::from(bare(&zone.id)), tags));
                }
            }
        }
        let read = |(id, tags): (CloudId, Tags)| async move { self.read_zone(id, tags).await };
        Ok(found::each(ours, read).await.into_iter().flatten().collect())
    }

    /// A zone by its id, whoever owns it.
    pub(super) async fn find_zone(&self, id: &str) -> Result<Vec<Found>, Failure> {
        let Got { zone, .. } = self.zone(id).await?;
        if !zone.config.as_ref().is_some_and(|config| config.private_zone) {
            return Ok(Vec::new());
        }
        let mut all = self.zone_tags(std::slice::from_ref(&zone)).await?;
        let tags = with_owner(&zone, all.remove(bare(&zone.id)).unwrap_or_default());
        Ok(self.read_zone(CloudId::from(bare(&zone.id)), tags).await.into_iter().collect())
    }

    async fn zone_tags(&self, zones: &[WireZone]) -> Result<BTreeMap<String, Tags>, Failure> {
        if zones.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ids = zones.iter().map(|zone| bare(&zone.id).to_owned()).collect();
        let request = self
            .route53
            .list_tags_for_resources()
            .resource_type(TagResourceType::Hostedzone)
            .set_resource_ids(Some(ids));
        let sets = self.send(TAGS, request.send()).await?.resource_tag_sets;
        let pair = |set: aws_sdk_route53::types::ResourceTagSet| {
            Some((bare(set.resource_id.as_deref()?).to_owned(), tags_of(set.tags)))
        };
        Ok(sets.into_iter().filter_map(pair).collect())
    }

    async fn zone(&self, id: &str) -> Result<Got, Failure> {
        let found = self.send(GET, self.route53.get_hosted_zone().id(id).send()).await?;
        let here = |vpc: &WireVpc| {
            vpc.vpc_region.as_ref().map(VpcRegion::as_str) == Some(self.home().region.as_str())
        };
        let all = found.vpcs.unwrap_or_default().into_iter().filter(here);
        let vpcs = all.filter_map(|vpc| vpc.vpc_id.map(|id| Link::Id(VpcId(id)))).collect();
        let zone =
            found.hosted_zone.ok_or_else(|| failure::strange(GET, "an answer of nothing"))?;
        Ok(Got { zone, vpcs })
    }

    /// None when it is gone, or belongs to a stack of that name in another region: zones are
    /// listed for all regions at once.
    async fn read_zone(&self, id: CloudId, tags: Tags) -> Option<Found> {
        let spec = async {
            let Got { zone, vpcs } = self.zone(id.as_str()).await?;
            if vpcs.is_empty() {
                return Ok::<_, Failure>(None);
            }
            let name = plain(&zone.name);
            let records = read_records(self.record_sets(id.as_str(), None).await?, &name);
            let tags = found::user_tags(&tags);
            Ok(Some(HostedZone { name, vpcs, records, tags }.sorted()))
        };
        match spec.await {
            Ok(None) => None,
            Ok(Some(spec)) => Some(Found::new(id, tags, spec)),
            Err(failure) if failure.class == Class::Gone => None,
            Err(failure) => Some(Found::read::<HostedZone>(id, tags, Err(failure))),
        }
    }

    /// It gets its tags by a call of its own: until then, its reference owns it.
    pub(super) async fn create_zone(
        &self,
        spec: &HostedZone,
        owner: &Owner,
    ) -> Result<CloudId, Failure> {
        const API: &str = "route53:CreateHostedZone";
        let vpc = spec.vpcs.first();
        let vpc = vpc.ok_or_else(|| failure::invalid(API, "a private zone without a VPC"))?;
        let config = HostedZoneConfig::builder().comment(owner.address.to_tag()).private_zone(true);
        let request = self
            .route53
            .create_hosted_zone()
            .name(&spec.name)
            .caller_reference(reference(owner))
            .hosted_zone_config(config.build())
            .vpc(self.wire_vpc(API, vpc)?);
        match self.send(API, request.send()).await {
            Ok(made) => {
                let zone = made.hosted_zone.map(|zone| CloudId::from(bare(&zone.id)));
                let zone = zone.ok_or_else(|| failure::strange(API, "no id in the answer"))?;
                self.remember(&zone, made.change_info.map(|info| info.id));
                Ok(zone)
            }
            Err(failure) if failure.class == Class::Exists => {
                let found = self.zone_made_before(spec, vpc, owner).await;
                found::holder(owner, failure, found)
            }
            Err(failure) => Err(failure),
        }
    }

    /// A reference or a name is taken: by this very intent, by another zone of that name in
    /// the VPC, or by what no list shows yet.
    async fn zone_made_before(
        &self,
        spec: &HostedZone,
        vpc: &Link<VpcId>,
        owner: &Owner,
    ) -> Result<Option<(CloudId, Tags)>, Failure> {
        const API: &str = "route53:ListHostedZonesByName";
        let request = self.route53.list_hosted_zones_by_name().dns_name(&spec.name).max_items(100);
        let zones = self.send(API, request.send()).await?.hosted_zones;
        let ours = |zone: &&WireZone| zone.caller_reference == reference(owner);
        if let Some(zone) = zones.iter().find(ours) {
            let tags = with_owner(zone, Tags::new());
            return Ok(Some((CloudId::from(bare(&zone.id)), tags)));
        }
        for zone in zones.iter().filter(|zone| plain(&zone.name) == spec.name) {
            let id = bare(&zone.id);
            if self.zone(id).await?.vpcs.contains(vpc) {
                return Ok(Some((CloudId::from(id), Tags::new())));
            }
        }
        Ok(None)
    }

    fn wire_vpc(&self, api: &str, vpc: &Link<VpcId>) -> Result<WireVpc, Failure> {
        let region = VpcRegion::from(self.home().region.as_str());
        Ok(WireVpc::builder().vpc_id(found::id_of(api, vpc)?).vpc_region(region).build())
    }

    /// A change that is on its way to all servers of the zone: [`Self::zone_phase`] asks.
    pub(super) fn remember(&self, zone: &CloudId, change: Option<String>) {
        if let (Ok(mut changes), Some(change)) = (self.changes.lock(), change) {
            changes.insert(zone.clone(), bare(&change).to_owned());
        }
    }

    pub(super) async fn edit_zone(&self, id: &CloudId, edit: &Edit) -> Result<(), Failure> {
        match (edit.field.as_str(), &edit.change) {
            ("records", Change::Add(item)) => self.put_record(id, &found::value(edit, item)?).await,
            ("records", Change::Remove(item)) => {
                self.drop_record(id, &found::value(edit, item)?).await
            }
            ("vpcs", Change::Add(vpc)) => self.open_in(id, &found::value(edit, vpc)?).await,
            ("vpcs", Change::Remove(vpc)) => self.close_in(id, &found::value(edit, vpc)?).await,
            ("tags", _) => match found::tag_change(KIND, edit)? {
                TagChange::Add(new) => self.tag_zone(id, self.owned(id, new).await?, vec![]).await,
                TagChange::Remove(keys) => {
                    let gives = keys.iter().any(|key| key == tags::STACK);
                    let mark = (GIVEN_AWAY.to_owned(), "true".to_owned());
                    let new = gives.then_some(mark).into_iter().collect();
                    self.tag_zone(id, new, keys).await
                }
            },
            (_, Change::Put(_) | Change::Add(_) | Change::Remove(_)) => {
                Err(found::unknown(KIND, edit))
            }
        }
    }

    async fn open_in(&self, id: &CloudId, vpc: &Link<VpcId>) -> Result<(), Failure> {
        const API: &str = "route53:AssociateVPCWithHostedZone";
        let request = self.route53.associate_vpc_with_hosted_zone();
        let request = request.hosted_zone_id(id.as_str()).vpc(self.wire_vpc(API, vpc)?);
        match self.send(API, request.send()).await {
            Ok(done) => self.remember(id, done.change_info.map(|info| info.id)),
            // Repeated after its answer was lost, or another zone of that name is there.
            Err(failure) if failure.class == Class::Exists => {
                self.answers_in(id, vpc, true, failure).await?;
            }
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    async fn close_in(&self, id: &CloudId, vpc: &Link<VpcId>) -> Result<(), Failure> {
        const API: &str = "route53:DisassociateVPCFromHostedZone";
        let request = self.route53.disassociate_vpc_from_hosted_zone();
        let request = request.hosted_zone_id(id.as_str()).vpc(self.wire_vpc(API, vpc)?);
        match found::or_gone(self.send(API, request.send()).await) {
            // It is said before it is looked which VPC was meant: of one that a lost answer
            // has already let go as well.
            Err(failure) if failure.code == "LastVPCAssociation" => {
                self.answers_in(id, vpc, false, failure).await
            }
            done => done,
        }
    }

    /// Whether a zone answers in a VPC as it should, whatever was said.
    async fn answers_in(
        &self,
        id: &CloudId,
        vpc: &Link<VpcId>,
        should: bool,
        failure: Failure,
    ) -> Result<(), Failure> {
        let got = self.zone(id.as_str()).await;
        let is_so = got.is_ok_and(|got| got.vpcs.contains(vpc) == should);
        if is_so { Ok(()) } else { Err(failure) }
    }

    /// A zone that only its reference owns gets the tags that its maker could not give it.
    async fn owned(&self, id: &CloudId, new: Tags) -> Result<Tags, Failure> {
        let Got { zone, .. } = self.zone(id.as_str()).await?;
        let mut have = self.zone_tags(std::slice::from_ref(&zone)).await?;
        let have = have.remove(id.as_str()).unwrap_or_default();
        let mut all: Tags = with_owner(&zone, have.clone());
        all.retain(|key, _| !have.contains_key(key));
        all.extend(new);
        Ok(all)
    }

    async fn tag_zone(&self, id: &CloudId, new: Tags, gone: Vec<String>) -> Result<(), Failure> {
        let tag = |(key, value): (String, String)| Tag::builder().key(key).value(value).build();
        let new: Vec<Tag> = new.into_iter().map(tag).collect();
        let request = self
            .route53
            .change_tags_for_resource()
            .resource_type(TagResourceType::Hostedzone)
            .resource_id(id.as_str())
            .set_add_tags((!new.is_empty()).then_some(new))
            .set_remove_tag_keys((!gone.is_empty()).then_some(gone));
        self.send(TAG, request.send()).await.map(|_| ())
    }

    pub(super) async fn delete_zone(&self, id: &CloudId) -> Result<(), Failure> {
        let request = self.route53.delete_hosted_zone().id(id.as_str());
        self.send("route53:DeleteHostedZone", request.send()).await.map(|_| ())
    }

    /// Ready when all servers know the last change that we know of.
    pub(super) async fn zone_phase(&self, id: &CloudId) -> Result<Phase, Failure> {
        let change = self.changes.lock().ok().and_then(|all| all.get(id).cloned());
        if let Some(change) = change {
            let request = self.route53.get_change().id(&change);
            let status = match self.send("route53:GetChange", request.send()).await {
                Ok(found) => found.change_info.map(|info| info.status.as_str().to_owned()),
                // It is known for a while only.
                Err(failure) if failure.class == Class::Gone => None,
                Err(failure) => return Err(failure),
            };
            if status.is_some_and(|status| status.eq_ignore_ascii_case("pending")) {
                return Ok(Phase::Pending);
            }
            if let Ok(mut all) = self.changes.lock()
                && all.get(id) == Some(&change)
            {
                all.remove(id);
            }
        }
        self.zone(id.as_str()).await.map(|_| Phase::Ready)
    }
}
