//! Requests and responses as values: lenient queries, percent-decoding, JSON bodies (`kube-wire §2`).

use std::collections::BTreeMap;
use std::convert::Infallible;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use serde_json::Value;

use super::status::StatusError;

/// Whole or streamed; never fails.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

pub const JSON: &str = "application/json";

/// An answer with JSON that is there already.
pub fn bytes(code: u16, body: Bytes) -> Response<Body> {
    typed(code, JSON, body)
}

pub fn json(code: u16, body: &Value) -> Response<Body> {
    bytes(code, Bytes::from(serde_json::to_vec(body).unwrap_or_default()))
}

pub fn text(code: u16, body: &'static str) -> Response<Body> {
    typed(
        code,
        "text/plain; charset=utf-8",
        Bytes::from_static(body.as_bytes()),
    )
}

pub fn typed(code: u16, content_type: &'static str, body: Bytes) -> Response<Body> {
    respond(code, content_type, Full::new(body).boxed_unsync())
}

/// A body that comes in pieces; the headers go out at once.
pub fn stream(pieces: impl futures::Stream<Item = Bytes> + Send + 'static) -> Response<Body> {
    use futures::StreamExt;
    let frames = pieces.map(|piece| Ok(http_body::Frame::data(piece)));
    respond(200, JSON, StreamBody::new(frames).boxed_unsync())
}

fn respond(code: u16, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

impl From<StatusError> for Response<Body> {
    fn from(error: StatusError) -> Self {
        json(error.code, &error.to_json())
    }
}

/// Adds `Warning: 299` headers; kubectl prints them in yellow.
pub fn warn(response: &mut Response<Body>, warnings: &[String]) {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{quoted}\"")) {
            response
                .headers_mut()
                .append(HeaderName::from_static("warning"), value);
        }
    }
}

/// The parameters of a query. A key that comes twice keeps all its values.
#[derive(Debug, Default)]
pub struct Query(BTreeMap<String, Vec<String>>);

impl Query {
    /// Takes anything: kube-rs leaves `?&` before the first parameter.
    pub fn parse(query: &str) -> Self {
        let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let key = decode(key.trim_start_matches('?'));
            if !key.is_empty() {
                out.entry(key).or_default().push(decode(value));
            }
        }
        Self(out)
    }

    /// The first value; empty when absent.
    pub fn get(&self, key: &str) -> &str {
        self.0
            .get(key)
            .and_then(|values| values.first())
            .map_or("", String::as_str)
    }

    pub fn all(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// True for `true`, `1`, and for a key without a value, as Go's parser has it.
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.0
            .get(key)
            .and_then(|values| values.first())
            .map(|value| !matches!(value.as_str(), "false" | "0" | "f" | "F" | "False" | "FALSE"))
    }

    pub fn number(&self, key: &str) -> Result<Option<u64>, StatusError> {
        let value = self.get(key);
        if value.is_empty() {
            return Ok(None);
        }
        value
            .parse()
            .map(Some)
            .map_err(|_| StatusError::bad_request(format!("invalid value for {key}: \"{value}\"")))
    }
}

/// Percent-decoding; what is no valid escape stays as it is.
pub fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
                if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                    out.push(byte);
                    rest = tail.get(2..).unwrap_or_default();
                } else {
                    out.push(b'%');
                }
            }
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Base64 in the standard alphabet, padded.
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let index = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or_default();
            let letter = ALPHABET.get(index).filter(|_| place <= chunk.len());
            out.push(letter.map_or('=', |b| char::from(*b)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of RFC 4648 §10, and the last letters of the alphabet.
    #[test]
    fn base64_vectors() {
        let want = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (length, want) in want.into_iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..length]), want);
        }
        assert_eq!(base64(&[0xff, 0xfe, 0xfd]), "//79");
    }

    #[test]
    fn queries_are_read_leniently() {
        let query = Query::parse("&limit=500&labelSelector=a%3Db%2Cc+in+%28x%29&watch&watch=false");
        assert_eq!(query.number("limit").unwrap(), Some(500));
        assert_eq!(query.get("labelSelector"), "a=b,c in (x)");
        assert_eq!(query.flag("watch"), Some(true));
        assert_eq!(query.flag("dryRun"), None);
        assert!(Query::parse("limit=x").number("limit").is_err());
    }

    #[test]
    fn broken_escapes_stay() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%20"), "%zz ");
    }

    #[test]
    fn warnings_are_quoted() {
        let mut response = text(200, "ok");
        warn(&mut response, &["unknown field \"x\"".to_owned()]);
        assert_eq!(response.headers()["warning"], "299 - \"unknown field \\\"x\\\"\"");
    }
}
