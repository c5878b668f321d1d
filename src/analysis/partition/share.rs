//! How far a share of few samples can be believed.

/// Deviations to either side that hold 95 % of a normal distribution.
const DEVIATIONS: f64 = 1.96;

/// Half of the 95 % interval of a share of which `part` of `all` samples tell, 0 to 1: of Agresti and Coull ("Approximate is
/// better than exact for interval estimation of binomial proportions", 1998), which also holds for few samples and for none.
#[must_use]
pub fn margin(part: u64, all: u64) -> f64 {
    let all = all as f64 + 4.0;
    let share = (part as f64 + 2.0) / all;
    DEVIATIONS * (share * (1.0 - share) / all).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_samples_tell_little() {
        let per_mille = |part, all| (margin(part, all) * 1000.0).round() as u32;
        assert_eq!([per_mille(50, 100), per_mille(5000, 10_000), per_mille(500, 10_000)], [96, 10, 4]);
        assert_eq!([per_mille(0, 0), per_mille(0, 20), per_mille(20, 20)], [490, 111, 111]);
        assert!(margin(9, 3).is_finite(), "more than all");
    }
}
