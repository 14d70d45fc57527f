//! The sentences of a report, in one table for both languages.
//!
//! A sentence says what was shown, never that something is true. `docs/law.md` names the articles.

macro_rules! words {
    ($($number:literal $name:ident $en:literal $zh:literal;)*) => {
        /// A sentence of a report. The number is the wire form, and never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Word {
            $(#[doc = $en] $name = $number,)*
        }

        impl Word {
            /// Every sentence, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// In English.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self {
                    $(Self::$name => $en,)*
                }
            }

            /// In Chinese.
            #[must_use]
            pub const fn zh(self) -> &'static str {
                match self {
                    $(Self::$name => $zh,)*
                }
            }
        }
    };
}

words! {
    // Shown.
    1 FileMatches "the file presented has the digest that was deposited" "所提交文件的摘要与存证摘要一致";
    2 FieldShown "this field was deposited" "该字段属于存证内容";
    3 Logged "the entry stands in the tree that the log signed" "条目在日志所签名的树中";
    4 LoggedSecond "the entry stands at the same place in the log's SM3 tree" "条目在日志的 SM3 树中处于同一位置";
    5 LogStates "the log itself states this time for its checkpoint" "日志自身为其检查点声明了该时间";
    6 Witnessed "an institution of its own cosigned the checkpoint as consistent with all before" "独立机构对检查点与此前历史一致作了见证签名";
    7 Received "the service promised to log the entry, and says when it took it" "存证服务承诺记录该条目，并声明接收时间";
    8 Anchored "the network's committee recorded the checkpoint" "网络委员会记录了该检查点";
    9 Stamped "a time authority saw the checkpoint" "时间戳机构见到了该检查点";
    10 NotRevoked "no X.509 certificate of the time authority was revoked then, says its revocation list" "吊销列表表明时间戳机构的证书当时未被吊销";
    11 Qualified "the token states that it is a qualified electronic time-stamp; a trusted list says whether it is" "令牌声明其为合格电子时间戳；是否合格以可信名单为准";
    12 Renewed "new time-stamps were put over the whole bundle before the old algorithms lapsed" "在旧算法失效之前，已对整个证据包加盖新的时间戳";
    13 RuleMet "a rule found what it asks for" "规则所要求的情形具备";
    14 RuleNotMet "a rule found the contrary of what it asks for" "规则发现与其要求相反的情形";
    15 RuleUndetermined "a rule could not decide on the facts it was given" "规则依所给事实不能判断";
    16 PromiseBroken "the entry stands elsewhere than the signed receipt promised" "条目位置与已签名回执的承诺不符";
    17 TrustFileSigned "the trust file is signed by its institutions" "信任文件由其机构签名";
    18 ShownBeforeSunset "it rests on an algorithm that lapsed since, and a renewal shows that it existed before" "其所依算法其后失效，续期表明其在失效前已存在";
    19 NotRevokedSaysResponder "no X.509 certificate of the time authority was revoked then, say the responders of its issuers, and its revocation lists where there are any" "签发机构应答方（及所附吊销列表）表明时间戳机构的证书当时未被吊销";
    20 RevokedLater "an X.509 certificate of the time authority was revoked after this time, for a reason that does not reach back" "时间戳机构的证书在该时间之后被吊销，其原因不溯及既往";
    21 HeldElsewhere "another transparency service holds it in its tree, as its receipt shows" "另一透明日志服务的回执表明其树中载有该内容";
    22 PackInForce "the network's registry had the rule pack in force when it was applied" "规则适用之时，网络登记表明该规则包有效";
    23 InShard "the entry stands in a shard of the policy's log, of this origin" "条目位于策略所列日志的分片中，其来源如下";

    // Not shown, always.
    100 NotTruth "that what the content says is so" "内容所述属实";
    101 NotOriginal "that the content is the original, or who made it" "内容为原件，或由何人形成";
    102 NotBefore "that nothing was changed before the entry was logged" "上链存储之前内容未经改动";
    103 NotAfterwards "that the log showed all the same history after this checkpoint" "该检查点之后日志向所有人展示同一历史";

    // Not shown here.
    120 NoFile "anything about a file: none was presented" "与任何文件的关系：未提交文件";
    121 NoDigestShown "the digest of the content: that field is not opened" "内容摘要：该字段未披露";
    122 FileDiffers "that the file presented is the one deposited: its digest is another" "所提交文件即存证文件：其摘要不同";
    123 NoReceipt "when the service took the entry: there is no receipt" "存证服务接收条目的时间：没有回执";
    124 UnknownService "what the service signed: the policy does not name its key" "存证服务所签内容：策略未列其密钥";
    125 NoSecondTree "the entry in an SM3 tree: there is no proof of it" "条目在 SM3 树中：没有相应证明";
    126 UnknownSecondTree "the entry in the SM3 tree: the policy does not name its key" "条目在 SM3 树中：策略未列其密钥";
    127 TooFewWitnesses "that as many institutions cosigned as the policy asks" "达到策略所要求数量的机构见证";
    128 UnknownCosigner "a cosignature whose key the policy does not name" "策略未列其密钥的见证签名";
    129 NoProof "that the network recorded the checkpoint: there is no proof of it" "网络记录了该检查点：没有相应证明";
    130 ProofNotAccepted "that the network recorded the checkpoint: the trust file does not reach so far" "网络记录了该检查点：信任文件尚不足以判断";
    131 NoStamp "the word of a time authority: there is no time-stamp" "时间戳机构的证明：没有时间戳";
    132 UnknownAuthority "a time-stamp of an authority that the policy does not name" "策略未列机构的时间戳";
    133 TooFewAuthorities "that as many institutions stamped as the policy asks" "达到策略所要求数量的机构加盖时间戳";
    134 TooFewInstitutions "that as many institutions stand for it in all as the policy asks" "达到策略所要求的机构总数";
    135 RevocationNotCarried "that no X.509 certificate of the time authority was revoked: no revocation data was carried" "时间戳机构的证书未被吊销：未附吊销数据";
    136 PastSunset "what rests on an algorithm that lapsed, as no renewal shows that it existed before" "依赖已失效算法者：没有续期表明其在失效前已存在";
    137 NotExamined "what an anchor of this kind shows: this verifier carries it and does not read it" "此类锚定所表明者：本验证器仅予携带，未作审查";
    138 NoVerdict "the finding of any rule: there is no verdict" "任何规则的认定：没有规则结论";
    139 TrustFileUnsigned "that institutions stand for the trust file: enough signatures are not there" "机构为信任文件作保：签名不足";
    140 FieldsClosed "fields that were deposited and are not opened" "已存证但未披露的字段";
    141 RevocationUnknown "whether an X.509 certificate of the time authority was revoked: the responder of its issuer does not know it" "时间戳机构的证书是否被吊销：其签发机构的应答方不知该证书";
    142 UnknownTransparencyService "what the receipt of a transparency service shows: the policy does not name its key" "透明日志服务回执所表明者：策略未列其密钥";
    143 PackForceNotShown "that the rule pack was in force when it was applied: no proof of it was carried" "规则适用之时该规则包有效：未附相应证明";
}

macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $number:literal, $json:literal, $en:literal, $zh:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name {
            $(#[doc = $en] $variant = $number,)*
        }

        impl $name {
            /// Every value, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $json,)*
                }
            }

            /// In English.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self {
                    $(Self::$variant => $en,)*
                }
            }

            /// In Chinese.
            #[must_use]
            pub const fn zh(self) -> &'static str {
                match self {
                    $(Self::$variant => $zh,)*
                }
            }
        }
    };
}

choices!(/// Whether the content is unchanged since it was logged.
    Integrity {
    Proven = 1, "proven", "shown to be unchanged since it was logged", "已证明自上链以来未经改动";
    Refuted = 2, "refuted", "shown to differ from what was logged", "已证明与上链内容不同";
    Undetermined = 3, "undetermined", "not determined", "不能确定";
});

choices!(/// What speaks for the content before it was logged.
    Authenticity {
    Supported = 1, "supported", "supported by findings, for the court to weigh", "有认定支持，由法院审查判断";
    Contested = 2, "contested", "findings speak against it", "有认定与之相反";
    Unsupported = 3, "unsupported", "nothing here supports it", "此处没有支持材料";
});

/// A language of the report's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    En,
    /// Chinese.
    Zh,
}

impl Language {
    /// The phrase of this language.
    pub(crate) const fn pick(self, en: &'static str, zh: &'static str) -> &'static str {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn sentences_are_distinct_and_their_numbers_ascend() {
        assert!(Word::ALL.windows(2).all(|pair| (pair[0] as u16) < pair[1] as u16));
        for words in [Word::en, Word::zh, Word::name] {
            let distinct: BTreeSet<_> = Word::ALL.iter().map(|word| words(*word)).collect();
            assert_eq!(distinct.len(), Word::ALL.len());
        }
    }

    #[test]
    fn no_sentence_says_that_something_is_true() {
        let sentences = Word::ALL
            .iter()
            .flat_map(|word| [word.en(), word.zh()])
            .chain(Integrity::ALL.iter().flat_map(|one| [one.en(), one.zh()]))
            .chain(Authenticity::ALL.iter().flat_map(|one| [one.en(), one.zh()]));
        for sentence in sentences {
            let says = sentence.split(|letter: char| !letter.is_alphabetic()).any(|word| word == "true");
            // The one sentence with the Chinese word says that it is not shown.
            let zh =
                sentence.contains("真实") || (sentence.contains("属实") && sentence != Word::NotTruth.zh());
            assert!(!says && !zh, "{sentence}");
        }
    }
}
