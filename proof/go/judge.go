package verify

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Subject is what is held against a bundle: digests of a file; nil for one that
// was not computed. With neither, nothing is.
type Subject struct{ SHA256, SM3 *Hash }

// VerifyBundle judges a bundle (section 13). at is the time to judge for, in
// milliseconds: an argument, never a clock's. Its error is a *Refusal.
func VerifyBundle(bundle []byte, subject Subject, trust *Trust, policy *Policy, at uint64) (*Report, error) {
	report, code := judge(bundle, subject, trust, policy, at)
	if code != 0 {
		return nil, refused("bundle", code)
	}
	return report, nil
}

// claim is a statement that holds if its algorithms do.
type claim struct {
	line        Line
	institution string
	stands      bool
	names       []string
	kind        momentKind
	moment      Moment
}

// momentKind says to which of a report's three times a moment belongs.
type momentKind int

const (
	momentNone momentKind = iota
	momentReceived
	momentLogged
	momentAnchored
)

// held is a time-stamp that holds, with the institution behind it.
type held struct {
	institution string
	stamp       *stamped
}

// judgement is what was found so far.
type judgement struct {
	bundle  *Bundle
	policy  *Policy
	trust   *Trust
	at      uint64
	keys    *policyKeys
	claims  []claim
	report  *Report
	message []byte
	// origin is the log's: the policy's, or that of a shard.
	origin string
	// given are the verdicts that were read.
	given []given
	// found are the outcomes of the rules, by head.
	found []finding
}

func judge(data []byte, subject Subject, trust *Trust, policy *Policy, at uint64) (*Report, Code) {
	bundle, code := parseBundle(data)
	if code == 0 {
		code = bundle.checkDigests()
	}
	if code != 0 {
		return nil, code
	}
	keys, code := policy.keys()
	if code == 0 {
		code = bundle.Entry.checkDisclosure(bundle.Disclosure)
	}
	if code != 0 {
		return nil, code
	}
	j := &judgement{bundle: bundle, policy: policy, trust: trust, at: at, keys: keys, origin: policy.Origin}
	j.report = &Report{
		Bundle: sha256.Sum256(data), Trust: trust.Fingerprint, Policy: policy.Digest, Time: at,
	}
	first, second, code := j.log()
	if code == 0 {
		code = j.receipt()
	}
	if code == 0 {
		code = j.verdicts()
	}
	if code == 0 {
		code = j.proof(first, second)
	}
	if code == 0 {
		code = j.anchors()
	}
	if code != 0 {
		return nil, code
	}
	stamps, code := j.stamps(bundle.Stamps, j.message)
	var renewals [][]held
	for i := range bundle.Renewals {
		one := &bundle.Renewals[i]
		var list []held
		if code == 0 {
			list, code = j.stamps(one.Stamps, one.Over.stamped())
		}
		renewals = append(renewals, list)
	}
	if code != 0 {
		return nil, code
	}
	j.weigh(subject, stamps, renewals)
	return j.report, 0
}

func (j *judgement) show(line Line) { j.report.Shown = append(j.report.Shown, line) }
func (j *judgement) miss(line Line) { j.report.NotShown = append(j.report.NotShown, line) }

// log judges the log's trees.
func (j *judgement) log() (first, second *checkpoint, code Code) {
	b := j.bundle
	claimed, code := parseCheckpoint(b.First.Note)
	if code != 0 {
		return nil, nil, code
	}
	if claimed.origin != j.policy.Origin && j.policy.isFor(claimed.origin) {
		j.keys.ofShard(j.policy.Origin, claimed.origin)
		j.origin = claimed.origin
		j.show(Line{Word: wordInShard, Detail: j.origin})
	}
	if first, code = j.tree(SHA256, &b.First, j.origin, j.keys.log); code != 0 {
		return nil, nil, code
	}
	j.message = []byte(first.text)
	if b.Second == nil {
		j.miss(Line{Word: wordNoSecondTree})
		return first, nil, 0
	}
	if len(j.keys.second) == 0 {
		// Its text is what the time-stamps are over, so its form is judged.
		j.miss(Line{Word: wordUnknownSecondTree})
		unread, code := parseCheckpoint(b.Second.Note)
		if code == 0 {
			j.message = append(j.message, unread.text...)
		}
		return first, nil, code
	}
	if second, code = j.tree(SM3, b.Second, j.origin+"/sm3", j.keys.second); code != 0 {
		return nil, nil, code
	}
	if second.size != first.size {
		return nil, nil, CodeNotAnchoredSize
	}
	j.message = append(j.message, second.text...)
	return first, second, 0
}

// tree judges one tree: the log signed it, the entry is in it, and who else
// signed.
func (j *judgement) tree(s HashSuite, l *Logged, origin string, own []*noteKey) (*checkpoint, Code) {
	c, code := parseCheckpoint(l.Note)
	switch {
	case code != 0:
		return nil, code
	case c.origin != origin:
		return nil, CodeWrongOrigin
	case c.repeated():
		return nil, CodeRepeatedSigner
	}
	word := wordLogged
	if s == SM3 {
		word = wordLoggedSecond
	}
	var known []*noteLine
	var claims []claim
	for i, key := range own {
		line := c.lineOf(key)
		if i > 0 && line == nil {
			continue
		}
		at, code := c.verify(key)
		if code != 0 {
			return nil, code
		}
		known = append(known, line)
		claims = append(claims, signed(word, j.policy.Operator, key, s, nil))
		if at != nil {
			claims = append(claims, signed(wordLogStates, j.policy.Operator, key, s, at))
		}
	}
	for i, key := range j.keys.witnesses {
		line := c.lineOf(key)
		if line == nil {
			continue
		}
		at, code := c.verify(key)
		if code != 0 {
			return nil, code
		}
		known = append(known, line)
		one := signed(wordWitnessed, j.policy.Witnesses[i].Institution, key, s, at)
		if at == nil {
			one.line.Detail = ""
		}
		claims = append(claims, one)
	}
	leaf := s.leafHash(j.bundle.Entry.encoded)
	if code := checkInclusion(s, leaf, j.bundle.Index, c.size, l.Path, c.root); code != 0 {
		return nil, code
	}
	for i := range c.lines {
		if !slices.Contains(known, &c.lines[i]) {
			j.miss(Line{Word: wordUnknownCosigner, Detail: c.lines[i].name})
		}
	}
	j.claims = append(j.claims, claims...)
	return c, 0
}

// signed is the claim of a signature line, with the time that it states, if
// any, in seconds.
func signed(word Word, institution string, key *noteKey, s HashSuite, at *uint64) claim {
	names := []string{key.algorithmName(), s.algorithmName()}
	c := claim{institution: institution, stands: true, names: names}
	c.line = Line{Word: word, By: institution, Detail: names[1] + " " + names[0]}
	if at != nil {
		// At most 2^63 - 1 seconds; milliseconds of it saturate.
		millis := saturating(*at, 1000)
		c.line.At = &millis
		c.kind, c.moment = momentLogged, Moment{At: millis, By: institution}
	}
	return c
}

func (j *judgement) receipt() Code {
	p, r := j.policy, j.bundle.Receipt
	switch {
	case r == nil:
		j.miss(Line{Word: wordNoReceipt})
		return 0
	case p.ServiceKey == nil:
		j.miss(Line{Word: wordUnknownService, Detail: "receipt"})
		return 0
	case r.Origin != j.origin:
		return CodeWrongOrigin
	}
	if code := r.verify(j.bundle.Entry.encoded, *p.ServiceKey); code != 0 {
		return code
	}
	if !r.promised(j.bundle.Index) {
		j.show(Line{Word: wordPromiseBroken, By: p.Operator, Code: CodePromiseBroken})
	}
	j.claims = append(j.claims, claim{
		line:  Line{Word: wordReceived, By: p.Operator, At: &r.ReceivedAt},
		names: []string{"ed25519", "sha256"},
		kind:  momentReceived, moment: Moment{At: r.ReceivedAt, By: p.Operator},
	})
	return 0
}

var headNames = [...]string{1: "authenticity", 2: "legality", 3: "relevance"}

func (j *judgement) verdicts() Code {
	if len(j.bundle.Verdicts) == 0 {
		j.miss(Line{Word: wordNoVerdict})
	}
	for i := range j.bundle.Verdicts {
		v := &j.bundle.Verdicts[i]
		if j.policy.ServiceKey == nil {
			j.miss(Line{Word: wordUnknownService, Detail: "verdict"})
			continue
		}
		s, code := v.verify(j.bundle.Entry.encoded, *j.policy.ServiceKey)
		if code != 0 {
			return code
		}
		for _, f := range s.findings {
			detail := fmt.Sprintf("%s %s %s %s (%s)", headNames[f.head], s.pack, s.version, f.rule, f.reason)
			word := [...]Word{1: wordRuleMet, 2: wordRuleNotMet, 3: wordRuleUndetermined}[f.outcome]
			j.show(Line{Word: word, By: j.policy.Operator, At: &v.At, Detail: detail})
		}
		j.found = append(j.found, s.findings...)
		j.given = append(j.given, given{s.pack, s.version, s.digest, v.At})
	}
	return 0
}

// proof checks that the network's proof is of this very checkpoint, in both
// trees.
func (j *judgement) proof(first, second *checkpoint) Code {
	if !j.bundle.HasProof {
		j.miss(Line{Word: wordNoProof})
		return 0
	}
	proven, code := j.trust.verify(j.bundle.Proof, j.at, Court, Expected{})
	if code != 0 {
		// A newer trust file may know the era: that is no fault of the bundle.
		if code.Never() && code != CodeUnknownEra {
			return code
		}
		j.miss(Line{Word: wordProofNotAccepted, Code: code})
		return 0
	}
	if proven.Body == nil {
		return CodeOpeningMissing
	}
	anchor, ok := proven.Body.(*Anchor)
	switch {
	case !ok:
		return CodeWrongPath
	case anchor.Origin != j.origin:
		return CodeWrongOrigin
	case anchor.Log.Size != first.size:
		return CodeNotAnchoredSize
	}
	for suite, c := range []*checkpoint{SHA256: first, SM3: second} {
		if c == nil {
			continue
		}
		root, there := anchor.Log.root(HashSuite(suite))
		if !there {
			return CodeNoSuchRoot
		}
		if root != c.root {
			return CodeNotAnchoredSize
		}
	}
	leaf := &proven.Leaf
	who := networkName(leaf)
	j.claims = append(j.claims, claim{
		line:  Line{Word: wordAnchored, By: who, At: &leaf.Time, Detail: "committee-quorum, " + endorsedBy(proven)},
		names: provenNames(proven),
		kind:  momentAnchored, moment: Moment{At: leaf.Time, By: who},
	})
	return 0
}

// endorsedBy is what signed the header behind a proof, among the sunsets.
func endorsedBy(p *Proven) string {
	if p.Endorsement.Seal != nil {
		return p.Endorsement.Seal.Suite.algorithmName()
	}
	return "bls12-381"
}

// provenNames is what a proof rests on.
func provenNames(p *Proven) []string {
	return []string{endorsedBy(p), p.suite.algorithmName(), p.Leaf.Format.algorithmName()}
}

func networkName(leaf *Leaf) string { return fmt.Sprintf("network %x", leaf.Network[:8]) }

// stamps gives the time-stamps over message that hold; one of an authority that
// is not believed is named.
func (j *judgement) stamps(list []Stamp, message []byte) (found []held, code Code) {
	var anchors [][]byte
	for i := range j.policy.Authorities {
		anchors = append(anchors, j.policy.Authorities[i].Anchor)
	}
	for i := range list {
		s, code := verifyStamp(&list[i], anchors)
		if code == CodeUntrustedChain {
			j.miss(Line{Word: wordUnknownAuthority, Code: code})
			continue
		}
		if code != 0 {
			return nil, code
		}
		if !s.over(message) {
			return nil, CodeWrongImprint
		}
		authority := &j.policy.Authorities[s.anchor]
		if len(authority.Policies) > 0 && !slices.Contains(authority.Policies, s.policy) {
			j.miss(Line{Word: wordUnknownAuthority, Detail: s.policy, Code: CodeWrongPolicy})
			continue
		}
		found = append(found, held{authority.Institution, s})
	}
	return found, 0
}

// claim is that of a time-stamp.
func (h *held) claim() claim {
	s := h.stamp
	detail := fmt.Sprintf("%s, %s, %s", s.signer, s.policy, strings.Join(s.names(), " "))
	return claim{
		line:        Line{Word: wordStamped, By: h.institution, At: &s.time, Detail: detail},
		institution: h.institution, stands: true, names: s.names(),
		kind: momentAnchored, moment: Moment{At: s.time, Accuracy: s.accuracy, By: h.institution},
	}
}
