//! MIME multipart user data.

const BOUNDARY: &str = "//";

/// One part: its content type and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub content_type: String,
    pub body: String,
}

impl Part {
    pub fn shell(body: &str) -> Self {
        Self {
            content_type: "text/x-shellscript; charset=\"us-ascii\"".to_owned(),
            body: body.to_owned(),
        }
    }
}

pub fn is_multipart(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("MIME-Version:") || text.starts_with("Content-Type:")
}

/// The parts of a multipart text; one without a boundary has none.
pub fn split(text: &str) -> Vec<Part> {
    let text = text.replace('\r', "");
    let Some(boundary) = text
        .lines()
        .take_while(|l| !l.starts_with("--"))
        .find_map(|l| l.split_once("boundary=").map(|(_, b)| b))
    else {
        return Vec::new();
    };
    let boundary = boundary
        .split(';')
        .next()
        .unwrap_or(boundary)
        .trim()
        .trim_matches('"');
    let (delimiter, end) = (format!("--{boundary}"), format!("--{boundary}--"));
    let mut out = Vec::new();
    let mut current: Option<Vec<&str>> = None;
    for line in text.lines() {
        if line.trim_end() == delimiter || line.trim_end() == end {
            out.extend(current.take().map(|lines| part(&lines)));
            current = (line.trim_end() == delimiter).then(Vec::new);
        } else if let Some(lines) = &mut current {
            lines.push(line);
        }
    }
    out.extend(current.map(|lines| part(&lines)));
    out
}

fn part(lines: &[&str]) -> Part {
    let headers = lines.iter().position(|l| l.is_empty()).unwrap_or(lines.len());
    let content_type = lines
        .iter()
        .take(headers)
        .find_map(|l| {
            let (name, value) = l.split_once(':')?;
            name.eq_ignore_ascii_case("content-type")
                .then(|| value.trim().to_owned())
        })
        .unwrap_or_else(|| "text/plain".to_owned());
    let body: Vec<&str> = lines.iter().skip(headers + 1).copied().collect();
    Part {
        content_type,
        body: body.join("\n").trim_end().to_owned(),
    }
}

pub fn join(parts: &[Part]) -> String {
    let mut out = format!("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"{BOUNDARY}\"\n");
    for part in parts {
        let (kind, body) = (&part.content_type, part.body.trim_end());
        out += &format!("\n--{BOUNDARY}\nContent-Type: {kind}\n\n{body}\n");
    }
    out + &format!("\n--{BOUNDARY}--\n")
}
