//! State as keys and values, and the ways to read and write it.

mod key;
mod said;
mod store;
mod view;

pub use key::{Key, Slot};
pub use said::Said;
pub use store::{Overlay, Read, Reads, Store, Writes};
pub use view::Effects;
pub(crate) use view::View;
