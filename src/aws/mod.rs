//! Floor 5: AWS behind the port, through its own SDK.
//!
//! One file per kind: pure functions turn a spec into a request and an answer into a
//! spec; thin ones send. One call of the port is one mutating API call.

mod bucket;
mod bucket_object;
mod bucket_settings;
mod capacity;
mod count;
mod data_repository_association;
mod dns_record;
mod ec2;
mod efs_file_system;
mod efs_settings;
mod elastic_ip;
mod facts;
mod failure;
mod find;
mod found;
mod fsx;
mod hosted_zone;
mod iam;
mod instance_profile;
mod internet_gateway;
mod launch_template;
mod limits;
mod lookup;
mod lustre_file_system;
mod nat_gateway;
mod node;
mod placement_group;
mod port;
mod probe;
mod queue;
mod role;
mod route_table;
mod security_group;
mod status;
mod store;
mod subnet;
mod survey;
mod template_data;
mod usage;
mod volume;
mod vpc;
mod vpc_endpoint;

pub use store::{Bucket, Shelf};

use std::collections::BTreeMap;
use std::error::Error;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_ec2::types::ResponseLaunchTemplateData;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::cloud::{Caller, Class, Failure, Left};
use crate::kinds::Home;
use crate::model::{AccountId, CloudId, Region, TemplateId};

/// How to reach AWS.
#[derive(Clone, Debug)]
pub struct Connect {
    /// The region.
    pub region: Region,
    /// The profile of the shared configuration files.
    pub profile: Option<String>,
    /// The account that must answer.
    pub account: Option<AccountId>,
    /// Buckets stand in the path and not in the host name: what S3 look-alikes expect.
    pub path_style: bool,
    /// How often the SDK sends a call that may be repeated.
    pub attempts: u32,
    /// Another address for all services; none for `AWS_ENDPOINT_URL` or AWS itself.
    pub endpoint: Option<String>,
    /// Credentials instead of those that the SDK finds.
    pub credentials: Option<Credentials>,
    /// Another way to send requests.
    pub http: Option<SharedHttpClient>,
}

impl Connect {
    /// As the SDK's own rules say.
    pub fn to(region: Region) -> Self {
        Self {
            region,
            profile: None,
            account: None,
            path_style: false,
            attempts: 3,
            endpoint: None,
            credentials: None,
            http: None,
        }
    }
}

/// One region of AWS, seen through one set of credentials.
#[derive(Debug)]
pub struct Aws {
    caller: Caller,
    config: aws_config::SdkConfig,
    path_style: bool,
    counter: count::Counter,
    limits: limits::Limits,
    ec2: aws_sdk_ec2::Client,
    /// For calls that must not be repeated by the SDK: launches, because missing
    /// capacity comes as HTTP 500, and creates that nothing makes idempotent.
    ec2_once: aws_sdk_ec2::Client,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
    iam: aws_sdk_iam::Client,
    ssm: aws_sdk_ssm::Client,
    quotas: aws_sdk_servicequotas::Client,
    efs: aws_sdk_efs::Client,
    fsx: aws_sdk_fsx::Client,
    route53: aws_sdk_route53::Client,
    pricing: aws_sdk_pricing::Client,
    /// Version 1 of the launch templates that nodes were started from.
    templates: Mutex<BTreeMap<TemplateId, Arc<ResponseLaunchTemplateData>>>,
    /// The last change of a hosted zone that its servers may not know yet.
    changes: Mutex<BTreeMap<CloudId, String>>,
}

impl Aws {
    /// Finds credentials, and asks who they belong to.
    pub async fn connect(options: Connect) -> Result<Self, Failure> {
        let region = options.region.clone();
        let account = options.account.clone();
        let path_style = options.path_style;
        let config = load(options).await;
        let counter = count::Counter::default();
        let ec2 = aws_sdk_ec2::config::Builder::from(&config).interceptor(counter.clone());
        let once = ec2.clone().retry_config(RetryConfig::disabled()).timeout_config(timeouts(60));
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            .force_path_style(path_style)
            .interceptor(counter.clone());
        let sqs = aws_sdk_sqs::config::Builder::from(&config).interceptor(counter.clone());
        let iam = aws_sdk_iam::config::Builder::from(&config).interceptor(counter.clone());
        let ssm = aws_sdk_ssm::config::Builder::from(&config).interceptor(counter.clone());
        let quotas =
            aws_sdk_servicequotas::config::Builder::from(&config).interceptor(counter.clone());
        let efs = aws_sdk_efs::config::Builder::from(&config).interceptor(counter.clone());
        let fsx = aws_sdk_fsx::config::Builder::from(&config).interceptor(counter.clone());
        let route53 = aws_sdk_route53::config::Builder::from(&config).interceptor(counter.clone());
        let pricing = aws_config::Region::new(survey::pricing_region(&region));
        let pricing = aws_sdk_pricing::config::Builder::from(&config)
            .region(pricing)
            .interceptor(counter.clone());
        let sts = aws_sdk_sts::config::Builder::from(&config).interceptor(counter.clone());
        let caller = who(&aws_sdk_sts::Client::from_conf(sts.build()), region).await?;
        match account {
            Some(wanted) if wanted != caller.home.account => {
                let text = format!("the stack belongs to {wanted}, the caller is {}", caller.arn);
                return Err(Failure::new(Class::Denied, Left::Nothing, WHO, "WrongAccount", text));
            }
            Some(_) | None => {}
        }
        Ok(Self {
            caller,
            config,
            path_style,
            counter,
            limits: limits::Limits::default(),
            ec2: aws_sdk_ec2::Client::from_conf(ec2.build()),
            ec2_once: aws_sdk_ec2::Client::from_conf(once.build()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
            iam: aws_sdk_iam::Client::from_conf(iam.build()),
            ssm: aws_sdk_ssm::Client::from_conf(ssm.build()),
            quotas: aws_sdk_servicequotas::Client::from_conf(quotas.build()),
            efs: aws_sdk_efs::Client::from_conf(efs.build()),
            fsx: aws_sdk_fsx::Client::from_conf(fsx.build()),
            route53: aws_sdk_route53::Client::from_conf(route53.build()),
            pricing: aws_sdk_pricing::Client::from_conf(pricing.build()),
            templates: Mutex::default(),
            changes: Mutex::default(),
        })
    }

    /// How its clients reach AWS, for whoever needs another service of it.
    pub fn sdk(&self) -> &aws_config::SdkConfig {
        &self.config
    }

    fn home(&self) -> &Home {
        &self.caller.home
    }

    /// Sends one request when the rate allows it, and sorts its failure.
    async fn send<T, E, F>(&self, api: &'static str, request: F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + Error + 'static,
    {
        self.limits.wait(api).await;
        request.await.map_err(|error| failure::of(api, &error))
    }
}

const WHO: &str = "sts:GetCallerIdentity";

async fn who(sts: &aws_sdk_sts::Client, region: Region) -> Result<Caller, Failure> {
    let answer = sts.get_caller_identity().send().await;
    let answer = answer.map_err(|error| failure::of(WHO, &error))?;
    match (answer.account, answer.arn) {
        (Some(account), Some(arn)) => {
            Ok(Caller { home: Home { account: AccountId(account), region }, arn })
        }
        (_, _) => Err(failure::strange(WHO, "no account in the answer")),
    }
}

async fn load(options: Connect) -> aws_config::SdkConfig {
    let http = options.http.unwrap_or_else(|| {
        aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https()
    });
    let retry = RetryConfig::standard().with_max_attempts(options.attempts);
    let mut loader = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new(options.region.0))
        .http_client(http)
        .retry_config(retry)
        .timeout_config(timeouts(30));
    if let Some(profile) = options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = options.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(credentials) = options.credentials {
        loader = loader.credentials_provider(credentials);
    }
    loader.load().await
}

fn timeouts(attempt: u64) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(attempt))
        .build()
}

/// Every page of a list.
macro_rules! pages {
    ($aws:expr, $api:literal, $request:expr, $items:ident) => {{
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let request = $request.set_next_token(token.take());
            let page = $aws.send($api, request.send()).await?;
            all.extend(page.$items.unwrap_or_default());
            match page.next_token {
                Some(next) if !next.is_empty() => token = Some(next),
                Some(_) | None => break,
            }
        }
        all
    }};
}
use pages;
