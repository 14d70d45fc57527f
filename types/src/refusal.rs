//! Why something was refused: one table of codes for every room, every language, every verifier.
//!
//! A [`Refusal`] names the rule that broke and both values: what was needed and what was found. A
//! code is [`Permanence::Never`] when no later moment can make the same bytes acceptable, and
//! [`Permanence::NotYet`] when time or another message can. Codes are never renumbered or reused.
//!
//! The table below is the source: the page `docs/byte-layout.md` and the tables of the other
//! verifiers are written from it by `cargo xtask docs`.

use alloc::string::String;
use core::fmt;

/// Whether waiting can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permanence {
    /// Invalid now and for ever.
    Never,
    /// May become valid later.
    NotYet,
}

macro_rules! codes {
    ($($number:literal $name:ident $permanence:ident $en:literal $zh:literal;)*) => {
        /// The rule that broke. The number is the wire form.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Code {
            $(#[doc = $en] $name = $number,)*
        }

        impl Code {
            /// Every code, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in JSON and in other languages.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// Whether waiting can help.
            #[must_use]
            pub const fn permanence(self) -> Permanence {
                match self {
                    $(Self::$name => Permanence::$permanence,)*
                }
            }

            /// The rule in English.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self {
                    $(Self::$name => $en,)*
                }
            }

            /// The rule in Chinese.
            #[must_use]
            pub const fn zh(self) -> &'static str {
                match self {
                    $(Self::$name => $zh,)*
                }
            }
        }
    };
}

codes! {
    // Bytes and encodings.
    100 Empty Never "something that must not be empty is empty" "不得为空的内容为空";
    101 TooLong Never "a length is above its bound" "长度超过上限";
    102 TooMany Never "a list has more items than its bound" "列表项数超过上限";
    103 Truncated Never "the bytes end before the value does" "数据在值结束之前中断";
    104 TrailingBytes Never "bytes are left over after the value" "值之后有多余字节";
    105 UnknownTag Never "a tag, a version or a number is not one this format knows" "标签、版本或编号不为本格式所知";
    106 NotCanonical Never "the value has another encoding, the canonical one" "该值不是规范编码";
    107 BadText Never "the bytes are not text" "字节不是有效文本";
    108 OutOfRange Never "a number is outside its range" "数值超出范围";
    109 NotSorted Never "a list is not in strictly ascending order" "列表未按严格升序排列";
    110 BadIdentifier Never "an identifier breaks its rules" "标识符不符合规则";
    111 ZeroWeight Never "a weight is zero" "权重为零";
    112 BadMagic Never "the file is of another kind" "文件类型不符";

    // Keys, signatures, quorums.
    200 RefusedAlgorithm Never "the algorithm is refused" "该算法不被接受";
    201 BadKey Never "the bytes are not a public key" "字节不是有效公钥";
    202 BadSignature Never "the signature is not of this key over these bytes" "签名与该密钥及内容不符";
    203 EmptySet Never "the set of members is empty" "成员集合为空";
    204 UnknownSigner Never "a signer is not in the set" "签名者不在成员集合中";
    205 RepeatedSigner Never "a signer is counted twice" "同一签名者被重复计数";
    206 QuorumNotReached Never "the signers are fewer than the quorum" "签名者未达到法定数量";
    207 RepeatedMember Never "a member stands in the set twice" "成员在集合中重复出现";

    // The one proof, in the normative order of its checks.
    300 WrongNetwork Never "the proof is of another network" "证明属于另一网络";
    301 UnknownEra Never "the era is not in the trust file" "信任文件中没有该时代";
    302 RetiredEra Never "the era's key is retired; prove the leaf under the present key" "该时代密钥已停用，请用现行密钥重新出具证明";
    303 WrongEpoch Never "the certificate is of another epoch than the header" "证书与区块头的纪元不一致";
    305 NoSuchRoot Never "the header has no root of this hash suite" "区块头没有该哈希套件的根";
    306 IndexOutOfTree Never "the index is not below the size of the tree" "索引不小于树的大小";
    307 PathLength Never "the proof has another number of hashes than its tree requires" "证明的哈希数与树的要求不符";
    308 NotIncluded Never "the path does not lead to the root" "路径不能导出树根";
    309 NotConsistent Never "the smaller tree is not the beginning of the larger" "较小的树不是较大的树的前缀";
    310 ConsistencyMissing Never "a retired era needs the proof into the root its hand-over pinned" "停用时代须附到移交所固定树根的一致性证明";
    311 BeyondPin Never "the outbox is larger than the one the hand-over pinned" "发件树大于移交所固定的大小";
    312 LeafAhead Never "the leaf is younger than the header that proves it" "叶晚于证明它的区块头";
    313 UnsupportedSuite Never "this verifier does not check signatures of this suite" "本验证器不支持该签名套件";
    314 WrongPath Never "the leaf speaks of another path" "叶所述路径不符";
    315 WrongValue Never "the leaf has another value" "叶的值不符";
    316 WrongOpening Never "the body does not hash to the leaf's value" "正文的摘要与叶的值不符";
    317 OpeningMissing Never "the body of the leaf is needed and not there" "缺少叶的正文";
    318 NotStanding Never "the entry is not in force" "该条目未生效";
    319 NotAbsent Never "the neighbours do not show that the path is absent" "相邻条目不能证明路径不存在";
    320 ConsistencyUnneeded Never "only a retired era takes a consistency proof" "仅停用时代才附一致性证明";
    321 NotEraEnd Never "the hand-over is not the leaf right after the outbox it pins" "移交叶不紧接其所固定的发件树";

    // Keys over time.
    340 TrustExpired NotYet "the key's trusting period is over; a newer signed trust file is needed" "密钥的信任期已过，需要更新的已签名信任文件";
    341 NotNextEra Never "the hand-over is not to the next era" "移交的不是下一时代";
    342 TooEarly NotYet "the delay has not passed" "等待期尚未届满";
    343 SubstituteCancelled Never "the present key still lives, so the substitute is not usable" "现行密钥仍有效，替代密钥不可用";
    344 TrustFileUnsigned Never "the trust file lacks the signatures asked for" "信任文件缺少所要求的签名";
    345 AlgorithmSunset Never "the algorithm was past its sunset" "算法已过停用日期";

    // Clients of other chains.
    400 WrongFamily Never "the bytes are for another family of chains" "数据属于另一类链";
    401 WrongChain Never "the header is of another chain" "区块头属于另一条链";
    402 ClientFrozen NotYet "the client is frozen" "客户端已冻结";
    403 ClientExpired NotYet "the client's trusted state is older than its trusting period" "客户端的可信状态已超过信任期";
    404 HeaderAhead NotYet "the header is ahead of the clock by more than the drift allows" "区块头时间超前于允许的时钟偏差";
    405 NotNewer Never "the header is not newer than the trusted one" "区块头不比可信区块头更新";
    406 TimeNotMonotonic Never "time does not grow with height" "时间未随高度增长";
    407 WrongMembers Never "the validators are not those the header names" "验证者与区块头所列不符";
    408 WrongNextMembers Never "the validators are not those the trusted header announced" "验证者与可信区块头所宣布的不符";
    409 TrustTooThin NotYet "too little of the trusted power signed; go through a header in between" "可信权重签名不足，请经过中间区块头";
    410 NoStateAt NotYet "the client holds no state of this height" "客户端没有该高度的状态";
    411 WrongCommit Never "the commit signs another header" "提交所签的是另一区块头";
    412 ProofShape Never "the proof does not have the shape its tree requires" "证明形状不符合树的要求";
    413 NotProven Never "the proof does not show this value under this key" "证明不能表明该键具有该值";
    414 AbsenceNotProven Never "the proof does not show that the key is absent" "证明不能表明该键不存在";
    415 NoMisbehaviour Never "the evidence shows no misbehaviour" "证据未显示不当行为";
    416 BadProfile Never "the profile's relations do not hold" "配置参数关系不成立";
    417 NotUnderstood Never "the family cannot show this" "该类链无法证明此项";
    418 BadHeader Never "a field of the header breaks a rule of its chain" "区块头字段违反该链规则";
    419 CommitteeUnknown NotYet "the client does not know the committee of that period yet; go through an update in between" "客户端尚不知该周期的委员会，请经过中间更新";
    420 NextCommitteeMissing NotYet "the update enters a period without bringing the committee after it" "更新进入新周期，却未附下一届委员会";
    421 TransactionFailed Never "the transaction failed, so it shows nothing" "交易执行失败，不能证明任何事项";
    422 WrongEmitter Never "another contract emitted the event" "事件由另一合约发出";

    // The ledger: admission.
    500 UnknownAccount NotYet "the account is not known to the network" "网络中没有该账户";
    501 NotAllowed NotYet "no role of the account allows this" "该账户的角色不允许此操作";
    502 SequenceUsed Never "the sequence was used, or lies behind the window" "序号已被使用或已落在窗口之后";
    503 SequenceAhead NotYet "the sequence runs too far ahead" "序号超前过多";
    504 TransactionLapsed Never "the transaction is past the block it was good until" "交易已超过其有效区块";
    505 TransactionElsewhere Never "the transaction is for another network" "交易属于另一网络";
    506 CostAboveLimit Never "the cost is above its limit" "成本超过限额";
    507 BlockFull NotYet "the block has no room for this cost" "区块余量不足以容纳此成本";
    508 AllowanceSpent NotYet "the account's allowance is spent; it refills with time" "账户额度已用完，将随时间恢复";
    509 SubmissionClosed NotYet "payloads without a sender are not accepted here" "此处不接受无发送者的载荷";

    // The ledger: clients and routes.
    520 UnknownClient NotYet "there is no such client" "没有该客户端";
    521 FamilyNotAllowed NotYet "the family is not allowed here" "此处不允许该类链";
    522 NoCounterparty NotYet "the client has no counterparty yet" "客户端尚未登记对端";
    523 CounterpartySet Never "the client has its counterparty" "客户端已登记对端";
    524 WrongCounterparty Never "the packet names another client than the counterparty" "数据包所列客户端不是对端";
    525 NotCreator Never "another account created the client" "客户端由另一账户创建";
    526 RouteHalted NotYet "the route is halted by order" "该路由已按指令停止";
    527 StillActive NotYet "the client is active and needs no recovery" "客户端处于活动状态，无需恢复";
    528 NotContinuous NotYet "the substitute does not continue the client" "替代客户端与原客户端不连续";
    529 NoRecovery NotYet "no recovery is proposed" "没有已提出的恢复";
    530 RecoveryProposed NotYet "a recovery is already proposed" "恢复已被提出";

    // The ledger: packets.
    540 PacketTimedOut Never "the packet's timeout has passed" "数据包已超时";
    541 TimeoutNotReached NotYet "the timeout is not reached" "尚未到达超时时间";
    542 TimeoutTooFar NotYet "the timeout is further ahead than accepted" "超时时间超前过多";
    543 PacketReceived Never "the packet was received, so it cannot be closed" "数据包已被接收，不能关闭";
    544 PacketIsClosed Never "the packet is closed and can never be received" "数据包已关闭，不能再接收";
    545 WrongPacket Never "the packet is not the one that was sent" "不是所发送的数据包";
    546 WrongAcknowledgement Never "the acknowledgements do not fit the payloads" "确认与载荷不符";
    547 UnknownPort NotYet "no application has this port" "没有使用该端口的应用";
    548 WrongPayload Never "the application does not read such a payload" "应用不能读取此类载荷";
    549 WrongSender Never "the payload names another sender than the account" "载荷所列发送者不是该账户";
    550 NumbersSpent Never "the numbers of this kind are used up" "此类编号已用尽";
    551 NotEnough NotYet "the account holds less of this asset" "账户持有的该资产不足";
    552 MoreThanLocked Never "more comes back than went out" "返还数量超过曾转出的数量";
    553 LimitReached NotYet "the limit of this asset on this route is reached; it refills with time" "该路由上此资产的限额已满，将随时间恢复";
    554 AssetFrozen NotYet "the asset is frozen by order" "该资产已按指令冻结";
    555 AccountFrozen NotYet "the account is frozen by order" "该账户已按指令冻结";
    556 AssetNotListed NotYet "the asset is not on the list of those that may come in" "该资产不在准入清单中";
    557 NoRoomToHold Never "an amount so large is held first, and the timeout comes too soon after its release" "金额较大须先行暂扣，而解除暂扣后距超时过近";
    558 NotHeld NotYet "no packet of this number is held on this route" "该路由上没有此编号的暂扣数据包";
    559 HeldUntil NotYet "the packet is held until its release time" "数据包在解除时间之前处于暂扣状态";

    // The ledger: logs and registry.
    560 UnknownOrigin NotYet "the log is not registered" "该日志未登记";
    561 OriginKnown Never "the log is registered" "该日志已登记";
    562 BadNote Never "the checkpoint is not a signed note of its form" "检查点不是规定格式的签名笔记";
    563 WrongOrigin Never "the checkpoint is of another log" "检查点属于另一日志";
    564 CheckpointOlder Never "the checkpoint is older than the one anchored" "检查点早于已锚定的检查点";
    565 SecondTreeNeeded Never "the log's two trees are anchored together" "日志的两棵树必须同时锚定";
    566 NoContradiction Never "the checkpoints can be of one tree" "两个检查点可能属于同一棵树";
    567 NotInForce NotYet "nothing is in force under this name" "该名称下没有生效的条目";
    568 ReservedKind Never "entries of this kind change by governance only" "此类条目只能由治理变更";

    // The ledger: governance and genesis.
    580 UnknownProposal NotYet "there is no such proposal" "没有该提案";
    581 AlreadyApproved Never "the account approved this before" "该账户已批准";
    582 ProposalLapsed Never "the proposal has lapsed" "提案已失效";
    583 TooFewGovernors NotYet "too few governors would remain" "剩余治理者过少";
    584 BadParameters Never "a relation between parameters does not hold" "参数之间的关系不成立";
    585 ProgramTooOld NotYet "a newer program is needed from this height" "自此高度起需要更新的程序";
    586 BadGenesis Never "the genesis breaks a rule" "创世文件不符合规则";

    // The command line and the machine it runs on.
    600 ViewDiffers Never "the readable part says something else than the canonical bytes" "可读部分与规范字节不一致";
    601 NotTrustJson Never "the file is not a trust file, nor its JSON form" "文件既不是信任文件，也不是其 JSON 形式";
    602 WrongFingerprint Never "the trust file has another fingerprint than the one given" "信任文件的指纹与所给指纹不符";
    603 FileExists NotYet "the file exists, and is not written over" "文件已存在，不会被覆盖";
    604 OpenToOthers NotYet "the file holds a secret and others may read it" "文件含有秘密，但他人可以读取";
    605 NotKeyFile Never "the file is not a key file" "文件不是密钥文件";
    606 NotWritten NotYet "the file could not be written" "文件无法写入";
    607 Unfit NotYet "a check failed" "检查未通过";
    608 NodeEnded NotYet "the node cannot go on" "节点无法继续运行";
    609 NoGroupKey NotYet "no group key was made" "未能生成群密钥";
    610 Declined NotYet "the node does not answer this" "节点未予答复";
    611 NotThere NotYet "there is no such thing" "所查内容不存在";
    612 TooSlow NotYet "it did not happen in time" "未在限定时间内完成";
    613 Interrupted NotYet "it was asked to end before it was done" "在完成之前被要求结束";
    614 Unexpected Never "something else happened than must" "结果与应有的不符";

    // The evidence log and its store.
    700 WrongDisclosure Never "the disclosed fields are not those of the entry" "所披露的字段不属于该条目";
    701 BadTilePath Never "the path names no tile of a log" "路径不对应日志的任何瓦片";
    702 WrongTile Never "the tile is not that of the tree" "瓦片与树不符";
    703 BadLogProof Never "the file is not a log proof of its form" "文件不是规定格式的日志证明";
    704 KeyReused Never "the idempotency key was used with another body" "幂等键已用于另一内容";
    705 IndexBehind NotYet "the index is being rebuilt; deposits wait for it" "索引正在重建，存证请稍候";
    706 StoreFull NotYet "the disk has no room; nothing was stored" "磁盘空间不足，未存入任何内容";
    707 StoreFailed NotYet "the store could not make it durable" "存储未能持久化";
    708 Damaged NotYet "stored bytes are not those that were written" "存储的字节与写入时不一致";
    709 TailLost Never "the log lost its tail; it goes on under a new origin only" "日志丢失了尾部，只能以新的来源继续";
    710 RecordErased Never "the record was erased; its proof remains" "记录已被删除，其证明仍然保留";
    711 NoSuchEntry NotYet "the log has no entry at this position" "日志在此位置没有条目";
    712 QueueFull NotYet "too many deposits wait; come back later" "等待的存证过多，请稍后再试";
    713 WrongRole Never "the role may not do this" "该角色无权执行此操作";
    714 UnknownToken Never "no token of this service was given" "未提供本服务的令牌";
    715 TokenEnded Never "the token has expired or was revoked" "令牌已过期或已被撤销";
    716 QuotaSpent NotYet "the quota of the tenant is spent; come back later" "租户的配额已用完，请稍后再试";
    717 BadCursor Never "the cursor is not one of this search" "游标不属于此次检索";
    718 NoSuchName NotYet "nothing of this name is kept here" "此处没有该名称的对象";
    719 AddressRefused Never "the address is not one that may be called" "该地址不允许被调用";
    730 BadRequest Never "a part of the request has not the form that the route takes" "请求的某一部分不符合该接口的格式";
    731 NoRoute Never "the service has no such route" "服务没有该接口";
    732 WrongMethod Never "the route has another method" "该接口使用另一方法";
    733 RequestTooSlow NotYet "the request took longer than the service gives one" "请求耗时超过服务所给时限";
    734 WorkLost NotYet "the work on the request ended early; nothing is known of it" "请求的处理提前中止，结果未知";
    735 NoTrustFile NotYet "the service has no trust file to judge under" "服务没有可据以判断的信任文件";
    736 NotDelivered NotYet "the receiver did not take the delivery" "接收方未接收所投递的内容";

    // Trusted time, receipts of others, and bundles of evidence.
    750 NotGranted NotYet "the time authority did not grant the time-stamp" "时间戳机构未予签发时间戳";
    751 BadToken Never "the time-stamp token breaks a rule of its form" "时间戳令牌违反格式规则";
    752 WrongImprint Never "the time-stamp is over another digest" "时间戳对应另一摘要";
    753 WrongNonce Never "the time-stamp answers another request" "时间戳答复的是另一请求";
    754 WrongPolicy Never "the time-stamp is under a policy that is not accepted" "时间戳所依策略不被接受";
    755 WrongCertificate Never "the X.509 certificate is not the one the signature binds" "X.509 证书不是签名所绑定的证书";
    756 InjectedCertificate Never "the token carries an X.509 certificate that could pass for its signer's" "令牌携带可冒充签名者的 X.509 证书";
    757 NotForStamping Never "the X.509 certificate is not for time-stamping alone" "X.509 证书并非专用于时间戳";
    758 NotValidThen Never "the X.509 certificate was not valid at that time" "X.509 证书在该时间无效";
    759 NotAnIssuer Never "an X.509 certificate of the chain may not issue the one below it" "证书链中的 X.509 证书无权签发其下级证书";
    760 UntrustedChain Never "no chain leads to an authority that is believed" "没有证书链通向受信任的机构";
    761 CertificateRevoked Never "an X.509 certificate of the chain was revoked" "证书链中的 X.509 证书已被吊销";
    762 BadRevocation Never "the revocation data does not speak of this chain at that time" "吊销数据与该证书链或该时间无关";
    763 CriticalExtension Never "a critical extension is not understood" "存在无法理解的关键扩展";
    764 BadX509 Never "the X.509 certificate breaks a rule of its form" "X.509 证书违反格式规则";
    765 TooFewAuthorities NotYet "fewer institutions stand for the time than the policy asks" "为该时间作证的机构少于策略要求";
    766 BadReceipt Never "the receipt breaks a rule of its form" "回执违反格式规则";
    767 WrongSeal Never "the bundle is not the one that was sealed" "证据包与封存时不一致";
    768 NotAnchoredSize Never "the proof of logging is not to the size that was anchored" "日志证明所对应的规模不是已锚定的规模";
    769 PromiseBroken Never "the entry stands elsewhere than the receipt promised" "条目位置与回执承诺不符";
    770 WrongRenewal Never "the renewal is not over the bundle before it" "续期与此前的证据包不符";
    771 FileDiffers Never "the file is not the one that was deposited" "文件不是所存证的文件";
    772 NotAResponder Never "the X.509 certificate may not answer for the issuer of the one asked about" "该 X.509 证书无权代被询证书的签发机构作出应答";
    773 ResponderDeclined NotYet "the responder gave no answer about the X.509 certificate" "应答方未就该 X.509 证书作出应答";

    // Witnesses of logs.
    780 WitnessElsewhere NotYet "the witness cosigned another size last" "见证机构最近见证的是另一规模";
    781 WitnessStateMissing Never "the witness has keys and no state; what it signed is not known" "见证机构有密钥而无状态，无从得知其签过什么";
    782 WitnessStateMoved NotYet "the witness's state is not where, or not of the start of the machine, in which it was written" "见证机构的状态不在其写入时的位置，或不属于该次开机";
    783 ClockWentBack NotYet "the clock is behind what was signed last" "时钟早于最近一次签名的时间";
    784 NotCosigned NotYet "the witness did not cosign" "见证机构未予见证签名";
    785 OtherJournal NotYet "the journal is of another run" "该记录文件属于另一次运行";
    786 BackupElsewhere NotYet "the folder is not in the one for backups" "该文件夹不在备份目录之内";

    // Rules: packs and their verdicts.
    800 BadRulePack Never "the rule pack cannot be used" "规则包无法使用";
    801 BadFacts Never "the facts cannot be given to rules" "事实无法交由规则判断";
    802 PackRemarks Never "a careful reader would object to the rule pack" "规则包存在应予修改之处";
    803 CasesDiffer Never "the rules find otherwise than their cases claim" "规则结论与其用例不符";
    804 NoVerdict NotYet "the rules were ended without a verdict" "规则被中止，未得出结论";
    805 VerdictDiffers Never "the rules find otherwise than recorded" "规则结论与记录不符";
    806 Quarantined NotYet "a mandatory rule pack did not pass the deposit; it is held until a role rules on it" "强制规则包未予通过，存证已被隔离，等待有权角色裁定";
    807 QuarantineRejected Never "the deposit was held, and rejected or not ruled on in time" "存证曾被隔离，已被驳回或逾期未裁定";
    808 QuarantineFull NotYet "the quarantine has no room; nothing was stored" "隔离区已满，未存入任何内容";
    809 NoSuchCase NotYet "there is no such case in quarantine" "隔离区没有该案件";
    810 CaseRuled Never "the case in quarantine was ruled on otherwise" "该隔离案件已有其他裁定";
}

impl Code {
    /// The number in encodings, JSON and messages.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The code of that number.
    #[must_use]
    pub fn numbered(number: u16) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.en())
    }
}

/// One of the two values of a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// The rule has no such value.
    #[default]
    Nothing,
    /// A number.
    Number(u128),
    /// A digest or another 32 bytes.
    Bytes([u8; 32]),
    /// A word of ours.
    Word(&'static str),
    /// Text that was found.
    Text(String),
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Number(number) => write!(f, "{number}"),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Word(word) => f.write_str(word),
            Self::Text(text) => f.write_str(text),
        }
    }
}

macro_rules! side_from_number {
    ($($number:ty)*) => {$(
        impl From<$number> for Side {
            fn from(number: $number) -> Self {
                Self::Number(u128::from(number))
            }
        }
    )*};
}

side_from_number!(u8 u16 u32 u64 u128);

impl From<usize> for Side {
    fn from(number: usize) -> Self {
        // A usize has at most 64 bits on every target Rust knows.
        Self::Number(number as u128)
    }
}

impl From<[u8; 32]> for Side {
    fn from(bytes: [u8; 32]) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&'static str> for Side {
    fn from(word: &'static str) -> Self {
        Self::Word(word)
    }
}

impl From<String> for Side {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A refusal: the rule that broke, what it needed and what was found.
///
/// ```
/// use zeugma_types::{Code, Refusal};
/// let refusal = Refusal::new(Code::QuorumNotReached).needed(3_u64).found(2_u64);
/// assert_eq!(refusal.to_string(), "206 QuorumNotReached: the signers are fewer than the quorum: needed 3, found 2");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule that broke.
    pub code: Code,
    /// What the rule needed.
    pub needed: Side,
    /// What was found.
    pub found: Side,
}

impl Refusal {
    /// A refusal without values; add them with [`Refusal::needed`] and [`Refusal::found`].
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self { code, needed: Side::Nothing, found: Side::Nothing }
    }

    /// Adds what the rule needed.
    #[must_use]
    pub fn needed(mut self, side: impl Into<Side>) -> Self {
        self.needed = side.into();
        self
    }

    /// Adds what was found.
    #[must_use]
    pub fn found(mut self, side: impl Into<Side>) -> Self {
        self.found = side.into();
        self
    }

    /// Whether waiting can help.
    #[must_use]
    pub const fn permanence(&self) -> Permanence {
        self.code.permanence()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.code.number(), self.code.name(), self.code)?;
        match (&self.needed, &self.found) {
            (Side::Nothing, Side::Nothing) => Ok(()),
            (needed, Side::Nothing) => write!(f, ": needed {needed}"),
            (Side::Nothing, found) => write!(f, ": found {found}"),
            (needed, found) => write!(f, ": needed {needed}, found {found}"),
        }
    }
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn numbers_and_words_are_unique_and_ascend() {
        let numbers: alloc::vec::Vec<_> = Code::ALL.iter().map(|code| code.number()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
        for words in [Code::en, Code::zh] {
            let distinct: BTreeSet<_> = Code::ALL.iter().map(|code| words(*code)).collect();
            assert_eq!(distinct.len(), Code::ALL.len());
        }
        for code in Code::ALL {
            assert_eq!(Code::numbered(code.number()), Some(*code));
        }
    }
}
