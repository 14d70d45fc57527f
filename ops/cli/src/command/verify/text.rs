//! The report in words.

use super::{Shown, said};
use crate::output::{Lang, plain};
use crate::trust::view::believed_until;
use crate::{clock, path_text, words};
use std::fmt::Display;
use zeugma_proof::{By, Committee, Endorsement, EraStanding, KeyOrigin, Reliance, TrustFile};

/// Lines under headings.
struct Page {
    lang: Lang,
    text: String,
}

impl Page {
    fn head(&mut self, en: &str, zh: &str) {
        self.text.push_str(&format!("\n{}\n", self.lang.pick(en, zh)));
    }

    fn line(&mut self, en: &str, zh: &str, value: impl Display) {
        let (label, colon) = (self.lang.pick(en, zh), self.lang.pick(": ", "："));
        self.text.push_str(&format!("  {label}{colon}{value}\n"));
    }

    fn item(&mut self, value: impl Display) {
        self.text.push_str(&format!("  - {value}\n"));
    }

    fn pick<T>(&self, en: T, zh: T) -> T {
        self.lang.pick(en, zh)
    }
}

/// The whole report.
pub(super) fn of(shown: &Shown, lang: Lang) -> String {
    let head = lang.pick("PROVEN", "已证明");
    let text = format!("{head}{}{}\n", lang.pick(": ", "："), plain(&shown.names.proof));
    let mut page = Page { lang, text };
    what_was_said(&mut page, shown);
    under_which_certificate(&mut page, shown);
    by_whom(&mut page, shown);
    under_which_trust(&mut page, shown);
    let warnings = warnings(shown, lang);
    if !warnings.is_empty() {
        page.head("WARNING", "警告");
        warnings.iter().for_each(|warning| page.item(warning));
    }
    page.head("Not shown", "未证明的事项");
    not_shown(shown, lang).iter().for_each(|open| page.item(open));
    page.text
}

fn what_was_said(page: &mut Page, shown: &Shown) {
    let proven = &shown.proven;
    let leaf = proven.leaf();
    page.head("What was said", "所述内容");
    page.text.push_str(&format!("  {}\n", said::sentence(proven, page.lang)));
    if let Some(logged) = &shown.logged {
        let (file, digest) = (plain(&logged.file), hex::encode(logged.digest));
        let text = if page.lang == Lang::Zh {
            format!(
                "{file}（SHA-256 {digest}）是该检查点的第 {} 条（{} 树），由日志自身的证明表明",
                logged.index, logged.suite
            )
        } else {
            format!(
                "{file} (SHA-256 {digest}) is entry {} of this checkpoint, by the log's own proof ({} tree)",
                logged.index, logged.suite
            )
        };
        page.line("in the log", "日志所含", text);
    }
    let compared = |asked: bool, page: &Page| {
        if asked { page.pick(", as you asked for", "（与所求一致）") } else { "" }
    };
    let (path, value) = (compared(shown.asked.path, page), compared(shown.asked.value, page));
    page.line("path", "路径", format!("{}{path}", plain(&path_text::show(&leaf.path))));
    page.line("value", "值", format!("{} ({}){value}", leaf.value, leaf.format.suite()));
    page.line("network", "网络", leaf.network);
    page.line("era", "时代", era(page.lang, proven.era(), proven.era_standing()));
    page.line("height", "高度", leaf.height);
    page.line("time", "时间", clock::show(leaf.time));
    let (index, size) = (proven.index(), proven.header().outbox.size);
    let place = if page.lang == Lang::Zh {
        format!("共 {size} 叶的发件树（{}）中的第 {index} 叶", proven.suite())
    } else {
        format!("leaf {index} of an outbox of {size} ({} tree)", proven.suite())
    };
    page.line("place", "位置", place);
}

fn era(lang: Lang, era: zeugma_types::Era, standing: EraStanding) -> String {
    let standing = match standing {
        EraStanding::Present => lang.pick("its key is the present one", "其密钥为现行密钥"),
        EraStanding::Retired => lang.pick(
            "its key is retired; the proof reaches into what its hand-over pinned",
            "其密钥已停用；该证明延伸至移交所固定的树",
        ),
        // A proof under an expired key is refused before any report is written.
        EraStanding::Expired => lang.pick("its key has expired", "其密钥已过期"),
    };
    format!("{era}{}{standing}", lang.pick(", ", "，"))
}

fn under_which_certificate(page: &mut Page, shown: &Shown) {
    let header = shown.proven.header();
    page.head("Under which certificate", "证书");
    let (height, time, digest) = (header.height, clock::show(header.time), header.digest());
    let text = if page.lang == Lang::Zh {
        format!("高度 {height}，时间 {time}，摘要 {digest}")
    } else {
        format!("height {height}, time {time}, digest {digest}")
    };
    page.line("header", "区块头", text);
    let (quorum, members) = quorum(committee(shown));
    let text = match (&shown.proof.endorsement, page.lang) {
        (Endorsement::Certificate(certificate), Lang::En) => format!(
            "a threshold signature of the committee's group key, epoch {}, view {}",
            certificate.epoch, certificate.view
        ),
        (Endorsement::Certificate(certificate), Lang::Zh) => {
            format!("委员会群密钥的门限签名，纪元 {}，视图 {}", certificate.epoch, certificate.view)
        }
        (Endorsement::Seal(seal), Lang::En) => {
            format!("a second seal: {} signatures of at least {quorum} of {members} members", seal.suite)
        }
        (Endorsement::Seal(seal), Lang::Zh) => {
            format!("第二签章：{members} 名成员中至少 {quorum} 名的 {} 签名", seal.suite)
        }
    };
    page.line("signed by", "签署", text);
}

fn by_whom(page: &mut Page, shown: &Shown) {
    let committee = committee(shown);
    let (quorum, members) = quorum(committee);
    page.head("Who signed", "签署者");
    page.line("group key", "群密钥", hex::encode(committee.group_key.as_bytes()));
    let made = match (&committee.origin, page.lang) {
        (KeyOrigin::Distributed { transcript }, Lang::En) => {
            format!("by the members together, nobody ever held it whole; DKG transcript {transcript}")
        }
        (KeyOrigin::Distributed { transcript }, Lang::Zh) => {
            format!("由成员共同生成，无人持有完整密钥；DKG 记录摘要 {transcript}")
        }
        (KeyOrigin::InsecureDealer, Lang::En) => {
            "by ONE DEALER, who could sign alone: for trials only".to_owned()
        }
        (KeyOrigin::InsecureDealer, Lang::Zh) => "由单一分发者生成，其可独自签署：仅供试验".to_owned(),
    };
    page.line("key made", "密钥来源", made);
    let text = if page.lang == Lang::Zh {
        format!("{members} 名，其中至少 {quorum} 名须共同签署")
    } else {
        format!("{members}, of whom at least {quorum} sign together")
    };
    page.line("members", "成员", text);
    for member in committee.members() {
        page.item(format!("{}, {} ({})", plain(&member.name), plain(&member.role), hex::encode(member.key)));
    }
}

/// How many members sign together, and how many there are: `n - (n - 1) / 3` of `n`.
pub(super) fn quorum(committee: &Committee) -> (usize, usize) {
    let members = committee.members().len();
    (members - (members - 1) / 3, members)
}

pub(super) fn committee(shown: &Shown) -> &Committee {
    let mut eras = shown.file.eras().iter();
    let entry = eras.find(|entry| entry.era == shown.proven.era());
    &entry.expect("a proof is accepted only under an era of the file").committee
}

fn under_which_trust(page: &mut Page, shown: &Shown) {
    let file = &shown.file;
    page.head("Trust file", "信任文件");
    page.line("file", "文件", plain(&shown.names.trust));
    page.line("issued", "签发", clock::show(file.issued_at));
    let until = believed_until(file).map_or_else(|| page.pick("for ever", "永久").to_owned(), clock::show);
    page.line("present key believed until", "现行密钥信任至", until);
    let as_whom = match shown.reliance {
        Reliance::Court => page.pick("as a court", "作为法院"),
        Reliance::Destination => page.pick("as another chain", "作为目的链"),
    };
    page.line(
        "judged at",
        "判断时间",
        format!("{}{}{as_whom}", clock::show(shown.time), page.pick(", ", "，")),
    );
    let fingerprint = file.fingerprint();
    page.line("fingerprint", "指纹", hex::encode(fingerprint));
    page.line("in words", "词语形式", words::of(&fingerprint));
    let compared = if shown.asked.fingerprint {
        page.pick("equal to the one you gave", "与所给指纹一致")
    } else {
        page.pick("with nothing", "未比对")
    };
    page.line("compared", "比对", compared);
    page.line("signed", "机构签名", signatures(file, page.lang));
}

/// How far the file is signed by the institutions that it lists itself.
pub(in crate::command) fn signatures(file: &TrustFile, lang: Lang) -> String {
    let (count, all) = (file.signatures.list().len(), file.institutions.list().len());
    let threshold = file.institutions.threshold();
    match (file.verify(&file.institutions), lang) {
        (Ok(()), Lang::En) => format!("by {count} of the {all} institutions it lists, {threshold} needed"),
        (Ok(()), Lang::Zh) => format!("由其所列 {all} 家机构中的 {count} 家签署，须 {threshold} 家"),
        (Err(refusal), Lang::En) => format!("not by enough of the {all} institutions it lists: {refusal}"),
        (Err(refusal), Lang::Zh) => format!("其所列 {all} 家机构的签名不足：{}", refusal.code.zh()),
    }
}

/// What a reader must not overlook.
pub(super) fn warnings(shown: &Shown, lang: Lang) -> Vec<String> {
    let mut warnings = Vec::new();
    if committee(shown).origin == KeyOrigin::InsecureDealer && shown.proven.by() == By::Certificate {
        warnings.push(
            lang.pick(
                "one dealer made the group key and could have signed this alone: rely on it for trials only",
                "群密钥由单一分发者生成，其可独自作出该签名：仅可用于试验",
            )
            .to_owned(),
        );
    }
    if shown.file.verify(&shown.file.institutions).is_err() {
        warnings.push(
            lang.pick(
                "the trust file is not signed by enough of the institutions it lists",
                "信任文件没有其所列机构的足够签名",
            )
            .to_owned(),
        );
    }
    if shown.proven.leaf().time > shown.time {
        warnings.push(
            lang.pick(
                "the leaf is younger than the time at which it is judged",
                "叶的时间晚于所给的判断时间",
            )
            .to_owned(),
        );
    }
    for sunset in shown.file.sunsets.iter().filter(|sunset| sunset.at <= shown.time) {
        let (name, at) = (plain(&sunset.algorithm), clock::show(sunset.at));
        warnings.push(if lang == Lang::Zh {
            format!("信任文件载明算法 {name} 自 {at} 起不再计入")
        } else {
            format!("the trust file says that the algorithm {name} stopped counting at {at}")
        });
    }
    warnings
}

/// What the proof does not show.
pub(super) fn not_shown(shown: &Shown, lang: Lang) -> Vec<&'static str> {
    let mut open = said::left_open(&shown.proven, shown.logged.is_some(), lang);
    if !shown.asked.fingerprint {
        open.push(lang.pick(
            "that this trust file is the right one: compare its words with those on paper, or give them with --trusted-fingerprint",
            "该信任文件是否正确：请与纸面上的词语比对，或用 --trusted-fingerprint 给出",
        ));
    }
    open
}
