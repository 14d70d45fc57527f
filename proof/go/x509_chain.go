package verify

import "bytes"

// Bounds of the search for a chain.
const (
	maxChain  = 8
	maxChecks = 64
)

// chainSearch looks for a way from a certificate to an anchor, at one time.
type chainSearch struct {
	anchors, offered []*x509Certificate
	at               uint64
	checks           int
	path             []*x509Certificate
	used             []algorithms
	// why is the refusal on the longest path that was tried, the first of them.
	why     Code
	longest int
}

// chain gives the path from the signer to an anchor, which anchor it is, and
// the algorithms between.
func chain(signer *x509Certificate, anchors, offered []*x509Certificate, at uint64) (*chainSearch, int, Code) {
	if !signer.validAt(at) {
		return nil, 0, CodeNotValidThen
	}
	s := &chainSearch{anchors: anchors, offered: offered, at: at, checks: maxChecks}
	s.path = append(s.path, signer)
	if anchor, found := s.up(); found {
		return s, anchor, 0
	}
	return nil, 0, s.why
}

func (s *chainSearch) note(code Code) {
	if s.why == 0 || len(s.path) > s.longest {
		s.why, s.longest = code, len(s.path)
	}
}

func (s *chainSearch) has(c *x509Certificate) bool {
	for _, one := range s.path {
		if bytes.Equal(one.raw, c.raw) {
			return true
		}
	}
	return false
}

// up goes on from the last certificate of the path.
func (s *chainSearch) up() (anchor int, found bool) {
	last := s.path[len(s.path)-1]
	for i, one := range s.anchors {
		if bytes.Equal(one.raw, last.raw) {
			return i, true
		}
	}
	if len(s.path) == maxChain {
		s.note(CodeTooMany)
		return 0, false
	}
	for _, list := range [][]*x509Certificate{s.anchors, s.offered} {
		for _, issuer := range list {
			if !bytes.Equal(issuer.subject, last.issuer) || s.has(issuer) {
				continue
			}
			used, code := s.step(last, issuer)
			if code != 0 {
				s.note(code)
				continue
			}
			s.path, s.used = append(s.path, issuer), append(s.used, used)
			if anchor, found = s.up(); found {
				return anchor, true
			}
			s.path, s.used = s.path[:len(s.path)-1], s.used[:len(s.used)-1]
		}
	}
	s.note(CodeUntrustedChain)
	return 0, false
}

// step asks whether issuer may have issued last, and did.
func (s *chainSearch) step(last, issuer *x509Certificate) (algorithms, Code) {
	if !issuer.authority || !issuer.may(useCertificate) || !issuer.passesForStamping() {
		return algorithms{}, CodeNotAnIssuer
	}
	// The signer's own certificate and those an authority issued to itself are
	// not counted.
	between := 0
	for _, one := range s.path[1:] {
		if !bytes.Equal(one.subject, one.issuer) {
			between++
		}
	}
	if issuer.below != nil && between > int(*issuer.below) {
		return algorithms{}, CodeNotAnIssuer
	}
	if last.hasAuthorityKey && issuer.hasSubjectKey && !bytes.Equal(last.authorityKey, issuer.subjectKey) {
		return algorithms{}, CodeUntrustedChain
	}
	if !issuer.validAt(s.at) {
		return algorithms{}, CodeNotValidThen
	}
	if s.checks == 0 {
		return algorithms{}, CodeTooMany
	}
	s.checks--
	key, code := parsePublicKey(issuer.spki)
	if code != 0 {
		return algorithms{}, code
	}
	return verifySignature(key, last.algorithm, "", last.tbs, last.signature)
}
