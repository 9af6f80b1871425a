//! Every cell of the table of combinations: what is accepted learns, what is refused says what to use instead.

use bouton::recipe::combinations;
use bouton::train::Trainer;

#[test]
fn accepted_combinations_learn_and_refused_ones_give_a_hint() {
    let (mut accepted, mut refused) = (0, 0);
    for cell in combinations() {
        let name = format!("{} × {} × {} × {}", cell.neuron, cell.credit, cell.objective, cell.solver);
        match (&cell.refusal, Trainer::new(&cell.recipe, None)) {
            (None, Ok(mut trainer)) => {
                for _ in 0..2 {
                    let step = trainer.learn().unwrap_or_else(|e| panic!("{name}: {e}"));
                    assert!(step.mean_loss().is_finite(), "{name}");
                }
                assert!(trainer.evaluate(0).unwrap().mean_loss().is_finite(), "{name}");
                accepted += 1;
            }
            (Some((why, hint)), Err(_)) => {
                assert!(!why.is_empty() && !hint.is_empty(), "{name}");
                refused += 1;
            }
            (None, Err(e)) => panic!("{name} is in the table but refused: {e}"),
            (Some(_), Ok(_)) => panic!("{name} is refused in the table but builds"),
        }
    }
    assert!(accepted > 10 && refused > 10, "{accepted} accepted, {refused} refused");
}
