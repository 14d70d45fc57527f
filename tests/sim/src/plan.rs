//! What happens in a run, drawn from its seed before anything starts: weather, faults, villains.
//!
//! At most `f = (n - 1) / 3` validators are villains. Anyone may crash, any number at once, and the whole network may
//! lose power; safety must hold through all of it, progress only after [`Plan::storm`] ended.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng as _};
use std::collections::BTreeMap;
use std::fmt;

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// Mean latency, in milliseconds.
    pub latency: u64,
    /// Standard deviation of the latency, in milliseconds.
    pub jitter: u64,
    /// Messages lost of a thousand.
    pub loss: u64,
}

impl Weather {
    /// After healing.
    pub const FAIR: Self = Self { latency: 10, jitter: 3, loss: 0 };
}

/// How a validator of bad will behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Villain {
    /// Two real nodes under one key and share, each talking to one half of the others: it proposes two
    /// blocks in one view, and votes for both halves' blocks.
    Twins,
    /// Random bytes, and what it heard with one bit changed, on every channel.
    Garbage,
    /// What it heard, many times over, as fast as the network takes it.
    Flood,
    /// It never says a word.
    Silent,
}

impl Villain {
    const ALL: [Self; 4] = [Self::Twins, Self::Garbage, Self::Flood, Self::Silent];
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A validator's task is aborted; what it had not synced is lost.
    Crash(usize),
    /// It starts again from its storage.
    Restart(usize),
    /// Every node crashes at the same moment, and starts again.
    Blackout,
    /// These hear only each other, and so do the others.
    Split(Vec<usize>),
    /// Everyone hears everyone again.
    Heal,
    /// The links change.
    Weather(Weather),
    /// A validator that has never run starts.
    Late(usize),
}

impl Fault {
    /// Its kind, in the report.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Crash(_) => "crash",
            Self::Restart(_) => "restart",
            Self::Blackout => "blackout",
            Self::Split(_) => "partition",
            Self::Heal => "heal",
            Self::Weather(_) => "weather",
            Self::Late(_) => "late",
        }
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What everything follows from.
    pub seed: u64,
    /// Validators.
    pub validators: usize,
    /// Blocks of an epoch.
    pub epoch_length: u64,
    /// The first weather.
    pub weather: Weather,
    /// Validators of bad will, by place.
    pub villains: BTreeMap<usize, Villain>,
    /// Validators that start late.
    pub late: Vec<usize>,
    /// Milliseconds from the start, ascending, and what happens then.
    pub faults: Vec<(u64, Fault)>,
    /// Milliseconds of trouble.
    pub storm: u64,
}

/// Draws below `below`.
pub(crate) fn draw(rng: &mut ChaCha20Rng, below: u64) -> u64 {
    rng.next_u64() % below.max(1)
}

fn pick(rng: &mut ChaCha20Rng, from: usize) -> usize {
    usize::try_from(draw(rng, from as u64)).expect("below a usize")
}

fn weather(rng: &mut ChaCha20Rng) -> Weather {
    let latency = [5, 20, 60, 150][pick(rng, 4)];
    Weather { latency, jitter: draw(rng, latency), loss: [0, 0, 20, 100][pick(rng, 4)] }
}

impl Plan {
    /// The plan of a seed. `storm` is in milliseconds.
    #[must_use]
    pub fn draw(seed: u64, validators: usize, storm: u64) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed ^ ((validators as u64) << 48));
        let most = (validators - 1) / 3;
        let mut villains = BTreeMap::new();
        // The first seeds take each kind in turn, so that every suite has all of them.
        let count = pick(&mut rng, most.min(3) + 1);
        for number in 0..count {
            let kind = Villain::ALL[(usize::try_from(seed % 4).expect("below 4") + number) % 4];
            villains.insert(pick(&mut rng, validators), kind);
        }
        let honest: Vec<_> = (0..validators).filter(|place| !villains.contains_key(place)).collect();
        let mut late = Vec::new();
        if draw(&mut rng, 3) == 0 {
            late.push(honest[pick(&mut rng, honest.len())]);
        }
        let mut plan = Self {
            seed,
            validators,
            epoch_length: [8, 12, 25][pick(&mut rng, 3)],
            weather: weather(&mut rng),
            villains,
            late,
            faults: Vec::new(),
            storm,
        };
        plan.trouble(&mut rng, &honest);
        plan
    }

    fn trouble(&mut self, rng: &mut ChaCha20Rng, honest: &[usize]) {
        for place in self.late.clone() {
            self.faults.push((self.storm / 4 + draw(rng, self.storm / 2), Fault::Late(place)));
        }
        let incidents = 2 + draw(rng, 4);
        for _ in 0..incidents {
            let at = 300 + draw(rng, self.storm.saturating_sub(300));
            let until = at + 100 + draw(rng, self.storm / 2);
            match draw(rng, 8) {
                0..=3 => {
                    let place = honest[pick(rng, honest.len())];
                    self.faults.push((at, Fault::Crash(place)));
                    self.faults.push((until, Fault::Restart(place)));
                }
                4 | 5 => {
                    let side = honest.iter().copied().filter(|_| draw(rng, 2) == 0).collect();
                    self.faults.push((at, Fault::Split(side)));
                    self.faults.push((until, Fault::Heal));
                }
                6 => self.faults.push((at, Fault::Blackout)),
                _ => self.faults.push((at, Fault::Weather(weather(rng)))),
            }
        }
        self.faults.retain(|(at, _)| *at < self.storm);
        self.faults.sort_by_key(|(at, _)| *at);
    }

    /// Whether this validator keeps to the protocol.
    #[must_use]
    pub fn is_honest(&self, place: usize) -> bool {
        !self.villains.contains_key(&place)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {} validators {} epoch {} storm {} ms {:?} villains {:?} late {:?}",
            self.seed, self.validators, self.epoch_length, self.storm, self.weather, self.villains, self.late
        )?;
        for (at, fault) in &self.faults {
            writeln!(f, "  {at:>6} ms {fault:?}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_plan_and_villains_stay_below_a_third() {
        for seed in 0..500 {
            for validators in [4, 7, 27] {
                let plan = Plan::draw(seed, validators, 5_000);
                assert_eq!(plan, Plan::draw(seed, validators, 5_000));
                assert!(3 * plan.villains.len() < validators, "{plan}");
                assert!(plan.faults.is_sorted_by_key(|(at, _)| *at));
            }
        }
    }
}
