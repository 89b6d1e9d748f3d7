//! A failed call as one line for the person who has to mend it.

use super::error;
use crate::cloud::aws::api::Ec2Error;

/// Why there is no connection, or why a call that is needed was refused. No variant holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    #[error("no AWS region: set AWS_REGION, or `region` in the profile that AWS_PROFILE names")]
    NoRegion,
    #[error(
        "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod or the \
         instance a role ({reason})"
    )]
    NoCredentials { reason: String },
    #[error("AWS credentials could not be loaded: {reason}; check the profile that AWS_PROFILE names")]
    Credentials { reason: String },
    #[error("the AWS credentials have expired ({code}): log in again, for example with `aws sso login`")]
    Expired { code: String },
    #[error(
        "AWS does not accept the credentials ({code}: {message}): check that key and secret belong together, and that \
         the account uses this region"
    )]
    Rejected { code: String, message: String },
    #[error("no answer from {endpoint} ({reason}): check AWS_ENDPOINT_URL, the region and the network")]
    Unreachable { endpoint: String, reason: String },
    #[error("not allowed: {action} ({message}): add the action to the policy of the role")]
    Denied { action: String, message: String },
    #[error(
        "{action} is throttled ({code}): other callers use up the account's request rate; try again later"
    )]
    Throttled { action: String, code: String },
    #[error("no SQS queue {name} in {region}: create it, or name another as interruption queue")]
    NoQueue { name: String, region: String },
    #[error("{action} failed: {code}: {message}")]
    Call {
        action: String,
        code: String,
        message: String,
    },
}

/// What `failure` of `action` (like `ec2:DescribeSubnets`, as policies write it) at `endpoint` means.
pub fn why(action: &str, endpoint: &str, failure: &Ec2Error) -> ConnectError {
    let (code, message) = (failure.code.to_string(), error::clean(&failure.message));
    let action = action.to_owned();
    match &*failure.code {
        error::NO_CREDENTIALS => ConnectError::NoCredentials { reason: message },
        error::CREDENTIALS_FAILED if message.to_lowercase().contains("expired") => {
            ConnectError::Expired { code: message }
        }
        error::CREDENTIALS_FAILED => ConnectError::Credentials { reason: message },
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
            ConnectError::Expired { code }
        }
        "AuthFailure"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "InvalidAccessKeyId"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "OptInRequired" => ConnectError::Rejected { code, message },
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" | "AuthorizationError" => {
            ConnectError::Denied { action, message }
        }
        "RequestLimitExceeded"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "EC2ThrottledException" => ConnectError::Throttled { action, code },
        error::TIMEOUT | error::DISPATCH | error::BAD_REQUEST | error::BAD_ANSWER => {
            ConnectError::Unreachable {
                endpoint: without_user(endpoint),
                reason: message,
            }
        }
        _ => ConnectError::Call {
            action,
            code,
            message,
        },
    }
}

/// A URL may carry a user and a password.
pub(super) fn without_user(endpoint: &str) -> String {
    match endpoint.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or(rest);
            match host.rsplit_once('@') {
                Some((user, _)) => format!("{scheme}://{}", rest.get(user.len() + 1..).unwrap_or_default()),
                None => endpoint.to_owned(),
            }
        }
        None => endpoint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: &str, message: &str) -> String {
        why(
            "ec2:CreateFleet",
            "https://me:pass@host:1/x",
            &Ec2Error::new(code, message),
        )
        .to_string()
    }

    #[test]
    fn each_failure_is_one_line_that_says_how_to_mend_it() {
        for (code, message, want) in [
            (
                error::NO_CREDENTIALS,
                "no provider",
                "set AWS_PROFILE, or AWS_ACCESS_KEY_ID",
            ),
            (
                error::CREDENTIALS_FAILED,
                "profile `x` was not defined",
                "profile `x` was not defined",
            ),
            (
                error::CREDENTIALS_FAILED,
                "the SSO session has Expired",
                "aws sso login",
            ),
            (
                "RequestExpired",
                "Request has expired.",
                "expired (RequestExpired): log in again",
            ),
            ("ExpiredTokenException", "", "aws sso login"),
            (
                "AuthFailure",
                "AWS was not able to validate",
                "does not accept the credentials",
            ),
            (
                "UnauthorizedOperation",
                "no policy allows it",
                "not allowed: ec2:CreateFleet (no policy allows it)",
            ),
            (
                "RequestLimitExceeded",
                "",
                "ec2:CreateFleet is throttled (RequestLimitExceeded)",
            ),
            (
                error::DISPATCH,
                "Connection refused",
                "no answer from https://host:1/x (Connection refused)",
            ),
            (error::TIMEOUT, "no answer in time", "AWS_ENDPOINT_URL"),
            (
                "InvalidParameterValue",
                "bad",
                "ec2:CreateFleet failed: InvalidParameterValue: bad",
            ),
        ] {
            let told = told(code, message);
            assert!(told.contains(want), "{code}: {told}");
            assert!(!told.contains('\n') && !told.contains("pass"), "{told}");
        }
    }

    #[test]
    fn nothing_that_may_be_a_secret_is_told() {
        let token = "A1b".repeat(60);
        let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let told = told(
            "SignatureDoesNotMatch",
            &format!("x-amz-security-token:{token} {key}"),
        );
        assert!(!told.contains(&token) && !told.contains(key), "{told}");
    }
}
