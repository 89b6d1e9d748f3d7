//! The patch types of `kube-wire §8`, each a pure change of a JSON value.

mod strategic;
mod strategic_list;

use serde_json::Value;

pub use strategic::strategic;

/// Merge patch (RFC 7386): null removes, lists are replaced.
pub fn merge(target: &mut Value, patch: &Value) {
    json_patch::merge(target, patch);
}

/// JSON patch (RFC 6902): all operations or none.
///
/// # Errors
/// What is wrong with the operations, or which one failed on this object.
pub fn json(target: &mut Value, ops: &Value) -> Result<(), String> {
    let ops: Vec<json_patch::PatchOperation> =
        serde_json::from_value(ops.clone()).map_err(|e| format!("not a JSON patch: {e}"))?;
    let mut changed = target.clone();
    json_patch::patch(&mut changed, &ops).map_err(|e| e.to_string())?;
    *target = changed;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The cases of RFC 7386, appendix A.
    #[test]
    fn merge_patches() {
        for (target, patch, want) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (
                json!({}),
                json!({"a": {"bb": {"c": null}}}),
                json!({"a": {"bb": {}}}),
            ),
        ] {
            let mut value = target.clone();
            merge(&mut value, &patch);
            assert_eq!(value, want, "{target} with {patch}");
        }
    }

    #[test]
    fn json_patches() {
        let start = json!({"a": {"b": [1, 2]}, "m/n": 1});
        let mut value = start.clone();
        json(
            &mut value,
            &json!([{"op": "test", "path": "/a/b/0", "value": 1}, {"op": "add", "path": "/a/b/-", "value": 3},
                {"op": "remove", "path": "/a/b/0"}, {"op": "replace", "path": "/m~1n", "value": 2},
                {"op": "copy", "from": "/a/b", "path": "/c"}, {"op": "move", "from": "/c", "path": "/d"}]),
        )
        .unwrap();
        assert_eq!(value, json!({"a": {"b": [2, 3]}, "m/n": 2, "d": [2, 3]}));

        for bad in [
            json!([{"op": "add", "path": "/x", "value": 1}, {"op": "test", "path": "/a/b/0", "value": 9}]),
            json!([{"op": "remove", "path": "/zzz"}]),
            json!([{"op": "replace", "path": "/a/zzz/q", "value": 1}]),
            json!([{"op": "nonsense", "path": "/a"}]),
            json!({"op": "remove", "path": "/a"}),
        ] {
            let mut value = start.clone();
            assert!(json(&mut value, &bad).is_err(), "{bad} was accepted");
            assert_eq!(value, start, "a failed patch must change nothing");
        }
    }
}
