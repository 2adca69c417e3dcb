//! Values in classes of about equal size (quantiles) for maps.

/// At most this many classes: more shades are not told apart.
const CLASSES: usize = 5;

/// Classes of values, lowest first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Classes {
    classes: Vec<Class>,
}

/// One class: the values really in it, not its theoretical bounds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Class {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) count: usize,
    /// Shade from 1 (light) to 5 (dark).
    pub(crate) shade: usize,
}

impl Classes {
    /// Quantiles of the values; equal values are never parted.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let mut classes: Vec<Class> = Vec::new();
        let (mut at, total) = (0, values.len());
        for class in 1..=CLASSES {
            let wanted = (total * class).div_ceil(CLASSES).max(at);
            let mut end = wanted.min(total);
            while end > at && end < total && values[end] == values[end - 1] {
                end += 1;
            }
            if let (Some(low), Some(high)) = (values.get(at), end.checked_sub(1))
                && end > at
            {
                let (low, high) = (*low, values[high]);
                classes.push(Class { low, high, count: end - at, shade: 0 });
                at = end;
            }
        }
        let steps = classes.len().saturating_sub(1).max(1);
        for (at, class) in classes.iter_mut().enumerate() {
            class.shade = 1 + at * (CLASSES - 1) / steps;
        }
        Self { classes }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Class> {
        self.classes.iter()
    }

    /// The shade of a value; 0 when there is none.
    pub(crate) fn shade(&self, value: Option<f64>) -> usize {
        let class = value.and_then(|value| self.classes.iter().find(|class| value <= class.high));
        class.map_or(0, |class| class.shade)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_about_equal_in_size() {
        let classes = Classes::of((1..=34).map(f64::from));
        let counts: Vec<usize> = classes.iter().map(|class| class.count).collect();
        assert_eq!(counts, [7, 7, 7, 7, 6]);
        assert_eq!(classes.shade(Some(1.0)), 1);
        assert_eq!(classes.shade(Some(34.0)), 5);
        assert_eq!(classes.shade(None), 0);
    }

    #[test]
    fn equal_values_share_a_class() {
        let classes = Classes::of([0.0; 30].into_iter().chain([1.0, 2.0, 3.0, 4.0]));
        let first = classes.iter().next().expect("a class");
        assert_eq!((first.low, first.high, first.count), (0.0, 0.0, 30));
        assert_eq!(classes.iter().map(|class| class.count).sum::<usize>(), 34);
    }

    #[test]
    fn no_value_is_no_class_and_one_value_is_one() {
        assert_eq!(Classes::of([]).iter().count(), 0);
        assert_eq!(Classes::of([7.0]).iter().count(), 1);
    }
}
