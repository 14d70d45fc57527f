package verify

import (
	"fmt"
	"strings"
	"unicode"
)

// Language is a language of the report's words.
type Language int

// The languages.
const (
	English Language = 0
	Chinese Language = 1
)

// phrase is a text in both languages.
type phrase [2]string

// The phrases of the words (section 13, "Words").
var (
	integrityWords = map[Integrity]phrase{
		IntegrityProven:       {"shown to be unchanged since it was logged", "已证明自上链以来未经改动"},
		IntegrityRefuted:      {"shown to differ from what was logged", "已证明与上链内容不同"},
		IntegrityUndetermined: {"not determined", "不能确定"},
	}
	authenticityWords = map[Authenticity]phrase{
		AuthenticitySupported:   {"supported by findings, for the court to weigh", "有认定支持，由法院审查判断"},
		AuthenticityContested:   {"findings speak against it", "有认定与之相反"},
		AuthenticityUnsupported: {"nothing here supports it", "此处没有支持材料"},
	}
	integrityNames    = [...]string{1: "proven", 2: "refuted", 3: "undetermined"}
	authenticityNames = [...]string{1: "supported", 2: "contested", 3: "unsupported"}

	titleSince    = phrase{"Since it was logged", "上链以来"}
	titleBefore   = phrase{"Before it was logged", "上链之前"}
	titleJudged   = phrase{"Judged for", "判断所依时间"}
	titleReceived = phrase{"Received (the service's word)", "接收（存证服务声明）"}
	titleLogged   = phrase{"Logged (the log and its witnesses)", "上链（日志及见证机构声明）"}
	titleAnchored = phrase{"Anchored (the network, time authorities)", "锚定（网络及时间戳机构声明）"}
	titleNothing  = phrase{"nothing states it", "无声明"}
	titleShown    = phrase{"Shown", "已表明"}
	titleNotShown = phrase{"Not shown", "未表明"}
	titleBundle   = phrase{"Bundle", "证据包"}
	titleTrust    = phrase{"Trust file", "信任文件"}
	titlePolicy   = phrase{"Policy", "策略"}
)

// utc writes milliseconds since 1970 as a date of the Gregorian calendar, in
// UTC. It knows no clock and no zone.
func utc(ms uint64) string {
	seconds, millis := ms/1000, ms%1000
	days, second := seconds/86400, seconds%86400
	// Whole cycles of 400 years first, so that the loop is short.
	year := uint64(1970) + days/146097*400
	days %= 146097
	for {
		length := 337 + daysOf(year, 2)
		if days < length {
			break
		}
		days, year = days-length, year+1
	}
	month := uint64(1)
	for days >= daysOf(year, month) {
		days, month = days-daysOf(year, month), month+1
	}
	return fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		year, month, days+1, second/3600, second/60%60, second%60, millis)
}

// Words is the report in a language.
func (r *Report) Words(l Language) string {
	var out strings.Builder
	row := func(title phrase, text string) { fmt.Fprintf(&out, "%s: %s\n", title[l], text) }
	row(titleSince, integrityWords[r.Integrity][l])
	row(titleBefore, authenticityWords[r.Authenticity][l])
	row(titleJudged, utc(r.Time))
	for _, part := range []struct {
		title   phrase
		moments []Moment
	}{{titleReceived, r.received()}, {titleLogged, r.Logged}, {titleAnchored, r.Anchored}} {
		fmt.Fprintf(&out, "%s:\n", part.title[l])
		for _, m := range part.moments {
			fmt.Fprintf(&out, "  %s%s  %s\n", utc(m.At), exactness(m.Accuracy), m.By)
		}
		if len(part.moments) == 0 {
			fmt.Fprintf(&out, "  %s\n", titleNothing[l])
		}
	}
	for _, part := range []struct {
		title phrase
		lines []Line
	}{{titleShown, r.Shown}, {titleNotShown, r.NotShown}} {
		fmt.Fprintf(&out, "%s:\n", part.title[l])
		for i := range part.lines {
			fmt.Fprintf(&out, "  - %s\n", part.lines[i].words(l))
		}
	}
	row(titleBundle, fmt.Sprintf("%x", r.Bundle))
	row(titleTrust, fmt.Sprintf("%x", r.Trust))
	row(titlePolicy, fmt.Sprintf("%x", r.Policy))
	return out.String()
}

func (r *Report) received() []Moment {
	if r.Received == nil {
		return nil
	}
	return []Moment{*r.Received}
}

func exactness(micros *uint64) string {
	if micros == nil {
		return ""
	}
	return fmt.Sprintf(" ±%d.%06d s", *micros/1_000_000, *micros%1_000_000)
}

func (l *Line) words(language Language) string {
	s := sentences[l.Word]
	out := phrase{s.en, s.zh}[language]
	if l.Detail != "" {
		out += ": " + l.Detail
	}
	if l.By != "" {
		out += " [" + l.By + "]"
	}
	if l.At != nil {
		out += " " + utc(*l.At)
	}
	if l.Code != 0 {
		out += fmt.Sprintf(" (%d %s)", uint16(l.Code), phrase{l.Code.Text(), l.Code.TextZH()}[language])
	}
	return out
}

// quoted writes a string of JSON as the view does: quotes, backslashes and
// control characters are escaped, nothing else is.
func quoted(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case unicode.IsControl(r):
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
	return out.String()
}

// number writes one above 2^53 as text.
func number(n uint64) string {
	if n > 1<<53 {
		return fmt.Sprintf(`"%d"`, n)
	}
	return fmt.Sprint(n)
}

// JSON is the view of the report, its members in a fixed order.
func (r *Report) JSON() string {
	moments := func(list []Moment) string {
		var items []string
		for _, m := range list {
			exact := ""
			if m.Accuracy != nil {
				exact = `"accuracy_us":` + number(*m.Accuracy) + ","
			}
			items = append(items, fmt.Sprintf(`{"at":"%s",%s"by":%s}`, utc(m.At), exact, quoted(m.By)))
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	lines := func(list []Line) string {
		var items []string
		for i := range list {
			items = append(items, list[i].json())
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	return fmt.Sprintf(`{"integrity":"%s","authenticity":"%s","time":"%s","bundle":"%x","trust":"%x","policy":"%x",`+
		`"received":%s,"logged":%s,"anchored":%s,"shown":%s,"not_shown":%s}`,
		integrityNames[r.Integrity], authenticityNames[r.Authenticity], utc(r.Time), r.Bundle, r.Trust, r.Policy,
		moments(r.received()), moments(r.Logged), moments(r.Anchored), lines(r.Shown), lines(r.NotShown))
}

func (l *Line) json() string {
	at, code := "null", "null"
	if l.At != nil {
		at = `"` + utc(*l.At) + `"`
	}
	if l.Code != 0 {
		code = fmt.Sprint(uint16(l.Code))
	}
	s := sentences[l.Word]
	return fmt.Sprintf(`{"word":"%s","by":%s,"at":%s,"detail":%s,"code":%s,"en":%s,"zh":%s}`,
		s.name, quoted(l.By), at, quoted(l.Detail), code, quoted(s.en), quoted(s.zh))
}
