//! A report in words and in JSON.

use super::{Language, Line, Moment, Report};
use crate::json::{Json, hex, utc};
use alloc::format;
use alloc::string::String;
use core::fmt::Write as _;
use zeugma_types::BlockTime;

impl Report {
    /// The report in words. The order and the text are fixed for each language.
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        let pick = |en, zh| language.pick(en, zh);
        let mut out = String::new();
        // Whatever is written to a string is taken.
        let _ = writeln!(
            out,
            "{}: {}\n{}: {}\n{}: {}",
            pick("Since it was logged", "上链以来"),
            pick(self.integrity.en(), self.integrity.zh()),
            pick("Before it was logged", "上链之前"),
            pick(self.authenticity.en(), self.authenticity.zh()),
            pick("Judged for", "判断所依时间"),
            utc(self.time),
        );
        let received: &[Moment] = self.received.as_slice();
        for (title, moments) in [
            (pick("Received (the service's word)", "接收（存证服务声明）"), received),
            (pick("Logged (the log and its witnesses)", "上链（日志及见证机构声明）"), &self.logged),
            (
                pick("Anchored (the network, time authorities)", "锚定（网络及时间戳机构声明）"),
                &self.anchored,
            ),
        ] {
            let _ = writeln!(out, "{title}:");
            for moment in moments {
                let _ = writeln!(out, "  {}{}  {}", utc(moment.at), exactness(moment), moment.by);
            }
            if moments.is_empty() {
                let _ = writeln!(out, "  {}", pick("nothing states it", "无声明"));
            }
        }
        for (title, lines) in
            [(pick("Shown", "已表明"), &self.shown), (pick("Not shown", "未表明"), &self.not_shown)]
        {
            let _ = writeln!(out, "{title}:");
            for line in lines {
                let _ = writeln!(out, "  - {}", sentence(line, language));
            }
        }
        let _ = writeln!(
            out,
            "{}: {}\n{}: {}\n{}: {}",
            pick("Bundle", "证据包"),
            hex(&self.bundle),
            pick("Trust file", "信任文件"),
            hex(&self.trust),
            pick("Policy", "策略"),
            hex(&self.policy),
        );
        out
    }

    /// The report as JSON, members in a fixed order.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = Json::default();
        json.object(|json| {
            json.text("integrity", self.integrity.name());
            json.text("authenticity", self.authenticity.name());
            json.time("time", self.time);
            json.hex("bundle", &self.bundle);
            json.hex("trust", &self.trust);
            json.hex("policy", &self.policy);
            json.list("received", self.received.as_slice(), moment);
            json.list("logged", &self.logged, moment);
            json.list("anchored", &self.anchored, moment);
            json.list("shown", &self.shown, line);
            json.list("not_shown", &self.not_shown, line);
        });
        json.finish()
    }
}

fn exactness(moment: &Moment) -> String {
    match moment.accuracy {
        None => String::new(),
        Some(micros) => format!(" ±{}.{:06} s", micros / 1_000_000, micros % 1_000_000),
    }
}

fn sentence(line: &Line, language: Language) -> String {
    let mut out = String::from(language.pick(line.word.en(), line.word.zh()));
    if !line.detail.is_empty() {
        let _ = write!(out, ": {}", line.detail);
    }
    if !line.by.is_empty() {
        let _ = write!(out, " [{}]", line.by);
    }
    if let Some(at) = line.at {
        let _ = write!(out, " {}", utc(at));
    }
    if let Some(code) = line.code {
        let _ = write!(out, " ({} {})", code.number(), language.pick(code.en(), code.zh()));
    }
    out
}

fn moment(json: &mut Json, moment: &Moment) {
    json.object(|json| {
        json.time("at", moment.at);
        if let Some(accuracy) = moment.accuracy {
            json.number("accuracy_us", accuracy);
        }
        json.text("by", &moment.by);
    });
}

fn line(json: &mut Json, line: &Line) {
    json.object(|json| {
        json.text("word", line.word.name());
        json.text("by", &line.by);
        match line.at {
            Some(at) => json.time("at", at),
            None => json.null("at"),
        }
        json.text("detail", &line.detail);
        match line.code {
            Some(code) => json.number("code", u64::from(code.number())),
            None => json.null("code"),
        }
        json.text("en", line.word.en());
        json.text("zh", line.word.zh());
    });
}

impl Report {
    /// When it was judged.
    #[must_use]
    pub const fn judged_for(&self) -> BlockTime {
        self.time
    }
}
