//! The seam at which the SDK hands a request to the network: what a test puts there
//! answers in the place of AWS.

use std::fmt::Debug;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use mlinfra::aws::Connect;
use mlinfra::model::Region;

use crate::moto::credentials;

/// Who asks, in the words of STS.
pub const WHO: &str = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
    <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/x</Arn><UserId>x</UserId>\
    <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// A region without zones, in the words of EC2.
pub const ZONES: &str = "<DescribeAvailabilityZonesResponse><availabilityZoneInfo/>\
    </DescribeAvailabilityZonesResponse>";

/// What answers in the place of AWS.
pub trait Answers: Clone + Debug + Send + Sync + 'static {
    fn answer(&self, request: HttpRequest) -> HttpConnectorFuture;
}

#[derive(Clone, Debug)]
struct Seam<T>(T);

impl<T: Answers> HttpClient for Seam<T> {
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl<T: Answers> HttpConnector for Seam<T> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.answer(request)
    }
}

pub fn client(answers: impl Answers) -> SharedHttpClient {
    SharedHttpClient::new(Seam(answers))
}

/// How to reach what answers there.
pub fn connect(answers: impl Answers) -> Connect {
    Connect {
        credentials: Some(credentials()),
        http: Some(client(answers)),
        ..Connect::to(Region::from("us-east-1"))
    }
}

pub fn response(status: u16, body: impl Into<String>) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body.into()))
}

/// An answer that needs no waiting.
pub fn at_once(status: u16, body: impl Into<String>) -> HttpConnectorFuture {
    HttpConnectorFuture::ready(Ok(response(status, body)))
}
