package verify

import (
	"fmt"
	"math"
)

// status is what is said of one certificate.
type status int

const (
	statusGood status = iota
	statusUnknown
	statusRevoked
)

// said is what a list or an answer says of one certificate, and when.
type said struct {
	status status
	// date and reason are of a revocation.
	date   uint64
	reason int
	made   uint64
	next   *uint64
}

// speaksOf: it was made at or after the instant, to the second, or the next was
// due at or after it.
func (s *said) speaksOf(at uint64) bool {
	return s.made/1000 >= at/1000 || s.next != nil && *s.next >= at
}

// revocationData is a revocation list or a responder's answer.
type revocationData interface {
	of(subject, issuer *x509Certificate) (*said, []algorithms, Code)
}

// revocationData reads one: an answer begins with an ENUMERATED.
func (d *der) revocationData(data []byte) revocationData {
	probe := newDER(nil).onlySequence(data)
	if probe.ok() && probe.next(tagEnumerated) {
		return d.responderAnswer(data)
	}
	return d.revocationList(data)
}

// noted is a certificate of the chain, and what was said of it.
type noted struct {
	what string
	at   uint64
}

// revocation is what is known of a chain.
type revocation struct {
	// without is the number of certificates of which nothing was carried.
	without        int
	unknown, later []noted
	// answered: each certificate has an answer, the oldest made at asOf.
	answered, responder bool
	asOf                uint64
}

// reasons are those of RFC 5280, section 5.3.1.
var reasons = map[int]string{
	noReason: "unspecified", 0: "unspecified", 1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged",
	4: "superseded", 5: "cessationOfOperation", 6: "certificateHold", 8: "removeFromCRL",
	9: "privilegeWithdrawn", 10: "aACompromise",
}

func reasonText(reason int) string {
	if name, known := reasons[reason]; known {
		return name
	}
	return fmt.Sprintf("reason %d", reason)
}

// checkRevocation judges what was carried at a time; each must be of use.
func checkRevocation(path []*x509Certificate, data []revocationData, at uint64) (revocation, []algorithms, Code) {
	found := revocation{asOf: math.MaxUint64, answered: len(path) > 1}
	var used []algorithms
	useful := make([]bool, len(data))
	for i := 0; i+1 < len(path); i++ {
		subject, issuer := path[i], path[i+1]
		good := false
		var unknown, later *noted
		for j, one := range data {
			s, by, code := one.of(subject, issuer)
			if code != 0 {
				return found, nil, code
			}
			if s == nil {
				continue
			}
			used = append(used, by...)
			if !s.speaksOf(at) {
				return found, nil, CodeBadRevocation
			}
			useful[j] = true
			switch {
			case s.status == statusUnknown:
				if unknown == nil {
					unknown = &noted{subject.subjectText(), s.made}
				}
				continue
			case s.status == statusRevoked:
				// The key, or the issuer's, was compromised: that reaches back.
				if s.date <= at || s.reason == 1 || s.reason == 2 || s.reason == 10 {
					return found, nil, CodeCertificateRevoked
				}
				if later == nil {
					later = &noted{subject.subjectText() + ": " + reasonText(s.reason), s.date}
				}
			case subject.endedBefore(s.made):
				return found, nil, CodeBadRevocation
			}
			good = true
			if _, isAnswer := one.(*responderAnswer); isAnswer {
				found.responder = true
			}
			found.asOf = min(found.asOf, s.made)
		}
		found.answered = found.answered && good
		switch {
		case good:
		case unknown != nil:
			found.unknown = append(found.unknown, *unknown)
		default:
			found.without++
		}
		if later != nil {
			found.later = append(found.later, *later)
		}
	}
	for _, one := range useful {
		if !one {
			return found, nil, CodeBadRevocation
		}
	}
	return found, used, 0
}
