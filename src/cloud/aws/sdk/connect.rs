//! From the environment to ports that answer.

use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};

use super::clusters::Eks;
use super::iam::SdkIam;
use super::pace::{Class, Pace};
use super::prices::{PriceList, endpoint_region};
use super::queue::{LONG_POLL, Sqs};
use super::read::SdkRead;
use super::why::{ConnectError, why};
use super::write::SdkWrite;
use super::{convert, error};
use crate::clock::Clock;
use crate::cloud::aws::api::{Clusters, Ec2Read, Ec2Write, Filter, Iam, Queue};
use crate::model::Name;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// One try of a call: a page of instance types is large, a fleet takes its time.
const TRY_TIMEOUT: Duration = Duration::from_secs(30);
/// A call with all its tries.
const CALL_TIMEOUT: Duration = Duration::from_secs(90);
/// Who we are is good to know, no more: a network without a way to STS shall not hold the start up.
const IDENTITY_TIMEOUT: Duration = Duration::from_secs(5);
/// Services whose addresses may be set one by one.
const EC2_ENDPOINT: &str = "AWS_ENDPOINT_URL_EC2";

/// What to connect to. What is left out is found in the environment, as every AWS tool does.
#[derive(Clone, Debug)]
pub struct ConnectSettings {
    /// Beats AWS_REGION, the profile's and the instance's.
    pub region: Option<String>,
    /// Beats AWS_PROFILE.
    pub profile: Option<String>,
    /// Base URL of all services; beats AWS_ENDPOINT_URL.
    pub endpoint: Option<String>,
    /// Name of the SQS queue with interruption events. Taken only where `write` is set: deleting a message hides it
    /// from whoever shall act on it.
    pub interruption_queue: Option<String>,
    /// Builds the writing half.
    pub write: bool,
    pub clock: Clock,
}

impl ConnectSettings {
    /// Everything from the environment, nothing to write with.
    pub fn new(clock: Clock) -> Self {
        Self {
            region: None,
            profile: None,
            endpoint: None,
            interruption_queue: None,
            write: false,
            clock,
        }
    }
}

/// Whose credentials these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Twelve digits.
    pub account: Name,
    /// Role session or user, like `arn:aws:sts::123456789012:assumed-role/kerf/1`.
    pub arn: Name,
}

/// Ports over an account that answered.
pub struct Connected {
    pub region: Name,
    /// `None` where STS did not answer.
    pub identity: Option<Identity>,
    /// Where EC2 is asked.
    pub endpoint: String,
    pub read: Arc<dyn Ec2Read>,
    /// Only with [`ConnectSettings::write`].
    pub write: Option<Arc<dyn Ec2Write>>,
    /// Only with [`ConnectSettings::write`].
    pub iam: Option<Arc<dyn Iam>>,
    /// Only with [`ConnectSettings::write`] and a queue named.
    pub queue: Option<Arc<dyn Queue>>,
    pub clusters: Arc<dyn Clusters>,
}

impl std::fmt::Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connected")
            .field("region", &self.region)
            .field("identity", &self.identity)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// Finds region and credentials, proves that EC2 answers (DescribeInstanceTypes as a dry run, `aws §1`), and gives the
/// ports. Changes nothing.
///
/// # Errors
/// One line a cause: see [`ConnectError`].
pub async fn connect(settings: &ConnectSettings) -> Result<Connected, ConnectError> {
    let config = loader(settings).load().await;
    over(&config, settings).await
}

/// Our HTTP and time-outs, and what the settings say; the rest is the environment's.
pub(super) fn loader(settings: &ConnectSettings) -> ConfigLoader {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts(TRY_TIMEOUT));
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    loader
}

fn timeouts(one: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(one)
        .operation_timeout(CALL_TIMEOUT)
        .build()
}

/// The same over a configuration that is there already.
pub(super) async fn over(config: &SdkConfig, settings: &ConnectSettings) -> Result<Connected, ConnectError> {
    let region: Name = config.region().ok_or(ConnectError::NoRegion)?.as_ref().into();
    let endpoint = endpoint(config, settings, &region);
    credentials(config, &endpoint).await?;
    let pace = Arc::new(Pace::new(settings.clock));
    let ec2 = aws_sdk_ec2::Client::new(config);
    check(&ec2, &pace, &endpoint).await?;
    let read = SdkRead {
        ec2: ec2.clone(),
        ssm: aws_sdk_ssm::Client::new(config),
        prices: PriceList {
            client: pricing(config, &region),
            region: region.clone(),
        },
        pace: pace.clone(),
        clock: settings.clock,
    };
    let queue: Option<Arc<dyn Queue>> = match &settings.interruption_queue {
        Some(name) if settings.write => Some(Arc::new(queue(config, name, &region, &endpoint).await?)),
        _ => None,
    };
    let write = settings.write.then(|| SdkWrite {
        ec2,
        pace,
        clock: settings.clock,
    });
    Ok(Connected {
        identity: identity(config).await,
        read: Arc::new(read),
        write: write.map(|w| Arc::new(w) as Arc<dyn Ec2Write>),
        iam: settings
            .write
            .then(|| Arc::new(SdkIam(aws_sdk_iam::Client::new(config))) as Arc<dyn Iam>),
        queue,
        clusters: Arc::new(Eks(aws_sdk_eks::Client::new(config))),
        region,
        endpoint,
    })
}

/// Where EC2 is asked, for messages.
fn endpoint(config: &SdkConfig, settings: &ConnectSettings, region: &str) -> String {
    let own = std::env::var(EC2_ENDPOINT).ok().filter(|url| !url.is_empty());
    let named = settings.endpoint.clone().or(own);
    let named = named.or_else(|| config.endpoint_url().map(str::to_owned));
    let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
    let url = named.unwrap_or_else(|| format!("https://ec2.{region}.amazonaws.com{suffix}"));
    super::why::without_user(&url)
}

async fn credentials(config: &SdkConfig, endpoint: &str) -> Result<(), ConnectError> {
    let Some(provider) = config.credentials_provider() else {
        let reason = "no provider is set".to_owned();
        return Err(ConnectError::NoCredentials { reason });
    };
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(error) => Err(why(
            "sts:GetCallerIdentity",
            endpoint,
            &error::of_credentials(&error),
        )),
    }
}

/// A dry run is refused with a code of its own when it would have been allowed.
async fn check(ec2: &aws_sdk_ec2::Client, pace: &Pace, endpoint: &str) -> Result<(), ConnectError> {
    pace.wait(Class::Describe).await;
    let one = [Filter::new("instance-type", ["m5.large"])];
    let call = ec2.describe_instance_types().dry_run(true);
    let sent = call.set_filters(convert::filters(&one)).send().await;
    match sent.map_err(|e| error::of(&e)) {
        Ok(_) => Ok(()),
        Err(refused) if &*refused.code == "DryRunOperation" => Ok(()),
        Err(refused) => Err(why("ec2:DescribeInstanceTypes", endpoint, &refused)),
    }
}

async fn identity(config: &SdkConfig) -> Option<Identity> {
    let sts = aws_sdk_sts::Client::new(config);
    let call = tokio::time::timeout(IDENTITY_TIMEOUT, sts.get_caller_identity().send());
    match call.await {
        Ok(Ok(caller)) => Some(Identity {
            account: convert::name(caller.account),
            arn: convert::name(caller.arn),
        }),
        Ok(Err(refused)) => {
            let error = error::of(&refused);
            tracing::debug!(%error, "STS does not say who we are");
            None
        }
        Err(_) => None,
    }
}

/// Prices come from another region, unless an endpoint is set.
fn pricing(config: &SdkConfig, region: &str) -> aws_sdk_pricing::Client {
    let builder = aws_sdk_pricing::config::Builder::from(config);
    let there = Region::new(endpoint_region(region));
    aws_sdk_pricing::Client::from_conf(builder.region(there).build())
}

async fn queue(config: &SdkConfig, name: &str, region: &str, endpoint: &str) -> Result<Sqs, ConnectError> {
    let seconds = u64::try_from(LONG_POLL).unwrap_or(20);
    let patient = timeouts(TRY_TIMEOUT + Duration::from_secs(seconds));
    let builder = aws_sdk_sqs::config::Builder::from(config);
    let client = aws_sdk_sqs::Client::from_conf(builder.timeout_config(patient).build());
    let found = client.get_queue_url().queue_name(name).send().await;
    match found.map_err(|e| error::of(&e)) {
        Ok(answer) => Ok(Sqs::new(client, answer.queue_url.unwrap_or_default())),
        Err(missing) if missing.is_not_found() => Err(ConnectError::NoQueue {
            name: name.to_owned(),
            region: region.to_owned(),
        }),
        Err(refused) => Err(why("sqs:GetQueueUrl", endpoint, &refused)),
    }
}
