//! What AWS tells a doctor: its clock, when the credentials end, what the caller may do, and
//! what runs in the account. Nothing is changed: permissions are simulated, or asked with
//! `DryRun`, which EC2 judges and does not carry out
//! (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_ec2::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ec2::types::{DomainType, PlacementStrategy};
use aws_sdk_iam::types::PolicyEvaluationDecisionType;

use super::{Aws, ec2, failure, pages};
use crate::cloud::{Class, Failure, Permission, Permissions, Pulse, Running};
use crate::kinds::Market;
use crate::model::Moment;

const SIMULATE: &str = "iam:SimulatePrincipalPolicy";
/// What EC2 answers to a dry run that would have been allowed.
const ALLOWED: &str = "DryRunOperation";
/// Actions in one call; the API takes more, and long answers are slow.
const CHUNK: usize = 50;

impl Aws {
    /// The clock of the last answer, and when the credentials end.
    pub(super) async fn pulse_now(&self) -> Pulse {
        // Any call will do: every answer has a date.
        let request = self.ec2.describe_availability_zones();
        let _ = self.send("ec2:DescribeAvailabilityZones", request.send()).await;
        let date = self.counter.date();
        let clock = date.and_then(|text| DateTime::from_str(&text, DateTimeFormat::HttpDate).ok());
        let clock = clock.and_then(|at| at.to_millis().ok()).map(Moment);
        Pulse { clock, ends: self.ends().await }
    }

    async fn ends(&self) -> Option<Moment> {
        let provider = self.config.credentials_provider()?;
        let found = provider.provide_credentials().await.ok()?;
        let left = |at: SystemTime| at.duration_since(UNIX_EPOCH).ok();
        let ends = found.expiry().and_then(left)?;
        i64::try_from(ends.as_millis()).ok().map(Moment)
    }

    /// What the caller may do: by IAM's own simulation, and where that may not be asked by
    /// dry runs of EC2.
    pub(super) async fn allowed(&self, actions: &BTreeSet<String>) -> Permissions {
        if self.caller.arn.ends_with(":root") {
            return actions.iter().map(|it| (it.clone(), Permission::Allowed)).collect();
        }
        match self.simulate(actions).await {
            Ok(found) => found,
            Err(failure) => {
                let why = format!("{}: {}", failure.api, failure.code);
                let mut out: Permissions = actions
                    .iter()
                    .map(|it| (it.clone(), Permission::Unknown(why.clone())))
                    .collect();
                for (action, found) in self.dry_runs(actions).await {
                    out.insert(action, found);
                }
                out
            }
        }
    }

    async fn simulate(&self, actions: &BTreeSet<String>) -> Result<Permissions, Failure> {
        let who = self.principal().await?;
        let mut out = Permissions::new();
        let all: Vec<String> = actions.iter().cloned().collect();
        for some in all.chunks(CHUNK) {
            let mut marker: Option<String> = None;
            loop {
                let request = self.iam.simulate_principal_policy().policy_source_arn(&who);
                let request = request.set_action_names(Some(some.to_vec()));
                let page = self.send(SIMULATE, request.set_marker(marker.take()).send()).await?;
                for found in page.evaluation_results.unwrap_or_default() {
                    let permission = match found.eval_decision {
                        PolicyEvaluationDecisionType::Allowed => Permission::Allowed,
                        _ => Permission::Denied,
                    };
                    out.insert(found.eval_action_name, permission);
                }
                match page.marker.filter(|_| page.is_truncated) {
                    Some(next) => marker = Some(next),
                    None => break,
                }
            }
        }
        Ok(out)
    }

    /// Whose policies count: of a session those of its role, whose path only IAM knows.
    async fn principal(&self) -> Result<String, Failure> {
        let arn = &self.caller.arn;
        let Some((_, session)) = arn.split_once(":assumed-role/") else { return Ok(arn.clone()) };
        let name = session.split('/').next().unwrap_or_default();
        let found = self.send("iam:GetRole", self.iam.get_role().role_name(name).send()).await?;
        let role = found.role.ok_or_else(|| failure::strange("iam:GetRole", "no role"))?;
        Ok(role.arn)
    }

    /// The calls that EC2 judges without knowing an object of ours.
    async fn dry_runs(&self, actions: &BTreeSet<String>) -> BTreeMap<String, Permission> {
        let name = "mlinfra-doctor";
        let ec2 = &self.ec2;
        let mut out = BTreeMap::new();
        macro_rules! ask {
            ($api:literal, $request:expr) => {
                if actions.contains($api) {
                    let answer = self.send($api, $request.dry_run(true).send()).await.err();
                    out.insert($api.to_owned(), told(answer.as_ref()));
                }
            };
        }
        ask!("ec2:CreateVpc", ec2.create_vpc().cidr_block("10.0.0.0/16"));
        ask!("ec2:AllocateAddress", ec2.allocate_address().domain(DomainType::Vpc));
        ask!("ec2:CreateInternetGateway", ec2.create_internet_gateway());
        ask!(
            "ec2:CreateSecurityGroup",
            ec2.create_security_group().group_name(name).description(name)
        );
        ask!(
            "ec2:CreatePlacementGroup",
            ec2.create_placement_group().group_name(name).strategy(PlacementStrategy::Cluster)
        );
        out
    }

    /// What runs or starts in the account and region, whoever's it is.
    pub(super) async fn running_now(&self) -> Result<Running, Failure> {
        let request = || {
            let states = ["pending".to_owned(), "running".to_owned()].to_vec();
            let states = aws_sdk_ec2::types::Filter::builder()
                .name("instance-state-name")
                .set_values(Some(states));
            self.ec2.describe_instances().filters(states.build()).max_results(1000)
        };
        let all = pages!(self, "ec2:DescribeInstances", request(), reservations);
        let mut out = Running::new();
        for one in all.into_iter().flat_map(|it| it.instances.unwrap_or_default()) {
            let Some(kind) = one.instance_type else { continue };
            let is_spot = ec2::is(one.instance_lifecycle.as_ref().map(|it| it.as_str()), "spot");
            let market = if is_spot { Market::Spot } else { Market::OnDemand };
            *out.entry((kind.as_str().to_owned(), market)).or_default() += 1;
        }
        Ok(out)
    }
}

/// What the answer to a dry run means.
fn told(failure: Option<&Failure>) -> Permission {
    match failure {
        Some(failure) if failure.code == ALLOWED => Permission::Allowed,
        Some(failure) if failure.class == Class::Denied => Permission::Denied,
        Some(failure) => Permission::Unknown(format!("{}: {}", failure.api, failure.code)),
        None => Permission::Unknown("the dry run had no answer".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::Left;

    #[test]
    fn a_dry_run_is_refused_either_way_and_the_code_says_which() {
        let failure = |class, code| Failure::new(class, Left::Nothing, "ec2:CreateVpc", code, "");
        let told = |class, code| told(Some(&failure(class, code)));
        assert_eq!(told(Class::Unknown, "DryRunOperation"), Permission::Allowed);
        assert_eq!(told(Class::Denied, "UnauthorizedOperation"), Permission::Denied);
        let other = Permission::Unknown("ec2:CreateVpc: RequestLimitExceeded".to_owned());
        assert_eq!(told(Class::Throttled, "RequestLimitExceeded"), other);
    }
}
