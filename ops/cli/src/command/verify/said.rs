//! What a leaf says, in one plain sentence, and what it leaves open.

use crate::clock;
use crate::output::{Lang, plain};
use crate::path_text::{PacketName, packet};
use zeugma_proof::body::{Body, ClientStatus};
use zeugma_proof::{Outbox, Proven};
use zeugma_types::leaf_path::PacketPath;
use zeugma_types::{BlockTime, Namespace, UnixSeconds};

/// What was said.
pub(super) fn sentence(proven: &Proven, lang: Lang) -> String {
    match proven.body() {
        Some(body) => opened(body, lang),
        None => closed(proven, lang),
    }
}

fn opened(body: &Body, lang: Lang) -> String {
    let zh = lang == Lang::Zh;
    match body {
        Body::Handover(handover) => {
            let (era, members, height) = (handover.era, handover.committee.members().len(), handover.height);
            if zh {
                format!("时代 {era} 自高度 {height} 之后开始，由 {members} 名成员组成的委员会接任")
            } else {
                format!("era {era} begins after height {height}, under a new committee of {members} members")
            }
        }
        Body::Standing(standing) => {
            let (epoch, height, count, root) =
                (standing.epoch, standing.height, standing.count, hex::encode(standing.root));
            if zh {
                format!("纪元 {epoch} 于高度 {height} 结束时，共有 {count} 个条目生效；其列表的根为 {root}")
            } else {
                format!(
                    "when epoch {epoch} ended at height {height}, {count} entries were in force; their list has the root {root}"
                )
            }
        }
        Body::Closed(closed) => {
            let (client, sequence, due) = (&closed.client, closed.sequence, second(closed.timeout));
            if zh {
                format!(
                    "客户端 {client} 下应收到的第 {sequence} 号数据包在期限 {due} 前未收到，今后也不会再接收"
                )
            } else {
                format!(
                    "packet {sequence} toward this network under client {client} was not received before {due}, and never can be"
                )
            }
        }
        Body::Retraction(retraction) => {
            let (index, client, height) = (retraction.index, &retraction.client, retraction.height);
            if zh {
                format!(
                    "撤回第 {index} 叶：它所依据的外链历史（客户端 {client}，自高度 {height} 起）已被推翻"
                )
            } else {
                format!(
                    "leaf {index} is taken back: it rested on history of client {client} that was undone from height {height}"
                )
            }
        }
        Body::Anchor(anchor) => {
            let (origin, log) = (plain(&anchor.origin), outbox(&anchor.log, lang));
            if zh {
                format!("证据日志“{origin}”已锚定的检查点：{log}")
            } else {
                format!("the evidence log \"{origin}\" had a checkpoint anchored: {log}")
            }
        }
        Body::SplitView(split) => {
            let (origin, suite) = (plain(&split.origin), split.suite);
            let (one, other) = (split.one, split.other);
            let (one, other) = ((one.size, hex::encode(one.root)), (other.size, hex::encode(other.root)));
            if zh {
                format!(
                    "证据日志“{origin}”签署了两份互相矛盾的检查点（{suite}）：大小 {} 根 {}；大小 {} 根 {}",
                    one.0, one.1, other.0, other.1
                )
            } else {
                format!(
                    "the evidence log \"{origin}\" signed two checkpoints that contradict each other ({suite}): size {} with root {}, and size {} with root {}",
                    one.0, one.1, other.0, other.1
                )
            }
        }
        Body::ClientEvent(event) => {
            let (client, height, at) = (&event.client, event.height, clock::show(event.at));
            let (en, status) = match event.status {
                ClientStatus::Active => ("active", "启用"),
                ClientStatus::Frozen => {
                    ("frozen, because misbehaviour of its chain was shown", "冻结（其链的不当行为已被证实）")
                }
            };
            if zh {
                format!("客户端 {client} 自 {at} 起为{status}；所涉外链高度 {height}")
            } else {
                format!("client {client} is {en}, since {at}; the foreign height concerned is {height}")
            }
        }
        Body::Registered(entry) => {
            let (kind, name, from) = (entry.kind, plain(&entry.name), entry.from);
            match (entry.digest.map(hex::encode), zh) {
                (Some(digest), false) => {
                    format!("from height {from} the digest {digest} is in force as \"{name}\" of kind {kind}")
                }
                (Some(digest), true) => {
                    format!("自高度 {from} 起，种类 {kind} 名称“{name}”下生效的摘要为 {digest}")
                }
                (None, false) => {
                    format!("from height {from} nothing is in force as \"{name}\" of kind {kind}")
                }
                (None, true) => format!("自高度 {from} 起，种类 {kind} 名称“{name}”下不再有生效的摘要"),
            }
        }
    }
}

fn closed(proven: &Proven, lang: Lang) -> String {
    let path = &proven.leaf().path;
    if path.namespace() != Namespace::Ibc {
        return lang
            .pick(
                "a value under a path; the file does not carry what the value commits to",
                "某路径下的一个值；文件未附该值所承诺的内容",
            )
            .to_owned();
    }
    let Some(PacketName { client, kind, sequence }) = packet(path.path()) else {
        return lang.pick("a value under a path of IBC", "某 IBC 路径下的一个值").to_owned();
    };
    match (kind, lang) {
        (PacketPath::Commitment, Lang::En) => {
            format!("packet {sequence} was sent under client {client}; the value commits to it")
        }
        (PacketPath::Commitment, Lang::Zh) => {
            format!("第 {sequence} 号数据包已在客户端 {client} 下发出；值为其承诺")
        }
        (PacketPath::Receipt, Lang::En) => format!("packet {sequence} was received under client {client}"),
        (PacketPath::Receipt, Lang::Zh) => format!("第 {sequence} 号数据包已在客户端 {client} 下收到"),
        (PacketPath::Acknowledgement, Lang::En) => format!(
            "packet {sequence} was received under client {client} and answered; the value commits to the answer"
        ),
        (PacketPath::Acknowledgement, Lang::Zh) => {
            format!("第 {sequence} 号数据包已在客户端 {client} 下收到并答复；值为答复的承诺")
        }
    }
}

fn outbox(log: &Outbox, lang: Lang) -> String {
    let roots: Vec<_> = log.roots().iter().map(|(suite, root)| format!("{suite} {root}")).collect();
    let (size, roots) = (log.size, roots.join(", "));
    if lang == Lang::Zh {
        format!("共 {size} 条，根为 {roots}")
    } else {
        format!("{size} entries, with the root {roots}")
    }
}

fn second(at: UnixSeconds) -> String {
    clock::show(BlockTime::new(at.get().saturating_mul(1_000)))
}

/// What this kind of leaf does not show, beside what no proof shows. `logged`: the log's own proof of a file was given.
pub(super) fn left_open(proven: &Proven, logged: bool, lang: Lang) -> Vec<&'static str> {
    let mut open = Vec::new();
    let namespace = proven.leaf().path.namespace();
    open.push(match namespace {
        Namespace::Closed => lang.pick(
            "why the packet was not received in time",
            "数据包为何未及时收到",
        ),
        Namespace::Ibc => lang.pick(
            "what the packet contains, and whether the other chain received it",
            "数据包的内容，以及对方链是否收到",
        ),
        Namespace::Standing => lang.pick(
            "which entries were in force: each needs its own short proof into this root",
            "具体有哪些条目生效：每一条目须另附到该根的简短证明",
        ),
        Namespace::Anchor if logged => lang.pick(
            "what else the log holds, and what the file says: the log holds its digest",
            "日志的其他内容，以及文件本身所述：日志仅含其摘要",
        ),
        Namespace::Anchor => lang.pick(
            "what the log holds: that a file is among its entries needs the log's own inclusion proof into this root",
            "日志的内容：某文件是否在其中，须另附日志自身到该根的包含证明",
        ),
        Namespace::Handover => lang.pick(
            "that no later hand-over followed",
            "此后是否另有移交",
        ),
        Namespace::SplitView => lang.pick(
            "which of the two histories is the right one",
            "两份历史中哪一份正确",
        ),
        Namespace::Retraction | Namespace::Client | Namespace::Registry => lang.pick(
            "that it is in force today: ask for a Standing young enough to rely on",
            "今日是否仍然生效：请索取足够新的 Standing",
        ),
    });
    if proven.body().is_none() && namespace != Namespace::Ibc {
        open.push(lang.pick(
            "what the value commits to: ask for the proof with its body",
            "值所承诺的内容：请索取附正文的证明",
        ));
    }
    if namespace != Namespace::Closed {
        open.push(lang.pick(
            "that it still holds: a proof shows what the network said then, not what is so now",
            "是否至今有效：证明表明网络当时所述，而非现状",
        ));
    }
    open.push(lang.pick(
        "that it is true: the network stands for having said it after its own checks, not for the world outside",
        "内容是否真实：网络仅为其经自身核验后作出该陈述负责，不为外部世界负责",
    ));
    open
}
