package verify

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// saturating multiplies, and stays at the largest number.
func saturating(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	if high != 0 {
		return math.MaxUint64
	}
	return low
}

// tally is what counts, by who.
type tally struct {
	logged, recorded                  bool
	operators, witnesses, authorities map[string]bool
	services                          map[string]bool
}

// weigh is the second half of a verification: what the claims weigh together,
// once each of them holds (section 13, "Ageing" and "Report").
func (j *judgement) weigh(subject Subject, stamps []held, renewals [][]held) {
	a, times := judgeRenewals(j.trust.Sunsets, j.at, renewals)
	for i, list := range renewals {
		var by []string
		for _, one := range list {
			by = append(by, one.institution)
		}
		who := strings.Join(by, ", ")
		if times[i] != nil {
			j.show(Line{Word: wordRenewed, By: who, At: times[i]})
		} else {
			j.miss(Line{Word: wordPastSunset, By: who, Detail: "renewal", Code: CodeAlgorithmSunset})
		}
	}
	if len(stamps) == 0 {
		j.miss(Line{Word: wordNoStamp})
	}
	for i := range stamps {
		j.aboutStamp(&stamps[i])
		j.claims = append(j.claims, stamps[i].claim())
	}
	t := j.count(a)
	enough := j.checkNumbers(t)
	matches, decided := j.compare(subject, a)
	switch {
	case decided && !matches:
		j.report.Integrity = IntegrityRefuted
	case decided && t.logged && enough:
		j.report.Integrity = IntegrityProven
	default:
		j.report.Integrity = IntegrityUndetermined
	}
	j.always()
	j.report.Authenticity = j.authenticity()
}

func (j *judgement) aboutStamp(h *held) {
	state := &h.stamp.revocation
	switch {
	case state.answered && state.responder:
		j.show(Line{Word: wordNotRevokedSaysResponder, By: h.institution, At: &state.asOf})
	case state.answered:
		j.show(Line{Word: wordNotRevoked, By: h.institution, At: &state.asOf})
	case state.without > 0 || len(state.unknown) == 0:
		j.miss(Line{Word: wordRevocationNotCarried, By: h.institution, Detail: fmt.Sprint(state.without)})
	}
	for i := range state.unknown {
		one := &state.unknown[i]
		j.miss(Line{Word: wordRevocationUnknown, By: h.institution, Detail: one.what, At: &one.at})
	}
	for i := range state.later {
		// Under a policy of the first form a report says what it always said.
		if one := &state.later[i]; j.policy.Later != nil {
			j.show(Line{Word: wordRevokedLater, By: h.institution, Detail: one.what, At: &one.at})
		}
	}
	if h.stamp.qualified {
		j.show(Line{Word: wordQualified, By: h.institution})
	}
}

// count keeps the claims whose algorithms count, and says what became of the
// others.
func (j *judgement) count(a *ages) *tally {
	t := &tally{
		operators: map[string]bool{}, witnesses: map[string]bool{}, authorities: map[string]bool{},
		services: map[string]bool{},
	}
	for _, c := range j.claims {
		word := c.line.Word
		s := a.of(c.names...)
		if s.lapsed != "" {
			detail := fmt.Sprintf("%s (%s)", word.Name(), s.lapsed)
			if !s.counts() {
				line := c.line
				line.Word, line.Detail, line.Code = wordPastSunset, detail, CodeAlgorithmSunset
				j.miss(line)
				continue
			}
			j.show(Line{Word: wordShownBeforeSunset, At: s.by, Detail: detail})
		}
		t.logged = t.logged || word == wordLogged || word == wordLoggedSecond
		t.recorded = t.recorded || word == wordAnchored
		if c.stands {
			switch word {
			case wordWitnessed:
				t.witnesses[c.institution] = true
			case wordStamped:
				t.authorities[c.institution] = true
			case wordHeldElsewhere:
				t.services[c.institution] = true
			default:
				t.operators[c.institution] = true
			}
		}
		switch c.kind {
		case momentReceived:
			j.report.Received = &c.moment
		case momentLogged:
			j.report.Logged = append(j.report.Logged, c.moment)
		case momentAnchored:
			j.report.Anchored = append(j.report.Anchored, c.moment)
		}
		j.show(c.line)
	}
	delete(t.witnesses, j.policy.Operator)
	return t
}

// checkNumbers says whether as many institutions stand for the entry as the
// policy asks.
func (j *judgement) checkNumbers(t *tally) bool {
	all := make(map[string]bool)
	for _, list := range []map[string]bool{t.operators, t.witnesses, t.authorities, t.services} {
		for name := range list {
			all[name] = true
		}
	}
	enough := t.recorded || !j.policy.NetworkRequired
	for _, one := range []struct {
		word   Word
		found  int
		needed uint16
		code   Code
	}{
		{wordTooFewWitnesses, len(t.witnesses), j.policy.WitnessesNeeded, CodeQuorumNotReached},
		{wordTooFewAuthorities, len(t.authorities), j.policy.AuthoritiesNeeded, CodeTooFewAuthorities},
		{wordTooFewInstitutions, len(all), j.policy.InstitutionsNeeded, CodeQuorumNotReached},
	} {
		if one.found < int(one.needed) {
			j.miss(Line{Word: one.word, Detail: fmt.Sprintf("%d/%d", one.found, one.needed), Code: one.code})
			enough = false
		}
	}
	return enough
}

// compare holds what is presented against the digests that are opened. decided
// is false where nothing can be said.
func (j *judgement) compare(subject Subject, a *ages) (matches, decided bool) {
	deposited := make(map[uint8]Hash)
	closed := 0
	for _, one := range j.bundle.Disclosure {
		if one.Field == nil {
			closed++
			continue
		}
		if one.Field.Tag <= 2 {
			deposited[one.Field.Tag] = one.Field.Digest
		}
		j.show(Line{Word: wordFieldShown, Detail: one.Field.String()})
	}
	if closed > 0 {
		j.miss(Line{Word: wordFieldsClosed, Detail: fmt.Sprint(closed)})
	}
	if subject.SHA256 == nil && subject.SM3 == nil {
		j.miss(Line{Word: wordNoFile})
		return false, false
	}
	for tag, presented := range []*Hash{1: subject.SHA256, 2: subject.SM3} {
		want, there := deposited[uint8(tag)]
		if presented == nil || !there {
			continue
		}
		name := HashSuite(tag).algorithmName()
		if *presented != want {
			j.miss(Line{Word: wordFileDiffers, Detail: name, Code: CodeFileDiffers})
			return false, true
		}
		if s := a.of(name); !s.counts() {
			j.miss(Line{Word: wordPastSunset, Detail: fmt.Sprintf("FileMatches (%s)", s.lapsed), Code: CodeAlgorithmSunset})
			continue
		}
		j.show(Line{Word: wordFileMatches, Detail: name})
		matches = true
	}
	if !matches {
		j.miss(Line{Word: wordNoDigestShown})
	}
	return matches, matches
}

// always says what is carried unread, who stands for the trust file, and what
// no bundle shows.
func (j *judgement) always() {
	for _, one := range j.bundle.Anchors {
		if j.isRead(one.Kind) {
			continue
		}
		j.miss(Line{Word: wordNotExamined, Detail: one.Kind.String()})
	}
	if code := j.trust.CheckSignatures(); code != 0 {
		j.miss(Line{Word: wordTrustFileUnsigned, Code: code})
	} else {
		j.show(Line{Word: wordTrustFileSigned})
	}
	for _, word := range []Word{wordNotTruth, wordNotOriginal, wordNotBefore, wordNotAfterwards} {
		j.miss(Line{Word: word})
	}
}

func (j *judgement) authenticity() Authenticity {
	found := AuthenticityUnsupported
	for _, f := range j.found {
		switch {
		case f.head != 1:
		case f.outcome == 2:
			return AuthenticityContested
		case f.outcome == 1:
			found = AuthenticitySupported
		}
	}
	return found
}
