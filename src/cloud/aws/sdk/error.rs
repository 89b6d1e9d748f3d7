//! What a refused or lost call comes out as: the service's own code, so that the rest cannot tell the SDK from the
//! embedded EC2; a word of ours where no answer came. Messages are one line and hold no secret.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

use crate::cloud::aws::api::Ec2Error;

/// No answer in time.
pub(super) const TIMEOUT: &str = "Timeout";
/// The request did not get through.
pub(super) const DISPATCH: &str = "Dispatch";
/// An answer that is none.
pub(super) const BAD_ANSWER: &str = "BadResponse";
/// The request could not be built, mostly for an endpoint that is no URL.
pub(super) const BAD_REQUEST: &str = "BadRequest";
pub(super) const NO_CREDENTIALS: &str = "NoCredentials";
pub(super) const CREDENTIALS_FAILED: &str = "CredentialsFailed";

/// Longest message kept, in characters.
const LONGEST: usize = 400;

pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Ec2Error
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            answered(context.err().code(), context.err().message(), status)
        }
        SdkError::TimeoutError(_) => Ec2Error::new(TIMEOUT, "no answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            Ec2Error::new(TIMEOUT, "no connection in time")
        }
        SdkError::DispatchFailure(_) => lost(DISPATCH, error),
        SdkError::ResponseError(context) => {
            let status = context.raw().status().as_u16();
            let text = format!("HTTP {status} with an answer that cannot be read");
            match status {
                200..300 => Ec2Error::new(BAD_ANSWER, text),
                _ => answered(None, Some(&text), status),
            }
        }
        SdkError::ConstructionFailure(_) => lost(BAD_REQUEST, error),
        _ => lost(DISPATCH, error),
    }
}

/// A service that broke may answer without a code, in HTML even.
fn answered(code: Option<&str>, message: Option<&str>, status: u16) -> Ec2Error {
    let code = match (code.filter(|c| !c.is_empty()), status) {
        (Some(code), _) => code.to_owned(),
        (None, 401 | 403) => "AccessDenied".to_owned(),
        (None, 429) => "Throttling".to_owned(),
        (None, 503) => "ServiceUnavailable".to_owned(),
        (None, 500..) => "InternalFailure".to_owned(),
        (None, other) => format!("Http{other}"),
    };
    let message = match message.map(clean) {
        Some(message) if !message.is_empty() => message,
        _ => format!("HTTP {status} without a message"),
    };
    Ec2Error::new(&code, message)
}

/// No answer: whose fault it was, and the innermost reason.
fn lost<E>(code: &str, error: &SdkError<E, HttpResponse>) -> Ec2Error
where
    E: Error + 'static,
{
    let chain = chain(error);
    if let Some(found) = chain.iter().find_map(|e| e.downcast_ref::<CredentialsError>()) {
        return of_credentials(found);
    }
    let innermost = chain
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string);
    Ec2Error::new(code, clean(&innermost))
}

/// What an error came from, the innermost last.
fn chain(error: &dyn Error) -> Vec<&(dyn Error + 'static)> {
    let mut out = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        out.push(error);
        next = error.source();
    }
    out
}

/// Why there are no credentials.
pub(super) fn of_credentials(error: &CredentialsError) -> Ec2Error {
    let chain = chain(error);
    let innermost = chain
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string);
    let code = match error {
        CredentialsError::CredentialsNotLoaded(_) => NO_CREDENTIALS,
        _ => CREDENTIALS_FAILED,
    };
    Ec2Error::new(code, clean(&innermost))
}

/// One line, not too long, without anything that may be a secret: signature errors echo session tokens, denials carry
/// encoded blobs, and nobody should have to trust that a credential helper writes no key.
pub(super) fn clean(message: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        out.push_str(if is_secret(run) { "…" } else { run });
        run.clear();
    };
    for c in message.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-') {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            let blank = c.is_whitespace() || c.is_control();
            if !blank {
                out.push(c);
            } else if !out.ends_with(' ') {
                out.push(' ');
            }
        }
    }
    flush(&mut run, &mut out);
    let out = out.trim();
    match out.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", out.get(..end).unwrap_or_default()),
        None => out.to_owned(),
    }
}

/// Session tokens and encoded messages are long; a secret key has forty letters, large, small and digits mixed; an
/// access key id begins with four known letters.
fn is_secret(run: &str) -> bool {
    let has = |test: fn(&char) -> bool| run.chars().any(|c| test(&c));
    let mixed = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && has(char::is_ascii_digit);
    let secret_key = run.len() == 40 && mixed && !run.contains(['-', '_']);
    let key_id = run.len() == 20 && (run.starts_with("AKIA") || run.starts_with("ASIA"));
    run.len() >= 100 || secret_key || key_id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_blobs_are_cut() {
        let blob = "x".repeat(300);
        for (message, want) in [
            (
                "plain words, i-0123456789abcdef0",
                "plain words, i-0123456789abcdef0",
            ),
            ("key AKIAIOSFODNN7EXAMPLE!", "key …!"),
            ("secret wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY.", "secret …."),
            ("two\n  lines", "two lines"),
            (
                "arn:aws:iam::123456789012:role/nodes",
                "arn:aws:iam::123456789012:role/nodes",
            ),
        ] {
            assert_eq!(clean(message), want);
        }
        let denied = format!("You are not authorized. Encoded authorization failure message: {blob}");
        assert_eq!(
            clean(&denied),
            "You are not authorized. Encoded authorization failure message: …"
        );
        let long = clean(&"word ".repeat(200));
        assert!(
            long.chars().count() <= LONGEST + 1 && long.ends_with('…'),
            "{long}"
        );
    }

    #[test]
    fn answers_without_a_code_get_one() {
        let code = |status| answered(None, None, status).code.to_string();
        assert_eq!(code(500), "InternalFailure");
        assert_eq!(code(502), "InternalFailure");
        assert_eq!(code(503), "ServiceUnavailable");
        assert_eq!(code(403), "AccessDenied");
        assert_eq!(code(404), "Http404");
        assert_eq!(
            answered(Some("InvalidInstanceID.NotFound"), Some("no"), 400),
            Ec2Error::new("InvalidInstanceID.NotFound", "no")
        );
    }
}
