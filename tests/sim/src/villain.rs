//! Validators of bad will that speak no protocol: noise and floods on every channel.

use crate::network::{Net, QUOTA};
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_runtime::{Clock as _, Spawner as _, Supervisor as _};
use futures::future::{Either, select};
use rand_core::{Rng as _, SeedableRng as _};
use std::time::Duration;
use zeugma_node::engine::Channels;

/// Messages of a flood at once.
const BURST: usize = 25;

/// Sends noise under the key of the validator at `place`; a `flood` repeats what it heard, noise flips a bit of it.
pub(crate) async fn start(net: &Net, place: usize, flood: bool) {
    let control = net.oracle.control(net.seats[place].key.clone());
    for number in 0..Channels::<(), ()>::COUNT {
        let registered = control.register(number, QUOTA).await;
        let (mut sender, mut receiver) = registered.expect("the simulated network runs");
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(net.seed ^ (number << 32) ^ place as u64);
        net.context.child("villain").with_attribute("place", place).with_attribute("channel", number).spawn(
            move |context| async move {
                loop {
                    let wait = Box::pin(context.sleep(Duration::from_millis(40)));
                    let heard = select(wait, Box::pin(receiver.recv())).await;
                    let mut bytes = match heard {
                        Either::Right((Ok((_, bytes)), _)) => bytes.as_ref().to_vec(),
                        Either::Right((Err(_), _)) => return,
                        Either::Left(_) => {
                            (0..rng.next_u64() % 300).map(|_| rng.next_u64().to_le_bytes()[0]).collect()
                        }
                    };
                    let times = if flood { BURST } else { 1 };
                    if !flood && !bytes.is_empty() {
                        let length = bytes.len() as u64;
                        let at = usize::try_from(rng.next_u64() % length).expect("below a usize");
                        bytes[at] ^= 1 << (rng.next_u64() % 8);
                    }
                    for _ in 0..times {
                        let _ = sender.send(Recipients::All, bytes::Bytes::from(bytes.clone()), true);
                    }
                    // Noise does not answer noise without end.
                    context.sleep(Duration::from_millis(5)).await;
                }
            },
        );
    }
}
