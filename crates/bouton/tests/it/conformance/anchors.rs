//! Anchors: what they say of themselves is what they do.

use bouton::anchor::{AnchorSpec, Importance};

#[test]
fn needs_follow_from_how_importance_is_measured() {
    for spec in AnchorSpec::all() {
        let needs = spec.method().needs();
        let Some(anchor) = spec.build() else {
            assert!(!needs.holds && !needs.per_sample && !needs.log_likelihood, "{spec:?}");
            continue;
        };
        assert!(needs.holds && anchor.strength() > 0.0, "{spec:?}");
        let (sample, fisher) = match anchor.importance() {
            Importance::Fisher(..) => (true, true),
            Importance::Sensitivity(_) => (true, false),
            Importance::Path(_) => (false, false),
        };
        assert_eq!((needs.per_sample, needs.log_likelihood), (sample, fisher), "{spec:?}");
        assert!(anchor.merge_importance(0.0, 1.0) > 0.0, "{spec:?}: a first task counts");
        for (old, new) in [(1.0, 0.0), (1.0, 2.0), (3.0, 0.5)] {
            assert!(
                anchor.merge_importance(old, new) >= anchor.merge_importance(old, 0.0),
                "{spec:?}: importance only grows with a task's"
            );
            assert!(anchor.merge_importance(old, new) <= old + new, "{spec:?}");
        }
    }
}
