//! From figures to places on paper.

/// Maps one range of numbers onto another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Linear {
    from: (f64, f64),
    to: (f64, f64),
}

impl Linear {
    pub(crate) fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        Self { from, to }
    }

    /// Where `value` falls; the middle when the range is a single number.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let width = self.from.1 - self.from.0;
        let share = if width == 0.0 { 0.5 } else { (value - self.from.0) / width };
        self.to.0 + share * (self.to.1 - self.to.0)
    }
}

/// Round numbers from 0 (or below, when `low` is) to at least `high`, about `wanted` of them.
pub(crate) fn ticks(low: f64, high: f64, wanted: u32) -> Vec<f64> {
    let (low, high) = (low.min(0.0), high.max(0.0));
    if !(high - low).is_normal() {
        return vec![0.0, 1.0];
    }
    let rough = (high - low) / f64::from(wanted.max(1));
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|nice| nice * power)
        .find(|step| *step >= rough * (1.0 - 1e-9))
        .unwrap_or(10.0 * power);
    let (first, last) = ((low / step).floor() as i64, (high / step - 1e-9).ceil() as i64);
    (first..=last).map(|at| at as f64 * step).collect()
}

/// Digits after the point that tell such ticks apart.
pub(crate) fn tick_digits(ticks: &[f64]) -> u8 {
    let exact = |digits: u8| {
        let factor = 10f64.powi(i32::from(digits));
        ticks.iter().all(|tick| ((tick * factor).round() - tick * factor).abs() < 1e-6)
    };
    (0..6).find(|&digits| exact(digits)).unwrap_or(6)
}

/// A coordinate with one digit after the point, without a useless `.0`.
pub(crate) fn coordinate(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_figures() {
        assert_eq!(ticks(0.0, 184.0, 4), [0.0, 50.0, 100.0, 150.0, 200.0]);
        assert_eq!(ticks(0.0, 1.0, 4), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(ticks(0.0, 0.0, 4), [0.0, 1.0]);
        assert_eq!(ticks(-3.0, 3.0, 4), [-4.0, -2.0, 0.0, 2.0, 4.0]);
        assert_eq!(tick_digits(&ticks(0.0, 1.0, 4)), 2);
        assert_eq!(tick_digits(&ticks(0.0, 184.0, 4)), 0);
    }

    #[test]
    fn a_scale_may_run_backwards_and_a_single_figure_is_in_the_middle() {
        let scale = Linear::new((0.0, 10.0), (200.0, 0.0));
        assert_eq!(scale.at(2.5), 150.0);
        assert_eq!(Linear::new((5.0, 5.0), (0.0, 100.0)).at(5.0), 50.0);
        assert_eq!(coordinate(-0.01), "0");
        assert_eq!(coordinate(12.34), "12.3");
    }
}
