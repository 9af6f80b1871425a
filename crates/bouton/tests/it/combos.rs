//! Every cell of the table of combinations: what is accepted learns, what is refused says what to use instead.

use crate::common::two_updates;
use bouton::recipe::combinations;
use bouton::train::Trainer;

#[test]
fn accepted_combinations_learn_and_refused_ones_give_a_hint() {
    let (mut accepted, mut refused) = (0, 0);
    for cell in combinations() {
        let name = format!("{} × {} × {} × {}", cell.neuron, cell.credit, cell.objective, cell.solver);
        match (&cell.refusal, Trainer::new(&cell.recipe, None)) {
            (None, Ok(mut trainer)) => {
                two_updates(&mut trainer, &name);
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
